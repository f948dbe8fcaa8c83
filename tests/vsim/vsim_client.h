/* vsim_client: sends transactions through the door that the API uses, one at a
 * time for each account, asks some node what became of it, and sends it again
 * when nobody knows.  What a node says stands in a block is acknowledged. */
#ifndef POT_TESTS_VSIM_CLIENT_H
#define POT_TESTS_VSIM_CLIENT_H

#include <stdbool.h>

void vsim_client_open_all(void);
void vsim_client_close_all(void);

/* vsim_client_is_settled: all that was sent stands in a block.  Healed, they
 * send nothing new. */
bool vsim_client_is_settled(void);

#endif
