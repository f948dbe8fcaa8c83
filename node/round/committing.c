#include "config.h"

#include "node/round/committing.h"

#include "base/alloc.h"
#include "base/map.h"
#include "ledger/roster.h"

#include <stdlib.h>

/* Once there are enough, those who are missing get as long again as it took so
 * far, and no less than this; nor less than twice the pace. */
#define GRACE_MIN_MS 300

struct promise {
    struct hash digest;
    uint64_t after_ms; /* the opening */
};

struct committing {
    const Pot__TaskRecord *task;
    struct map promises; /* miner -> struct promise */
    struct map closed;   /* validator -> anything that is not NULL */
    uint64_t pace_ms;
    uint64_t opened_ms;
    uint64_t enough_ms; /* after the opening; 0: not yet */
    bool is_closed;     /* this validator has said it */
};

struct committing *committing_new(const Pot__TaskRecord *task, uint64_t pace_ms,
                                  uint64_t now_ms)
{
    struct committing *c = pot_calloc(1, sizeof(*c));
    c->task = task;
    c->pace_ms = pace_ms;
    c->opened_ms = now_ms;
    return c;
}

void committing_free(struct committing *c)
{
    map_fini_free(&c->promises);
    map_fini(&c->closed);
    free(c);
}

bool committing_is_enough(const struct committing *c)
{
    return c->promises.count > 0 &&
           c->promises.count >= c->task->spec->min_submissions;
}

bool committing_take(struct committing *c,
                     const struct round_commitment *commitment, uint64_t now_ms)
{
    size_t index;
    struct roster roster = roster_of_round(c->task);
    struct promise promise = {commitment->digest, now_ms - c->opened_ms};
    const struct promise *known = map_get(&c->promises, commitment->miner.b);
    if (known != NULL) {
        return hash_equal(&known->digest, &promise.digest);
    }
    if (c->is_closed || !roster_find(roster, &commitment->miner, &index)) {
        return false;
    }
    bool was_enough = committing_is_enough(c);
    (void)map_put(&c->promises, commitment->miner.b,
                  pot_memdup(&promise, sizeof(promise)));
    if (!was_enough && committing_is_enough(c)) {
        c->enough_ms = promise.after_ms;
    }
    return true;
}

bool committing_holds(const struct committing *c,
                      const struct round_submission *submission)
{
    const struct promise *promise = map_get(&c->promises, submission->miner.b);
    return promise != NULL && hash_equal(&promise->digest, &submission->digest);
}

static int compare_times(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* When those committed whom the round counted, ascending. */
static size_t list_counted(uint64_t *out, const struct committing *c,
                           const Pot__TaskRecord *after)
{
    size_t count = 0;
    for (size_t i = 0; i < after->n_members; i++) {
        const Pot__RosterEntry *member = after->members[i];
        const struct promise *promise =
            map_get(&c->promises, member->miner.data);
        if (member->is_counted && promise != NULL) {
            out[count++] = promise->after_ms;
        }
    }
    qsort(out, count, sizeof(*out), compare_times);
    return count;
}

uint64_t committing_pace(const struct committing *c,
                         const Pot__TaskRecord *after)
{
    uint64_t pace = c->pace_ms;
    uint32_t enough = c->task->spec->min_submissions;
    if (after->round == c->task->round || after->n_members == 0) {
        return pace;
    }
    uint64_t *times = pot_calloc(after->n_members, sizeof(*times));
    if (list_counted(times, c, after) >= enough) {
        pace = times[enough - 1];
    }
    free(times);
    return pace;
}

bool committing_closes(struct committing *c, const struct validator_set *set,
                       const struct public_key *validator)
{
    uint32_t index;
    if (map_get(&c->closed, validator->b) != NULL ||
        !validator_set_find(&index, set, validator)) {
        return false;
    }
    (void)map_put(&c->closed, validator->b, c);
    return true;
}

bool committing_is_over(const struct committing *c,
                        const struct validator_set *set)
{
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++) {
        count += map_get(&c->closed, set->keys[i].b) != NULL ? 1 : 0;
    }
    return count >= validator_set_quorum(set->count);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Time for those who are missing; there is enough. */
static bool is_time_up(const struct committing *c, uint64_t elapsed)
{
    if (elapsed >= c->task->spec->round_timeout_ms) {
        return true;
    }
    uint64_t grace = larger(c->enough_ms, GRACE_MIN_MS);
    return c->task->empty_rounds == 0 &&
           elapsed >= larger(c->enough_ms + grace, 2 * c->pace_ms);
}

bool committing_is_due(const struct committing *c, uint64_t now_ms)
{
    return !c->is_closed && committing_is_enough(c) &&
           (c->promises.count == c->task->n_roster ||
            is_time_up(c, now_ms - c->opened_ms));
}

void committing_close(struct committing *c)
{
    c->is_closed = true;
}

size_t committing_expected(const struct committing *c)
{
    return c->is_closed ? c->promises.count : c->task->n_roster;
}
