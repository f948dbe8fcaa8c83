#include "config.h"

#include "node/round/planter.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/key.h"
#include "base/log.h"
#include "ledger/ledger.h"
#include "ledger/roster.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "node/round/own_links.h"
#include "node/tx/intake.h"
#include "node/tx/mempool.h"
#include "node/tx/own_tx.h"
#include "proto/codec.h"
#include "proto/plant.h"
#include "proto/round.h"
#include "proto/signed.h"

#include <stdlib.h>

#define NOTES_MAX 4096
/* Of a balance, beside the deposit: what a few transactions cost. */
#define FEES_KEPT 100

struct note {
    struct note *next;
    struct round_submission opened;
    Pot__Signed *message;
    struct hash secret;
};

struct planter {
    struct own_tx_config config;
    struct own_tx *sender;
    struct own_links *links;
    struct note *notes;
    size_t count;
    struct hash sent;       /* the last transaction */
    struct hash challenged; /* that it challenges; zero: it exposes */
    bool has_warned;
};

static void on_receipt(void *context, const struct intake_receipt *receipt)
{
    (void)context;
    if (!intake_is_taken(receipt)) {
        LOG(LOG_WARN, "node", "plant not exposed yet",
            log_text("why", intake_text(receipt)));
    }
}

struct planter *planter_new(const struct own_tx_config *config)
{
    struct planter *planter = pot_calloc(1, sizeof(*planter));
    planter->config = *config;
    planter->sender = own_tx_new(config, on_receipt, NULL);
    planter->links =
        own_links_new(config->key, &config->holdings->chain, "plants");
    return planter;
}

static void drop(struct planter *planter, struct note **at)
{
    struct note *note = *at;
    *at = note->next;
    planter->count--;
    round_submission_fini(&note->opened);
    codec_free(note->message);
    free(note);
}

void planter_free(struct planter *planter)
{
    if (planter == NULL) {
        return;
    }
    while (planter->notes != NULL) {
        drop(planter, &planter->notes);
    }
    own_tx_free(planter->sender);
    own_links_free(planter->links);
    free(planter);
}

/* ---- planting */

static const struct public_key *own_key(const struct planter *planter)
{
    return key_public(planter->config.key);
}

static bool can_pay(const struct planter *planter, const struct state *state)
{
    struct account account;
    Pot__SupplyRecord *supply = ledger_supply(state);
    const Pot__GenesisParams *params = supply->params;
    (void)ledger_account(state, own_key(planter), &account);
    bool can = account.balance / 2 >= params->challenge_deposit &&
               account.balance / 2 / FEES_KEPT >= params->fee_base;
    codec_free(supply);
    return can;
}

/* Once, until it can pay again. */
static void warn_if_poor(struct planter *planter, const struct state *state)
{
    bool is_poor = planter->notes != NULL && !can_pay(planter, state);
    if (is_poor && !planter->has_warned) {
        LOG(LOG_WARN, "node", "balance low while plants are open",
            log_u64("plants", planter->count),
            log_text("why", "one that cannot be exposed may cost the stake: "
                            "send coins to the miner's account"));
    }
    planter->has_warned = is_poor;
}

/* A key in memory always signs. */
static void find_links(struct planter *planter, const Pot__TaskRecord *task,
                       uint32_t round, struct hash *link, struct hash *secret)
{
    struct hash hash;
    bool is_right =
        codec_hash(&hash, task->task) &&
        own_links_get(planter->links, &hash, task->spec->rounds, round, link) &&
        own_links_get(planter->links, &hash, task->spec->rounds, round + 1,
                      secret);
    POT_ASSERT(is_right);
}

bool planter_plan(struct planter *planter, const Pot__TaskRecord *task,
                  struct hash *link, bool *is_plant, struct hash *secret)
{
    struct hash theta;
    const struct state state = stored_state(planter->config.holdings->store);
    *is_plant = false;
    if (task->spec->plant_rate_ppm == 0) {
        return false;
    }
    find_links(planter, task, task->round, link, secret);
    *is_plant = codec_hash(&theta, task->parameters_hash) &&
                plant_is_due(secret, link, &theta, own_key(planter),
                             task->spec->plant_rate_ppm) &&
                can_pay(planter, &state);
    return true;
}

void planter_note(struct planter *planter, const Pot__Signed *submission,
                  const struct hash *secret)
{
    if (planter->count == NOTES_MAX) {
        return;
    }
    struct note *note = pot_calloc(1, sizeof(*note));
    note->message = signed_copy(submission);
    enum pot_err err = round_submission_decode(&note->opened, note->message);
    POT_ASSERT(err == POT_OK);
    note->secret = *secret;
    note->next = planter->notes;
    planter->notes = note;
    planter->count++;
}

/* ---- exposing */

/* One at a time: until a block has taken it, it is gone, or it challenges what
 * somebody else has challenged meanwhile, and will be refused. */
static bool is_on_its_way(const struct planter *planter,
                          const struct state *state)
{
    Pot__ChallengeRecord *c = ledger_challenge(state, &planter->challenged);
    bool is_dead = c != NULL;
    codec_free(c);
    return !is_dead &&
           mempool_find(planter->config.mempool, &planter->sent) != NULL;
}

static void send_tx(struct planter *planter, Pot__TxBody *body,
                    const struct hash *submission)
{
    static const struct hash none;
    char text[HASH_TEXT_SIZE];
    bool is_challenge = body->action_case == POT__TX_BODY__ACTION_CHALLENGE;
    if (own_tx_send(planter->sender, body, &planter->sent)) {
        planter->challenged = is_challenge ? *submission : none;
        LOG(LOG_INFO, "node", "exposing a plant",
            log_text("submission", hash_format(submission, text)));
    }
}

