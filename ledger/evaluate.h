/* evaluate: a model against a test set, in integers.
 *
 * Weights are Q8.24, activations between layers Q15.16, so products are
 * Q.40 in int64.  Before a layer the largest activation and the largest sum
 * of weights show whether a sum could leave int64; if so, the activations go
 * right by the bits needed, and the sum back left, clamped.  The largest
 * output wins, the lowest index among equals. */
#ifndef POT_LEDGER_EVALUATE_H
#define POT_LEDGER_EVALUATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/chain.pb-c.h"
#include "proto/dataset.h"
#include "proto/model.h"

struct evaluation {
    uint64_t rows;
    uint64_t correct; /* 0 when the labels are numbers */
    int64_t loss;     /* Q40.24: mean over the rows */
};

struct evaluator; /* weights made ready for many rows: ledger/evaluate.c */

/* evaluator_new: copies what it needs of theta.  Outside this module tests
 * ask an evaluator, to see the outputs of a row. */
struct evaluator *evaluator_new(const struct model_shape *shape,
                                const Pot__ModelSpec *model,
                                const int32_t *theta);
void evaluator_free(struct evaluator *evaluator);

/* evaluator_forward: up to EVALUATOR_ROWS_MAX rows of Q8.24 features (rows,
 * widths[0]); their outputs, before any softmax, as Q.40 (rows, last width).
 * What a row comes to does not depend on those beside it. */
#define EVALUATOR_ROWS_MAX 64
void evaluator_forward(int64_t *outputs, struct evaluator *evaluator,
                       const int32_t *features, size_t rows);

/* evaluate: over all rows.  Errors: POT_ESHAPE the data set does not fit the
 * model; out is untouched then. */
POT_MUST_USE enum pot_err evaluate(struct evaluation *out,
                                   const struct model_shape *shape,
                                   const Pot__ModelSpec *model,
                                   const int32_t *theta,
                                   const struct dataset *test);

#endif
