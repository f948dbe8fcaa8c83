#include "config.h"

#include "node/block/replica.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "node/block/delivery.h"
#include "node/block/errands.h"
#include "node/block/inbox.h"
#include "node/block/known_commits.h"
#include "node/block/signed_watch.h"
#include "node/block/vote_record.h"
#include "node/loop/loop_timer.h"
#include "p2p/net.h"
#include "storage/sign_state.h"
#include "storage/store.h"

#include <stdlib.h>

#define TIMEOUT_GROWTH_MAX 16
#define BEHIND_MS          10000

struct deferred {
    struct deferred *next;
    struct pbft_event event;
    uint8_t *block;
    struct validator_set *validators;
};

struct timer_slot {
    struct loop_timer timer;
    struct replica *replica;
    uint64_t generation;
};

struct replica {
    struct replica_config config;
    struct pbft *pbft;
    struct inbox *inbox;
    struct vote_record *record;
    struct errands *errands;
    struct signed_watch *watch;
    struct timer_slot timers[PBFT_TIMERS];
    bool is_stepping;
    struct deferred *deferred; /* events that came while stepping */
    uint64_t evidence;
    uint64_t behind_ms; /* when that was told; 0: never */
    bool is_silent;
    bool has_suspected; /* and told it, last in this view: */
    uint64_t suspected_view;
    bool is_stopped;
};

/* Damage is found off the loop, and is the store's before the node takes
 * notice: not a word is sent meanwhile. */
static bool is_silent(const struct replica *r)
{
    return r->is_silent || store_health(r->config.store) != STORE_SOUND;
}

/* ---- sending */

static bool is_validator(void *context, const struct peer *peer)
{
    const struct replica *r = context;
    uint32_t index;
    return validator_set_find(&index, pbft_validators(r->pbft), peer_key(peer));
}

bool replica_is_fellow(const struct replica *r, const struct peer *peer)
{
    uint32_t index;
    const struct validator_set *set = pbft_validators(r->pbft);
    return validator_set_find(&index, set, key_public(r->config.key)) &&
           validator_set_find(&index, set, peer_key(peer));
}

static void broadcast(struct replica *r, const struct pbft_effect *effect)
{
    (void)net_multicast(r->config.net, MESSAGE_CONSENSUS, effect->bytes,
                        effect->size, is_validator, r);
}

static void send_to(struct replica *r, const struct pbft_effect *effect)
{
    const struct validator_set *set = pbft_validators(r->pbft);
    if (effect->replica < set->count) {
        struct peer *peer =
            net_find(r->config.net, &set->keys[effect->replica]);
        if (peer != NULL) {
            (void)net_send(r->config.net, peer, MESSAGE_CONSENSUS,
                           effect->bytes, effect->size);
        }
    }
}

/* ---- effects */

static void persist(struct replica *r, struct pbft_effect *effect)
{
    vote_record_save(r->record, effect->bytes, effect->size, effect->sequence);
    effect->bytes = NULL;
}

static void set_timer(struct replica *r, const struct pbft_effect *effect)
{
    struct timer_slot *slot = &r->timers[effect->timer];
    slot->generation = effect->generation;
    loop_timer_start(&slot->timer, effect->delay_ms, 0);
}

static void tell_evidence(struct replica *r, const struct pbft_effect *effect)
{
    r->evidence++;
    r->config.found(r->config.context, effect->bytes, effect->size);
}

/* Block sync follows what peers say of their height: this is for people, and
 * each message of a later height brings it about. */
static void tell_behind(struct replica *r, const struct pbft_effect *effect)
{
    uint64_t now_ms = uv_now(r->config.loop);
    if (r->behind_ms == 0 || now_ms - r->behind_ms >= BEHIND_MS) {
        r->behind_ms = now_ms;
        LOG(LOG_INFO, "consensus", "behind", log_u64("height", effect->height));
    }
}

