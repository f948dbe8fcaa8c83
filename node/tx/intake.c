#include "config.h"

#include "node/tx/intake.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/cpu_time.h"
#include "base/limits.h"
#include "ledger/ledger.h"
#include "node/block/chain.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "node/hold/verified.h"
#include "node/loop/offload.h"
#include "node/tx/intake_early.h"
#include "node/tx/pending.h"
#include "p2p/gossip.h"
#include "proto/batch.h"
#include "proto/codec.h"
#include "proto/signed.h"

#include <stdlib.h>

#define QUEUE_MAX       20000
#define OWN_MAX         (QUEUE_MAX / 2) /* of them, clients' and our own */
#define QUEUE_BYTES_MAX ((size_t)64 << 20)
#define BATCH_MAX       256
#define BRIEF_BYTES_MAX 4096 /* of one that is judged on the loop */
/* Passed on in one message; a larger one goes alone. */
#define PARCEL_BYTES ((size_t)128 << 10)
/* Between two looks at what was held back. */
#define TICK_MS 1000

_Static_assert(MESSAGE_SIGNED_MAX(TX_BYTES_MAX) + BATCH_FRAME_BYTES <=
                   TX_BATCH_BYTES_MAX,
               "the largest one fits");
_Static_assert(TX_BATCH_MAX <= OWN_MAX, "a batch fits when nothing waits");

struct item {
    struct item *next;
    uint8_t type;
    uint8_t *data;
    size_t size;
    uint64_t peer_id; /* 0: our own */
    bool was_early;   /* judged before a block that has come since */
    intake_done_fn *done;
    void *context;
    /* set off the loop */
    Pot__Signed *message; /* NULL: malformed or wrongly signed */
    Pot__TxBody *body;    /* of a transaction */
    struct intake_receipt receipt;
};

struct intake {
    struct intake_config config;
    struct item *queue;
    struct item **queue_end;
    size_t queue_count;
    size_t own_count; /* of them, those of no peer */
    size_t queue_bytes;
    struct intake_early early;
    struct item *batch;       /* off the loop */
    struct ledger_block next; /* behind the tip when the batch began */
    struct offload offload;
    struct buf parcel; /* transactions to be passed on together */
    uint64_t parcel_peer_id;
    bool is_fellows;  /* the parcel came from one */
    uint64_t tick_ms; /* the next one of use */
    bool is_stopped;
    struct intake_stats stats;
};

bool intake_may_wait(const struct intake_receipt *receipt)
{
    return receipt->ledger == TX_ACCEPTED || receipt->ledger == TX_NONCE_AHEAD;
}

bool intake_is_taken(const struct intake_receipt *receipt)
{
    return intake_may_wait(receipt) &&
           (receipt->pool == MEMPOOL_ADDED || receipt->pool == MEMPOOL_KNOWN);
}

const char *intake_text(const struct intake_receipt *receipt)
{
    return intake_may_wait(receipt) ? mempool_verdict_text(receipt->pool)
                                    : tx_verdict_text(receipt->ledger);
}

struct intake *intake_new(const struct intake_config *config)
{
    struct intake *intake = pot_calloc(1, sizeof(*intake));
    intake->config = *config;
    intake->queue_end = &intake->queue;
    buf_init(&intake->parcel, TX_BATCH_BYTES_MAX);
    return intake;
}

static void item_free(struct item *item)
{
    codec_free(item->message);
    codec_free(item->body);
    free(item->data);
    free(item);
}

void intake_free(struct intake *intake)
{
    if (intake == NULL) {
        return;
    }
    POT_ASSERT(intake->batch == NULL);
    while (intake->queue != NULL) {
        struct item *next = intake->queue->next;
        item_free(intake->queue);
        intake->queue = next;
    }
    early_txs_free(intake->early.first);
    buf_fini(&intake->parcel);
    free(intake);
}

void intake_stop(struct intake *intake)
{
    intake->is_stopped = true;
}

/* ---- off the loop */

