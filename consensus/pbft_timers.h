/* pbft_timers: what a replica waits for.  A timer that was set again or stopped
 * has a new generation, and one of an older generation fires in vain. */
#ifndef POT_CONSENSUS_PBFT_TIMERS_H
#define POT_CONSENSUS_PBFT_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

#include "consensus/pbft_effects.h"

struct pbft;

struct pbft_timers {
    uint64_t generations[PBFT_TIMERS]; /* of the last one set or stopped */
    bool is_view_timed;                /* the view's timer runs */
    bool is_idle_granted;              /* ...and has the idle interval in it */
};

void pbft_timers_set(struct pbft *p, enum pbft_timer timer, uint64_t delay_ms);
void pbft_timers_stop(struct pbft *p, enum pbft_timer timer);

/* pbft_timers_give_view: what the view is given from now on: its time-out, and
 * extra_ms for an idle primary.  Nothing once the height is decided, or for
 * who may not vote. */
void pbft_timers_give_view(struct pbft *p, uint64_t extra_ms);

/* pbft_timers_timeout_ms: section 4.5.2: it doubles with every view given up,
 * so that it outgrows any delay there is; up to the cap. */
uint64_t pbft_timers_timeout_ms(const struct pbft *p);

#endif