static void carry_out(struct replica *r, struct pbft_effect *effect)
{
    switch (effect->type) {
    case PBFT_PERSIST:
        persist(r, effect);
        break;
    case PBFT_BROADCAST:
        broadcast(r, effect);
        break;
    case PBFT_SEND:
        send_to(r, effect);
        break;
    case PBFT_SET_TIMER:
        set_timer(r, effect);
        break;
    case PBFT_PROPOSE:
        errands_propose(r->errands, effect);
        break;
    case PBFT_CHECK:
        errands_check(r->errands, effect);
        break;
    case PBFT_COMMIT:
        errands_commit(r->errands, effect);
        break;
    case PBFT_SYNC:
        tell_behind(r, effect);
        break;
    case PBFT_EVIDENCE:
        tell_evidence(r, effect);
        break;
    }
}

/* ---- stepping */

/* An answer that comes while effects are carried out waits its turn, so that
 * effects keep their order. */
static void defer(struct replica *r, const struct pbft_event *event)
{
    struct deferred *d = pot_calloc(1, sizeof(*d));
    d->event = *event;
    if (event->type == PBFT_PROPOSAL && event->u.proposal.block != NULL) {
        d->block =
            pot_memdup(event->u.proposal.block, event->u.proposal.block_size);
        d->event.u.proposal.block = d->block;
        d->event.u.proposal.opened = NULL; /* it may be gone by then */
    } else if (event->type == PBFT_COMMITTED) {
        d->validators =
            pot_memdup(event->u.committed.validators, sizeof(*d->validators));
        d->event.u.committed.validators = d->validators;
    }
    POT_ASSERT(event->type != PBFT_MESSAGE);
    struct deferred **end = &r->deferred;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = d;
}

static void deferred_free(struct deferred *d)
{
    free(d->block);
    free(d->validators);
    free(d);
}

static uint64_t view_changes(const struct pbft_status *status)
{
    uint64_t sum = 0;
    for (int i = 0; i < PBFT_CHANGES; i++) {
        sum += status->view_changes[i];
    }
    return sum;
}

/* A commit takes the replica to the next height, and words that wait there may
 * take it on at once. */
static void log_view(const struct pbft_status *before,
                     const struct pbft_status *now)
{
    bool is_same = now->height == before->height;
    if (view_changes(now) > view_changes(before)) {
        LOG(LOG_WARN, "consensus", "view change",
            log_u64("height", now->height),
            log_u64("from", is_same ? before->view : now->start_view),
            log_u64("to", now->view),
            log_text("why", pbft_change_name(now->last_change)));
    }
}

static void step_one(struct replica *r, const struct pbft_event *event)
{
    bool is_new_tip =
        event->type == PBFT_START || event->type == PBFT_COMMITTED;
    struct pbft_effects effects = {0};
    struct pbft_event timed = *event;
    struct pbft_status before = pbft_status(r->pbft);
    timed.now_ms = uv_now(r->config.loop);
    pbft_step(r->pbft, &timed, &effects);
    struct pbft_status now = pbft_status(r->pbft);
    log_view(&before, &now);
    for (size_t i = 0; i < effects.count; i++) {
        carry_out(r, &effects.items[i]);
    }
    pbft_effects_fini(&effects);
    if (is_new_tip) {
        signed_watch_tip(r->watch, pbft_status(r->pbft).height - 1,
                         pbft_validators(r->pbft));
    }
}

static void step(struct replica *r, const struct pbft_event *event)
{
    if (r->is_stopped || is_silent(r)) {
        return;
    }
    if (r->is_stepping) {
        defer(r, event);
        return;
    }
    r->is_stepping = true;
    step_one(r, event);
    while (r->deferred != NULL && !r->is_stopped && !is_silent(r)) {
        struct deferred *d = r->deferred;
        r->deferred = d->next;
        step_one(r, &d->event);
        deferred_free(d);
    }
    r->is_stepping = false;
}

/* ---- events */

static void on_timer(void *context)
{
    const struct timer_slot *slot = context;
    struct replica *r = slot->replica;
    struct pbft_event event = {.type = PBFT_TIMER};
    event.u.timer.timer = (enum pbft_timer)(slot - r->timers);
    event.u.timer.generation = slot->generation;
    step(r, &event);
}

static const struct validator_set *validators(void *context, uint64_t *set_id,
                                              uint64_t *height)
{
    const struct replica *r = context;
    const struct pbft_status status = pbft_status(r->pbft);
    *set_id = status.set_id;
    *height = status.height;
    return pbft_validators(r->pbft);
}

