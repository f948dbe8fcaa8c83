/* audit: a submitted gradient against one's own computation of it.  Integers
 * only.
 *
 * In the blas lane another kernel gives sums that differ by about 1e-7, so
 * that a few elements round to the neighbouring integer: these flips are
 * allowed up to a number.  A ReLU that falls on the other side of zero moves a
 * whole row of a weight: that is undecided, until it was computed again with
 * the submitter's kernel. */
#ifndef POT_TRAINING_AUDIT_H
#define POT_TRAINING_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "proto/gradient.h"
#include "proto/model.h"
#include "proto/packed.h"

enum audit_verdict {
    AUDIT_EQUAL,     /* the same bytes */
    AUDIT_WITHIN,    /* differs as much as honest kernels do */
    AUDIT_UNDECIDED, /* compute it with the submitter's kernel */
    AUDIT_REFUSED,   /* no kernel explains the difference */
    AUDIT_PLANTED,   /* it differs as proto/plant.h says */
};

struct audit_result {
    enum audit_verdict verdict;
    uint64_t flips; /* elements that differ by one unit */
    uint64_t flips_allowed;
    uint64_t others;     /* elements that differ by more */
    uint64_t excess_ppm; /* relative L2 of what is not allowed, * 10^6;
                            rounded down, clamped at 10^9 */
};

/* audit_compare: quantises own sums at the submitted exponents and judges.
 * The submitted exponents must be those of own sums, or one off: a flip at
 * the edge of a tensor's range moves them.
 *
 * In: submitted, opened for shape, of width 1 or 2; sums over rows rows as
 *     training/quantise.h has them */
void audit_compare(struct audit_result *out, const struct model_shape *shape,
                   const struct gradient *submitted, const int64_t *sums,
                   uint64_t rows);

/* audit_compare_exact: of the exact lane, where every honest machine makes the
 * same bytes: equal or refused, nothing between; or planted, with the secret
 * of a plant.
 *
 * In: payload  what was submitted, by its hash (proto/blob.h); sums as above;
 *     plant    the secret; NULL: it is not said to be one */
void audit_compare_exact(struct audit_result *out,
                         const struct model_shape *shape,
                         const struct packed_form *form,
                         const struct hash *payload, const int64_t *sums,
                         uint64_t rows, const struct hash *plant);

/* audit_flips_allowed: for a gradient of that many elements of width 1 or
 * 2.  Outside this module tests and the benchmark ask it. */
uint64_t audit_flips_allowed(uint64_t elements, unsigned width);

#endif
