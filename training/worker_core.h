/* worker_core: which kernel OpenBLAS multiplies with.
 *
 * It chooses when it is loaded, by the processor's model; for one that is newer
 * than itself that may be a poor kernel.  So its choice is held against our own
 * product, and if that is much faster, against the kernels that the
 * processor's instructions allow. */
#ifndef POT_TRAINING_WORKER_CORE_H
#define POT_TRAINING_WORKER_CORE_H

#include <stdbool.h>
#include <stddef.h>

#include "training/product.h"

#define WORKER_CORE_NAME_SIZE 32
#define WORKER_CORE_VARIABLE  "OPENBLAS_CORETYPE"

struct worker_core {
    char name[WORKER_CORE_NAME_SIZE]; /* as OpenBLAS says it */
    double rate; /* 10^9 multiply-adds a second; 0: not known */
};

/* worker_core_measure: of this process, multiplying with product; about 2 ms
 * of processor time with a good one. */
void worker_core_measure(struct worker_core *out,
                         const struct product *product);

/* worker_core_is_doubted: whether the others are worth measuring, at what our
 * own product does. */
bool worker_core_is_doubted(const struct worker_core *own, double exact_rate);

/* worker_core_choose: the fastest, if it is clearly faster than own, which is
 * returned otherwise. */
const struct worker_core *worker_core_choose(const struct worker_core *own,
                                             const struct worker_core *others,
                                             size_t count);

/* worker_core_settle: begins this program anew, without arguments, with a
 * better kernel if there is one, and says so on stderr; returns if there is
 * none.  Starts this program with WORKER_CORE_MEASURE for each other kernel:
 * so before the process is limited or fenced in.  exact: our own product; NULL:
 * the others are measured whatever it does. */
void worker_core_settle(const struct product *exact);

/* This option of the program: the kernel's name and rate on stdout. */
#define WORKER_CORE_MEASURE "--measure-core"

#endif