static bool is_spare(void *context, const Pot__ConsensusMessage *message,
                     const struct public_key *from)
{
    const struct replica *r = context;
    return pbft_is_spare(r->pbft, message, from);
}

static void on_message(void *context, const struct inbox_message *message)
{
    struct replica *r = context;
    struct pbft_event event = {.type = PBFT_MESSAGE};
    if (message->set_id == pbft_status(r->pbft).set_id) {
        /* Of one that is spare the signature is not checked: it is its own
         * signer's word, and told to him alone, who checks it. */
        signed_watch_message(r->watch, pbft_validators(r->pbft),
                             message->message);
        if (!message->is_spare) {
            known_commits_add(r->config.verified, pbft_validators(r->pbft),
                              message->message);
        }
    }
    event.u.message.message = message->message;
    event.u.message.set_id = message->set_id;
    event.u.message.is_spare = message->is_spare;
    if (!validator_set_find(&event.u.message.from, pbft_validators(r->pbft),
                            message->from)) {
        event.u.message.from = PBFT_NO_REPLICA;
    }
    step(r, &event);
}

static void on_breach(void *context, const struct public_key *from)
{
    const struct replica *r = context;
    struct peer *peer = net_find(r->config.net, from);
    if (peer != NULL) {
        net_ban(r->config.net, peer, "sent a forged consensus message");
    }
}

static void on_saved(void *context, uint64_t sequence, enum pot_err err)
{
    struct replica *r = context;
    struct pbft_event event = {.type = PBFT_PERSISTED};
    if (err != POT_OK) {
        r->config.failed(r->config.context, err, "sign state");
        return;
    }
    event.u.persisted.sequence = sequence;
    step(r, &event);
}

/* Made of votes of the present height, our own among them. */
static void on_decided(void *context, const Pot__CommitCertificate *certificate)
{
    const struct replica *r = context;
    known_commits_add_all(r->config.verified, pbft_validators(r->pbft),
                          certificate);
}

static void on_answer(void *context, const struct pbft_event *event)
{
    step(context, event);
}

/* ---- what the key has signed */

static struct pbft_mark signed_last(void *context)
{
    const struct replica *r = context;
    return pbft_status(r->pbft).signed_last;
}

static void on_verdict(void *context, enum guard_verdict verdict)
{
    struct replica *r = context;
    struct pbft_event event = {.type = PBFT_RELEASE};
    if (r->is_stopped) {
        return;
    }
    switch (verdict) {
    case GUARD_RECOVER:
        LOG(LOG_WARN, "consensus",
            "no votes until the chain is past all that this key may have"
            " signed: the sign state does not know it",
            log_u64("height", pbft_status(r->pbft).height));
        event.type = PBFT_RECOVER;
        step(r, &event);
        return;
    case GUARD_RELEASE:
        LOG(LOG_INFO, "consensus", "votes from now on",
            log_u64("height", pbft_status(r->pbft).height));
        step(r, &event);
        return;
    case GUARD_DOUBLED:
        r->config.failed(r->config.context, POT_EGUARD,
                         "another node signs with this validator's key");
        return;
    case GUARD_STAY:
        return;
    }
}

void replica_peer(struct replica *r, struct peer *peer, bool is_up)
{
    signed_watch_peer(r->watch, peer, is_up);
}

void replica_signed_message(struct replica *r, struct peer *peer, uint8_t type,
                            const uint8_t *data, size_t size)
{
    if (type == MESSAGE_GET_SIGNED) {
        signed_watch_asked(r->watch, peer);
    } else {
        signed_watch_answered(r->watch, peer, data, size);
    }
}

void replica_tick(struct replica *r, uint64_t now_ms)
{
    if (!r->is_stopped) {
        signed_watch_tick(r->watch, now_ms);
    }
}

void replica_certified(struct replica *r,
                       const Pot__CommitCertificate *certificate)
{
    signed_watch_certificate(r->watch, certificate);
}

const struct guard *replica_guard(const struct replica *r)
{
    return signed_watch_guard(r->watch);
}

/* A crash took the last block's certificate: the tip is one lower than was told
 * before. */
static void tell_again(const struct replica *r)
{
    const struct pbft_status status = pbft_status(r->pbft);
    const struct pbft_mark *last = &status.signed_last;
    if (last->height == status.height &&
        last->rank == (uint32_t)POT__PHASE__PHASE_COMMIT) {
        LOG(LOG_INFO, "consensus",
            "the next block has this validator's commit already",
            log_u64("height", status.height));
    }
}

