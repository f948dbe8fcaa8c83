/* aggregate_rule: what a rule of aggregation is; for ledger/aggregate*.c.
 *
 * A rule is a value of Aggregation (proto/chain.proto) and its entry in
 * spec_aggregations (proto/spec.c), which says whether this version takes it;
 * what it needs, in proto/aggregation.c; a file ledger/aggregate_X.c that
 * defines one of these, declared below; and an entry in the table of
 * ledger/aggregate.c.  Integers only, and the order of the gradients must not
 * matter. */
#ifndef POT_LEDGER_AGGREGATE_RULE_H
#define POT_LEDGER_AGGREGATE_RULE_H

#include <stdint.h>

#include "proto/gradient.h"
#include "proto/model.h"

struct aggregate_rule {
    Pot__Aggregation kind;

    /* The rule's state for gradients of one shape; close releases it.  spec
     * and shape are borrowed until then. */
    void *(*open)(const Pot__TaskSpec *spec, const struct model_shape *shape);
    void (*close)(void *state);

    void (*add)(void *state, const struct model_shape *shape,
                const struct gradient *gradient);

    /* add_sum: what gradients come to on the grid, in place of each of them;
     * NULL: the rule asks to see them one by one. */
    void (*add_sum)(void *state, const struct model_shape *shape,
                    const int64_t *sums);

    /* finish: (parameter_count) in units of the grid (aggregate_grid.h),
     * borrowed from the state.  Whoever reads it divides by addends: a rule
     * whose result is no sum gives it addends times. */
    const int64_t *(*finish)(void *state, const struct model_shape *shape,
                             uint32_t addends);
};

extern const struct aggregate_rule aggregate_mean; /* aggregate_mean.c */
extern const struct aggregate_rule
    aggregate_trimmed_mean;                          /* aggregate_sorted.c */
extern const struct aggregate_rule aggregate_median; /* aggregate_sorted.c */
extern const struct aggregate_rule aggregate_krum;   /* aggregate_krum.c */
extern const struct aggregate_rule aggregate_multi_krum; /* likewise */
extern const struct aggregate_rule
    aggregate_clipped_mean; /* aggregate_clip.c */
extern const struct aggregate_rule aggregate_centered_clipping; /* likewise */

#endif
