/* Blocks come in at one end and go out at the other:
 *
 *   ask --GetBlocks--> peers --Blocks--> plan --on_block--> owner
 */
#include "config.h"

#include "p2p/sync.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "p2p/sync_plan.h"
#include "p2p/sync_rate.h"
#include "proto/codec.h"
#include "proto/wire.pb-c.h"

#include <stdlib.h>

/* One block behind is news on its way; for this long it is being late. */
#define LATE_MS 1000
/* What the owner has at a time beside the one that is next. */
#define TAKEN_BYTES ((size_t)16 << 20)
/* A large answer on a slow line: as long as so much comes in a timeout, we
 * wait for some more of them. */
#define PROGRESS_BYTES ((uint64_t)256 << 10)
#define PROGRESS_TURNS 4
/* So many questions left open by a peer that says other things: it does not
 * want to answer.  A peer that is cut off says nothing at all; of so much as
 * TALK_BYTES some may be the answer, on a slow line. */
#define IGNORED_MAX     5
#define TALK_BYTES      ((uint64_t)64 << 10)
#define LOG_INTERVAL_MS 5000
/* Peers hear of quick blocks so often: each word wakes them all. */
#define TELL_MS 50

struct sync {
    struct sync_config config;
    struct claim status; /* ours, as far as the owner has told */
    bool is_news;        /* peers have not heard it */
    uint64_t told_ms;    /* when they last heard */
    struct claims claims;
    struct sync_plan *plan;
    struct sync_rate rate;
    uint64_t behind_ms; /* since when; 0: we are not */
    uint64_t logged_ms;
    bool is_delivering;
    bool is_resting;
    uint64_t asked;
    uint64_t timeouts;
    uint64_t refused;
};

static uint64_t now_ms(const struct sync *sync)
{
    return net_now_ms(sync->config.net);
}

struct sync *sync_new(const struct sync_config *config)
{
    struct sync *sync = pot_calloc(1, sizeof(*sync));
    POT_ASSERT(config->on_block != NULL);
    sync->config = *config;
    sync->status = config->status;
    if (sync->config.timeout_ms == 0) {
        sync->config.timeout_ms = 4000;
    }
    if (sync->config.ahead_max == 0) {
        sync->config.ahead_max = 1;
    }
    sync->claims.distrust_ms =
        config->distrust_ms != 0 ? config->distrust_ms : 2000;
    sync->plan = sync_plan_new(sync->status.height);
    return sync;
}

void sync_free(struct sync *sync)
{
    if (sync != NULL) {
        sync_plan_free(sync->plan);
        claims_fini(&sync->claims);
        free(sync);
    }
}

static void deliver(struct sync *sync)
{
    struct plan_item item;
    if (sync->is_delivering || sync->is_resting) {
        return; /* the owner answers from inside on_block */
    }
    sync->is_delivering = true;
    while (sync_plan_take(sync->plan, sync->config.ahead_max, TAKEN_BYTES,
                          &item)) {
        sync->config.on_block(sync->config.context, item.height,
                              item.block.data, item.block.size,
                              item.certificate.data, item.certificate.size);
        plan_item_fini(&item);
    }
    sync->is_delivering = false;
}

/* --- where we and others stand ---------------------------------------- */

uint64_t sync_target(const struct sync *sync)
{
    uint64_t claimed = claims_highest(&sync->claims, now_ms(sync));
    return claimed > sync->status.height ? claimed : sync->status.height;
}

static bool is_behind_for(const struct sync *sync, uint64_t ms)
{
    uint64_t ahead = sync_target(sync) - sync->status.height;
    return ahead > 1 || (ahead == 1 && sync->behind_ms != 0 &&
                         now_ms(sync) - sync->behind_ms >= ms);
}

bool sync_is_behind(const struct sync *sync)
{
    uint64_t grace = sync->config.grace_ms;
    return is_behind_for(sync, grace > LATE_MS ? grace : LATE_MS);
}

