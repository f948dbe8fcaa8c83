/* Lists in the order of their keys: a cursor in one short snapshot, copied
 * into the caller's array.  All keys of a list begin with its owner's hash. */
#include "config.h"

#include "storage/store.h"

#include "base/check.h"
#include "storage/store_env.h"
#include "storage/store_record.h"
#include "storage/store_table.h"

#include <string.h>

struct list {
    enum store_table table;
    const uint8_t *owner;
    uint8_t *from; /* the key to begin at, or before which */
    size_t from_size;
    bool is_backward; /* from the last record before `from` on */
    /* Puts a record into the caller's array; false: nobody wrote that. */
    bool (*take)(void *out, size_t at, enum store_table table,
                 const MDB_val *key, const struct store_value *value);
    void *out;
    size_t limit;
};

/* To the list's first record. */
static int seek(const struct list *list, MDB_cursor *cursor, MDB_val *key,
                MDB_val *raw)
{
    *key = (MDB_val){.mv_size = list->from_size, .mv_data = list->from};
    int rc = mdb_cursor_get(cursor, key, raw, MDB_SET_RANGE);
    if (list->is_backward) {
        rc = mdb_cursor_get(cursor, key, raw,
                            rc == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
    }
    return rc;
}

static bool is_owners(const struct list *list, const MDB_val *key)
{
    return key->mv_size >= HASH_SIZE &&
           memcmp(key->mv_data, list->owner, HASH_SIZE) == 0;
}

static enum pot_err walk(const struct list *list, MDB_cursor *cursor,
                         size_t *count)
{
    MDB_val key;
    MDB_val raw;
    int rc = seek(list, cursor, &key, &raw);
    while (rc == 0 && *count < list->limit && is_owners(list, &key)) {
        struct store_value value;
        enum pot_err err =
            store_table_open_value(&value, list->table, &key, &raw);
        if (err != POT_OK) {
            return err;
        }
        if (!list->take(list->out, *count, list->table, &key, &value)) {
            return POT_ECORRUPT;
        }
        ++*count;
        rc = mdb_cursor_get(cursor, &key, &raw,
                            list->is_backward ? MDB_PREV : MDB_NEXT);
    }
    return rc == MDB_NOTFOUND ? POT_OK : store_err(rc);
}

static enum pot_err list_read(const struct list *list, struct store *store,
                              size_t *count)
{
    struct store_read read;
    MDB_cursor *cursor;
    *count = 0;
    enum pot_err err = store_read_begin(&read, store);
    if (err != POT_OK) {
        return err;
    }
    err = store_err(
        mdb_cursor_open(read.txn, store->tables[list->table], &cursor));
    if (err == POT_OK) {
        err = walk(list, cursor, count);
        mdb_cursor_close(cursor);
    }
    store_read_end(&read, err);
    *count = err == POT_OK ? *count : 0;
    return err;
}

static bool take_reward(void *out, size_t at, enum store_table table,
                        const MDB_val *key, const struct store_value *value)
{
    struct store_reward *rewards = out;
    return store_record_read_reward(&rewards[at], table, key->mv_data,
                                    key->mv_size, value->data, value->size);
}

static enum pot_err read_rewards(struct store *store, enum store_table table,
                                 const uint8_t *owner,
                                 const struct store_reward *before,
                                 struct store_reward *out, size_t limit,
                                 size_t *count)
{
    uint8_t key[RECORD_REWARD_KEY_SIZE];
    const struct list list = {
        .table = table,
        .owner = owner,
        .from = key,
        .from_size = sizeof(key),
        .is_backward = true,
        .take = take_reward,
        .out = out,
        .limit = limit,
    };
    store_record_reward_key(key, owner,
                            before != NULL ? before->height : UINT64_MAX,
                            before != NULL ? before->index : UINT32_MAX);
    return list_read(&list, store, count);
}

enum pot_err store_rewards_of_task(struct store *store, const struct hash *task,
                                   const struct store_reward *before,
                                   struct store_reward *out, size_t limit,
                                   size_t *count)
{
    return read_rewards(store, TABLE_REWARDS_TASK, task->b, before, out, limit,
                        count);
}

enum pot_err store_rewards_of_address(struct store *store,
                                      const struct public_key *to,
                                      const struct store_reward *before,
                                      struct store_reward *out, size_t limit,
                                      size_t *count)
{
    return read_rewards(store, TABLE_REWARDS_ADDRESS, to->b, before, out, limit,
                        count);
}

static bool take_round(void *out, size_t at, enum store_table table,
                       const MDB_val *key, const struct store_value *value)
{
    struct store_round *rounds = out;
    POT_ASSERT(table == TABLE_ROUNDS);
    return store_record_read_round(&rounds[at], key->mv_data, key->mv_size,
                                   value->data, value->size);
}

enum pot_err store_rounds(struct store *store, const struct hash *task,
                          uint32_t from, struct store_round *out, size_t limit,
                          size_t *count)
{
    uint8_t key[RECORD_ROUND_KEY_SIZE];
    const struct list list = {
        .table = TABLE_ROUNDS,
        .owner = task->b,
        .from = key,
        .from_size = sizeof(key),
        .take = take_round,
        .out = out,
        .limit = limit,
    };
    store_record_round_key(key, task, from);
    return list_read(&list, store, count);
}
