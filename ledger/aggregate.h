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

/* aggregate_encode: the result in the encoding of proto/gradient.h, appended
 * to out; as many gradients were added as the task's rule asks for, which
 * min_submissions says (proto/aggregation.h). */
void aggregate_encode(struct aggregate *aggregate, struct buf *out);

#endif
