/* A challenge's way at a validator, with the function on each edge:
 *
 *   begin --> LACKING --ask--> ASKED --on_replayed--> SPOKEN
 *                ^               |
 *                '---------------'
 *                 on_replayed: failed
 *
 * referee_refresh asks again for what is LACKING, and says again what was
 * SPOKEN: who did not know of the challenge yet has not kept it.  What is ASKED
 * waits for its turn among the audits. */
#include "config.h"

#include "node/round/referee.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "base/map.h"
#include "ledger/ledger.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "node/round/audits.h"
#include "node/round/referee_words.h"
#include "node/round/rounds_shared.h"
#include "node/tx/own_tx.h"
#include "p2p/gossip.h"
#include "proto/codec.h"
#include "proto/signed.h"

#include <stdlib.h>
#include <string.h>

/* Of a transaction, beside the settlement in it. */
#define AROUND_SETTLE_MAX 1024

enum dispute_state { LACKING, ASKED, SPOKEN };

struct dispute {
    struct referee *referee;
    struct hash submission;
    struct hash name; /* what words judge: ledger_challenge_name */
    struct hash task;
    struct hash payload;
    struct public_key miner;
    Pot__ChallengeRecord *record;
    bool has_plant;
    struct hash plant; /* has_plant: the secret that was shown */
    enum dispute_state state;
    struct referee_words words;
    Pot__Signed *own;     /* SPOKEN */
    uint64_t sent_height; /* of the tip when it was settled; 0: not yet */
    uint64_t seen_height; /* of the tip at which it was open last */
};

struct referee {
    struct rounds_shared *shared;
    struct own_tx *sender;
    struct map disputes; /* name -> struct dispute */
    uint64_t height;
    uint64_t time_ms; /* of the block at that height */
};

static struct state state_of(const struct referee *referee)
{
    return stored_state(referee->shared->holdings->store);
}

static void set_of(const struct referee *referee, struct validator_set *out)
{
    const struct state state = state_of(referee);
    ledger_validators(&state, out);
}

/* ---- settling */

static void send_settle(struct dispute *d, Pot__Signed **words, size_t count)
{
    struct referee *referee = d->referee;
    Pot__SettleChallenge settle = POT__SETTLE_CHALLENGE__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    settle.submission = codec_bytes(d->submission.b, HASH_SIZE);
    settle.n_attestations = count;
    settle.attestations = words;
    body.action_case = POT__TX_BODY__ACTION_SETTLE_CHALLENGE;
    body.settle_challenge = &settle;
    bool fits = pot__settle_challenge__get_packed_size(&settle) <=
                TX_BYTES_MAX - AROUND_SETTLE_MAX;
    /* Otherwise shorter words of the same validators are on their way. */
    if (fits && own_tx_send(referee->sender, &body, NULL)) {
        d->sent_height = referee->height;
    }
}

/* The ledger would not take it in the next block. */
static bool is_too_early(const struct dispute *d, Pot__Verdict verdict)
{
    const struct state state = state_of(d->referee);
    const struct ledger_block next = {.height = d->referee->height + 1,
                                      .time_ms = d->referee->time_ms + 1};
    return verdict == POT__VERDICT__VERDICT_REFUSE &&
           ledger_challenge_waits(&state, d->record, &next);
}

static void settle_if_due(struct dispute *d)
{
    static const Pot__Verdict verdicts[] = {
        POT__VERDICT__VERDICT_ACCEPT_AUDITED, POT__VERDICT__VERDICT_PLANTED,
        POT__VERDICT__VERDICT_REFUSE};
    const struct referee *referee = d->referee;
    struct validator_set set;
    bool waits = d->sent_height != 0 &&
                 referee->height <= d->sent_height + OWN_TX_EXPIRY_BLOCKS;
    if (referee->sender == NULL || waits) {
        return;
    }
    set_of(referee, &set);
    for (size_t i = 0; i < sizeof(verdicts) / sizeof(*verdicts); i++) {
        Pot__Signed *words[VALIDATORS_MAX];
        size_t count =
            referee_words_quorum(words, &d->words, &set, verdicts[i]);
        if (count > 0 && !is_too_early(d, verdicts[i])) {
            send_settle(d, words, count);
        }
    }
}

/* ---- our own word */

static void publish(const struct dispute *d)
{
    size_t size;
    uint8_t *data = codec_encode(&size, d->own);
    gossip_publish(d->referee->shared->gossip, MESSAGE_ATTESTATION, data, size);
    free(data);
}

static void speak(struct dispute *d, Pot__Verdict verdict)
{
    const struct rounds_shared *shared = d->referee->shared;
    struct round_attestation opened;
    Pot__Judgement judgement = POT__JUDGEMENT__INIT;
    Pot__Judgement *list[] = {&judgement};
    Pot__AttestationBody body = POT__ATTESTATION_BODY__INIT;
    judgement.submission = codec_bytes(d->name.b, HASH_SIZE);
    judgement.verdict = verdict;
    body.task = codec_bytes(d->task.b, HASH_SIZE);
    body.round = d->record->round;
    body.n_judgements = 1;
    body.judgements = list;
    d->own = signed_make(SIGNED_ATTESTATION, &shared->holdings->chain,
                         shared->key, &body);
    if (d->own == NULL) {
        d->state = LACKING; /* the key did not sign: again with the next tip */
        return;
    }
    d->state = SPOKEN;
    publish(d);
    enum pot_err err = round_attestation_decode(&opened, d->own);
    POT_ASSERT(err == POT_OK);
    (void)referee_take(d->referee, &opened, d->own);
}