void replica_start(struct replica *r)
{
    const struct pbft_event event = {.type = PBFT_START};
    tell_again(r);
    step(r, &event);
}

void replica_work(struct replica *r)
{
    const struct pbft_event event = {.type = PBFT_WORK};
    step(r, &event);
}

void replica_suspect(struct replica *r, const char *what,
                     const struct hash *hash)
{
    char text[HASH_TEXT_SIZE];
    struct pbft_event event = {.type = PBFT_SUSPECT};
    event.u.suspect.view = pbft_status(r->pbft).view;
    if (!r->has_suspected || r->suspected_view != event.u.suspect.view) {
        r->has_suspected = true;
        r->suspected_view = event.u.suspect.view;
        LOG(LOG_WARN, "consensus", "the primary leaves out what waits",
            log_u64("view", event.u.suspect.view),
            log_text(what, hash_format(hash, text)));
    }
    step(r, &event);
}

void replica_applied(struct replica *r, const struct chain_tip *tip,
                     const struct validator_set *validators)
{
    struct pbft_event event = {.type = PBFT_COMMITTED};
    event.u.committed.height = tip->height;
    event.u.committed.view = tip->view;
    event.u.committed.digest = tip->hash;
    event.u.committed.validators = validators;
    step(r, &event);
}

void replica_receive(struct replica *r, struct peer *peer, const void *data,
                     size_t size)
{
    uint32_t index = PBFT_NO_REPLICA;
    bool is_known =
        validator_set_find(&index, pbft_validators(r->pbft), peer_key(peer));
    if (!is_silent(r)) {
        peer_charge(peer, pbft_signatures(data, size));
        inbox_receive(r->inbox, peer_key(peer),
                      is_known ? index : PBFT_NO_REPLICA, data, size);
    }
}

/* ---- opening and closing */

static struct pbft *open_pbft(const struct replica_config *config,
                              enum pot_err *err)
{
    size_t record_size;
    const struct chain_tip *tip = chain_tip(config->delivery->chain);
    const void *record = sign_state_record(config->sign_state, &record_size);
    const struct pbft_config pbft_config = {
        .chain = config->chain,
        .validators = config->validators,
        .key = config->key,
        .height = tip->height,
        .tip = tip->hash,
        .view = tip->view,
        .propose_timeout_ms = config->propose_timeout_ms,
        .propose_timeout_max_ms =
            config->propose_timeout_ms * TIMEOUT_GROWTH_MAX,
        .idle_interval_ms = config->idle_interval_ms,
        .is_held = true,
        .is_counted = config->key != NULL && key_is_remote(config->key),
    };
    return pbft_new(&pbft_config, record, record_size, err);
}

static enum guard_state first_state(const struct replica *r)
{
    const struct pbft_status status = pbft_status(r->pbft);
    return status.is_recovering ? GUARD_RECOVERING
           : status.is_held     ? GUARD_ASKING
                                : GUARD_CLEAR;
}

static struct signed_watch *open_watch(struct replica *r)
{
    size_t record_size;
    const struct replica_config *c = &r->config;
    (void)sign_state_record(c->sign_state, &record_size);
    const struct signed_watch_config watch = {
        .net = c->net,
        .chain = c->chain,
        .self = *key_public(c->key),
        .has_record = record_size > 0,
        .state = first_state(r),
        .context = r,
        .signed_last = signed_last,
        .act = on_verdict,
    };
    return signed_watch_new(&watch);
}

static void open_parts(struct replica *r)
{
    const struct replica_config *c = &r->config;
    const struct inbox_config inbox = {
        .loop = c->loop,
        .chain = c->chain,
        .context = r,
        .validators = validators,
        .is_spare = is_spare,
        .deliver = on_message,
        .breach = on_breach,
    };
    const struct vote_record_config record = {
        .loop = c->loop,
        .sign_state = c->sign_state,
        .store = c->store,
        .context = r,
        .saved = on_saved,
    };
    const struct errands_config errands = {
        .loop = c->loop,
        .delivery = c->delivery,
        .proposer = *key_public(c->key),
        .asker = r,
        .answer = on_answer,
        .decided = on_decided,
        .context = c->context,
        .make_request = c->make_request,
        .refused = c->refused,
        .failed = c->failed,
    };
    r->inbox = inbox_new(&inbox);
    r->record = vote_record_new(&record);
    r->errands = errands_new(&errands);
    r->watch = open_watch(r);
    for (size_t i = 0; i < PBFT_TIMERS; i++) {
        r->timers[i].replica = r;
        loop_timer_open(&r->timers[i].timer, c->loop, on_timer, &r->timers[i]);
    }
}

