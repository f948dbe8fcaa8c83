#include "config.h"

#include "node/round/committing.h"

#include "base/alloc.h"
#include "base/map.h"
#include "ledger/roster.h"

#include <stdlib.h>

/* Once there are enough, those who are missing get as long again as it took so
 * far, and no less than this. */
#define GRACE_MIN_MS 300
#define SAY_AGAIN_MS 1000

struct committing {
    const Pot__TaskRecord *task;
    struct map digests; /* miner -> struct hash */
    struct map closed;  /* validator -> anything that is not NULL */
    uint64_t opened_ms;
    uint64_t enough_ms; /* since when there are enough; 0: not yet */
    bool is_closed;     /* this validator has said it */
    uint64_t said_ms;
};

struct committing *committing_new(const Pot__TaskRecord *task, uint64_t now_ms)
{
    struct committing *c = pot_calloc(1, sizeof(*c));
    c->task = task;
    c->opened_ms = now_ms;
    return c;
}

void committing_free(struct committing *c)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&c->digests, &cursor)) != NULL) {
        free(slot->value);
    }
    map_fini(&c->digests);
    map_fini(&c->closed);
    free(c);
}

bool committing_take(struct committing *c,
                     const struct round_commitment *commitment)
{
    size_t index;
    struct roster roster = roster_of_round(c->task);
    if (c->is_closed || map_get(&c->digests, commitment->miner.b) != NULL ||
        !roster_find(roster, &commitment->miner, &index)) {
        return false;
    }
    (void)map_put(&c->digests, commitment->miner.b,
                  pot_memdup(&commitment->digest, sizeof(struct hash)));
    return true;
}

bool committing_holds(const struct committing *c,
                      const struct round_submission *submission)
{
    const struct hash *digest = map_get(&c->digests, submission->miner.b);
    return digest != NULL && hash_equal(digest, &submission->digest);
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

bool committing_is_due(struct committing *c, uint64_t now_ms)
{
    size_t count = c->digests.count;
    if (c->is_closed) {
        return now_ms >= c->said_ms + SAY_AGAIN_MS;
    }
    if (count == 0 || count < c->task->spec->min_submissions) {
        return false;
    }
    if (c->enough_ms == 0) {
        c->enough_ms = now_ms;
    }
    uint64_t taken = c->enough_ms - c->opened_ms;
    uint64_t grace = taken > GRACE_MIN_MS ? taken : GRACE_MIN_MS;
    return count == c->task->n_roster || now_ms >= c->enough_ms + grace ||
           now_ms >= c->opened_ms + c->task->spec->round_timeout_ms;
}

void committing_close(struct committing *c, uint64_t now_ms)
{
    c->is_closed = true;
    c->said_ms = now_ms;
}

size_t committing_expected(const struct committing *c)
{
    return c->is_closed ? c->digests.count : c->task->n_roster;
}
