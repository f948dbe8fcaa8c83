#include "config.h"

#include "node/block/guard.h"

#include "base/check.h"

#include <string.h>

/* A certificate of height h shows that its signers stood at h - 1 at least.
 * So who is answered by one of them at height t has seen no certificate above
 * t + 1, and has signed at t + 2 at most: it votes again at t + 3, when its
 * tip is t + 2. */
#define PAST_BLOCKS 2

/* A node that runs with our key signs the blocks after that, and certificates
 * show it: so many must come without before we vote. */
#define SILENT_BLOCKS 2

void guard_init(struct guard *guard, const struct public_key *self,
                const struct hash *chain, bool has_record,
                enum guard_state state)
{
    memset(guard, 0, sizeof(*guard));
    guard->self = *self;
    guard->chain = *chain;
    guard->has_record = has_record;
    guard->state = state;
    guard->released_height = state == GUARD_CLEAR ? UINT64_MAX : 0;
}

void guard_tip(struct guard *guard, uint64_t tip,
               const struct validator_set *set)
{
    guard->tip = tip;
    if (!validator_set_equal(set, &guard->set)) {
        guard->set = *set;
        guard->set_height = tip;
        memset(guard->answers, 0, sizeof(guard->answers));
    }
}

void guard_answered(struct guard *guard, const struct public_key *from,
                    uint64_t tip)
{
    uint32_t index;
    if (public_key_equal(from, &guard->self) ||
        !validator_set_find(&index, &guard->set, from)) {
        return;
    }
    struct guard_answer *answer = &guard->answers[index];
    answer->is_elsewhere = false;
    if (!answer->is_given || tip < answer->tip) {
        answer->is_given = true;
        answer->tip = tip;
    }
}

void guard_lost(struct guard *guard, const struct public_key *from)
{
    uint32_t index;
    if (guard->state == GUARD_ASKING &&
        validator_set_find(&index, &guard->set, from)) {
        guard->answers[index].is_given = false;
    }
}

void guard_recovers(struct guard *guard, const struct public_key *from,
                    bool is_recovering)
{
    uint32_t index;
    if (validator_set_find(&index, &guard->set, from)) {
        guard->answers[index].is_recovering = is_recovering;
    }
}

bool guard_is_recovering(const struct guard *guard,
                         const struct public_key *validator)
{
    uint32_t index;
    return validator_set_find(&index, &guard->set, validator) &&
           guard->answers[index].is_recovering;
}

void guard_elsewhere(struct guard *guard, const struct public_key *from)
{
    uint32_t index;
    if (!public_key_equal(from, &guard->self) &&
        validator_set_find(&index, &guard->set, from)) {
        guard->answers[index].is_elsewhere = true;
    }
}

bool guard_seen(struct guard *guard, const struct pbft_mark *seen,
                const struct signature *signature, const struct pbft_mark *own)
{
    if (pbft_mark_compare(seen, &guard->seen) < 0 ||
        !pbft_mark_contradicts(seen, own)) {
        return true;
    }
    if (!pbft_mark_verify(seen, &guard->self, &guard->chain, signature)) {
        return false;
    }
    guard->seen = *seen;
    return true;
}

uint64_t guard_told(const struct guard *guard, const struct pbft_mark *own)
{
    uint64_t stood = own->height > 0 ? own->height - 1 : 0;
    return stood > guard->tip ? stood : guard->tip;
}

uint32_t guard_needed(const struct guard *guard)
{
    uint32_t n = guard->set.count;
    if (n == 0) {
        return 0;
    }
    uint32_t quorum = validator_set_quorum(n);
    return guard->state == GUARD_RECOVERING
               ? n - quorum + validator_set_faults(n) + 1
               : quorum - 1;
}

uint32_t guard_count(const struct guard *guard)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < guard->set.count; i++) {
        count += guard->answers[i].is_given;
    }
    return count;
}

/* Whether as many as are needed stood at `tip` or below. */
static bool are_at(const struct guard *guard, uint64_t tip)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < guard->set.count; i++) {
        count += guard->answers[i].is_given && guard->answers[i].tip <= tip;
    }
    return count >= guard_needed(guard);
}

/* Where a recovering validator votes again, when enough stood at `tip` or
 * below; a liar may stand anywhere.  The members of a set that has just come
 * may stand before the block that elected them: one block of theirs must be
 * there. */
static uint64_t past(const struct guard *guard, uint64_t tip)
{
    const uint64_t wait = PAST_BLOCKS + SILENT_BLOCKS;
    uint64_t height = tip < UINT64_MAX - wait ? tip + wait : UINT64_MAX;
    return height > guard->set_height ? height : guard->set_height + 1;
}

bool guard_height(uint64_t *height, const struct guard *guard)
{
    bool is_known = guard->set.count > 0 && are_at(guard, 0);
    uint64_t least = 0;
    for (uint32_t i = 0; i < guard->set.count; i++) {
        uint64_t tip = guard->answers[i].tip;
        if (guard->answers[i].is_given && are_at(guard, tip) &&
            (!is_known || tip < least)) {
            is_known = true;
            least = tip;
        }
    }
    *height = guard->state == GUARD_RECOVERING ? past(guard, least) : least;
    return is_known;
}

/* Whether the tip is where the state is left. */
static bool is_past(const struct guard *guard)
{
    uint64_t height;
    return guard_height(&height, guard) && guard->tip >= height;
}

/* More than can lie. */
static bool is_elsewhere(const struct guard *guard)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < guard->set.count; i++) {
        count += guard->answers[i].is_elsewhere;
    }
    return count > validator_set_faults(guard->set.count);
}

static bool is_chain_begun(const struct guard *guard)
{
    bool is_begun = guard->tip > 0;
    for (uint32_t i = 0; i < guard->set.count; i++) {
        is_begun = is_begun || guard->answers[i].tip > 0;
    }
    return is_begun;
}

static enum guard_verdict release(struct guard *guard)
{
    guard->released_height = guard->state == GUARD_RECOVERING ? guard->tip : 0;
    guard->state = GUARD_CLEAR;
    return GUARD_RELEASE;
}

static enum guard_verdict judge_asking(struct guard *guard,
                                       const struct pbft_mark *own)
{
    if (pbft_mark_contradicts(&guard->seen, own) ||
        (!guard->has_record && is_chain_begun(guard))) {
        guard->state = GUARD_RECOVERING;
        return GUARD_RECOVER;
    }
    return is_past(guard) ? release(guard) : GUARD_STAY;
}

static enum guard_verdict judge_recovering(struct guard *guard)
{
    if (guard->seen.height > PAST_BLOCKS &&
        are_at(guard, guard->seen.height - PAST_BLOCKS - 1)) {
        return GUARD_DOUBLED;
    }
    return is_past(guard) ? release(guard) : GUARD_STAY;
}

enum guard_verdict guard_judge(struct guard *guard, const struct pbft_mark *own)
{
    if (guard->set.count == 0) {
        return GUARD_STAY;
    }
    if (is_elsewhere(guard)) {
        return GUARD_DOUBLED;
    }
    switch (guard->state) {
    case GUARD_ASKING:
        return judge_asking(guard, own);
    case GUARD_RECOVERING:
        return judge_recovering(guard);
    case GUARD_CLEAR:
        return guard->seen.height > guard->released_height &&
                       pbft_mark_contradicts(&guard->seen, own)
                   ? GUARD_DOUBLED
                   : GUARD_STAY;
    }
    POT_ASSERT(false);
    return GUARD_STAY;
}
