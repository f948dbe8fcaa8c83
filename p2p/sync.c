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
#include "base/limits.h"
#include "proto/codec.h"
#include "proto/wire.pb-c.h"

#include <sodium.h>
#include <stdlib.h>

/* Below both more is asked for. */
/* One block behind is news on its way; for this long it is being late. */
#define LATE_MS         1000
#define QUEUE_COUNT_LOW 32
#define QUEUE_BYTES_LOW ((size_t)16 << 20)
/* A peer whose queue holds as much is served no more blocks for now. */
#define SERVE_QUEUE_MAX  ((size_t)4 << 20)
#define DISTRUST_MS      2000 /* doubles with each failure */
#define DISTRUST_DOUBLES 7
/* A large answer on a slow line: as long as so much comes in a timeout, we
 * wait for some more of them. */
#define PROGRESS_BYTES  ((uint64_t)256 << 10)
#define PROGRESS_TURNS  4
#define BLOCKS_OVERHEAD 1024 /* what wraps blocks in a Blocks message */

struct sync_peer {
    struct sync_peer *next;
    uint64_t id;
    bool has_status;
    struct sync_status status;
    uint32_t failures;
    uint64_t distrust_ms; /* its claims count for nothing before */
};

struct sync_item {
    struct sync_item *next;
    uint64_t height;
    uint64_t peer_id;
    struct buf block;
    struct buf certificate;
};

struct sync {
    struct sync_config config;
    struct sync_peer *peers;
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
    uint64_t applied; /* the greatest it found good */
    bool is_delivering;
};

struct sync *sync_new(const struct sync_config *config)
{
    struct sync *sync = pot_calloc(1, sizeof(*sync));
    POT_ASSERT(config->on_block != NULL);
    sync->config = *config;
    if (sync->config.timeout_ms == 0) {
        sync->config.timeout_ms = 4000;
    }
    return sync;
}

static uint64_t now_ms(const struct sync *sync)
{
    return net_now_ms(sync->config.net);
}

/* The height we hold, as far as the owner has told. */
static uint64_t own_height(const struct sync *sync)
{
    uint64_t height = sync->config.status.height;
    return sync->applied > height ? sync->applied : height;
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
    while (sync->peers != NULL) {
        struct sync_peer *p = sync->peers;
        sync->peers = p->next;
        free(p);
    }
    free(sync);
}

