/* Writing: the body in a transaction, the totals, the commit (LMDB writes the
 * pages, syncs, then writes and syncs a meta page), then the tip file, which
 * is not synced: it may lie behind after a power cut, but never ahead.
 *
 * What fails: a full map (grow, again from the start), a full disk (LMDB
 * drops the transaction; its old pages were not touched), a failed sync (what
 * reached the disk is unknown).  None is tried after the latter two until
 * store_cure. */
#include "config.h"

#include "storage/store_env.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/file.h"
#include "storage/slot_file.h"
#include "storage/store_health.h"
#include "storage/store_record.h"
#include "storage/store_table.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>

#define MAP_STEP_MAX ((size_t)64 << 30)
/* Less room than this when a write fails: the disk counts as full. */
#define ROOM_MIN ((uint64_t)4 << 20)

static _Thread_local volatile sig_atomic_t depth;

bool store_is_at_work(void)
{
    return depth > 0;
}

/* ---- reading */

enum pot_err store_read_begin(struct store_read *read, struct store *store)
{
    *read = (struct store_read){.store = store};
    int locked = pthread_rwlock_rdlock(&store->map_lock);
    POT_ASSERT(locked == 0);
    int rc = store->env != NULL
                 ? mdb_txn_begin(store->env, NULL, MDB_RDONLY, &read->txn)
                 : EIO;
    if (rc != 0) {
        (void)pthread_rwlock_unlock(&store->map_lock);
        read->txn = NULL;
    } else {
        depth++;
    }
    return store_err(rc);
}

void store_read_end(struct store_read *read, enum pot_err err)
{
    if (err == POT_ECORRUPT) {
        store_ail(read->store, STORE_CORRUPT);
    }
    if (read->txn != NULL) {
        depth--;
        mdb_txn_abort(read->txn);
        read->txn = NULL;
        (void)pthread_rwlock_unlock(&read->store->map_lock);
    }
}

enum pot_err store_read_value(struct store *store, enum store_table table,
                              const void *key, size_t key_size, struct buf *out)
{
    struct store_read read;
    struct store_value value;
    buf_clear(out);
    enum pot_err err = store_read_begin(&read, store);
    if (err != POT_OK) {
        return err;
    }
    err = store_table_get(&value, store, read.txn, table, key, key_size);
    if (err == POT_OK) {
        buf_append(out, value.data, value.size);
        if (out->is_overflown) {
            buf_clear(out);
            err = POT_ELIMIT;
        }
    }
    store_read_end(&read, err);
    return err;
}

/* ---- writing */

/* The next size of the map; the same one when there is none. */
static size_t next_size(const struct store *store, size_t old)
{
    uint64_t most = store->size_max / STORE_MAP_MIN * STORE_MAP_MIN;
    size_t size = old + (old < MAP_STEP_MAX ? old : MAP_STEP_MAX);
    if (most > 0 && size > most) {
        size = most > old ? (size_t)most : old;
    }
    return size;
}

/* Asks for a larger map while no transaction of this process is open.  LMDB
 * gives up its map before it has the new one, so the room is probed first. */
static enum pot_err grow_map(struct store *store)
{
    MDB_envinfo info;
    enum pot_err err = POT_EFULL;
    int locked = pthread_rwlock_wrlock(&store->map_lock);
    POT_ASSERT(locked == 0);
    (void)mdb_env_info(store->env, &info);
    size_t size = next_size(store, info.me_mapsize);
    void *probe = size > info.me_mapsize
                      ? mmap(NULL, size, PROT_NONE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                      : MAP_FAILED;
    if (probe != MAP_FAILED) {
        (void)munmap(probe, size);
        int rc = mdb_env_set_mapsize(store->env, size);
        POT_ASSERT(rc == 0);
        store->grown++;
        err = POT_OK;
    }
    (void)pthread_rwlock_unlock(&store->map_lock);
    return err;
}

static enum pot_err write_begin(struct store_write *write, struct store *store)
{
    *write = (struct store_write){.store = store};
    int rc = mdb_txn_begin(store->env, NULL, 0, &write->txn);
    if (rc != 0) {
        write->txn = NULL;
        return store_err(rc);
    }
    enum pot_err err = store_read_tip(&write->tip, store, write->txn);
    return err == POT_OK ? store_read_totals(write->totals, store, write->txn)
                         : err;
}

enum pot_err store_write_meta(struct store_write *write)
{
    uint8_t totals[RECORD_TOTALS_SIZE];
    uint8_t tip[RECORD_TIP_SIZE];
    store_record_totals(totals, write->totals);
    enum pot_err err =
        store_table_put(write, TABLE_META, "totals", 6, totals, sizeof(totals));
    if (err == POT_OK && write->tip.is_set) {
        store_record_tip(tip, &write->tip);
        err = store_table_put(write, TABLE_META, "tip", 3, tip, sizeof(tip));
    }
    return err;
}

/* After a commit: memory and the tip file follow. */
static void committed(struct store_write *write, uint64_t transaction)
{
    struct store *store = write->store;
    uint8_t last[RECORD_LAST_SIZE];
    (void)pthread_mutex_lock(&store->tip_lock);
    store->tip = write->tip;
    (void)pthread_mutex_unlock(&store->tip_lock);
    store->commits++;
    store_record_last(last, transaction, &write->tip);
    /* If that fails this commit stands, but no other will follow. */
    store_health_note(
        store, slot_file_save(store->tip_file, last, sizeof(last), false),
        STORE_DISK_FULL);
}

static enum pot_err commit(struct store_write *write)
{
    uint64_t transaction = mdb_txn_id(write->txn);
    int rc = mdb_txn_commit(write->txn);
    write->txn = NULL;
    if (rc == 0) {
        committed(write, transaction);
        return POT_OK;
    }
    write->is_map_full = rc == MDB_MAP_FULL;
    return store_err(rc);
}

static enum pot_err attempt(struct store_write *write, struct store *store,
                            enum pot_err (*body)(struct store_write *write,
                                                 void *context),
                            void *context)
{
    depth++;
    enum pot_err err = write_begin(write, store);
    if (err == POT_OK) {
        err = body(write, context);
    }
    if (err == POT_OK) {
        err = store_write_meta(write);
    }
    if (err == POT_OK) {
        err = commit(write);
    }
    if (write->txn != NULL) {
        mdb_txn_abort(write->txn);
    }
    depth--;
    /* LMDB says EIO for a short write too. */
    return err == POT_EIO && !store_health_has_room(store, ROOM_MIN) ? POT_EFULL
                                                                     : err;
}

enum pot_err store_write_run(struct store *store,
                             enum pot_err (*body)(struct store_write *write,
                                                  void *context),
                             void *context)
{
    struct store_write write = {.is_map_full = false};
    int locked = pthread_mutex_lock(&store->writer);
    POT_ASSERT(locked == 0);
    enum pot_err err = store_health_admit(store);
    bool is_tried = err == POT_OK;
    while (is_tried) {
        err = attempt(&write, store, body, context);
        is_tried = write.is_map_full;
        if (is_tried) {
            err = grow_map(store);
            is_tried = err == POT_OK;
        }
    }
    store_health_note(store, err,
                      write.is_map_full ? STORE_MAP_FULL : STORE_DISK_FULL);
    (void)pthread_mutex_unlock(&store->writer);
    return err;
}
