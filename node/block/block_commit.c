/* A commit is the block with its write set, its lists for look-ups, the
 * validator set when it changes, and for a while the gradients that its
 * rounds counted. */
#include "config.h"

#include "node/block/block_commit.h"

#include "base/alloc.h"
#include "base/check.h"
#include "node/block/block_lists.h"
#include "node/block/certified.h"
#include "node/block/chain_tip.h"
#include "node/block/executed.h"
#include "node/block/ledger_view.h"
#include "node/block/round_blobs.h"
#include "node/block/shared_block.h"
#include "node/block/validator_sets.h"
#include "node/hold/blob_pool.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "proto/codec.h"
#include "storage/overlay.h"
#include "storage/store.h"

#include <stdlib.h>

/* A round reads what the one before wrote, without the store and its checksum;
 * it may be settled twice when the view changes. */
#define RECENT_BLOCKS 8

/* ---- gradients that were counted */

struct keeper {
    const struct holdings *holdings;
    struct overlay *overlay;
};

static bool keep_payload(void *context, const struct hash *payload,
                         uint64_t size)
{
    const struct keeper *keeper = context;
    struct buf data;
    buf_init(&data, size);
    if (holdings_get_blob(keeper->holdings, payload, &data)) {
        overlay_blob_put(keeper->overlay, payload, data.data, data.size);
    }
    buf_fini(&data);
    return true;
}

static bool drop_payload(void *context, const struct hash *payload,
                         uint64_t size)
{
    const struct keeper *keeper = context;
    (void)size;
    overlay_blob_del(keeper->overlay, payload);
    return true;
}

/* The update that closed an earlier round, in its block; NULL: none. */
static const Pot__RoundUpdate *find_round(struct store *store,
                                          const struct hash *task,
                                          uint32_t number, struct block **block)
{
    struct store_round round;
    size_t count;
    *block = NULL;
    if (store_rounds(store, task, number, &round, 1, &count) != POT_OK ||
        count == 0 || round.round != number ||
        stored_block(block, store, round.height) != POT_OK) {
        return NULL;
    }
    return (*block)->body->round_updates[round.index];
}

/* Those of the latest rounds stay, for whoever wants to look at them. */
static void keep_payloads(const struct holdings *holdings,
                          const struct executed *executed)
{
    const Pot__Block *body = executed->block->block->body;
    struct keeper keeper = {holdings, executed->overlay};
    for (size_t i = 0; i < body->n_round_updates && holdings->keep_rounds > 0;
         i++) {
        const Pot__RoundUpdate *update = body->round_updates[i];
        struct hash task;
        struct block *block = NULL;
        (void)round_blobs_payloads(update, keep_payload, &keeper);
        if (update->round >= holdings->keep_rounds &&
            codec_hash(&task, update->task)) {
            const Pot__RoundUpdate *old =
                find_round(holdings->store, &task,
                           update->round - holdings->keep_rounds, &block);
            if (old != NULL) {
                (void)round_blobs_payloads(old, drop_payload, &keeper);
            }
        }
        block_free(block);
    }
}

/* ---- the commit */

/* The next height's set is kept when this block changes it: the ledger found
 * the header's hash of it right. */
static void keep_validators(const struct holdings *holdings,
                            const struct chain_tip *parent,
                            const struct executed *executed)
{
    struct hash next;
    struct ledger_view view = {holdings, executed->overlay};
    const struct ledger_env env = ledger_view_env(&view);
    const struct block *block = executed->block->block;
    bool is_hash = codec_hash(&next, block->header->validators_hash);
    POT_ASSERT(is_hash);
    if (!hash_equal(&next, &parent->next_signers)) {
        validator_sets_keep(executed->overlay, &env.state, &next);
    }
}

static void keep_recent(void *context, const struct hash *hash, uint8_t *data,
                        size_t size)
{
    blob_pool_take(context, hash, data, size);
}

enum pot_err block_commit(const struct holdings *holdings,
                          const struct chain_tip *parent,
                          struct executed *executed,
                          const struct certified *certified, bool may_wait)
{
    const struct block *block = executed->block->block;
    struct block_lists lists;
    struct ledger_view view = {holdings, executed->overlay};
    const struct ledger_env env = ledger_view_env(&view);
    struct store_commit commit = {
        .height = block->header->height,
        .parent = parent->hash,
        .hash = block->hash,
        .block = executed->block->data,
        .block_size = executed->block->size,
        .certificate = certified->certificate_data,
        .certificate_size = certified->certificate_size,
    };
    bool is_right = codec_hash(&commit.state_root, block->header->state_root);
    POT_ASSERT(is_right);
    keep_validators(holdings, parent, executed);
    keep_payloads(holdings, executed);
    block_lists_init(&lists, &commit, block, &env.state);
    enum pot_err err = store_commit_soon(holdings->store, &commit,
                                         executed->overlay, may_wait);
    block_lists_fini(&lists);
    if (err == POT_OK) {
        overlay_blobs_take(executed->overlay, keep_recent, holdings->recent);
        blob_pool_age(holdings->recent, RECENT_BLOCKS);
    }
    return err;
}

enum pot_err block_commit_genesis(const struct holdings *holdings,
                                  const Pot__Genesis *genesis)
{
    struct overlay *overlay = overlay_new(holdings->store);
    struct ledger_view view = {holdings, overlay};
    const struct ledger_env env = ledger_view_env(&view);
    struct store_commit commit = {.hash = holdings->genesis_hash};
    ledger_genesis(&env, genesis);
    validator_sets_keep(overlay, &env.state, &holdings->genesis_hash);
    enum pot_err err = overlay_root(overlay, &commit.state_root);
    if (err == POT_OK) {
        err = store_commit(holdings->store, &commit, overlay);
    }
    overlay_free(overlay);
    return err;
}
