#include "config.h"

#include "storage/store_prune.h"

#include "storage/store_blob.h"
#include "storage/store_env.h"
#include "storage/store_record.h"
#include "storage/store_table.h"

/* ---- reading */

/* The first height in LMDB's table of blocks; 0: it is empty. */
static uint64_t first_height(const struct store_read *read)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    uint64_t height = 0;
    if (mdb_cursor_open(read->txn, read->store->tables[TABLE_BLOCKS],
                        &cursor) == 0) {
        if (mdb_cursor_get(cursor, &key, &value, MDB_FIRST) == 0 &&
            key.mv_size == RECORD_HEIGHT_SIZE) {
            height = store_record_read_height(key.mv_data);
        }
        mdb_cursor_close(cursor);
    }
    return height;
}

uint64_t store_lowest_block(struct store *store)
{
    struct store_read read;
    struct store_tip tip = {.height = 0};
    uint64_t lowest = 0;
    enum pot_err err = store_read_begin(&read, store);
    if (err == POT_OK) {
        store_read_lower(&read); /* the layers' blocks come behind its tip */
        lowest = first_height(&read);
        err = store_read_tip(&tip, &read);
        store_read_end(&read, err);
    }
    if (err != POT_OK) {
        (void)store_tip(store, &tip.height, NULL, NULL);
    }
    return lowest != 0 ? lowest : tip.height + 1;
}

enum pot_err store_get_header(struct store *store, uint64_t height,
                              struct buf *out)
{
    uint8_t key[RECORD_HEIGHT_SIZE];
    store_record_height(key, height);
    return store_read_value(store, TABLE_HEADERS, key, sizeof(key), out);
}

/* ---- pruning */

static enum pot_err drop_reward(struct store_write *write,
                                enum store_table table, const uint8_t *owner,
                                uint64_t height, size_t index)
{
    uint8_t key[RECORD_REWARD_KEY_SIZE];
    store_record_reward_key(key, owner, height, (uint32_t)index);
    return store_table_del(write, table, key, sizeof(key));
}

static enum pot_err drop_lists(struct store_write *write,
                               const struct store_commit *lists)
{
    enum pot_err err = POT_OK;
    for (size_t i = 0; err == POT_OK && i < lists->tx_count; i++) {
        err = store_table_del(write, TABLE_TXS, lists->txs[i].b, HASH_SIZE);
    }
    for (size_t i = 0; err == POT_OK && i < lists->reward_count; i++) {
        const struct store_reward *r = &lists->rewards[i];
        err =
            drop_reward(write, TABLE_REWARDS_TASK, r->task.b, lists->height, i);
        if (err == POT_OK) {
            err = drop_reward(write, TABLE_REWARDS_ADDRESS, r->to.b,
                              lists->height, i);
        }
    }
    for (size_t i = 0; err == POT_OK && i < lists->round_count; i++) {
        uint8_t key[RECORD_ROUND_KEY_SIZE];
        store_record_round_key(key, &lists->rounds[i].task,
                               lists->rounds[i].round);
        err = store_table_del(write, TABLE_ROUNDS, key, sizeof(key));
    }
    return err;
}

static enum pot_err prune_block(struct store_write *write,
                                const struct store_pruned *block)
{
    uint8_t key[RECORD_HEIGHT_SIZE];
    store_record_height(key, block->lists.height);
    enum pot_err err = store_table_put(write, TABLE_HEADERS, key, sizeof(key),
                                       block->header, block->header_size);
    if (err == POT_OK) {
        err = store_table_del(write, TABLE_BLOCKS, key, sizeof(key));
    }
    if (err == POT_OK) {
        err = drop_lists(write, &block->lists);
    }
    for (size_t i = 0; err == POT_OK && i < block->blob_count; i++) {
        err = store_blob_unrefer(write, &block->blobs[i]);
    }
    return err;
}

struct pruning {
    const struct store_pruned *blocks;
    size_t count;
};

static enum pot_err prune(struct store_write *write, void *context)
{
    const struct pruning *p = context;
    enum pot_err err = POT_OK;
    for (size_t i = 0; err == POT_OK && i < p->count; i++) {
        err = prune_block(write, &p->blocks[i]);
    }
    return err;
}

enum pot_err store_prune(struct store *store, const struct store_pruned *blocks,
                         size_t count)
{
    struct pruning pruning = {blocks, count};
    return store_write_run(store, prune, &pruning);
}
