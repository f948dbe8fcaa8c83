/* pace: how long the primary lets work wait, and whether that is longer than
 * the network needs.
 *
 * A lag is the time from when a replica has both reached a height and heard
 * of work for it until it has the primary's block, less twice what checking
 * that block took it: who makes a large block needs time for it, too.  What
 * the check waited for, because it was not here, is lag and no work; but half
 * a time-out at most, as once it may be somebody else's fault: a window
 * forgives that, and not one for every block.  Lags are averaged over windows
 * of blocks.  A primary is slow when its average is
 * above all of
 *
 *   a twentieth of the time-out, which anyone may take, and
 *   twice the least that f + 1 others took when they were last primaries:
 *   one of them is honest, and did what the network allows.
 *
 * Who has not been measured counts as able to do without any lag, so in a slow
 * network f + 1 primaries are tried before one stays.  What others did grows
 * old: it is halved for every PACE_STALE windows of the present view. */
#ifndef POT_CONSENSUS_PACE_H
#define POT_CONSENSUS_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"

/* A window is full with so many blocks; or with so few, when they took two
 * time-outs together. */
#define PACE_BLOCKS     16
#define PACE_BLOCKS_MIN 4
#define PACE_STALE      16
#define PACE_FLOOR_PART 20

/* How a primary did when it was measured last. */
struct pace_past {
    uint32_t replica;
    uint64_t lag_ms;
};

/* A zeroed struct has measured nobody. */
struct pace {
    /* Of the height. */
    bool is_owed; /* work was known, since owed_ms */
    bool is_got;  /* the block was there, since got_ms... */
    bool is_checked;
    bool is_void; /* not to be counted */
    uint64_t owed_ms;
    uint64_t got_ms;
    uint64_t checked_ms; /* ...and found valid then... */
    uint64_t lacked_ms;  /* ...after so long for what it lacked */
    /* Of the view. */
    uint64_t view;
    uint32_t primary;
    uint32_t windows; /* judged */
    uint32_t blocks;  /* of the present window, and their lags */
    uint64_t sum_ms;
    bool is_slow; /* by the last window */
    /* The last first; nobody stands in it twice. */
    uint32_t past_count;
    struct pace_past past[VALIDATORS_MAX];
};

/* pace_owe, pace_got, pace_checked: the first call at a height counts; the
 * check lacked something for so long of its time.
 * pace_skip: this height tells nothing about its primary. */
void pace_owe(struct pace *pace, uint64_t now_ms);
void pace_got(struct pace *pace, uint64_t now_ms);
void pace_checked(struct pace *pace, uint64_t now_ms, uint64_t lacked_ms);
void pace_skip(struct pace *pace);

/* Who is measured, and by what. */
struct pace_rule {
    uint64_t view;
    uint32_t primary;
    uint32_t faults;
    uint64_t timeout_ms;
};

/* pace_end: the height is over: its lag enters the window, and a full one is
 * judged. */
void pace_end(struct pace *pace, const struct pace_rule *rule, uint64_t now_ms);

/* pace_allowed_ms: the average lag that is not slow. */
uint64_t pace_allowed_ms(const struct pace *pace, const struct pace_rule *rule);

#endif