enum pot_err replica_new(struct replica **out,
                         const struct replica_config *config)
{
    enum pot_err err;
    struct pbft *pbft = open_pbft(config, &err);
    *out = NULL;
    if (pbft == NULL) {
        return err;
    }
    struct replica *r = pot_calloc(1, sizeof(*r));
    r->config = *config;
    r->pbft = pbft;
    open_parts(r);
    *out = r;
    return POT_OK;
}

static void forget_deferred(struct replica *r)
{
    while (r->deferred != NULL) {
        struct deferred *next = r->deferred->next;
        deferred_free(r->deferred);
        r->deferred = next;
    }
}

void replica_silence(struct replica *r)
{
    r->is_silent = true;
    if (r->is_stopped) {
        return; /* the timers are closed */
    }
    for (size_t i = 0; i < PBFT_TIMERS; i++) {
        loop_timer_stop(&r->timers[i].timer);
    }
}

/* What is verified or written now was begun for the state machine that goes;
 * the answers to errands say of blocks what is true for the next one too. */
bool replica_is_quiet(const struct replica *r)
{
    return r->is_silent && !r->is_stepping && inbox_is_idle(r->inbox) &&
           vote_record_is_idle(r->record);
}

enum pot_err replica_resume(struct replica *r,
                            const struct validator_set *validators)
{
    enum pot_err err;
    struct replica_config config = r->config;
    POT_ASSERT(replica_is_quiet(r));
    config.validators = validators;
    struct pbft *pbft = open_pbft(&config, &err);
    if (pbft == NULL) {
        return err;
    }
    forget_deferred(r);
    vote_record_forget(r->record);
    pbft_free(r->pbft);
    r->pbft = pbft;
    signed_watch_free(r->watch);
    r->watch = open_watch(r);
    r->is_silent = false;
    replica_start(r);
    return POT_OK;
}

void replica_stop(struct replica *r)
{
    r->is_stopped = true;
    inbox_stop(r->inbox);
    vote_record_stop(r->record);
    errands_stop(r->errands);
    for (size_t i = 0; i < PBFT_TIMERS; i++) {
        loop_timer_close(&r->timers[i].timer);
    }
}

void replica_free(struct replica *r)
{
    if (r == NULL) {
        return;
    }
    POT_ASSERT(!r->timers[0].timer.is_open);
    forget_deferred(r);
    inbox_free(r->inbox);
    vote_record_free(r->record);
    errands_free(r->errands);
    signed_watch_free(r->watch);
    pbft_free(r->pbft);
    free(r);
}

const struct validator_set *replica_validators(const struct replica *r)
{
    return pbft_validators(r->pbft);
}

void replica_heard(const struct replica *r, uint32_t index,
                   struct pbft_heard *out)
{
    pbft_heard(out, r->pbft, index);
}

struct pbft_status replica_status(const struct replica *r)
{
    return pbft_status(r->pbft);
}

uint64_t replica_patience_ms(uint64_t propose_timeout_ms,
                             uint64_t idle_interval_ms)
{
    return propose_timeout_ms * TIMEOUT_GROWTH_MAX + idle_interval_ms;
}

void replica_stats(const struct replica *r, struct replica_stats *out)
{
    struct inbox_stats inbox;
    struct errands_stats errands;
    inbox_stats(r->inbox, &inbox);
    errands_stats(r->errands, &errands);
    *out = (struct replica_stats){
        .messages = inbox.received,
        .refused = inbox.refused,
        .dropped = inbox.dropped,
        .evidence = r->evidence,
        .proposals = errands.proposals,
        .invalid_blocks = errands.invalid,
        .unjudged_blocks = errands.unjudged,
        .check_ms = errands.check_ms,
    };
}