bool sync_peer_claim(const struct sync *sync, const struct peer *peer,
                     struct claim *out)
{
    const struct claim *said = claims_get(&sync->claims, peer_id(peer));
    if (said != NULL) {
        *out = *said;
    }
    return said != NULL;
}

static void send_status(const struct sync *sync, struct peer *peer)
{
    const struct claim *status = &sync->status;
    Pot__PeerStatus message = POT__PEER_STATUS__INIT;
    struct buf out;
    if (sync->config.is_headers) {
        return;
    }
    message.height = status->height;
    message.block_hash = codec_bytes(status->block_hash.b, HASH_SIZE);
    message.view = status->view;
    message.lowest = status->lowest;
    message.snapshot = status->snapshot;
    buf_init(&out, 128);
    codec_append(&out, &message);
    POT_ASSERT(!out.is_overflown);
    if (peer != NULL) {
        (void)net_send(sync->config.net, peer, MESSAGE_STATUS, out.data,
                       out.size);
    } else {
        (void)net_broadcast(sync->config.net, MESSAGE_STATUS, out.data,
                            out.size, NULL);
    }
    buf_fini(&out);
}

/* --- asking ----------------------------------------------------------- */

static void ban(struct sync *sync, struct peer *peer, const char *what)
{
    sync_plan_forget(sync->plan, peer_id(peer));
    net_ban(sync->config.net, peer, what);
}

/* The question is answered, or will not be. */
static void close_ask(struct sync *sync, struct plan_ask *ask)
{
    uint64_t took = now_ms(sync) - ask->asked_ms;
    uint64_t timeout = sync->config.timeout_ms;
    claims_answered(&sync->claims, ask->peer_id, took, timeout / 8,
                    timeout / 2);
    sync_plan_close(sync->plan, ask);
}

/* No answer came: what the peer was asked for is wanted elsewhere. */
static void give_up(struct sync *sync, uint64_t id)
{
    for (size_t i = sync_plan_asks(sync->plan); i > 0; i--) {
        struct plan_ask *ask = sync_plan_ask_at(sync->plan, i - 1);
        if (ask->peer_id == id) {
            close_ask(sync, ask);
        }
    }
}

/* Asks peer, who is believed to stand at `height` or higher. */
static bool ask_peer(struct sync *sync, struct peer *peer, uint64_t from,
                     uint64_t height)
{
    uint64_t id = peer_id(peer);
    uint64_t most = height - from + 1;
    uint32_t span = claims_span(&sync->claims, id);
    const struct plan_ask *ask =
        sync_plan_ask(sync->plan, id, from, most < span ? (uint32_t)most : span,
                      now_ms(sync), peer_bytes_in(peer));
    Pot__GetBlocks message = POT__GET_BLOCKS__INIT;
    struct buf out;
    message.from = ask->from;
    message.count = ask->count;
    buf_init(&out, 64);
    codec_append(&out, &message);
    POT_ASSERT(!out.is_overflown);
    bool is_sent = net_send(sync->config.net, peer,
                            sync->config.is_headers ? MESSAGE_GET_HEADERS
                                                    : MESSAGE_GET_BLOCKS,
                            out.data, out.size);
    buf_fini(&out);
    claims_asked(&sync->claims, id);
    sync->asked++;
    if (!is_sent) {
        give_up(sync, id);
        claims_distrust(&sync->claims, id, now_ms(sync));
    }
    return is_sent;
}

static void ask(struct sync *sync)
{
    uint64_t after = 0;
    uint64_t from;
    uint64_t now = now_ms(sync);
    if (sync->is_resting || !is_behind_for(sync, sync->config.grace_ms)) {
        return;
    }
    uint64_t target = sync_target(sync);
    while ((from = sync_plan_wanted(sync->plan, after, target)) != 0) {
        uint64_t id = claims_choose(&sync->claims, from, now);
        struct peer *peer = id != 0 ? net_find_id(sync->config.net, id) : NULL;
        if (peer != NULL) {
            (void)ask_peer(sync, peer, from,
                           claims_get(&sync->claims, id)->height);
        } else {
            after = claims_next(&sync->claims, from, now);
            if (after-- == 0) {
                return;
            }
        }
    }
}

