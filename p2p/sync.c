/* Blocks come in at one end and go out at the other:
 *
 *   ask --GetBlocks--> peer --Blocks--> queue --on_block--> owner
 *
 * One question and one block under examination at a time; the next answer
 * may already be on its way while the owner works.  Whatever goes wrong
 * empties the queue from that height on and asks somebody else. */
#include "config.h"

#include "p2p/sync.h"

#include "base/alloc.h"
#include "base/check.h"
#include "proto/codec.h"
#include "proto/wire.pb-c.h"

#include <stdlib.h>

/* One block behind is news on its way; for this long it is being late. */
#define LATE_MS 1000
/* Below both more is asked for. */
#define QUEUE_COUNT_LOW 32
#define QUEUE_BYTES_LOW ((size_t)16 << 20)
/* A large answer on a slow line: as long as so much comes in a timeout, we
 * wait for some more of them. */
#define PROGRESS_BYTES ((uint64_t)256 << 10)
#define PROGRESS_TURNS 4

struct sync_item {
    struct sync_item *next;
    uint64_t height;
    uint64_t peer_id;
    struct buf block;
    struct buf certificate;
};

struct sync {
    struct sync_config config;
    struct claim status; /* ours, as far as the owner has told */
    struct claims claims;
    uint64_t behind_ms; /* since when; 0: we are not */

    uint64_t asked_id; /* 0: no question is open */
    uint64_t asked_from;
    uint32_t asked_count;
    uint64_t asked_ms;
    uint64_t asked_bytes; /* its peer_bytes_in at asked_ms */
    uint32_t asked_turns; /* timeouts that brought progress */

    struct sync_item *first; /* heights without gaps */
    struct sync_item *last;
    size_t item_count;
    size_t item_bytes;

    uint64_t applying; /* the owner has this block; 0: none */
    uint64_t applying_id;
    bool is_delivering;
};

struct sync *sync_new(const struct sync_config *config)
{
    struct sync *sync = pot_calloc(1, sizeof(*sync));
    POT_ASSERT(config->on_block != NULL);
    sync->config = *config;
    sync->status = config->status;
    if (sync->config.timeout_ms == 0) {
        sync->config.timeout_ms = 4000;
    }
    sync->claims.distrust_ms =
        config->distrust_ms != 0 ? config->distrust_ms : 2000;
    return sync;
}

static uint64_t now_ms(const struct sync *sync)
{
    return net_now_ms(sync->config.net);
}

/* --- the queue -------------------------------------------------------- */

static struct sync_item *pop(struct sync *sync)
{
    struct sync_item *item = sync->first;
    sync->first = item->next;
    if (sync->first == NULL) {
        sync->last = NULL;
    }
    sync->item_count--;
    sync->item_bytes -= item->block.size + item->certificate.size;
    return item;
}

static void item_free(struct sync_item *item)
{
    buf_fini(&item->block);
    buf_fini(&item->certificate);
    free(item);
}

static void push(struct sync *sync, uint64_t height,
                 const Pot__SyncBlock *block)
{
    struct sync_item *item = pot_calloc(1, sizeof(*item));
    POT_ASSERT(sync->last == NULL || height == sync->last->height + 1);
    item->height = height;
    item->peer_id = sync->asked_id;
    buf_init(&item->block, block->block.len);
    buf_append(&item->block, block->block.data, block->block.len);
    buf_init(&item->certificate, block->certificate.len);
    buf_append(&item->certificate, block->certificate.data,
               block->certificate.len);
    if (sync->last == NULL) {
        sync->first = item;
    } else {
        sync->last->next = item;
    }
    sync->last = item;
    sync->item_count++;
    sync->item_bytes += item->block.size + item->certificate.size;
}

/* The queue is worth nothing any more, nor is an answer that continues it. */
static void flush(struct sync *sync)
{
    while (sync->first != NULL) {
        item_free(pop(sync));
    }
    sync->asked_id = 0;
}

