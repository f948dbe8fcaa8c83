/* vsim_growth: messages and bytes a block and a view change, by the number of
 * validators, without faults. */
#ifndef POT_TESTS_VSIM_GROWTH_H
#define POT_TESTS_VSIM_GROWTH_H

#include <stdbool.h>

bool vsim_growth_print(void);

#endif
