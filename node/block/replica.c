#include "config.h"

#include "node/block/replica.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/log.h"
#include "node/block/delivery.h"
#include "node/block/needs.h"
#include "p2p/net.h"
#include "proto/codec.h"
#include "storage/sign_state.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define INBOX_MAX          4096
#define INBOX_BYTES_MAX    ((size_t)64 << 20)
#define AGAIN_MS           1000
#define TIMEOUT_GROWTH_MAX 16

struct letter { /* a message on its way through verification */
    struct letter *next;
    uint8_t *data;
    size_t size;
    struct public_key from;
    Pot__ConsensusMessage *message; /* NULL: refused */
};

struct deferred {
    struct deferred *next;
    struct pbft_event event;
    uint8_t *block;
    struct validator_set *validators;
};

struct errand { /* what an answer needs to know */
    struct errand *next;
    struct replica *replica;
    uint64_t height;
    uint64_t view;
    struct hash digest;
    uint8_t *data;
    size_t size;
    uint8_t *certificate; /* of a decided block */
    size_t certificate_size;
    bool is_late; /* it is to be delivered again */
};

struct timer_slot {
    uv_timer_t timer;
    struct replica *replica;
    uint64_t generation;
    bool is_open;
};

struct replica {
    struct replica_config config;
    struct pbft *pbft;
    struct timer_slot timers[PBFT_TIMERS];
    struct timer_slot again; /* for decided blocks that wait */

    struct errand *errands; /* those not answered yet */

    bool is_stepping;
    struct deferred *deferred; /* events that came while stepping */

    struct letter *inbox; /* the newest last */
    struct letter **inbox_end;
    size_t inbox_count;
    size_t inbox_bytes;
    struct letter *batch; /* off the loop now */
    uv_work_t verify_work;
    struct validator_set verify_set;
    uint64_t verify_set_id;

    bool is_saving;
    uv_work_t save_work;
    uint8_t *record; /* being saved */
    size_t record_size;
    uint64_t record_sequence;
    enum pot_err save_err;
    uint8_t *next_record; /* waits; a later one replaces it */
    size_t next_record_size;
    uint64_t next_sequence;

    bool is_stopped;
    struct replica_stats stats;
};

static void step(struct replica *r, const struct pbft_event *event);

static uint64_t wall_clock_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- saving the record */

static void start_save(struct replica *r);

static void on_save_work(uv_work_t *work)
{
    struct replica *r = work->data;
    r->save_err =
        sign_state_save(r->config.sign_state, r->record, r->record_size);
}

static void on_saved(uv_work_t *work, int status)
{
    struct replica *r = work->data;
    POT_ASSERT(status == 0);
    r->is_saving = false;
    free(r->record);
    r->record = NULL;
    if (r->is_stopped) {
        return;
    }
    if (r->save_err != POT_OK) {
        r->config.failed(r->config.context, r->save_err, "sign state");
        return;
    }
    struct pbft_event event = {.type = PBFT_PERSISTED};
    event.u.persisted.sequence = r->record_sequence;
    if (r->next_record != NULL) {
        start_save(r);
    }
    step(r, &event);
}

static void start_save(struct replica *r)
{
    r->record = r->next_record;
    r->record_size = r->next_record_size;
    r->record_sequence = r->next_sequence;
    r->next_record = NULL;
    r->is_saving = true;
    int rc =
        uv_queue_work(r->config.loop, &r->save_work, on_save_work, on_saved);
    POT_ASSERT(rc == 0);
}

static void persist(struct replica *r, struct pbft_effect *effect)
{
    free(r->next_record);
    r->next_record = effect->bytes;
    r->next_record_size = effect->size;
    r->next_sequence = effect->sequence;
    effect->bytes = NULL;
    if (!r->is_saving) {
        start_save(r);
    }
}

/* ---- sending */