static const char *what_of(uint8_t type)
{
    return type == MESSAGE_TX            ? SIGNED_TX
           : type == MESSAGE_SUBMISSION  ? SIGNED_SUBMISSION
           : type == MESSAGE_COMMITMENT  ? SIGNED_COMMITMENT
           : type == MESSAGE_ATTESTATION ? SIGNED_ATTESTATION
           : type == MESSAGE_GROUP       ? SIGNED_GROUP
                                         : SIGNED_GROUP_WORD;
}

/* NULL where something does not decode. */
static void open_one(struct item *item)
{
    item->receipt.ledger = TX_MALFORMED;
    enum pot_err err =
        CODEC_DECODE(&item->message, pot__signed, item->data, item->size);
    if (err == POT_OK && item->type == MESSAGE_TX) {
        err = CODEC_DECODE(&item->body, pot__tx_body, item->message->body.data,
                           item->message->body.len);
    }
    POT_ASSERT(err == POT_OK || item->message == NULL || item->body == NULL);
}

/* Of all that decode, at once. */
static void verify_all(struct item *batch, struct verified *verified)
{
    struct verified_ask *asks = pot_alloc(BATCH_MAX * sizeof(*asks));
    const struct verified_ask *ask = asks;
    size_t count = 0;
    for (const struct item *item = batch; item != NULL; item = item->next) {
        if (item->message != NULL) {
            struct verified_ask *next = &asks[count++];
            next->what = what_of(item->type);
            next->message = item->message;
            signed_hash(&next->hash, next->what, next->message);
        }
    }
    verified_check(verified, asks, count);
    for (struct item *item = batch; item != NULL; item = item->next) {
        if (item->message != NULL) {
            item->receipt.hash = ask->hash;
            if (!ask++->holds) {
                item->receipt.ledger = TX_BAD_SIGNATURE;
                codec_free(item->message);
                item->message = NULL;
            }
        }
    }
    free(asks);
}

static void judge_one(struct item *item, const struct ledger_env *ledger,
                      const struct ledger_block *next)
{
    if (item->message != NULL && item->body != NULL) {
        item->receipt.ledger =
            ledger_check_tx(ledger, next, item->message, true);
    }
}

/* Step by step, so that each is one part of the processor time. */
static void on_work(void *context)
{
    const struct intake *intake = context;
    const struct holdings *holdings = intake->config.holdings;
    const struct ledger_env ledger = {
        .chain = holdings->chain,
        .state = stored_state(holdings->store),
        .params = holdings->params,
    };
    enum cpu_part before = cpu_time_enter(CPU_DECODING);
    for (struct item *item = intake->batch; item != NULL; item = item->next) {
        open_one(item);
    }
    (void)cpu_time_enter(CPU_SIGNATURES);
    verify_all(intake->batch, holdings->verified);
    (void)cpu_time_enter(CPU_LEDGER);
    for (struct item *item = intake->batch; item != NULL; item = item->next) {
        judge_one(item, &ledger, &intake->next);
    }
    (void)cpu_time_enter(before);
}

/* ---- on the loop */

static void start_batch(struct intake *intake);

static bool take_tx(struct intake *intake, struct item *item)
{
    struct intake_receipt *receipt = &item->receipt;
    if (item->message != NULL && intake_may_wait(receipt)) {
        receipt->pool = pending_add(intake->config.pending, &receipt->hash,
                                    item->message, item->body, item->size);
        if (receipt->ledger == TX_ACCEPTED) {
            mempool_mark_takable(intake->config.mempool, &receipt->hash);
        }
    }
    if (item->done != NULL) {
        item->done(item->context, receipt);
    }
    return intake_is_taken(receipt) && receipt->pool == MEMPOOL_ADDED;
}