/* It may be to an earlier question, given up since, which began at the same
 * block and went further. */
static bool is_answer(const Pot__Blocks *blocks)
{
    if (blocks->n_blocks > CLAIMS_SPAN_MAX) {
        return false;
    }
    for (size_t i = 0; i < blocks->n_blocks; i++) {
        if (blocks->blocks[i]->block.len == 0 ||
            blocks->blocks[i]->certificate.len == 0) {
            return false;
        }
    }
    return true;
}

static struct buf borrow(ProtobufCBinaryData bytes)
{
    return (struct buf){.data = bytes.data, .size = bytes.len};
}

static void take_answer(struct sync *sync, struct plan_ask *ask,
                        const Pot__Blocks *blocks)
{
    uint64_t id = ask->peer_id;
    for (size_t i = 0; i < blocks->n_blocks; i++) {
        const struct buf block = borrow(blocks->blocks[i]->block);
        const struct buf certificate = borrow(blocks->blocks[i]->certificate);
        sync_plan_hold(sync->plan, ask, blocks->from + i, &block, &certificate);
    }
    close_ask(sync, ask);
    /* It answers one by one: the clock of the next begins now. */
    for (size_t i = 0; i < sync_plan_asks(sync->plan); i++) {
        struct plan_ask *next = sync_plan_ask_at(sync->plan, i);
        if (next->peer_id == id) {
            next->asked_ms = now_ms(sync);
            next->turns = 0;
        }
    }
}

/* It may have pruned the block while we asked, and has said so then. */
static bool claims_to_hold(const struct sync *sync, uint64_t id,
                           uint64_t height)
{
    const struct claim *said = claims_get(&sync->claims, id);
    return said != NULL && said->lowest <= height && height <= said->height;
}

static void on_blocks(struct sync *sync, struct peer *peer, const uint8_t *data,
                      size_t size)
{
    Pot__Blocks *blocks;
    if (CODEC_DECODE(&blocks, pot__blocks, data, size) != POT_OK) {
        ban(sync, peer, "malformed Blocks");
        return;
    }
    struct plan_ask *asked =
        sync_plan_find_ask(sync->plan, peer_id(peer), blocks->from);
    if (asked == NULL) {
        /* Late: asked for before something changed. */
    } else if (!is_answer(blocks)) {
        ban(sync, peer, "answers with more than was asked for");
    } else if (blocks->n_blocks == 0 &&
               claims_to_hold(sync, peer_id(peer), blocks->from)) {
        ban(sync, peer, "does not hold the blocks that it claims");
    } else {
        take_answer(sync, asked, blocks);
    }
    codec_free(blocks);
    deliver(sync);
    ask(sync);
}

/* --- what the owner says ---------------------------------------------- */

static void tell(struct sync *sync, uint64_t now)
{
    sync->is_news = false;
    sync->told_ms = now;
    send_status(sync, NULL);
}

static void tell_news(struct sync *sync, uint64_t now)
{
    if (sync->is_news && now >= sync->told_ms + TELL_MS) {
        tell(sync, now);
    }
}

void sync_set_status(struct sync *sync, const struct claim *status)
{
    const struct claim before = sync->status;
    sync->status = *status;
    if (status->height != before.height) {
        sync->behind_ms = 0;
        uint64_t sender = sync_plan_sender(sync->plan, status->height);
        claims_credit(&sync->claims, sender);
        sync_plan_set_tip(sync->plan, status->height);
    }
    if (status->height != before.height || status->view != before.view ||
        status->lowest != before.lowest ||
        status->snapshot != before.snapshot ||
        !hash_equal(&status->block_hash, &before.block_hash)) {
        sync->is_news = true;
    }
    if (status->lowest > before.lowest) {
        tell(sync, now_ms(sync)); /* ahead of any answer that lacks a block */
    } else {
        tell_news(sync, now_ms(sync));
    }
    deliver(sync);
    ask(sync);
}

