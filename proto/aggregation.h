/* aggregation: what a task tells its rule of aggregation, and how many
 * gradients that rule can take in a round.
 *
 * The mean takes them one by one.  The other rules must see all of a round at
 * once: their memory and their work are bounded here, by the number of miners
 * that a task admits. */
#ifndef POT_PROTO_AGGREGATION_H
#define POT_PROTO_AGGREGATION_H

#include <stdint.h>

#include "proto/chain.pb-c.h"

/* A round's elements, of two bytes, held at once; and passes over an element of
 * one: seconds, not minutes. */
#define AGGREGATION_HELD_BYTES_MAX (UINT64_C(1) << 30)
#define AGGREGATION_WORK_MAX       (UINT64_C(1) << 32)

#define AGGREGATION_CLIP_BITS  20 /* clip_norm: value * 2^20, below 4096 */
#define AGGREGATION_CLIP_STEPS 3  /* of centered clipping, in a round */

enum aggregation_fault {
    AGGREGATION_SOUND,
    AGGREGATION_TRIM_SHARE,  /* above 0, below a half; 0 for other rules */
    AGGREGATION_KRUM_FAULTY, /* min_submissions is below 2 * faulty + 3; or
                              * the rule is another */
    AGGREGATION_CLIP_NORM,   /* given to a rule that does not clip */
    AGGREGATION_TOO_LARGE,   /* min_submissions is above the most it takes */
};

/* aggregation_check: the first fault; the rest of spec is sound. */
enum aggregation_fault aggregation_check(const Pot__TaskSpec *spec);

/* aggregation_roster_max: miners of a round, at most ROSTER_MAX. */
uint32_t aggregation_roster_max(const Pot__TaskSpec *spec);

#endif