static bool take(struct intake *intake, struct item *item)
{
    const struct intake_config *c = &intake->config;
    if (item->type == MESSAGE_TX) {
        return take_tx(intake, item);
    }
    bool (*on_message)(void *context, Pot__Signed *message, uint64_t peer_id) =
        item->type == MESSAGE_SUBMISSION    ? c->on_submission
        : item->type == MESSAGE_COMMITMENT  ? c->on_commitment
        : item->type == MESSAGE_ATTESTATION ? c->on_attestation
        : item->type == MESSAGE_GROUP       ? c->on_group
                                            : c->on_group_word;
    return item->message != NULL &&
           on_message(c->context, item->message, item->peer_id);
}

/* A transaction for which there was no room. */
static bool is_crowded_out(const struct item *item)
{
    return intake_may_wait(&item->receipt) &&
           (item->receipt.pool == MEMPOOL_FULL ||
            item->receipt.pool == MEMPOOL_SENDER_FULL);
}

/* Another block may change that. */
static bool is_refused_for_now(const struct item *item)
{
    return item->type == MESSAGE_TX && item->message != NULL &&
           !intake_may_wait(&item->receipt) &&
           !tx_verdict_is_final(item->receipt.ledger);
}

/* A client has its answer. */
static bool keep_early(struct intake *intake, const struct item *item)
{
    return is_refused_for_now(item) && !item->was_early && item->peer_id != 0 &&
           intake_early_keep(&intake->early, item->data, item->size,
                             item->peer_id);
}

/* What is well signed but of no use now may be when it comes again. */
static void forget_mark(struct intake *intake, const struct item *item)
{
    if (item->message != NULL &&
        (item->type != MESSAGE_TX || is_crowded_out(item) ||
         is_refused_for_now(item))) {
        gossip_forget(intake->config.gossip, item->type, item->data,
                      item->size);
    }
}

/* What was gathered goes out as one message. */
static void send_parcel(struct intake *intake)
{
    struct buf *parcel = &intake->parcel;
    struct gossip *gossip = intake->config.gossip;
    if (parcel->size == 0) {
        return;
    }
    if (intake->is_fellows) {
        gossip_forward_out(gossip, MESSAGE_TXS, parcel->data, parcel->size);
    } else {
        gossip_forward(gossip, MESSAGE_TXS, parcel->data, parcel->size,
                       intake->parcel_peer_id);
    }
    buf_clear(parcel);
}

/* Transactions of one batch and one peer go on together.  A fellow has told
 * his fellows himself. */
static void pass_on_tx(struct intake *intake, const struct item *item)
{
    struct buf *parcel = &intake->parcel;
    if (parcel->size > 0 &&
        (item->peer_id != intake->parcel_peer_id ||
         parcel->size + BATCH_FRAME_BYTES + item->size > PARCEL_BYTES)) {
        send_parcel(intake);
    }
    if (item->peer_id == 0) {
        gossip_mark(intake->config.gossip, item->type, item->data, item->size);
    }
    if (parcel->size == 0) {
        intake->parcel_peer_id = item->peer_id;
        intake->is_fellows =
            gossip_is_fellow(intake->config.gossip, item->peer_id);
    }
    if (intake->is_fellows) {
        mempool_hold_back(intake->config.mempool, &item->receipt.hash);
    }
    batch_add(parcel, item->data, item->size);
}

/* Groups are for validators, who hear each other, and for aggregators; words on
 * them for validators, each of whom has told all others his own. */
static void pass_on_group(const struct intake *intake, const struct item *item)
{
    struct gossip *gossip = intake->config.gossip;
    if (item->type == MESSAGE_GROUP &&
        !gossip_is_teller(gossip, item->peer_id)) {
        gossip_tell_fellows(gossip, item->type, item->data, item->size);
    }
}

bool intake_is_told(const struct intake *intake, uint64_t peer_id)
{
    const struct gossip *gossip = intake->config.gossip;
    return gossip_is_teller(gossip, peer_id) &&
           (intake->config.is_gathering || !gossip_is_fellow(gossip, peer_id));
}