void sync_refused(struct sync *sync, uint64_t height)
{
    uint64_t sender = sync_plan_give_back(sync->plan, height);
    struct peer *peer = net_find_id(sync->config.net, sender);
    if (sender == 0) {
        return;
    }
    sync->refused++;
    sync_plan_forget(sync->plan, sender);
    if (peer != NULL) {
        ban(sync, peer, "sent a block that does not hold");
    }
    ask(sync);
}

void sync_postponed(struct sync *sync, uint64_t height)
{
    (void)sync_plan_give_back(sync->plan, height); /* the next tick asks */
}

const struct claim *sync_status(const struct sync *sync)
{
    return &sync->status;
}

/* --- what peers say --------------------------------------------------- */

void sync_on_peer(struct sync *sync, struct peer *peer, bool is_up)
{
    uint64_t id = peer_id(peer);
    if (is_up) {
        claims_add(&sync->claims, id);
        send_status(sync, peer);
        return;
    }
    sync_plan_cancel(sync->plan, id);
    claims_remove(&sync->claims, id);
}

static void on_status(struct sync *sync, struct peer *peer, const uint8_t *data,
                      size_t size)
{
    Pot__PeerStatus *message;
    struct claim claim;
    if (CODEC_DECODE(&message, pot__peer_status, data, size) != POT_OK ||
        !codec_hash(&claim.block_hash, message->block_hash)) {
        codec_free(message);
        ban(sync, peer, "malformed PeerStatus");
        return;
    }
    claim.height = message->height;
    claim.view = message->view;
    claim.lowest = sync->config.is_headers ? 0 : message->lowest;
    claim.snapshot = message->snapshot;
    codec_free(message);
    if (!claims_set(&sync->claims, peer_id(peer), &claim)) {
        ban(sync, peer, "claims less than it claimed before");
        return;
    }
    if (sync->behind_ms == 0 && sync_target(sync) > sync->status.height) {
        sync->behind_ms = now_ms(sync);
    }
    ask(sync);
}

void sync_on_message(struct sync *sync, struct peer *peer, uint8_t type,
                     const uint8_t *data, size_t size)
{
    if (type == MESSAGE_STATUS) {
        on_status(sync, peer, data, size);
    } else if (type == MESSAGE_GET_BLOCKS || type == MESSAGE_GET_HEADERS) {
        sync_serve(sync->config.net, peer,
                   type == MESSAGE_GET_BLOCKS ? MESSAGE_BLOCKS
                                              : MESSAGE_HEADERS,
                   data, size, sync->config.read, sync->config.context);
    } else {
        POT_ASSERT(type == MESSAGE_BLOCKS || type == MESSAGE_HEADERS);
        on_blocks(sync, peer, data, size);
    }
}

/* --- time ------------------------------------------------------------- */

static void stalled(struct sync *sync, uint64_t id, struct peer *peer,
                    bool is_talking)
{
    sync->timeouts++;
    give_up(sync, id);
    claims_distrust(&sync->claims, id, now_ms(sync));
    if (is_talking && claims_ignored(&sync->claims, id) >= IGNORED_MAX) {
        ban(sync, peer, "answers no question for blocks");
    }
}

static void check_deadline(struct sync *sync, struct plan_ask *ask,
                           uint64_t now)
{
    struct peer *peer = net_find_id(sync->config.net, ask->peer_id);
    uint64_t bytes = peer != NULL ? peer_bytes_in(peer) - ask->bytes : 0;
    if (bytes >= PROGRESS_BYTES && ++ask->turns < PROGRESS_TURNS) {
        ask->asked_ms = now;
        ask->bytes += bytes;
    } else {
        stalled(sync, ask->peer_id, peer, bytes > 0 && bytes < TALK_BYTES);
    }
}

