#include "config.h"

#include "node/block/pruning.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "node/block/block_lists.h"
#include "node/block/round_blobs.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "node/loop/offload.h"
#include "proto/codec.h"
#include "storage/store_prune.h"

#include <stdlib.h>

/* A batch is one commit; it ends early when its blocks are large. */
#define BATCH_BLOCKS 32
#define BATCH_BYTES  ((size_t)8 << 20)

struct pruning {
    struct offload offload;
    struct pruning_config config;
    uint64_t lowest;  /* that is held */
    uint64_t offered; /* from here on: lowest, or beyond a batch at work */
    bool is_working;
    bool is_stopped;
    enum pot_err err;
};

/* A block on its way out, with what refers to it. */
struct leaving {
    struct block *block;
    struct block_lists lists;
    struct hash *blobs;
    size_t blob_count;
};

struct batch {
    const struct holdings *holdings;
    struct leaving blocks[BATCH_BLOCKS];
    struct store_pruned pruned[BATCH_BLOCKS];
    size_t count;
    size_t bytes;
};

struct pruning *pruning_new(const struct pruning_config *config)
{
    struct pruning *p = pot_calloc(1, sizeof(*p));
    p->config = *config;
    POT_ASSERT(config->keep_blocks == 0 ||
               config->keep_blocks >= KEEP_BLOCKS_MIN);
    pruning_reload(p);
    return p;
}

void pruning_reload(struct pruning *pruning)
{
    POT_ASSERT(!pruning->is_working);
    pruning->lowest = store_lowest_block(pruning->config.holdings->store);
    pruning->offered = pruning->lowest;
}

void pruning_stop(struct pruning *pruning)
{
    pruning->is_stopped = true;
}

void pruning_free(struct pruning *pruning)
{
    POT_ASSERT(pruning == NULL || !pruning->is_working);
    free(pruning);
}

bool pruning_is_idle(const struct pruning *pruning)
{
    return !pruning->is_working;
}

uint64_t pruning_lowest(const struct pruning *pruning)
{
    return pruning->offered;
}

/* ---- off the loop */

static void add_blob(struct leaving *leaving, const struct hash *hash)
{
    leaving->blobs = pot_realloc(leaving->blobs, leaving->blob_count + 1,
                                 sizeof(*leaving->blobs));
    leaving->blobs[leaving->blob_count++] = *hash;
}

static bool add_payload(void *context, const struct hash *hash, uint64_t size)
{
    (void)size;
    add_blob(context, hash);
    return true;
}

/* Its gradients went when the round that is so much later was closed. */
static bool has_payloads(const struct holdings *holdings,
                         const Pot__RoundUpdate *update)
{
    struct store_round later;
    size_t count;
    struct hash task;
    uint32_t number = update->round + holdings->keep_rounds;
    return holdings->keep_rounds > 0 && codec_hash(&task, update->task) &&
           store_rounds(holdings->store, &task, number, &later, 1, &count) ==
               POT_OK &&
           (count == 0 || later.round != number);
}

static void add_blobs(struct leaving *leaving, const struct holdings *holdings)
{
    const Pot__Block *body = leaving->block->body;
    for (size_t i = 0; i < body->n_round_updates; i++) {
        const Pot__RoundUpdate *update = body->round_updates[i];
        struct hash aggregate;
        if (round_blobs_aggregate(update, &aggregate)) {
            add_blob(leaving, &aggregate);
        }
        if (has_payloads(holdings, update)) {
            (void)round_blobs_payloads(update, add_payload, leaving);
        }
    }
}

static enum pot_err add_block(struct batch *batch, uint64_t height)
{
    struct leaving *leaving = &batch->blocks[batch->count];
    struct store_pruned *pruned = &batch->pruned[batch->count];
    enum pot_err err =
        stored_block(&leaving->block, batch->holdings->store, height);
    if (err != POT_OK) {
        return err;
    }
    const Pot__Block *body = leaving->block->body;
    pruned->lists = (struct store_commit){.height = height};
    const struct state state = stored_state(batch->holdings->store);
    block_lists_init(&leaving->lists, &pruned->lists, leaving->block, &state);
    add_blobs(leaving, batch->holdings);
    pruned->header = body->header.data;
    pruned->header_size = body->header.len;
    pruned->blobs = leaving->blobs;
    pruned->blob_count = leaving->blob_count;
    batch->bytes += protobuf_c_message_get_packed_size(&body->base);
    batch->count++;
    return POT_OK;
}

static void batch_free(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        block_lists_fini(&batch->blocks[i].lists);
        free(batch->blocks[i].blobs);
        block_free(batch->blocks[i].block);
    }
    free(batch);
}

static void on_work(void *context)
{
    struct pruning *p = context;
    const struct holdings *holdings = p->config.holdings;
    struct batch *batch = pot_calloc(1, sizeof(*batch));
    batch->holdings = holdings;
    p->err = POT_OK;
    while (p->err == POT_OK && p->lowest + batch->count < p->offered &&
           batch->bytes < BATCH_BYTES) {
        p->err = add_block(batch, p->lowest + batch->count);
    }
    if (p->err == POT_OK) {
        p->err = store_prune(holdings->store, batch->pruned, batch->count);
    }
    if (p->err == POT_OK) {
        p->lowest += batch->count;
    }
    batch_free(batch);
}

/* ---- on the loop */

static void on_worked(void *context)
{
    struct pruning *p = context;
    p->is_working = false;
    if (p->err == POT_OK) {
        LOG(LOG_DEBUG, "node", "pruned", log_u64("lowest", p->lowest));
    } else if (!p->is_stopped) {
        p->config.failed(p->config.context, p->err);
    }
}

static void begin(struct pruning *p, uint64_t end)
{
    p->offered = end;
    p->config.announce(p->config.context);
    p->is_working = true;
    offload_start(&p->offload, p->config.loop, on_work, on_worked, p);
}

void pruning_go_on(struct pruning *pruning, uint64_t height, uint64_t needed)
{
    struct pruning *p = pruning;
    uint64_t keep = p->config.keep_blocks;
    if (keep == 0 || height < keep || p->is_working || p->is_stopped) {
        return;
    }
    uint64_t end = height - keep < needed ? height - keep : needed;
    if (end + 1 >= p->lowest + BATCH_BLOCKS) {
        begin(p, p->lowest + BATCH_BLOCKS);
    }
}

bool pruning_give_up(struct pruning *p, uint64_t height)
{
    if (p->is_working || p->is_stopped) {
        return false;
    }
    if (p->lowest <= height) {
        uint64_t end = p->lowest + BATCH_BLOCKS;
        begin(p, end <= height ? end : height + 1);
        return false;
    }
    return true;
}