/* An attestation is no miner's: only to an aggregator has it been told. */
static bool is_told(const struct intake *intake, const struct item *item)
{
    return (item->type != MESSAGE_ATTESTATION || intake->config.is_gathering) &&
           intake_is_told(intake, item->peer_id);
}

/* Our own is marked too, so that it is not judged again when it returns. */
static void pass_on(struct intake *intake, const struct item *item)
{
    struct gossip *gossip = intake->config.gossip;
    if (item->type == MESSAGE_TX) {
        pass_on_tx(intake, item);
    } else if (item->type == MESSAGE_GROUP ||
               item->type == MESSAGE_GROUP_WORD) {
        pass_on_group(intake, item);
    } else if (item->type == MESSAGE_SUBMISSION &&
               intake->config.is_gathering) {
        return;
    } else if (is_told(intake, item)) {
        gossip_forward_out(gossip, item->type, item->data, item->size);
    } else if (item->peer_id == 0) {
        gossip_publish(gossip, item->type, item->data, item->size);
    } else {
        gossip_forward(gossip, item->type, item->data, item->size,
                       item->peer_id);
    }
}

static void finish_item(struct intake *intake, struct item *item)
{
    if (!intake->is_stopped) {
        if (take(intake, item)) {
            pass_on(intake, item);
        } else if (!keep_early(intake, item)) {
            intake->stats.refused[item->type]++;
            forget_mark(intake, item);
        }
    }
    item_free(item);
}

static void on_worked(void *context)
{
    struct intake *intake = context;
    struct item *item = intake->batch;
    intake->batch = NULL;
    while (item != NULL) {
        struct item *next = item->next;
        finish_item(intake, item);
        item = next;
    }
    send_parcel(intake);
    if (chain_tip(intake->config.chain)->height >= intake->next.height) {
        intake_applied(intake);
    }
    if (intake->batch == NULL && intake->queue != NULL && !intake->is_stopped) {
        start_batch(intake);
    }
}

static void start_batch(struct intake *intake)
{
    struct item *last = intake->queue;
    intake->batch = intake->queue;
    for (size_t i = 0; i < BATCH_MAX; i++) {
        intake->queue_count--;
        intake->own_count -= last->peer_id == 0;
        intake->queue_bytes -= last->size;
        if (last->next == NULL || i + 1 == BATCH_MAX) {
            break;
        }
        last = last->next;
    }
    intake->queue = last->next;
    last->next = NULL;
    if (intake->queue == NULL) {
        intake->queue_end = &intake->queue;
    }
    intake->next = chain_tip_next(chain_tip(intake->config.chain));
    bool is_brief = last == intake->batch && last->type == MESSAGE_TX &&
                    last->size <= BRIEF_BYTES_MAX;
    (is_brief ? offload_brief : offload_start)(
        &intake->offload, intake->config.loop, on_work, on_worked, intake);
}

static struct item *enqueue(struct intake *intake, uint8_t type,
                            const void *data, size_t size, uint64_t peer_id)
{
    struct item *item = pot_calloc(1, sizeof(*item));
    item->type = type;
    item->data = pot_memdup(data, size);
    item->size = size;
    item->peer_id = peer_id;
    *intake->queue_end = item;
    intake->queue_end = &item->next;
    intake->queue_count++;
    intake->own_count += peer_id == 0;
    intake->queue_bytes += size;
    return item;
}

static bool is_full(const struct intake *intake, size_t count, size_t size)
{
    return intake->is_stopped || intake->queue_count + count > QUEUE_MAX ||
           intake->queue_bytes + size > QUEUE_BYTES_MAX;
}

/* What comes by the API leaves room for what peers pass on. */
static bool is_full_for_own(const struct intake *intake, size_t count,
                            size_t size)
{
    return is_full(intake, count, size) || intake->own_count + count > OWN_MAX;
}

