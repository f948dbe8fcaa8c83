/* sim_signatures: keys that do not sign for a while, as if they were elsewhere;
 * sim_signatures.c says how they do when they do. */
#ifndef POT_TESTS_SIM_SIGNATURES_H
#define POT_TESTS_SIM_SIGNATURES_H

#include <stdbool.h>

/* sim_signatures_hold: from now on no key signs.
 * sim_signatures_release: they do again; true: one was asked meanwhile. */
void sim_signatures_hold(void);
bool sim_signatures_release(void);

#endif
