/* The commit of a block: its bytes, the lists by which its parts are found,
 * and the overlay's writes, in one transaction. */
#include "config.h"

#include "storage/store.h"

#include "base/check.h"
#include "storage/overlay_impl.h"
#include "storage/store_blob.h"
#include "storage/store_env.h"
#include "storage/store_record.h"
#include "storage/store_table.h"

#include <string.h>

/* Of a block that is little: at 1000 transactions writing all of it twice
 * costs more than LMDB's pages. */
#define LITTLE_BYTES ((size_t)64 << 10)

struct committing {
    const struct store_commit *commit;
    struct overlay *overlay;
};

static enum pot_err write_block(struct store_write *write,
                                const struct store_commit *commit)
{
    uint8_t key[RECORD_HEIGHT_SIZE];
    uint8_t place[RECORD_PLACE_SIZE];
    enum pot_err err = POT_OK;
    store_record_height(key, commit->height);
    store_record_place(place, commit->height, 0);
    if (commit->block_size > 0) {
        err = store_table_put(write, TABLE_BLOCKS, key, sizeof(key),
                              commit->block, commit->block_size);
    }
    if (err == POT_OK) { /* it may have come ahead of its block */
        err = store_table_del(write, TABLE_HEADERS, key, sizeof(key));
    }
    if (err == POT_OK && commit->certificate_size > 0) {
        err = store_table_put(write, TABLE_CERTIFICATES, key, sizeof(key),
                              commit->certificate, commit->certificate_size);
    }
    if (err == POT_OK) {
        err = store_table_put(write, TABLE_HEIGHTS, commit->hash.b, HASH_SIZE,
                              place, sizeof(place));
    }
    for (size_t i = 0; err == POT_OK && i < commit->tx_count; i++) {
        store_record_place(place, commit->height, (uint32_t)i);
        err = store_table_put(write, TABLE_TXS, commit->txs[i].b, HASH_SIZE,
                              place, sizeof(place));
    }
    return err;
}

static enum pot_err write_reward(struct store_write *write,
                                 enum store_table table,
                                 const struct store_reward *reward,
                                 uint64_t height, size_t index)
{
    uint8_t key[RECORD_REWARD_KEY_SIZE];
    uint8_t value[RECORD_REWARD_SIZE];
    const uint8_t *owner =
        table == TABLE_REWARDS_TASK ? reward->task.b : reward->to.b;
    store_record_reward_key(key, owner, height, (uint32_t)index);
    store_record_reward(value, reward, table);
    return store_table_put(write, table, key, sizeof(key), value,
                           sizeof(value));
}

static enum pot_err write_rounds(struct store_write *write,
                                 const struct store_commit *commit)
{
    enum pot_err err = POT_OK;
    for (size_t i = 0; err == POT_OK && i < commit->reward_count; i++) {
        const struct store_reward *reward = &commit->rewards[i];
        err =
            write_reward(write, TABLE_REWARDS_TASK, reward, commit->height, i);
        if (err == POT_OK) {
            err = write_reward(write, TABLE_REWARDS_ADDRESS, reward,
                               commit->height, i);
        }
    }
    for (size_t i = 0; err == POT_OK && i < commit->round_count; i++) {
        const struct store_round *round = &commit->rounds[i];
        uint8_t key[RECORD_ROUND_KEY_SIZE];
        uint8_t place[RECORD_PLACE_SIZE];
        store_record_round_key(key, &round->task, round->round);
        store_record_place(place, commit->height, (uint32_t)i);
        err = store_table_put(write, TABLE_ROUNDS, key, sizeof(key), place,
                              sizeof(place));
    }
    return err;
}

static enum pot_err write_overlay(struct store_write *write,
                                  const struct overlay *overlay)
{
    enum pot_err err = tree_write(write, &overlay->delta);
    for (size_t i = 0; err == POT_OK && i < overlay->state.count; i++) {
        const struct key_table_key *key = &overlay->state.keys[i];
        const struct overlay_value *value = key_table_at(&overlay->state, i);
        err = value->data == NULL
                  ? store_table_del(write, TABLE_STATE, key->bytes, key->size)
                  : store_table_put(write, TABLE_STATE, key->bytes, key->size,
                                    value->data, value->size);
    }
    for (size_t i = 0; err == POT_OK && i < overlay->blobs.count; i++) {
        const struct overlay_blob *own = key_table_at(&overlay->blobs, i);
        struct store_blob blob = {.data = own->data, .size = own->size};
        memcpy(blob.hash.b, overlay->blobs.keys[i].bytes, HASH_SIZE);
        err = store_blob_refer(write, &blob, own->change);
    }
    return err;
}

static enum pot_err write_commit(struct store_write *write, void *context)
{
    const struct committing *c = context;
    const struct store_commit *commit = c->commit;
    const struct store_tip *on = &c->overlay->tip;
    if (write->tip.is_set != on->is_set ||
        (on->is_set && (write->tip.height != on->height ||
                        !hash_equal(&write->tip.hash, &on->hash)))) {
        return POT_EBUSY;
    }
    enum pot_err err = write_block(write, commit);
    if (err == POT_OK) {
        err = write_rounds(write, commit);
    }
    if (err == POT_OK) {
        err = write_overlay(write, c->overlay);
    }
    write->tip = (struct store_tip){
        .is_set = true,
        .height = commit->height,
        .hash = commit->hash,
        .state_root = commit->state_root,
    };
    return err;
}

/* What goes to LMDB late: most blocks.  Rounds, rewards and blobs are read by
 * walking tables, which layers have none of. */
static bool is_little(const struct store_commit *commit,
                      const struct overlay *overlay)
{
    return commit->height > 0 && commit->reward_count == 0 &&
           commit->round_count == 0 && overlay->blobs.count == 0 &&
           commit->block_size <= LITTLE_BYTES;
}

enum pot_err store_commit_soon(struct store *store,
                               const struct store_commit *commit,
                               struct overlay *overlay, bool may_wait)
{
    const struct store_tip *on = &overlay->tip;
    struct committing committing = {.commit = commit, .overlay = overlay};
    POT_ASSERT(overlay->store == store);
    POT_ASSERT(commit->height == (on->is_set ? on->height + 1 : 0));
    POT_ASSERT(!on->is_set || hash_equal(&commit->parent, &on->hash));
    POT_ASSERT(commit->block_size > 0 || commit->height == 0);
    enum pot_err err = overlay_compute(overlay);
    if (err != POT_OK) {
        return err;
    }
    POT_ASSERT(hash_equal(&commit->state_root, &overlay->delta.root));
    if (is_little(commit, overlay)) {
        return store_write_layer(store, write_commit, &committing, may_wait);
    }
    return may_wait ? store_write_run(store, write_commit, &committing)
                    : POT_EAGAIN;
}

enum pot_err store_commit(struct store *store,
                          const struct store_commit *commit,
                          struct overlay *overlay)
{
    enum pot_err err = store_commit_soon(store, commit, overlay, true);
    return err == POT_OK ? store_sync(store) : err;
}
