/* aggregate: many quantised gradients into one.
 *
 * Elements are put on a grid of integers (ledger/aggregate_grid.h), so the
 * order of the gradients does not matter; the optimizer's own grid is 2^-24,
 * well above.  The result is in its one canonical form: of each tensor the
 * largest exponent that loses nothing (0 for a tensor of zeros), or the
 * smallest at which its elements fit into int32; of the whole the smallest
 * width. */
#ifndef POT_LEDGER_AGGREGATE_H
#define POT_LEDGER_AGGREGATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "proto/gradient.h"
#include "proto/model.h"

struct aggregate; /* sums under way: ledger/aggregate.c */

/* aggregate_has_rule: whether there is such a rule; any number may be asked
 * about.  Outside this module tests ask it. */
bool aggregate_has_rule(uint32_t rule);

/* aggregate_new: by the rule of a sound task; borrows spec and shape until
 * aggregate_free. */
struct aggregate *aggregate_new(const Pot__TaskSpec *spec,
                                const struct model_shape *shape);
void aggregate_free(struct aggregate *aggregate);

/* aggregate_add: at most aggregation_roster_max times, of one width. */
void aggregate_add(struct aggregate *aggregate,
                   const struct gradient *gradient);

/* aggregate_takes_sums: the task's rule is a sum, which may be formed in parts
 * (proto/partial_sum.h), in any tree: the result has the same bits. */
bool aggregate_takes_sums(const Pot__TaskSpec *spec);

/* aggregate_add_sum: a part, in place of its addends.  In: the rule takes sums.
 * Errors: those of partial_sum_open; POT_ELIMIT too many addends together.
 * Nothing was added then. */
POT_MUST_USE enum pot_err aggregate_add_sum(struct aggregate *aggregate,
                                            const void *data, size_t size);

/* aggregate_encode_sum: what was added, one at least, as such a part, appended
 * to out.  In: the rule takes sums. */
void aggregate_encode_sum(struct aggregate *aggregate, struct buf *out);

/* aggregate_encode: the result in the encoding of proto/gradient.h, appended
 * to out; as many gradients were added as the task's rule asks for, which
 * min_submissions says (proto/aggregation.h). */
void aggregate_encode(struct aggregate *aggregate, struct buf *out);

#endif
