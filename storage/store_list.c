/* Lists in the order of their keys: a cursor in one short snapshot, copied
 * into the caller's array. */
#include "config.h"

#include "storage/store.h"

#include "base/check.h"
#include "storage/store_env.h"
#include "storage/store_record.h"

#include <string.h>

struct list {
    struct store_read read;
    MDB_cursor *cursor;
    enum store_table table;
    MDB_val key;
    MDB_val raw;
    int rc; /* of the last move */
};

static enum pot_err list_begin(struct list *list, struct store *store,
                               enum store_table table)
{
    *list = (struct list){.table = table};
    enum pot_err err = store_read_begin(&list->read, store);
    if (err != POT_OK) {
        return err;
    }
    int rc =
        mdb_cursor_open(list->read.txn, store->tables[table], &list->cursor);
    if (rc != 0) {
        store_read_end(&list->read);
    }
    return store_err(rc);
}

static void list_end(struct list *list)
{
    mdb_cursor_close(list->cursor);
    store_read_end(&list->read);
}

static void list_move(struct list *list, MDB_cursor_op op)
{
    list->rc = mdb_cursor_get(list->cursor, &list->key, &list->raw, op);
}

/* To the first record at or behind key. */
static void list_seek(struct list *list, uint8_t *key, size_t key_size)
{
    list->key = (MDB_val){.mv_size = key_size, .mv_data = key};
    list_move(list, MDB_SET_RANGE);
}

/* To the last record before key. */
static void list_seek_before(struct list *list, uint8_t *key, size_t key_size)
{
    list_seek(list, key, key_size);
    list_move(list, list->rc == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
}

/* Whether the list goes on with keys that begin with prefix. */
static bool list_is_at(const struct list *list, const uint8_t *prefix,
                       size_t size)
{
    return list->rc == 0 && list->key.mv_size >= size &&
           memcmp(list->key.mv_data, prefix, size) == 0;
}

static enum pot_err list_err(const struct list *list, enum pot_err err)
{
    if (err == POT_OK && list->rc != 0 && list->rc != MDB_NOTFOUND) {
        return store_err(list->rc);
    }
    return err;
}

static enum pot_err rewards(struct store *store, enum store_table table,
                            const uint8_t *owner,
                            const struct store_reward *before,
                            struct store_reward *out, size_t limit,
                            size_t *count)
{
    uint8_t key[RECORD_REWARD_KEY_SIZE];
    struct store_value value;
    struct list list;
    *count = 0;
    enum pot_err err = list_begin(&list, store, table);
    if (err != POT_OK) {
        return err;
    }
    store_record_reward_key(key, owner,
                            before != NULL ? before->height : UINT64_MAX,
                            before != NULL ? before->index : UINT32_MAX);
    list_seek_before(&list, key, sizeof(key));
    while (err == POT_OK && *count < limit &&
           list_is_at(&list, owner, HASH_SIZE)) {
        err = store_table_open_value(&value, table, &list.key, &list.raw);
        if (err == POT_OK && !store_record_read_reward(
                                 &out[*count], table, list.key.mv_data,
                                 list.key.mv_size, value.data, value.size)) {
            err = POT_ECORRUPT;
        }
        ++*count;
        list_move(&list, MDB_PREV);
    }
    err = list_err(&list, err);
    list_end(&list);
    *count = err == POT_OK ? *count : 0;
    return err;
}

enum pot_err store_rewards_of_task(struct store *store, const struct hash *task,
                                   const struct store_reward *before,
                                   struct store_reward *out, size_t limit,
                                   size_t *count)
{
    return rewards(store, TABLE_REWARDS_TASK, task->b, before, out, limit,
                   count);
}

enum pot_err store_rewards_of_address(struct store *store,
                                      const struct public_key *to,
                                      const struct store_reward *before,
                                      struct store_reward *out, size_t limit,
                                      size_t *count)
{
    return rewards(store, TABLE_REWARDS_ADDRESS, to->b, before, out, limit,
                   count);
}

enum pot_err store_rounds(struct store *store, const struct hash *task,
                          uint32_t from, struct store_round *out, size_t limit,
                          size_t *count)
{
    uint8_t key[RECORD_ROUND_KEY_SIZE];
    struct store_value value;
    struct list list;
    *count = 0;
    enum pot_err err = list_begin(&list, store, TABLE_ROUNDS);
    if (err != POT_OK) {
        return err;
    }
    store_record_round_key(key, task, from);
    list_seek(&list, key, sizeof(key));
    while (err == POT_OK && *count < limit &&
           list_is_at(&list, task->b, HASH_SIZE)) {
        err =
            store_table_open_value(&value, TABLE_ROUNDS, &list.key, &list.raw);
        if (err == POT_OK && !store_record_read_round(
                                 &out[*count], list.key.mv_data,
                                 list.key.mv_size, value.data, value.size)) {
            err = POT_ECORRUPT;
        }
        ++*count;
        list_move(&list, MDB_NEXT);
    }
    err = list_err(&list, err);
    list_end(&list);
    *count = err == POT_OK ? *count : 0;
    return err;
}
