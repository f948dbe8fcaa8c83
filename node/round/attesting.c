#include "config.h"

#include "node/round/open_round.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "node/hold/stored.h"
#include "p2p/gossip.h"
#include "proto/codec.h"
#include "proto/signed.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

void attesting_free(struct held_attestation *a)
{
    round_attestation_close(&a->opened);
    codec_free(a->message);
    free(a);
}

static bool is_validator(const struct round_duty *duty,
                         const struct public_key *key)
{
    const struct state state = stored_state(duty->config->env->store);
    struct validator_set set;
    uint32_t index;
    ledger_validators(&state, &set);
    return validator_set_find(&index, &set, key);
}

bool attesting_take(struct open_round *round, struct round_attestation *opened,
                    const Pot__Signed *message)
{
    struct held_attestation *old =
        map_get(&round->attestations, opened->validator.b);
    bool is_newer =
        old == NULL || old->opened.body->sequence < opened->body->sequence;
    if (!is_newer || !is_validator(round->duty, &opened->validator)) {
        round_attestation_close(opened);
        return false;
    }
    struct held_attestation *a = pot_calloc(1, sizeof(*a));
    a->opened = *opened;
    a->message = signed_copy(message);
    (void)map_put(&round->attestations, a->opened.validator.b, a);
    if (old != NULL) {
        attesting_free(old);
    }
    round->is_dirty = true;
    open_round_kick(round->duty);
    round->duty->stats.attestations++;
    return true;
}

/* Later attestations have higher numbers, also across a restart: the number
 * follows the clock. */
static uint32_t next_sequence(struct round_duty *duty)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    uint32_t from_clock = (uint32_t)((uint64_t)now.tv_sec * 10 +
                                     (uint64_t)now.tv_nsec / 100000000);
    duty->sequence =
        duty->sequence + 1 > from_clock ? duty->sequence + 1 : from_clock;
    return duty->sequence;
}

static int compare_judgements(const void *a, const void *b)
{
    const Pot__Judgement *const *x = a;
    const Pot__Judgement *const *y = b;
    return memcmp((*x)->submission.data, (*y)->submission.data, HASH_SIZE);
}

static void fill_judgements(struct open_round *round,
                            Pot__AttestationBody *body)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    body->judgements =
        pot_calloc(round->submissions.count, sizeof(*body->judgements));
    while ((slot = map_next(&round->submissions, &cursor)) != NULL) {
        const struct submission *s = slot->value;
        if (s->state == JUDGED && s->verdict != POT__VERDICT__VERDICT_NONE) {
            Pot__Judgement *j = pot_alloc(sizeof(*j));
            pot__judgement__init(j);
            j->submission = codec_copy_bytes(s->held.opened.hash.b, HASH_SIZE);
            j->verdict = s->verdict;
            body->judgements[body->n_judgements++] = j;
        }
    }
    if (body->n_judgements > 0) {
        qsort(body->judgements, body->n_judgements, sizeof(*body->judgements),
              compare_judgements);
    }
}

void attesting_say(struct open_round *round)
{
    struct round_duty *duty = round->duty;
    struct round_attestation opened;
    size_t size;
    Pot__AttestationBody *body = pot_alloc(sizeof(*body));
    pot__attestation_body__init(body);
    body->task = codec_copy_bytes(round->name.b, HASH_SIZE);
    body->round = round->task->round;
    body->sequence = next_sequence(duty);
    fill_judgements(round, body);
    Pot__Signed *message = signed_make(
        SIGNED_ATTESTATION, &duty->config->env->chain, duty->config->key, body);
    uint8_t *data = codec_encode(&size, message);
    gossip_publish(duty->config->gossip, MESSAGE_ATTESTATION, data, size);
    enum pot_err err = round_attestation_open(&opened, message);
    POT_ASSERT(err == POT_OK);
    (void)attesting_take(round, &opened, message);
    round->has_news = false;
    free(data);
    codec_free(message);
    codec_free(body);
}