static void deliver(struct sync *sync)
{
    if (sync->is_delivering) {
        return; /* the owner answers from inside on_block */
    }
    sync->is_delivering = true;
    while (sync->first != NULL && sync->applying == 0) {
        uint64_t next = own_height(sync) + 1;
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

/* --- peers and what they claim ---------------------------------------- */

static struct sync_peer *find_peer(const struct sync *sync, uint64_t id)
{
    struct sync_peer *p = sync->peers;
    while (p != NULL && p->id != id) {
        p = p->next;
    }
    return p;
}

static bool is_believed(const struct sync *sync, const struct sync_peer *p)
{
    return p->has_status && now_ms(sync) >= p->distrust_ms;
}

/* It did not deliver what it claimed. */
static void distrust(struct sync *sync, uint64_t id)
{
    struct sync_peer *p = find_peer(sync, id);
    if (p != NULL) {
        uint32_t doubles =
            p->failures < DISTRUST_DOUBLES ? p->failures : DISTRUST_DOUBLES;
        p->failures++;
        p->distrust_ms = now_ms(sync) + ((uint64_t)DISTRUST_MS << doubles);
    }
}

uint64_t sync_target(const struct sync *sync)
{
    uint64_t target = own_height(sync);
    for (struct sync_peer *p = sync->peers; p != NULL; p = p->next) {
        if (is_believed(sync, p) && p->status.height > target) {
            target = p->status.height;
        }
    }
    return target;
}

static bool is_behind_for(const struct sync *sync, uint64_t ms)
{
    uint64_t ahead = sync_target(sync) - own_height(sync);
    return ahead > 1 || (ahead == 1 && sync->behind_ms != 0 &&
                         now_ms(sync) - sync->behind_ms >= ms);
}

bool sync_is_behind(const struct sync *sync)
{
    uint64_t grace = sync->config.grace_ms;
    return is_behind_for(sync, grace > LATE_MS ? grace : LATE_MS);
}

bool sync_peer_status(const struct sync *sync, const struct peer *peer,
                      struct sync_status *out)
{
    const struct sync_peer *p = find_peer(sync, peer_id(peer));
    if (p == NULL || !p->has_status) {
        return false;
    }
    *out = p->status;
    return true;
}

static void send_status(const struct sync *sync, struct peer *peer)
{
    const struct sync_status *status = &sync->config.status;
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
    uint64_t have = own_height(sync);
    if (sync->applying > have) {
        have = sync->applying;
    }
    if (sync->last != NULL && sync->last->height > have) {
        have = sync->last->height;
    }
    return have + 1;
}

/* Any believed peer that claims the height, by lot: not the one that claims
 * most. */
static struct sync_peer *choose(const struct sync *sync, uint64_t height)
{
    struct sync_peer *chosen = NULL;
    uint32_t seen = 0;
    for (struct sync_peer *p = sync->peers; p != NULL; p = p->next) {
        if (is_believed(sync, p) && p->status.height >= height &&
            randombytes_uniform(++seen) == 0) {
            chosen = p;
        }
    }
    return chosen;
}

static void ask(struct sync *sync)
{
    uint64_t from = next_wanted(sync);
    if (sync->asked_id != 0 || sync->item_count >= QUEUE_COUNT_LOW ||
        sync->item_bytes >= QUEUE_BYTES_LOW ||
        !is_behind_for(sync, sync->config.grace_ms)) {
        return;
    }
    struct sync_peer *p = choose(sync, from);
    struct peer *peer = p != NULL ? net_find_id(sync->config.net, p->id) : NULL;
    if (peer == NULL) {
        return;
    }
    uint64_t count = p->status.height - from + 1;
    Pot__GetBlocks message = POT__GET_BLOCKS__INIT;
    struct buf out;
    message.from = from;
    message.count = count < SYNC_BLOCKS_MAX ? (uint32_t)count : SYNC_BLOCKS_MAX;
    buf_init(&out, 64);
    codec_append(&out, &message);
    POT_ASSERT(!out.is_overflown);
    if (net_send(sync->config.net, peer, MESSAGE_GET_BLOCKS, out.data,
                 out.size)) {
        sync->asked_id = p->id;
        sync->asked_from = from;
        sync->asked_count = message.count;
        sync->asked_ms = now_ms(sync);
        sync->asked_bytes = peer_bytes_in(peer);
        sync->asked_turns = 0;
    }
    buf_fini(&out);
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
        distrust(sync, sync->asked_id);
        sync->asked_id = 0;
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

void sync_set_status(struct sync *sync, const struct sync_status *status)
{
    struct sync_status *own = &sync->config.status;
    bool is_news = status->height != own->height || status->view != own->view ||
                   !hash_equal(&status->block_hash, &own->block_hash);
    if (status->height != own->height) {
        sync->behind_ms = 0;
    }
    *own = *status;
    if (sync->applying <= own->height) {
        sync->applying = 0; /* it came another way */
    }
    if (is_news) {
        send_status(sync, NULL);
    }
    deliver(sync);
    ask(sync);
}

void sync_applied(struct sync *sync, uint64_t height, bool is_good)
{
    if (sync->applying != height || height == 0) {
        return; /* it came another way meanwhile */
    }
    sync->applying = 0;
    if (is_good) {
        struct sync_peer *p = find_peer(sync, sync->applying_id);
        sync->applied = height;
        sync->behind_ms = now_ms(sync);
        if (p != NULL) {
            p->failures = 0;
        }
    } else {
        struct peer *peer = net_find_id(sync->config.net, sync->applying_id);
        flush(sync);
        if (peer != NULL) {
            net_ban(sync->config.net, peer, "sent a block that does not hold");
        }
    }
    deliver(sync);
    ask(sync);
}

void sync_postponed(struct sync *sync, uint64_t height)
{
    if (sync->applying == height && height != 0) {
        sync->applying = 0;
        flush(sync); /* the next tick asks again */
    }
}

/* --- what peers say --------------------------------------------------- */

void sync_on_peer(struct sync *sync, struct peer *peer, bool is_up)
{
    uint64_t id = peer_id(peer);
    if (is_up) {
        struct sync_peer *p = pot_calloc(1, sizeof(*p));
        p->id = id;
        p->next = sync->peers;
        sync->peers = p;
        send_status(sync, peer);
        return;
    }
    struct sync_peer **at = &sync->peers;
    while (*at != NULL && (*at)->id != id) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        struct sync_peer *p = *at;
        *at = p->next;
        free(p);
    }
    if (sync->asked_id == id) {
        sync->asked_id = 0;
    }
}

static void on_status(struct sync *sync, struct peer *peer, const uint8_t *data,
                      size_t size)
{
    Pot__PeerStatus *message;
    struct sync_status status;
    if (CODEC_DECODE(&message, pot__peer_status, data, size) != POT_OK ||
        !codec_hash(&status.block_hash, message->block_hash)) {
        codec_free(message);
        net_ban(sync->config.net, peer, "malformed PeerStatus");
        return;
    }
    status.height = message->height;
    status.view = message->view;
    codec_free(message);
    struct sync_peer *p = find_peer(sync, peer_id(peer));
    if (p != NULL) {
        p->status = status;
        p->has_status = true;
    }
    if (sync->behind_ms == 0 && sync_target(sync) > own_height(sync)) {
        sync->behind_ms = now_ms(sync);
    }
    ask(sync);
}

/* As many blocks as are held and fit into one frame. */
struct sync_answer {
    Pot__SyncBlock blocks[SYNC_BLOCKS_MAX];
    Pot__SyncBlock *list[SYNC_BLOCKS_MAX];
    struct buf bytes[2 * SYNC_BLOCKS_MAX];
    size_t count;
};

static void answer_fill(const struct sync *sync, struct sync_answer *a,
                        uint64_t from, uint32_t count)
{
    size_t total = BLOCKS_OVERHEAD;
    while (a->count < SYNC_BLOCKS_MAX && a->count < count) {
        struct buf *block = &a->bytes[2 * a->count];
        struct buf *certificate = block + 1;
        buf_init(block, FRAME_BYTES_MAX);
        buf_init(certificate, FRAME_BYTES_MAX);
        bool is_held = from <= UINT64_MAX - a->count &&
                       sync->config.read(sync->config.context, from + a->count,
                                         block, certificate);
        total += block->size + certificate->size + 32;
        if (!is_held || total > FRAME_BYTES_MAX) {
            buf_fini(block);
            buf_fini(certificate);
            return;
        }
        Pot__SyncBlock *out = &a->blocks[a->count];
        pot__sync_block__init(out);
        out->block = codec_bytes(block->data, block->size);
        out->certificate = codec_bytes(certificate->data, certificate->size);
        a->list[a->count++] = out;
    }
}

static void serve(const struct sync *sync, struct peer *peer,
                  const Pot__GetBlocks *request)
{
    struct sync_answer *a = pot_calloc(1, sizeof(*a));
    Pot__Blocks message = POT__BLOCKS__INIT;
    struct buf out;
    if (sync->config.read != NULL) {
        answer_fill(sync, a, request->from, request->count);
    }
    message.from = request->from;
    message.n_blocks = a->count;
    message.blocks = a->list;
    buf_init(&out, FRAME_BYTES_MAX);
    codec_append(&out, &message);
    POT_ASSERT(!out.is_overflown);
    (void)net_send(sync->config.net, peer, MESSAGE_BLOCKS, out.data, out.size);
    buf_fini(&out);
    for (size_t i = 0; i < 2 * a->count; i++) {
        buf_fini(&a->bytes[i]);
    }
    free(a);
}

static void on_request(const struct sync *sync, struct peer *peer,
                       const uint8_t *data, size_t size)
{
    Pot__GetBlocks *request;
    if (CODEC_DECODE(&request, pot__get_blocks, data, size) != POT_OK) {
        net_ban(sync->config.net, peer, "malformed GetBlocks");
        return;
    }
    if (peer_queue_bytes(peer, P2P_BULK) < SERVE_QUEUE_MAX) {
        serve(sync, peer, request);
    }
    codec_free(request);
}

void sync_on_message(struct sync *sync, struct peer *peer, uint8_t type,
                     const uint8_t *data, size_t size)
{
    if (type == MESSAGE_STATUS) {
        on_status(sync, peer, data, size);
    } else if (type == MESSAGE_GET_BLOCKS) {
        on_request(sync, peer, data, size);
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
        distrust(sync, sync->asked_id);
        sync->asked_id = 0;
    }
}

void sync_tick(struct sync *sync, uint64_t now)
{
    if (sync->asked_id != 0 &&
        now - sync->asked_ms >= sync->config.timeout_ms) {
        check_progress(sync, now);
    }
    if (sync_target(sync) == own_height(sync)) {
        sync->behind_ms = 0;
    } else if (sync->behind_ms == 0) {
        sync->behind_ms = now;
    }
    deliver(sync);
    ask(sync);
}