static void on_replayed(void *context, enum pot_err err,
                        const struct audit_result *result)
{
    struct dispute *d = context;
    char text[HASH_TEXT_SIZE];
    if (err != POT_OK) {
        d->state = LACKING;
        return;
    }
    bool is_right = result->verdict == AUDIT_EQUAL;
    bool is_plant = result->verdict == AUDIT_PLANTED;
    LOG(LOG_INFO, "node", "challenge replayed",
        log_text("submission", hash_format(&d->submission, text)),
        log_text("verdict", is_right   ? "right"
                            : is_plant ? "planted"
                                       : "false"));
    speak(d, is_right   ? POT__VERDICT__VERDICT_ACCEPT_AUDITED
             : is_plant ? POT__VERDICT__VERDICT_PLANTED
                        : POT__VERDICT__VERDICT_REFUSE);
}

static bool is_validator(const struct referee *referee,
                         const struct public_key *key)
{
    struct validator_set set;
    uint32_t index;
    set_of(referee, &set);
    return validator_set_find(&index, &set, key);
}

static void ask(struct dispute *d)
{
    const struct rounds_shared *shared = d->referee->shared;
    const struct audits_case asked = {
        .name = d->submission,
        .plant = d->has_plant ? &d->plant : NULL,
        .task = d->task,
        .round = d->record->round,
        .miner = d->miner,
        .payload = d->payload,
        .loss = d->record->loss,
        .core = "",
    };
    if (shared->key != NULL &&
        is_validator(d->referee, key_public(shared->key)) &&
        audits_ask(shared->audits, &asked, on_replayed, d) == POT_OK) {
        d->state = ASKED;
    }
}

/* ---- all of them */

static void dispute_free(struct dispute *d)
{
    if (d->state == ASKED) {
        audits_forget(d->referee->shared->audits, d);
    }
    referee_words_fini(&d->words);
    codec_free(d->own);
    codec_free(d->record);
    free(d);
}

/* Takes the record. */
static struct dispute *begin(struct referee *referee, const struct hash *name,
                             Pot__ChallengeRecord *record)
{
    struct dispute *d = pot_calloc(1, sizeof(*d));
    d->referee = referee;
    d->name = *name;
    d->record = record;
    bool is_right = codec_hash(&d->submission, record->submission) &&
                    codec_hash(&d->task, record->task) &&
                    codec_hash(&d->payload, record->payload_hash) &&
                    codec_key(&d->miner, record->miner);
    POT_ASSERT(is_right);
    d->has_plant = codec_hash(&d->plant, record->plant);
    (void)map_put(&referee->disputes, name->b, d);
    return d;
}

/* One whose submission is said to be planted from now on has another name, and
 * begins anew. */
static void see(struct referee *referee, const struct state *state,
                const struct hash *submission)
{
    struct hash name;
    Pot__ChallengeRecord *record = ledger_challenge(state, submission);
    if (record == NULL) {
        return; /* the state cannot be read */
    }
    ledger_challenge_name(&name, record);
    struct dispute *d = map_get(&referee->disputes, name.b);
    if (d == NULL) {
        d = begin(referee, &name, record);
    } else {
        codec_free(record);
    }
    d->seen_height = referee->height;
}

static void see_all(struct referee *referee)
{
    const struct state state = state_of(referee);
    Pot__HashList *open = ledger_challenges(&state);
    for (size_t i = 0; i < open->n_hashes; i++) {
        struct hash submission;
        if (codec_hash(&submission, open->hashes[i])) {
            see(referee, &state, &submission);
        }
    }
    codec_free(open);
}

static void go_on(struct dispute *d)
{
    if (d->state == LACKING) {
        ask(d);
    } else if (d->state == SPOKEN) {
        publish(d);
    }
    settle_if_due(d);
}

struct referee *referee_new(struct rounds_shared *shared, struct own_tx *sender)
{
    struct referee *referee = pot_calloc(1, sizeof(*referee));
    referee->shared = shared;
    referee->sender = sender;
    return referee;
}

void referee_free(struct referee *referee)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&referee->disputes, &cursor)) != NULL) {
        dispute_free(slot->value);
    }
    map_fini(&referee->disputes);
    free(referee);
}

void referee_refresh(struct referee *referee, uint64_t height, uint64_t time_ms)
{
    referee->height = height;
    referee->time_ms = time_ms;
    see_all(referee);
    size_t count = referee->disputes.count;
    void **all = map_values(&referee->disputes);
    for (size_t i = 0; i < count; i++) {
        struct dispute *d = all[i];
        if (d->seen_height == height) {
            go_on(d);
        } else {
            (void)map_remove(&referee->disputes, d->name.b);
            dispute_free(d);
        }
    }
    free(all);
}

/* ---- the words of all */

/* The open challenge that it speaks of; NULL: none. */
static struct dispute *find(const struct referee *referee,
                            const struct round_attestation *opened)
{
    for (size_t i = 0; i < opened->body->n_judgements; i++) {
        const Pot__Judgement *judgement = opened->body->judgements[i];
        struct dispute *d =
            map_get(&referee->disputes, judgement->submission.data);
        if (d != NULL && hash_equal(&d->task, &opened->task) &&
            d->record->round == opened->body->round &&
            judgement->verdict != POT__VERDICT__VERDICT_ACCEPT) {
            return d;
        }
    }
    return NULL;
}

bool referee_is_asked(const struct referee *referee,
                      const struct round_attestation *opened)
{
    return find(referee, opened) != NULL;
}

bool referee_take(struct referee *referee, struct round_attestation *opened,
                  const Pot__Signed *message)
{
    struct dispute *d = find(referee, opened);
    bool is_news =
        d != NULL && is_validator(referee, &opened->validator) &&
        referee_words_take(&d->words, &opened->validator,
                           round_verdict_on(opened, &d->name), message);
    round_attestation_fini(opened);
    if (is_news) {
        settle_if_due(d);
    }
    return is_news;
}