/* One at a time: who stalls loses all its questions. */
static void check_deadlines(struct sync *sync, uint64_t now)
{
    for (size_t i = 0; i < sync_plan_asks(sync->plan); i++) {
        struct plan_ask *ask = sync_plan_ask_at(sync->plan, i);
        if (now >= ask->asked_ms + sync->config.timeout_ms) {
            check_deadline(sync, ask, now);
            return;
        }
    }
}

/* What is not known yet is left out. */
#define PROGRESS_FIELDS 6
static size_t progress_fields(struct log_field fields[static PROGRESS_FIELDS],
                              const struct sync_progress *p)
{
    size_t count = 0;
    fields[count++] = log_u64("block", p->height);
    fields[count++] = log_u64("of", p->target);
    if (p->is_rate_known) {
        fields[count++] = log_u64("per_second", p->rate / 1000);
    }
    if (p->eta_s != UINT64_MAX) {
        fields[count++] = log_u64("eta_s", p->eta_s);
    }
    if (p->peers_asked > 0) {
        fields[count++] = log_u64("peers", p->peers_asked);
    }
    if (p->is_unserved) {
        fields[count++] = log_text("note", "no peer holds the next block");
    }
    return count;
}

static void log_progress(struct sync *sync, uint64_t now)
{
    struct sync_progress p;
    if (sync->config.is_headers || !sync_is_behind(sync) ||
        now - sync->logged_ms < LOG_INTERVAL_MS) {
        return;
    }
    sync->logged_ms = now;
    sync_progress(sync, &p);
    struct log_field fields[PROGRESS_FIELDS];
    size_t count = progress_fields(fields, &p);
    log_write(LOG_INFO, "sync", "catching up", fields, count);
}

void sync_tick(struct sync *sync, uint64_t now)
{
    check_deadlines(sync, now);
    tell_news(sync, now);
    sync_rate_tick(&sync->rate, sync->status.height, now);
    if (sync_target(sync) == sync->status.height) {
        sync->behind_ms = 0;
    } else if (sync->behind_ms == 0) {
        sync->behind_ms = now;
    }
    deliver(sync);
    ask(sync);
    log_progress(sync, now);
}

static uint64_t peers_asked(const struct sync *sync)
{
    uint64_t count = 0;
    for (size_t i = 0; i < sync_plan_asks(sync->plan); i++) {
        bool is_new = true;
        uint64_t id = sync_plan_ask_at(sync->plan, i)->peer_id;
        for (size_t k = 0; k < i; k++) {
            is_new &= sync_plan_ask_at(sync->plan, k)->peer_id != id;
        }
        count += is_new;
    }
    return count;
}

void sync_rest(struct sync *sync, bool is_resting)
{
    sync->is_resting = is_resting;
    ask(sync);
}

uint64_t sync_best_snapshot(const struct sync *sync, uint64_t most,
                            uint64_t except)
{
    return claims_snapshot(&sync->claims, most, except, now_ms(sync));
}

struct holder {
    uint64_t height;
    bool is_claimed; /* by anybody, as reached */
    bool is_held;    /* by anybody, as not pruned */
};

static bool visit_holder(void *context, uint64_t id, const struct claim *claim)
{
    struct holder *holder = context;
    (void)id;
    holder->is_claimed |= claim->height >= holder->height;
    holder->is_held |=
        claim->height >= holder->height && claim->lowest <= holder->height;
    return !holder->is_held;
}

void sync_progress(const struct sync *sync, struct sync_progress *out)
{
    struct holder next = {.height = sync->status.height + 1};
    claims_each(&sync->claims, now_ms(sync), visit_holder, &next);
    *out = (struct sync_progress){
        .height = sync->status.height,
        .target = sync_target(sync),
        .rate = sync->rate.per_1000_s,
        .is_rate_known = sync->rate.is_known,
        .asked = sync->asked,
        .timeouts = sync->timeouts,
        .refused = sync->refused,
        .peers_asked = peers_asked(sync),
        .is_unserved = next.is_claimed && !next.is_held,
    };
    out->eta_s = sync_rate_eta(&sync->rate, out->target - out->height);
}
