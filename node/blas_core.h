/* blas_core: which kernel OpenBLAS takes when one is named.  potd has no
 * OpenBLAS: pot-worker is asked. */
#ifndef POT_NODE_BLAS_CORE_H
#define POT_NODE_BLAS_CORE_H

#include <stdbool.h>

#include "training/worker_core.h"

/* blas_core_ask: starts program with core wanted, and waits for its answer; so
 * before there are other threads.
 *
 * Out:     out  the kernel that OpenBLAS takes, by its own name
 * Returns  false: the program ended without one, as it does where the processor
 *          lacks the kernel's instructions, or gave none in time */
bool blas_core_ask(char out[static WORKER_CORE_NAME_SIZE], const char *program,
                   const char *core);

#endif