static bool rescue(struct planter *planter, const struct state *state,
                   const struct hash *submission, const Pot__ChallengeRecord *c)
{
    struct hash hash;
    struct hash link;
    struct hash secret;
    Pot__ExposePlant expose = POT__EXPOSE_PLANT__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    if (c->plant.len > 0 || c->link.len == 0 ||
        !codec_bytes_equal(c->miner, own_key(planter)->b, PUBLIC_KEY_SIZE) ||
        !codec_hash(&hash, c->task)) {
        return false;
    }
    Pot__TaskRecord *task = ledger_task(state, &hash);
    if (task == NULL) {
        return false; /* the state cannot be read */
    }
    find_links(planter, task, c->round, &link, &secret);
    codec_free(task);
    if (!ledger_is_plant(state, c, &secret)) {
        return false;
    }
    expose.submission = codec_bytes(submission->b, HASH_SIZE);
    expose.plant = codec_bytes(secret.b, HASH_SIZE);
    body.action_case = POT__TX_BODY__ACTION_EXPOSE_PLANT;
    body.expose_plant = &expose;
    send_tx(planter, &body, submission);
    return true;
}

/* Of a challenge that somebody else has opened; true: there is one. */
static bool rescue_one(struct planter *planter, const struct state *state)
{
    bool is_found = false;
    Pot__HashList *open = ledger_challenges(state);
    for (size_t i = 0; i < open->n_hashes && !is_found; i++) {
        struct hash submission;
        Pot__ChallengeRecord *c = NULL;
        if (codec_hash(&submission, open->hashes[i])) {
            c = ledger_challenge(state, &submission);
        }
        is_found = c != NULL && rescue(planter, state, &submission, c);
        codec_free(c);
    }
    codec_free(open);
    return is_found;
}

enum need {
    NEED_NONE, /* nothing, and nothing later */
    NEED_LATER,
    NEED_NOW,
};

static bool shows_later(const struct planter *planter, Pot__RosterEntry **all,
                        size_t count, uint32_t round)
{
    bool shows = false;
    for (size_t i = 0; i < count && !shows; i++) {
        shows = all[i]->link_round > round &&
                codec_bytes_equal(all[i]->miner, own_key(planter)->b,
                                  PUBLIC_KEY_SIZE);
    }
    return shows;
}

/* Of what is counted and not challenged: its round is closed.  Whoever submits
 * no more shows no later link. */
static enum need need_of(const struct planter *planter,
                         const Pot__TaskRecord *task,
                         const Pot__ClosedRecord *closed,
                         const struct note *note)
{
    size_t index;
    uint32_t round = note->opened.body->round;
    if (ledger_is_audited(closed, &note->opened.hash)) {
        return NEED_NOW; /* which is a lie */
    }
    if (shows_later(planter, task->members, task->n_members, round) ||
        shows_later(planter, task->departed, task->n_departed, round)) {
        return NEED_NONE;
    }
    return roster_find(roster_of_members(task), own_key(planter), &index)
               ? NEED_LATER
               : NEED_NOW;
}

static bool is_open(const Pot__TaskRecord *task, const struct note *note)
{
    return task->status == POT__TASK_STATUS__TASK_RUNNING &&
           task->round == note->opened.body->round;
}

/* As planned: who audited it refused it. */
static void tell_refused(const struct note *note)
{
    char text[HASH_TEXT_SIZE];
    const struct round_submission *s = &note->opened;
    LOG(LOG_INFO, "node", "plant not counted: found, as planned, or late",
        log_text("task", hash_format(&s->task, text)),
        log_u64("round", s->body->round));
}

static enum need judge(const struct planter *planter, const struct state *state,
                       const struct note *note)
{
    enum need need = NEED_NONE;
    const struct round_submission *s = &note->opened;
    Pot__TaskRecord *task = ledger_task(state, &s->task);
    Pot__ClosedRecord *closed = ledger_closed(state, &s->task, s->body->round);
    Pot__ChallengeRecord *challenge = ledger_challenge(state, &s->hash);
    if (task != NULL && is_open(task, note)) {
        need = NEED_LATER;
    } else if (task != NULL && closed != NULL && challenge == NULL &&
               ledger_is_counted(closed, &s->hash)) {
        need = need_of(planter, task, closed, note);
    } else if (closed != NULL && !ledger_is_counted(closed, &s->hash)) {
        tell_refused(note);
    }
    codec_free(challenge);
    codec_free(closed);
    codec_free(task);
    return need;
}

static void challenge(struct planter *planter, const struct state *state,
                      const struct note *note)
{
    Pot__Challenge challenge = POT__CHALLENGE__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    struct hash secret = note->secret;
    challenge.submission = note->message;
    challenge.plant = codec_bytes(secret.b, HASH_SIZE);
    body.action_case = POT__TX_BODY__ACTION_CHALLENGE;
    body.challenge = &challenge;
    if (ledger_challenges_left(state, &note->opened.task, own_key(planter)) >
        0) {
        send_tx(planter, &body, &note->opened.hash);
    }
}

void planter_refresh(struct planter *planter, const struct state *state)
{
    bool is_busy = is_on_its_way(planter, state) || rescue_one(planter, state);
    warn_if_poor(planter, state);
    for (struct note **at = &planter->notes; *at != NULL;) {
        struct note *note = *at;
        enum need need = judge(planter, state, note);
        if (need == NEED_NOW && !is_busy) {
            challenge(planter, state, note);
            is_busy = true;
        }
        if (need != NEED_NONE) {
            at = &note->next;
        } else {
            drop(planter, at);
        }
    }
}