static bool is_validator(void *context, const struct peer *peer)
{
    struct replica *r = context;
    uint32_t index;
    return validator_set_find(&index, pbft_validators(r->pbft), peer_key(peer));
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

/* ---- timers */

static void on_timer(uv_timer_t *timer)
{
    struct timer_slot *slot = timer->data;
    struct replica *r = slot->replica;
    struct pbft_event event = {.type = PBFT_TIMER};
    event.u.timer.timer = (enum pbft_timer)(slot - r->timers);
    event.u.timer.generation = slot->generation;
    step(r, &event);
}

static void set_timer(struct replica *r, const struct pbft_effect *effect)
{
    struct timer_slot *slot = &r->timers[effect->timer];
    slot->generation = effect->generation;
    /* The loop's idea of now is as old as its turn. */
    uv_update_time(r->config.loop);
    (void)uv_timer_start(&slot->timer, on_timer, effect->delay_ms, 0);
}

/* ---- proposing and checking */

static struct errand *errand_new(struct replica *r,
                                 const struct pbft_effect *effect)
{
    struct errand *errand = pot_calloc(1, sizeof(*errand));
    errand->replica = r;
    errand->height = effect->height;
    errand->view = effect->view;
    errand->digest = effect->digest;
    errand->next = r->errands;
    r->errands = errand;
    return errand;
}

static void errand_free(struct errand *errand)
{
    struct errand **at = &errand->replica->errands;
    while (*at != errand) {
        at = &(*at)->next;
    }
    *at = errand->next;
    free(errand->certificate);
    free(errand->data);
    free(errand);
}

static void on_proposed(void *context, enum pot_err err,
                        const struct executed *executed)
{
    struct errand *errand = context;
    struct pbft_event event = {.type = PBFT_PROPOSAL};
    event.u.proposal.height = errand->height;
    event.u.proposal.view = errand->view;
    if (err == POT_OK) {
        event.u.proposal.block = executed->data;
        event.u.proposal.block_size = executed->size;
        errand->replica->stats.proposals++;
    }
    step(errand->replica, &event);
    errand_free(errand);
}

static void propose(struct replica *r, const struct pbft_effect *effect)
{
    struct execution_request *request =
        r->config.make_request(r->config.context);
    request->view = effect->view;
    request->now_ms = wall_clock_ms();
    request->proposer = *key_public(r->config.key);
    chain_propose(r->config.chain, request, on_proposed, errand_new(r, effect));
}

static void checked(struct errand *errand, enum pot_err err, bool is_valid,
                    const char *why)
{
    struct replica *r = errand->replica;
    char text[HASH_TEXT_SIZE];
    struct pbft_event event = {.type = PBFT_CHECKED};
    event.u.checked.height = errand->height;
    event.u.checked.digest = errand->digest;
    event.u.checked.is_valid = is_valid;
    if (!is_valid && err == POT_OK) {
        r->stats.invalid_blocks++;
        LOG(LOG_WARN, "consensus", "block refused",
            log_u64("height", errand->height),
            log_text("block", hash_format(&errand->digest, text)),
            log_text("why", why));
    }
    step(r, &event);
    errand_free(errand);
}

static void on_checked(void *context, enum pot_err err, bool is_valid,
                       const char *why)
{
    checked(context, err, is_valid, why);
}

static void on_needs(void *context, const struct hash *hash, bool is_held)
{
    struct errand *errand = context;
    (void)hash;
    if (!is_held) {
        checked(errand, POT_OK, false, "what it needs cannot be had");
        return;
    }
    chain_check(errand->replica->config.chain, errand->data, errand->size,
                wall_clock_ms(), on_checked, errand);
}

static void check(struct replica *r, struct pbft_effect *effect)
{
    struct errand *errand = errand_new(r, effect);
    errand->data = effect->bytes;
    errand->size = effect->size;
    effect->bytes = NULL;
    needs_block(r->config.needs, errand->data, errand->size, false, on_needs,
                errand);
}

static void deliver(struct errand *errand);

/* A decided block must be carried out: until it can be, it is tried again. */
static void on_again(uv_timer_t *timer)
{
    struct replica *r = timer->data;
    struct errand *next;
    for (struct errand *e = r->errands; e != NULL; e = next) {
        next = e->next;
        if (e->is_late) {
            e->is_late = false;
            deliver(e);
            next = r->errands; /* the list may have changed */
        }
    }
}

static void on_delivered(void *context, enum pot_err err, const char *why)
{
    struct errand *errand = context;
    struct replica *r = errand->replica;
    if (r->is_stopped) {
        errand_free(errand);
        return;
    }
    if (err == POT_ETIMEOUT) {
        LOG(LOG_WARN, "consensus", "decided block cannot be carried out yet",
            log_u64("height", errand->height), log_text("why", why));
        errand->is_late = true;
        (void)uv_timer_start(&r->again.timer, on_again, AGAIN_MS, 0);
        return;
    }
    if (err != POT_OK && err != POT_EEXIST && err != POT_ECANCELLED) {
        LOG(LOG_ERROR, "consensus", "committed block not stored",
            log_u64("height", errand->height), log_text("why", why));
        r->config.failed(r->config.context, err, "block store");
    }
    errand_free(errand);
}

static void deliver(struct errand *errand)
{
    delivery_apply(errand->replica->config.delivery, errand->data, errand->size,
                   errand->certificate, errand->certificate_size, on_delivered,
                   errand);
}

static void commit(struct replica *r, struct pbft_effect *effect)
{
    struct errand *errand = errand_new(r, effect);
    errand->data = effect->bytes;
    errand->size = effect->size;
    errand->certificate = effect->certificate;
    errand->certificate_size = effect->certificate_size;
    effect->bytes = NULL;
    effect->certificate = NULL;
    deliver(errand);
}

static void evidence(struct replica *r, const struct pbft_effect *effect)
{
    char text[ADDRESS_TEXT_SIZE];
    const struct validator_set *set = pbft_validators(r->pbft);
    r->stats.evidence++;
    LOG(LOG_ERROR, "consensus", "a validator voted twice",
        log_u64("replica", effect->replica),
        log_text("validator",
                 address_format(&set->keys[effect->replica], text)));
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
        propose(r, effect);
        break;
    case PBFT_CHECK:
        check(r, effect);
        break;
    case PBFT_COMMIT:
        commit(r, effect);
        break;
    case PBFT_SYNC: /* block sync follows what peers say of their height */
        LOG(LOG_INFO, "consensus", "behind", log_u64("height", effect->height));
        break;
    case PBFT_EVIDENCE:
        evidence(r, effect);
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

static void step_one(struct replica *r, const struct pbft_event *event)
{
    struct pbft_effects effects = {0};
    pbft_step(r->pbft, event, &effects);
    for (size_t i = 0; i < effects.count; i++) {
        carry_out(r, &effects.items[i]);
    }
    pbft_effects_fini(&effects);
}

static void step(struct replica *r, const struct pbft_event *event)
{
    if (r->is_stopped) {
        return;
    }
    if (r->is_stepping) {
        defer(r, event);
        return;
    }
    r->is_stepping = true;
    step_one(r, event);
    while (r->deferred != NULL && !r->is_stopped) {
        struct deferred *d = r->deferred;
        r->deferred = d->next;
        step_one(r, &d->event);
        deferred_free(d);
    }
    r->is_stepping = false;
}

void replica_start(struct replica *r)
{
    const struct pbft_event event = {.type = PBFT_START};
    step(r, &event);
}

void replica_work(struct replica *r)
{
    const struct pbft_event event = {.type = PBFT_WORK};
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

/* ---- messages */

static void letter_free(struct letter *letter)
{
    codec_free(letter->message);
    free(letter->data);
    free(letter);
}

static void on_verify_work(uv_work_t *work)
{
    struct replica *r = work->data;
    for (struct letter *l = r->batch; l != NULL; l = l->next) {
        if (CODEC_DECODE(&l->message, pot__consensus_message, l->data,
                         l->size) != POT_OK ||
            !pbft_verify(&r->verify_set, &r->config.chain_id, l->message)) {
            codec_free(l->message);
            l->message = NULL;
        }
    }
}

static void start_verify(struct replica *r);

static void deliver_letter(struct replica *r, const struct letter *letter)
{
    struct pbft_event event = {.type = PBFT_MESSAGE};
    event.u.message.message = letter->message;
    event.u.message.set_id = r->verify_set_id;
    if (letter->message == NULL) {
        r->stats.refused++;
        LOG(LOG_DEBUG, "consensus", "message refused",
            log_u64("bytes", letter->size));
        return;
    }
    if (!validator_set_find(&event.u.message.from, pbft_validators(r->pbft),
                            &letter->from)) {
        event.u.message.from = PBFT_NO_REPLICA;
    }
    step(r, &event);
}

static void on_verified(uv_work_t *work, int status)
{
    struct replica *r = work->data;
    POT_ASSERT(status == 0);
    struct letter *batch = r->batch;
    r->batch = NULL;
    while (batch != NULL) {
        struct letter *next = batch->next;
        if (!r->is_stopped) {
            deliver_letter(r, batch);
        }
        letter_free(batch);
        batch = next;
    }
    if (r->inbox != NULL && !r->is_stopped) {
        start_verify(r);
    }
}

static void start_verify(struct replica *r)
{
    r->batch = r->inbox;
    r->inbox = NULL;
    r->inbox_end = &r->inbox;
    r->inbox_count = 0;
    r->inbox_bytes = 0;
    r->verify_set = *pbft_validators(r->pbft);
    r->verify_set_id = pbft_status(r->pbft).set_id;
    int rc = uv_queue_work(r->config.loop, &r->verify_work, on_verify_work,
                           on_verified);
    POT_ASSERT(rc == 0);
}

void replica_receive(struct replica *r, struct peer *peer, const void *data,
                     size_t size)
{
    r->stats.messages++;
    if (r->is_stopped || r->inbox_count >= INBOX_MAX ||
        r->inbox_bytes + size > INBOX_BYTES_MAX) {
        r->stats.dropped++;
        return;
    }
    struct letter *letter = pot_calloc(1, sizeof(*letter));
    letter->data = pot_memdup(data, size);
    letter->size = size;
    letter->from = *peer_key(peer);
    *r->inbox_end = letter;
    r->inbox_end = &letter->next;
    r->inbox_count++;
    r->inbox_bytes += size;
    if (r->batch == NULL) {
        start_verify(r);
    }
}

/* ---- opening and closing */

enum pot_err replica_open(struct replica **out,
                          const struct replica_config *config)
{
    size_t record_size;
    enum pot_err err;
    const struct chain_tip *tip = chain_tip(config->chain);
    const void *record = sign_state_record(config->sign_state, &record_size);
    const struct pbft_config pbft_config = {
        .chain = config->chain_id,
        .validators = config->validators,
        .key = config->key,
        .height = tip->height,
        .tip = tip->hash,
        .view = tip->view,
        .propose_timeout_ms = config->propose_timeout_ms,
        .propose_timeout_max_ms =
            config->propose_timeout_ms * TIMEOUT_GROWTH_MAX,
        .idle_interval_ms = config->idle_interval_ms,
    };
    struct pbft *pbft = pbft_new(&pbft_config, record, record_size, &err);
    *out = NULL;
    if (pbft == NULL) {
        return err;
    }
    struct replica *r = pot_calloc(1, sizeof(*r));
    r->config = *config;
    r->pbft = pbft;
    r->inbox_end = &r->inbox;
    r->verify_work.data = r;
    r->save_work.data = r;
    for (size_t i = 0; i < PBFT_TIMERS; i++) {
        struct timer_slot *slot = &r->timers[i];
        slot->replica = r;
        slot->is_open = true;
        (void)uv_timer_init(config->loop, &slot->timer);
        slot->timer.data = slot;
    }
    r->again = (struct timer_slot){.replica = r, .is_open = true};
    (void)uv_timer_init(config->loop, &r->again.timer);
    r->again.timer.data = r;
    *out = r;
    return POT_OK;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct timer_slot *slot = handle->data;
    slot->is_open = false;
}

static void on_again_closed(uv_handle_t *handle)
{
    struct replica *r = handle->data;
    r->again.is_open = false;
}

void replica_stop(struct replica *r)
{
    r->is_stopped = true;
    uv_close((uv_handle_t *)&r->again.timer, on_again_closed);
    for (size_t i = 0; i < PBFT_TIMERS; i++) {
        uv_close((uv_handle_t *)&r->timers[i].timer, on_timer_closed);
    }
}

void replica_free(struct replica *r)
{
    if (r == NULL) {
        return;
    }
    POT_ASSERT(r->batch == NULL && !r->is_saving && !r->timers[0].is_open);
    while (r->inbox != NULL) {
        struct letter *next = r->inbox->next;
        letter_free(r->inbox);
        r->inbox = next;
    }
    while (r->deferred != NULL) {
        struct deferred *next = r->deferred->next;
        deferred_free(r->deferred);
        r->deferred = next;
    }
    while (r->errands != NULL) { /* nobody will answer them now */
        errand_free(r->errands);
    }
    free(r->next_record);
    pbft_free(r->pbft);
    free(r);
}

struct pbft_status replica_status(const struct replica *r)
{
    return pbft_status(r->pbft);
}

void replica_stats(const struct replica *r, struct replica_stats *out)
{
    *out = r->stats;
}