void sync_free(struct sync *sync)
{
    if (sync == NULL) {
        return;
    }
    flush(sync);
    claims_fini(&sync->claims);
    free(sync);
}

static void deliver(struct sync *sync)
{
    if (sync->is_delivering) {
        return; /* the owner answers from inside on_block */
    }
    sync->is_delivering = true;
    while (sync->first != NULL && sync->applying == 0) {
        uint64_t next = sync->status.height + 1;
        struct sync_item *item = pop(sync);
        POT_ASSERT(item->height <= next);
        if (item->height == next) {
            sync->applying = item->height;
            sync->applying_id = item->peer_id;
            sync->config.on_block(sync->config.context, item->height,
                                  item->block.data, item->block.size,
                                  item->certificate.data,
                                  item->certificate.size);
        }
        item_free(item);
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
    message.height = status->height;
    message.block_hash = codec_bytes(status->block_hash.b, HASH_SIZE);
    message.view = status->view;
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

static uint64_t next_wanted(const struct sync *sync)
{
    uint64_t have = sync->status.height;
    if (sync->applying > have) {
        have = sync->applying;
    }
    if (sync->last != NULL && sync->last->height > have) {
        have = sync->last->height;
    }
    return have + 1;
}

/* No answer will come, or none that helps; it did not deliver. */
static void give_up(struct sync *sync)
{
    claims_distrust(&sync->claims, sync->asked_id, now_ms(sync));
    sync->asked_id = 0;
}

/* Asks peer, who is believed to stand at height or higher. */
static void ask_peer(struct sync *sync, struct peer *peer, uint64_t from,
                     uint64_t height)
{
    uint64_t count = height - from + 1;
    Pot__GetBlocks message = POT__GET_BLOCKS__INIT;
    struct buf out;
    message.from = from;
    message.count = count < SYNC_BLOCKS_MAX ? (uint32_t)count : SYNC_BLOCKS_MAX;
    buf_init(&out, 64);
    codec_append(&out, &message);
    POT_ASSERT(!out.is_overflown);
    if (net_send(sync->config.net, peer, MESSAGE_GET_BLOCKS, out.data,
                 out.size)) {
        sync->asked_id = peer_id(peer);
        sync->asked_from = from;
        sync->asked_count = message.count;
        sync->asked_ms = now_ms(sync);
        sync->asked_bytes = peer_bytes_in(peer);
        sync->asked_turns = 0;
    }
    buf_fini(&out);
}

static void ask(struct sync *sync)
{
    uint64_t from = next_wanted(sync);
    if (sync->asked_id != 0 || sync->item_count >= QUEUE_COUNT_LOW ||
        sync->item_bytes >= QUEUE_BYTES_LOW ||
        !is_behind_for(sync, sync->config.grace_ms)) {
        return;
    }
    uint64_t id = claims_choose(&sync->claims, from, now_ms(sync));
    struct peer *peer = id != 0 ? net_find_id(sync->config.net, id) : NULL;
    if (peer != NULL) {
        ask_peer(sync, peer, from, claims_get(&sync->claims, id)->height);
    }
}

static bool is_answer(const struct sync *sync, const Pot__Blocks *blocks)
{
    if (blocks->n_blocks == 0 || blocks->n_blocks > sync->asked_count) {
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

static void on_blocks(struct sync *sync, struct peer *peer, const uint8_t *data,
                      size_t size)
{
    Pot__Blocks *blocks;
    if (CODEC_DECODE(&blocks, pot__blocks, data, size) != POT_OK) {
        net_ban(sync->config.net, peer, "malformed Blocks");
        return;
    }
    if (sync->asked_id != peer_id(peer) || sync->asked_from != blocks->from) {
        codec_free(blocks); /* late: asked for before something changed */
        return;
    }
    if (!is_answer(sync, blocks)) {
        give_up(sync);
    } else {
        uint64_t from = next_wanted(sync);
        for (size_t i = 0; i < blocks->n_blocks; i++) {
            /* Our height may have grown past the first ones meanwhile. */
            if (blocks->from + i >= from) {
                push(sync, blocks->from + i, blocks->blocks[i]);
            }
        }
        sync->asked_id = 0;
    }
    codec_free(blocks);
    deliver(sync);
    ask(sync);
}

/* --- what the owner says ---------------------------------------------- */

/* The block under examination stands, or one above it does. */
static void settle(struct sync *sync)
{
    if (sync->applying == sync->status.height) {
        claims_credit(&sync->claims, sync->applying_id);
    }
    if (sync->applying <= sync->status.height) {
        sync->applying = 0;
    }
}

void sync_set_status(struct sync *sync, const struct claim *status)
{
    const struct claim before = sync->status;
    sync->status = *status;
    if (status->height != before.height) {
        sync->behind_ms = 0;
    }
    settle(sync);
    if (status->height != before.height || status->view != before.view ||
        !hash_equal(&status->block_hash, &before.block_hash)) {
        send_status(sync, NULL);
    }
    deliver(sync);
    ask(sync);
}

/* Ends the examination of the block at height; false: it is not under one,
 * having come another way meanwhile. */
static bool give_back(struct sync *sync, uint64_t height)
{
    if (sync->applying != height || height == 0) {
        return false;
    }
    sync->applying = 0;
    flush(sync);
    return true;
}

void sync_refused(struct sync *sync, uint64_t height)
{
    struct peer *peer = net_find_id(sync->config.net, sync->applying_id);
    if (!give_back(sync, height)) {
        return;
    }
    if (peer != NULL) {
        net_ban(sync->config.net, peer, "sent a block that does not hold");
    }
    ask(sync);
}

void sync_postponed(struct sync *sync, uint64_t height)
{
    (void)give_back(sync, height); /* the next tick asks again */
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
    claims_remove(&sync->claims, id);
    if (sync->asked_id == id) {
        sync->asked_id = 0;
    }
}

static void on_status(struct sync *sync, struct peer *peer, const uint8_t *data,
                      size_t size)
{
    Pot__PeerStatus *message;
    struct claim claim;
    if (CODEC_DECODE(&message, pot__peer_status, data, size) != POT_OK ||
        !codec_hash(&claim.block_hash, message->block_hash)) {
        codec_free(message);
        net_ban(sync->config.net, peer, "malformed PeerStatus");
        return;
    }
    claim.height = message->height;
    claim.view = message->view;
    codec_free(message);
    claims_set(&sync->claims, peer_id(peer), &claim);
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
    } else if (type == MESSAGE_GET_BLOCKS) {
        sync_serve(sync->config.net, peer, data, size, sync->config.read,
                   sync->config.context);
    } else {
        POT_ASSERT(type == MESSAGE_BLOCKS);
        on_blocks(sync, peer, data, size);
    }
}

static void check_progress(struct sync *sync, uint64_t now)
{
    const struct peer *peer = net_find_id(sync->config.net, sync->asked_id);
    uint64_t bytes = peer != NULL ? peer_bytes_in(peer) : 0;
    bool is_moving = bytes - sync->asked_bytes >= PROGRESS_BYTES &&
                     ++sync->asked_turns < PROGRESS_TURNS;
    if (peer != NULL && is_moving) {
        sync->asked_ms = now;
        sync->asked_bytes = bytes;
    } else {
        give_up(sync);
    }
}

void sync_tick(struct sync *sync, uint64_t now)
{
    if (sync->asked_id != 0 &&
        now - sync->asked_ms >= sync->config.timeout_ms) {
        check_progress(sync, now);
    }
    if (sync_target(sync) == sync->status.height) {
        sync->behind_ms = 0;
    } else if (sync->behind_ms == 0) {
        sync->behind_ms = now;
    }
    deliver(sync);
    ask(sync);
}