void intake_receive(struct intake *intake, uint8_t type, const void *data,
                    size_t size, uint64_t peer_id)
{
    POT_ASSERT(type < MESSAGE_TYPE_COUNT);
    intake->stats.received[type]++;
    if (is_full(intake, 1, size)) {
        intake->stats.dropped++;
        gossip_forget(intake->config.gossip, type, data, size);
        return;
    }
    (void)enqueue(intake, type, data, size, peer_id);
    if (intake->batch == NULL) {
        start_batch(intake);
    }
}

void intake_submit(struct intake *intake, const void *data, size_t size,
                   intake_done_fn *done, void *context)
{
    struct intake_receipt full = {.pool = MEMPOOL_FULL};
    if (is_full_for_own(intake, 1, size)) {
        intake->stats.dropped++;
        if (done != NULL) {
            done(context, &full);
        }
        return;
    }
    struct item *item = enqueue(intake, MESSAGE_TX, data, size, 0);
    item->done = done;
    item->context = context;
    if (intake->batch == NULL) {
        start_batch(intake);
    }
}

bool intake_submit_batch(struct intake *intake, const void *data, size_t size,
                         intake_done_fn *done, void *context)
{
    struct bytes_reader r;
    const uint8_t *tx;
    size_t tx_size;
    size_t count = batch_count(data, size, TX_BATCH_MAX);
    POT_ASSERT(count > 0);
    if (is_full_for_own(intake, count, size)) {
        intake->stats.dropped += count;
        return false;
    }
    bytes_reader_init(&r, data, size);
    while ((tx = batch_next(&r, &tx_size)) != NULL) {
        struct item *item = enqueue(intake, MESSAGE_TX, tx, tx_size, 0);
        item->done = done;
        item->context = context;
    }
    if (intake->batch == NULL) {
        start_batch(intake);
    }
    return true;
}

void intake_applied(struct intake *intake)
{
    struct early_tx *all = intake_early_take(&intake->early);
    for (const struct early_tx *tx = all; tx != NULL; tx = tx->next) {
        if (is_full(intake, 1, tx->size)) {
            intake->stats.dropped++;
            gossip_forget(intake->config.gossip, MESSAGE_TX, tx->data,
                          tx->size);
        } else {
            enqueue(intake, MESSAGE_TX, tx->data, tx->size, tx->peer_id)
                ->was_early = true;
        }
    }
    early_txs_free(all);
    if (intake->batch == NULL && intake->queue != NULL && !intake->is_stopped) {
        start_batch(intake);
    }
}

static void tell_parcel(struct intake *intake)
{
    struct buf *parcel = &intake->parcel;
    if (parcel->size > 0) {
        gossip_tell_fellows(intake->config.gossip, MESSAGE_TXS, parcel->data,
                            parcel->size);
        buf_clear(parcel);
    }
}

static void tell_one(void *context, const struct mempool_entry *entry)
{
    struct intake *intake = context;
    struct buf *parcel = &intake->parcel;
    size_t size;
    uint8_t *data = codec_encode(&size, entry->tx);
    if (parcel->size > 0 &&
        parcel->size + BATCH_FRAME_BYTES + size > PARCEL_BYTES) {
        tell_parcel(intake);
    }
    batch_add(parcel, data, size);
    free(data);
}

void intake_tick(struct intake *intake)
{
    uint64_t now_ms = uv_now(intake->config.loop);
    uint64_t fellow_ms = intake->config.fellow_ms;
    if (now_ms >= intake->tick_ms && now_ms > fellow_ms) {
        intake->tick_ms = now_ms + TICK_MS;
        mempool_tell(intake->config.mempool, now_ms - fellow_ms, tell_one,
                     intake);
        tell_parcel(intake);
    }
}

static void forget_in(struct item *items, const void *context)
{
    for (struct item *item = items; item != NULL; item = item->next) {
        if (item->context == context) {
            item->done = NULL;
        }
    }
}

void intake_forget(struct intake *intake, const void *context)
{
    forget_in(intake->queue, context);
    forget_in(intake->batch, context);
}

void intake_stats(const struct intake *intake, struct intake_stats *out)
{
    *out = intake->stats;
}
