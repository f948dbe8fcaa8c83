#include "config.h"

#include "node/replay.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/file.h"
#include "base/limits.h"
#include "node/block/block_check.h"
#include "node/block/block_commit.h"
#include "node/block/certified.h"
#include "node/block/executed.h"
#include "node/block/round_blobs.h"
#include "node/block/shared_block.h"
#include "node/block/validator_sets.h"
#include "node/hold/blob_pool.h"
#include "node/node_parts.h"
#include "proto/gradient.h"
#include "proto/validator_set.h"
#include "storage/store.h"

#include <inttypes.h>
#include <stdio.h>

#define PROGRESS_EVERY  1000
#define REPLAY_MAP_SIZE ((size_t)256 << 20)

/* Aggregates are the one thing that a certified block does not carry. */
static enum pot_err lend_aggregates(struct replay *r, const struct block *block)
{
    enum pot_err err = POT_OK;
    struct buf data;
    buf_init(&data, GRADIENT_BYTES_MAX(4));
    for (size_t i = 0; err == POT_OK && i < block->body->n_round_updates; i++) {
        const Pot__RoundUpdate *u = block->body->round_updates[i];
        struct hash hash;
        if (!round_blobs_aggregate(u, &hash)) {
            continue;
        }
        err = store_blob_get(r->node->holdings.store, &hash, &data);
        if (err == POT_OK) {
            (void)blob_pool_put(r->holdings.pool, &hash, data.data, data.size);
        }
    }
    buf_fini(&data);
    return err;
}

/* Of the store that is made here, not of the one that is read. */
static bool has_written(struct replay *r, enum pot_err err)
{
    r->own = err;
    if (err != POT_OK) {
        fprintf(stderr, "potd: the store for the replay: %s\n", err_text(err));
    }
    return err == POT_OK;
}

static bool replay_block(struct replay *r, const struct certified *certified)
{
    char why[BLOCK_WHY_SIZE] = "";
    struct executed *made = NULL;
    const struct block *block = certified->block->block;
    enum pot_err err = lend_aggregates(r, block);
    if (err != POT_OK) {
        fprintf(stderr, "potd: height %" PRIu64 ": its aggregate: %s\n",
                block->header->height, err_text(err));
        return false;
    }
    err = block_check(&made, &r->holdings, &r->tip, certified->block, 0, true,
                      why);
    if (err == POT_EFULL || err == POT_ELIMIT || err == POT_EIO) {
        return has_written(r, err);
    }
    if (err != POT_OK) {
        fprintf(stderr, "potd: height %" PRIu64 ": executed again: %s\n",
                block->header->height, why);
        return false;
    }
    err = block_commit(&r->holdings, &r->tip, made, certified, true);
    executed_free(made);
    if (!has_written(r, err)) {
        return false;
    }
    chain_tip_follow(&r->tip, block->header, &block->hash,
                     certified->certificate->view);
    return true;
}

static struct certified *read_block(struct store *store, uint64_t height)
{
    struct buf block;
    struct buf certificate;
    struct certified *certified = NULL;
    buf_init(&block, BLOCK_BYTES_MAX);
    buf_init(&certificate, BLOCK_BYTES_MAX);
    if (store_get_block(store, height, &block) == POT_OK &&
        store_get_certificate(store, height, &certificate) == POT_OK) {
        enum pot_err err = certified_take_bytes(
            &certified, pot_memdup(block.data, block.size), block.size,
            pot_memdup(certificate.data, certificate.size), certificate.size);
        POT_ASSERT((err == POT_OK) == (certified != NULL));
    }
    buf_fini(&block);
    buf_fini(&certificate);
    return certified;
}

static bool check_height(struct replay *r, uint64_t height)
{
    struct validator_set set;
    bool is_right = false;
    struct certified *certified = read_block(r->node->holdings.store, height);
    if (certified == NULL ||
        certified->block->block->header->height != height) {
        fprintf(stderr, "potd: height %" PRIu64 ": cannot be read\n", height);
    } else if (validator_sets_read(&r->node->holdings, &r->tip.next_signers,
                                   &set) != POT_OK ||
               !certified_verify(certified, &r->holdings.chain, &set)) {
        fprintf(stderr, "potd: height %" PRIu64 ": its certificate is wrong\n",
                height);
    } else {
        is_right = replay_block(r, certified);
    }
    certified_free(certified);
    if (height % PROGRESS_EVERY == 0) {
        fprintf(stderr, "replayed %" PRIu64 " blocks\n", height);
    }
    return is_right;
}

static bool run(struct replay *r, uint64_t height)
{
    r->tip.hash = r->holdings.genesis_hash;
    r->tip.time_ms = r->node->genesis->time_ms;
    r->tip.next_signers = r->holdings.genesis_hash;
    if (!has_written(r, block_commit_genesis(&r->holdings, r->node->genesis))) {
        return false;
    }
    for (uint64_t h = 1; h <= height; h++) {
        if (!check_height(r, h)) {
            return false;
        }
    }
    return has_written(r, store_sync(r->holdings.store));
}

bool replay_run(struct replay *r, struct node *node, const char *folder,
                uint64_t height)
{
    struct stat info;
    char why[256] = "";
    *r = (struct replay){.node = node, .holdings = node->holdings};
    r->holdings.store = NULL;
    enum pot_err err = file_remove_folder(folder);
    if (err != POT_OK && file_stat(folder, &info) == POT_OK &&
        !S_ISDIR(info.st_mode)) {
        (void)snprintf(why, sizeof(why),
                       "%.200s: a file, and no folder: remove it", folder);
    } else if (err == POT_OK) {
        err = store_open(&r->holdings.store, folder, REPLAY_MAP_SIZE, why,
                         sizeof(why));
    }
    r->own = err;
    if (why[0] != '\0') {
        fprintf(stderr, "potd: %s\n", why);
    } else if (err != POT_OK) {
        fprintf(stderr, "potd: %s: %s\n", folder, err_text(err));
    }
    return err == POT_OK && run(r, height);
}

enum exit_code replay_code(const struct replay *r)
{
    return r->own == POT_EFULL || r->own == POT_ELIMIT ? EXIT_CODE_FULL
                                                       : EXIT_CODE_FAILED;
}

void replay_close(struct replay *r)
{
    store_close(r->holdings.store);
}
