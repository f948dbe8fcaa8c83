#include "config.h"

#include "consensus/pbft_timers.h"

#include "consensus/pbft_state.h"

void pbft_timers_set(struct pbft *p, enum pbft_timer timer, uint64_t delay_ms)
{
    struct pbft_effect *effect = pbft_emit(p, PBFT_SET_TIMER);
    effect->timer = timer;
    effect->generation = ++p->timers.generations[timer];
    effect->delay_ms = delay_ms;
}

void pbft_timers_stop(struct pbft *p, enum pbft_timer timer)
{
    p->timers.generations[timer]++;
    if (timer == PBFT_TIMER_VIEW) {
        p->timers.is_view_timed = false;
    }
}

uint64_t pbft_timers_timeout_ms(const struct pbft *p)
{
    uint64_t timeout_ms = p->propose_timeout_ms;
    for (uint32_t i = 0; i < p->attempts; i++) {
        if (timeout_ms >= p->propose_timeout_max_ms) {
            break;
        }
        timeout_ms *= 2;
    }
    return timeout_ms < p->propose_timeout_max_ms ? timeout_ms
                                                  : p->propose_timeout_max_ms;
}

void pbft_timers_give_view(struct pbft *p, uint64_t extra_ms)
{
    if (!pbft_can_vote(p) || p->decision.is_made) {
        return;
    }
    pbft_timers_set(p, PBFT_TIMER_VIEW, pbft_timers_timeout_ms(p) + extra_ms);
    p->timers.is_view_timed = true;
    p->timers.is_idle_granted = extra_ms > 0;
}
