#include "config.h"

#include "node/round/attesting.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/map.h"
#include "ledger/ledger.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "node/round/rounds_shared.h"
#include "p2p/gossip.h"
#include "proto/codec.h"
#include "proto/signed.h"

#include <stdlib.h>

struct attesting {
    struct rounds_shared *shared;
    struct map attestations; /* validator key -> struct candidate_attestation */
};

struct attesting *attesting_new(struct rounds_shared *shared)
{
    struct attesting *attesting = pot_calloc(1, sizeof(*attesting));
    attesting->shared = shared;
    return attesting;
}

static void attestation_free(struct candidate_attestation *held)
{
    if (held != NULL) {
        round_attestation_fini(&held->opened);
        codec_free(held->message);
        free(held);
    }
}

void attesting_free(struct attesting *attesting)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&attesting->attestations, &cursor)) != NULL) {
        attestation_free(slot->value);
    }
    map_fini(&attesting->attestations);
    free(attesting);
}

static bool is_validator(const struct rounds_shared *shared,
                         const struct public_key *key)
{
    const struct state state = stored_state(shared->holdings->store);
    struct validator_set set;
    uint32_t index;
    ledger_validators(&state, &set);
    return validator_set_find(&index, &set, key);
}

bool attesting_take(struct attesting *attesting,
                    struct round_attestation *opened,
                    const Pot__Signed *message)
{
    const struct candidate_attestation *old =
        map_get(&attesting->attestations, opened->validator.b);
    bool is_newer =
        old == NULL || old->opened.body->sequence < opened->body->sequence;
    if (!is_newer || !is_validator(attesting->shared, &opened->validator)) {
        round_attestation_fini(opened);
        return false;
    }
    struct candidate_attestation *held = pot_calloc(1, sizeof(*held));
    held->opened = *opened;
    held->message = signed_copy(message);
    attestation_free(
        map_put(&attesting->attestations, held->opened.validator.b, held));
    attesting->shared->stats.attestations++;
    return true;
}

/* Later attestations have higher numbers, also across a restart: the number
 * follows the clock, in tenths of a second. */
static uint32_t next_sequence(struct rounds_shared *shared)
{
    uint32_t from_clock = (uint32_t)(clock_wall_ms() / 100);
    shared->sequence =
        shared->sequence + 1 > from_clock ? shared->sequence + 1 : from_clock;
    return shared->sequence;
}

bool attesting_say(struct attesting *attesting, Pot__AttestationBody *body)
{
    struct rounds_shared *shared = attesting->shared;
    struct round_attestation opened;
    size_t size;
    body->sequence = next_sequence(shared);
    Pot__Signed *message = signed_make(
        SIGNED_ATTESTATION, &shared->holdings->chain, shared->key, body);
    if (message == NULL) {
        return false;
    }
    uint8_t *data = codec_encode(&size, message);
    gossip_publish(shared->gossip, MESSAGE_ATTESTATION, data, size);
    enum pot_err err = round_attestation_decode(&opened, message);
    POT_ASSERT(err == POT_OK);
    (void)attesting_take(attesting, &opened, message);
    free(data);
    codec_free(message);
    return true;
}

bool attesting_close(const struct attesting *attesting,
                     const Pot__TaskRecord *task)
{
    size_t size;
    const struct rounds_shared *shared = attesting->shared;
    Pot__AttestationBody body = POT__ATTESTATION_BODY__INIT;
    body.task = task->task;
    body.round = task->round;
    body.closes = true;
    Pot__Signed *message = signed_make(
        SIGNED_ATTESTATION, &shared->holdings->chain, shared->key, &body);
    if (message == NULL) {
        return false;
    }
    uint8_t *data = codec_encode(&size, message);
    gossip_publish(shared->gossip, MESSAGE_ATTESTATION, data, size);
    free(data);
    codec_free(message);
    return true;
}

void attesting_list(const struct attesting *attesting,
                    struct round_candidate *candidate)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    candidate->attestations = pot_calloc(attesting->attestations.count,
                                         sizeof(*candidate->attestations));
    while ((slot = map_next(&attesting->attestations, &cursor)) != NULL) {
        const struct candidate_attestation *held = slot->value;
        candidate->attestations[candidate->attestation_count++] = *held;
    }
}
