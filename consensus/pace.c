#include "config.h"

#include "consensus/pace.h"

#include "base/check.h"

#include <string.h>

#define SHIFT_MAX 63

void pace_owe(struct pace *pace, uint64_t now_ms)
{
    if (!pace->is_owed) {
        pace->is_owed = true;
        /* A block that came before the work was heard of kept nobody. */
        pace->owed_ms = pace->is_got ? pace->got_ms : now_ms;
    }
}

void pace_got(struct pace *pace, uint64_t now_ms)
{
    if (!pace->is_got) {
        pace->is_got = true;
        pace->got_ms = now_ms;
    }
}

void pace_checked(struct pace *pace, uint64_t now_ms, uint64_t lacked_ms)
{
    if (pace->is_got && !pace->is_checked) {
        uint64_t took_ms = now_ms - pace->got_ms;
        pace->is_checked = true;
        pace->checked_ms = now_ms;
        pace->lacked_ms = lacked_ms < took_ms ? lacked_ms : took_ms;
    }
}

void pace_skip(struct pace *pace)
{
    pace->is_void = true;
}

/* ---- judging */

static void remember(struct pace *pace, uint32_t replica, uint64_t lag_ms)
{
    uint32_t at = 0;
    while (at < pace->past_count && pace->past[at].replica != replica) {
        at++;
    }
    if (at == pace->past_count) {
        POT_ASSERT(pace->past_count < VALIDATORS_MAX);
        pace->past_count++;
    }
    memmove(pace->past + 1, pace->past, at * sizeof(*pace->past));
    pace->past[0] = (struct pace_past){replica, lag_ms};
}

/* The least lag of the f + 1 others that were measured last; 0: fewer were. */
static uint64_t best_of_others(const struct pace *pace,
                               const struct pace_rule *rule)
{
    uint64_t best = UINT64_MAX;
    uint32_t others = 0;
    for (uint32_t i = 0; i < pace->past_count && others <= rule->faults; i++) {
        const struct pace_past *past = &pace->past[i];
        if (past->replica != rule->primary) {
            others++;
            best = past->lag_ms < best ? past->lag_ms : best;
        }
    }
    return others > rule->faults ? best : 0;
}

uint64_t pace_allowed_ms(const struct pace *pace, const struct pace_rule *rule)
{
    uint64_t floor_ms = rule->timeout_ms / PACE_FLOOR_PART;
    uint64_t shift = pace->windows / PACE_STALE;
    uint64_t best =
        best_of_others(pace, rule) >> (shift < SHIFT_MAX ? shift : SHIFT_MAX);
    return 2 * best > floor_ms ? 2 * best : floor_ms;
}

static void judge(struct pace *pace, const struct pace_rule *rule)
{
    uint64_t average = pace->sum_ms / pace->blocks;
    pace->is_slow = average > pace_allowed_ms(pace, rule);
    remember(pace, pace->primary, average);
    pace->windows++;
    pace->blocks = 0;
    pace->sum_ms = 0;
}

/* What a view that ended early has shown is kept, too. */
static void begin_view(struct pace *pace, const struct pace_rule *rule)
{
    if (pace->blocks > 0) {
        remember(pace, pace->primary, pace->sum_ms / pace->blocks);
    }
    pace->view = rule->view;
    pace->primary = rule->primary;
    pace->windows = 0;
    pace->blocks = 0;
    pace->sum_ms = 0;
    pace->is_slow = false;
}

static uint64_t lag_of(const struct pace *pace, const struct pace_rule *rule,
                       uint64_t now_ms)
{
    uint64_t waited = pace->got_ms - pace->owed_ms;
    uint64_t end = pace->is_checked ? pace->checked_ms : now_ms;
    uint64_t work = 2 * (end - pace->got_ms - pace->lacked_ms);
    uint64_t lacked_max = rule->timeout_ms / 2;
    uint64_t lacked =
        pace->lacked_ms < lacked_max ? pace->lacked_ms : lacked_max;
    return lacked + (waited > work ? waited - work : 0);
}

void pace_end(struct pace *pace, const struct pace_rule *rule, uint64_t now_ms)
{
    if (pace->view != rule->view || pace->primary != rule->primary) {
        begin_view(pace, rule);
    }
    if (pace->is_owed && pace->is_got && !pace->is_void) {
        pace->sum_ms += lag_of(pace, rule, now_ms);
        pace->blocks++;
    }
    if (pace->blocks >= PACE_BLOCKS || (pace->blocks >= PACE_BLOCKS_MIN &&
                                        pace->sum_ms >= 2 * rule->timeout_ms)) {
        judge(pace, rule);
    }
    pace->is_owed = false;
    pace->is_got = false;
    pace->is_checked = false;
    pace->lacked_ms = 0;
    pace->is_void = false;
}
