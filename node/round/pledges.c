#include "config.h"

#include "node/round/pledges.h"

#include "base/alloc.h"
#include "base/map.h"
#include "proto/codec.h"
#include "proto/validator_set.h"

#include <stdlib.h>
#include <string.h>

#define GRACE_MIN_MS 300

struct pledge {
    struct hash attestation;
    uint32_t sequence;
    size_t taken; /* of its validator so far */
    uint8_t covers[ROUND_COVERS_MAX];
};

struct pledges {
    const Pot__TaskRecord *task;
    uint64_t opened_ms;
    struct map held;            /* validator -> struct pledge */
    uint8_t counts[ROSTER_MAX]; /* who pledged on the miner of this place */
    uint64_t ripe_ms;
    uint64_t shown_ms;
};

_Static_assert(VALIDATORS_MAX <= UINT8_MAX, "a count holds all of them");

struct pledges *pledges_new(const Pot__TaskRecord *task, uint64_t opened_ms)
{
    struct pledges *p = pot_calloc(1, sizeof(*p));
    p->task = task;
    p->opened_ms = opened_ms;
    return p;
}

void pledges_free(struct pledges *p)
{
    map_fini_free(&p->held);
    free(p);
}

static bool is_covered(const struct pledge *pledge, size_t place)
{
    return (pledge->covers[place / 8] >> (place % 8) & 1) != 0;
}

static void count(struct pledges *p, const struct pledge *pledge, int step)
{
    for (size_t i = 0; i < p->task->n_roster; i++) {
        if (is_covered(pledge, i)) {
            p->counts[i] = (uint8_t)(p->counts[i] + step);
        }
    }
}

static bool is_in_roster(const struct pledges *p, ProtobufCBinaryData covers)
{
    struct pledge last = {.covers = {0}};
    size_t end = covers.len * 8;
    memcpy(last.covers, covers.data, covers.len);
    while (!is_covered(&last, end - 1)) { /* its last byte is not 0 */
        end--;
    }
    return end <= p->task->n_roster;
}

size_t pledges_most(const Pot__TaskRecord *task)
{
    return 2 * task->n_roster + 8;
}

bool pledges_take(struct pledges *p, const struct round_attestation *pledge)
{
    const Pot__AttestationBody *body = pledge->body;
    struct pledge *held = map_get(&p->held, pledge->validator.b);
    struct pledge next = {.sequence = body->sequence, .taken = 1};
    if (p->shown_ms != 0 || !is_in_roster(p, body->covers) ||
        !codec_hash(&next.attestation, body->pledge)) {
        return false;
    }
    memcpy(next.covers, body->covers.data, body->covers.len);
    if (held == NULL) {
        held = pot_calloc(1, sizeof(*held));
        (void)map_put(&p->held, pledge->validator.b, held);
    } else if (held->sequence >= body->sequence ||
               held->taken >= pledges_most(p->task)) {
        return false;
    }
    next.taken = held->taken + 1;
    count(p, held, -1);
    count(p, &next, 1);
    *held = next;
    return true;
}

bool pledges_has(const struct pledges *p, const struct public_key *validator)
{
    return map_get(&p->held, validator->b) != NULL;
}

bool pledges_keeps(const struct pledges *p, const struct public_key *validator,
                   const struct hash *hash)
{
    const struct pledge *held = map_get(&p->held, validator->b);
    return held != NULL && hash_equal(&held->attestation, hash);
}

bool pledges_all(const struct pledges *p,
                 bool (*is_so)(const void *context,
                               const struct public_key *validator),
                 const void *context)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&p->held, &cursor)) != NULL) {
        struct public_key validator;
        memcpy(validator.b, slot->key, sizeof(validator.b));
        if (!is_so(context, &validator)) {
            return false;
        }
    }
    return true;
}

/* Submissions that a quorum has pledged on. */
static size_t count_covered(const struct pledges *p, uint32_t validators)
{
    size_t covered = 0;
    uint32_t quorum = validator_set_quorum(validators);
    for (size_t i = 0; i < p->task->n_roster; i++) {
        covered += p->counts[i] >= quorum ? 1 : 0;
    }
    return covered;
}

bool pledges_look(struct pledges *p, const struct pledges_view *view,
                  uint64_t now_ms)
{
    if (p->shown_ms != 0) {
        return true;
    }
    size_t covered = count_covered(p, view->validators);
    bool is_ripe = covered > 0 && covered >= p->task->spec->min_submissions;
    if (is_ripe && p->ripe_ms == 0) {
        p->ripe_ms = now_ms;
    }
    bool is_whole = covered > 0 && covered >= view->expected;
    bool had_time =
        p->ripe_ms != 0 &&
        now_ms >= p->ripe_ms + pledges_grace_ms(p->opened_ms, p->ripe_ms) / 2;
    if (is_whole || had_time || now_ms >= view->limit_ms ||
        view->shown > validator_set_faults(view->validators)) {
        p->shown_ms = now_ms;
    }
    return p->shown_ms != 0;
}

uint64_t pledges_ripe_ms(const struct pledges *p)
{
    return p->ripe_ms;
}

uint64_t pledges_shown_ms(const struct pledges *p)
{
    return p->shown_ms;
}

uint64_t pledges_grace_ms(uint64_t opened_ms, uint64_t since_ms)
{
    uint64_t taken = since_ms - opened_ms;
    return taken > GRACE_MIN_MS ? taken : GRACE_MIN_MS;
}
