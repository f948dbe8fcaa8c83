/* Writing to LMDB: the layers and the body in a transaction, the totals, the
 * commit (LMDB writes the pages, syncs, then writes and syncs a meta page).
 * Writing a layer: the body, and readers have it; the journal, synced, gets it
 * with store_sync.  Then the tip file, which is not synced: it may lie behind
 * after a power cut, but never ahead.
 *
 * What fails: a full map (grow, again from the start), a full disk (LMDB
 * drops the transaction; its old pages were not touched), a failed sync (what
 * reached the disk is unknown).  None is tried after the latter two until
 * store_cure. */
#include "config.h"

#include "storage/store_env.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/file.h"
#include "storage/journal.h"
#include "storage/slot_file.h"
#include "storage/store_health.h"
#include "storage/store_layer.h"
#include "storage/store_record.h"
#include "storage/store_table.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#define MAP_STEP_MAX ((size_t)64 << 30)
/* Less room than this when a write fails: the disk counts as full. */
#define ROOM_MIN ((uint64_t)4 << 20)
/* A reader asks one after the other. */
#define LAYERS_MAX 16

static _Thread_local volatile sig_atomic_t depth;

bool store_is_at_work(void)
{
    return depth > 0;
}

/* ---- reading */

static struct store_layer *top_of(struct store *store)
{
    (void)pthread_mutex_lock(&store->tip_lock);
    struct store_layer *top =
        store->top != NULL ? store_layer_ref(store->top) : NULL;
    (void)pthread_mutex_unlock(&store->tip_lock);
    return top;
}

/* The layers first: if LMDB gets them in between, its transaction has them. */
static int begin(struct store_read *read)
{
    struct store *store = read->store;
    read->top = top_of(store);
    int rc = store->env != NULL
                 ? mdb_txn_begin(store->env, NULL, MDB_RDONLY, &read->txn)
                 : EIO;
    if (rc != 0) {
        read->txn = NULL;
        store_read_lower(read);
    }
    return rc;
}

/* LMDB gives a reader's snapshot its number before it copies where the tables
 * begin.  If it commits twice in between, that is a later one under the earlier
 * number, which is a layer's base; but then that layer is not the top any
 * more. */
static bool may_be_later(const struct store_read *read)
{
    struct store *store = read->store;
    (void)pthread_mutex_lock(&store->tip_lock);
    bool is_top = read->top == store->top;
    (void)pthread_mutex_unlock(&store->tip_lock);
    return read->top != NULL && !is_top;
}

enum pot_err store_read_begin(struct store_read *read, struct store *store)
{
    *read = (struct store_read){.store = store};
    int locked = pthread_rwlock_rdlock(&store->map_lock);
    POT_ASSERT(locked == 0);
    int rc = begin(read);
    while (rc == 0 && may_be_later(read)) {
        mdb_txn_abort(read->txn);
        store_read_lower(read);
        rc = begin(read);
    }
    if (rc != 0) {
        (void)pthread_rwlock_unlock(&store->map_lock);
        return store_err(rc);
    }
    if (read->top != NULL && read->top->base != mdb_txn_id(read->txn)) {
        store_read_lower(read);
    }
    depth++;
    return POT_OK;
}

void store_read_lower(struct store_read *read)
{
    store_layer_unref(read->top);
    read->top = NULL;
}

void store_read_end(struct store_read *read, enum pot_err err)
{
    if (err == POT_ECORRUPT) {
        store_ail(read->store, STORE_CORRUPT);
    }
    store_read_lower(read);
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
    err = store_table_get(&value, &read, table, key, key_size);
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

static enum pot_err settle_record(struct store_write *write,
                                  const struct key_table_key *name,
                                  const struct layer_record *record)
{
    enum store_table table = (enum store_table)name->bytes[0];
    const uint8_t *key = name->bytes + 1;
    size_t size = name->size - 1;
    return record->raw == NULL ? store_table_del(write, table, key, size)
                               : store_table_put(write, table, key, size,
                                                 record->raw + STORE_SUM_SIZE,
                                                 record->size - STORE_SUM_SIZE);
}

/* A layer's records, those of the ones below it first, into LMDB: but for what
 * one above it says otherwise. */
static enum pot_err settle(struct store_write *write,
                           const struct store_layer *top,
                           const struct store_layer *layer)
{
    enum pot_err err =
        layer->below != NULL ? settle(write, top, layer->below) : POT_OK;
    for (size_t i = 0; err == POT_OK && i < layer->records.count; i++) {
        if (store_layer_is_newest(top, layer, i)) {
            err = settle_record(write, &layer->records.keys[i],
                                key_table_at(&layer->records, i));
        }
    }
    return err;
}

/* All layers; what comes of them is what they said. */
static enum pot_err settle_all(struct store_write *write,
                               const struct store_layer *top)
{
    enum pot_err err = settle(write, top, top);
    for (size_t i = TABLE_META + 1; err == POT_OK && i < STORE_TABLES; i++) {
        if (!store_total_equal(&write->totals[i], &top->totals[i])) {
            err = POT_ECORRUPT;
        }
    }
    write->tip = top->tip;
    return err;
}

static enum pot_err write_begin(struct store_write *write, struct store *store)
{
    const struct store_layer *top = store->top; /* writers alone change it */
    *write = (struct store_write){.read.store = store};
    int rc = mdb_txn_begin(store->env, NULL, 0, &write->read.txn);
    if (rc != 0) {
        write->read.txn = NULL;
        return store_err(rc);
    }
    enum pot_err err = store_read_tip(&write->tip, &write->read);
    if (err == POT_OK) {
        err = store_read_totals(write->totals, &write->read);
    }
    if (err == POT_OK && top != NULL &&
        top->base + 1 == mdb_txn_id(write->read.txn)) {
        err = settle_all(write, top);
    }
    return err;
}

enum pot_err store_write_meta(struct store_write *write)
{
    uint8_t totals[RECORD_TOTALS_SIZE];
    uint8_t tip[RECORD_TIP_SIZE];
    uint8_t format = STORE_FORMAT;
    enum pot_err err = POT_OK;
    if (write->read.store->format != format) {
        err = store_table_put(write, TABLE_META, "version", 7, &format, 1);
    }
    if (err == POT_OK) {
        store_record_totals(totals, write->totals);
        err = store_table_put(write, TABLE_META, "totals", 6, totals,
                              sizeof(totals));
    }
    if (err == POT_OK && write->tip.is_set) {
        store_record_tip(tip, &write->tip);
        err = store_table_put(write, TABLE_META, "tip", 3, tip, sizeof(tip));
    }
    return err;
}

/* Takes top, which lies on what was the top; NULL: LMDB has all.  Under writer,
 * as is what follows. */
static void set_tip(struct store *store, const struct store_tip *tip,
                    struct store_layer *top)
{
    (void)pthread_mutex_lock(&store->tip_lock);
    struct store_layer *old = store->top;
    store->tip = *tip;
    store->top = top;
    (void)pthread_mutex_unlock(&store->tip_lock);
    store_layer_unref(old);
}

/* Behind what was synced: the tip file follows. */
static void save_last(struct store *store, const struct store_tip *tip,
                      uint64_t transaction)
{
    uint8_t last[RECORD_LAST_SIZE];
    (void)pthread_mutex_lock(&store->tip_lock);
    store->synced = tip->height;
    (void)pthread_mutex_unlock(&store->tip_lock);
    store_record_last(last, transaction, tip);
    /* If that fails this commit stands, but no other will follow. */
    store_health_note(
        store, slot_file_save(store->tip_file, last, sizeof(last), false),
        STORE_DISK_FULL);
}

static enum pot_err commit(struct store_write *write)
{
    uint64_t transaction = mdb_txn_id(write->read.txn);
    int rc = mdb_txn_commit(write->read.txn);
    write->read.txn = NULL;
    if (rc == 0) {
        write->read.store->format = STORE_FORMAT;
        set_tip(write->read.store, &write->tip, NULL);
        write->read.store->commits++;
        save_last(write->read.store, &write->tip, transaction);
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
    if (write->read.txn != NULL) {
        mdb_txn_abort(write->read.txn);
    }
    depth--;
    return err;
}

/* ---- writing a layer */

/* What the body writes, on what is there. */
static enum pot_err fill_layer(struct store_layer **out, struct store *store,
                               enum pot_err (*body)(struct store_write *write,
                                                    void *context),
                               void *context)
{
    struct store_write write = {.is_map_full = false};
    *out = NULL;
    enum pot_err err = store_read_begin(&write.read, store);
    if (err != POT_OK) {
        return err;
    }
    struct store_layer *below = write.read.top;
    struct store_layer *layer =
        store_layer_new(below, mdb_txn_id(write.read.txn));
    err = store_read_tip(&write.tip, &write.read);
    if (err == POT_OK) {
        err = store_read_totals(write.totals, &write.read);
    }
    if (err == POT_OK) {
        layer->parent = write.tip.hash;
        write.read.top = layer;
        write.layer = layer;
        err = body(&write, context);
        write.read.top = below;
    }
    store_read_end(&write.read, err);
    layer->tip = write.tip;
    memcpy(layer->totals, write.totals, sizeof(write.totals));
    if (err != POT_OK) {
        store_layer_unref(layer);
        layer = NULL;
    }
    *out = layer;
    return err;
}

static enum pot_err attempt_layer(
    struct store *store,
    enum pot_err (*body)(struct store_write *write, void *context),
    void *context)
{
    struct store_layer *layer;
    enum pot_err err = fill_layer(&layer, store, body, context);
    if (err == POT_OK) {
        set_tip(store, &layer->tip, layer);
        store->commits++;
    }
    return err;
}

/* The first layer on LMDB is the journal's first entry. */
static enum pot_err write_entry(struct store *store,
                                const struct store_layer *layer)
{
    struct buf bytes;
    buf_init(&bytes, JOURNAL_MAX);
    store_layer_encode(&bytes, layer);
    if (layer->below == NULL) {
        journal_seek(store->journal, 0);
    }
    enum pot_err err =
        bytes.is_overflown
            ? POT_ELIMIT
            : journal_append(store->journal, bytes.data, bytes.size);
    buf_fini(&bytes);
    return err;
}

/* The lowest of so many layers first. */
static enum pot_err write_entries(struct store *store,
                                  const struct store_layer *layer, size_t count)
{
    enum pot_err err =
        count > 1 ? write_entries(store, layer->below, count - 1) : POT_OK;
    return err == POT_OK ? write_entry(store, layer) : err;
}

uint64_t store_unsynced(struct store *store, uint64_t *first)
{
    (void)pthread_mutex_lock(&store->tip_lock);
    uint64_t synced = store->synced;
    uint64_t height = store->tip.height;
    (void)pthread_mutex_unlock(&store->tip_lock);
    if (first != NULL) {
        *first = synced + 1;
    }
    return height - synced;
}

static enum pot_err write_journal(struct store *store)
{
    const struct store_layer *top = store->top; /* writers alone change it */
    /* Each layer is a block. */
    size_t count = (size_t)store_unsynced(store, NULL);
    size_t end = journal_end(store->journal);
    enum pot_err err = write_entries(store, top, count);
    if (err == POT_OK) {
        err = journal_sync(store->journal);
    }
    if (err == POT_OK) {
        save_last(store, &top->tip, top->base);
        return POT_OK;
    }
    journal_seek(store->journal, end); /* what comes takes their place */
    return err == POT_ELIMIT || err == POT_EFULL ? err : POT_EIO;
}

enum pot_err store_layer_again(struct store *store,
                               enum pot_err (*body)(struct store_write *write,
                                                    void *context),
                               void *context)
{
    struct store_layer *layer;
    enum pot_err err = fill_layer(&layer, store, body, context);
    if (err == POT_OK) {
        set_tip(store, &layer->tip, layer);
    }
    return err;
}

static bool takes_layer(const struct store *store)
{
    return store->format == STORE_FORMAT &&
           (store->top == NULL || store->top->depth < LAYERS_MAX);
}

/* ---- either way */

static void lock_writer(struct store *store)
{
    int locked = pthread_mutex_lock(&store->writer);
    POT_ASSERT(locked == 0);
}

static enum pot_err write_lmdb(struct store *store,
                               enum pot_err (*body)(struct store_write *write,
                                                    void *context),
                               void *context, enum store_health *full)
{
    struct store_write write;
    enum pot_err err;
    do {
        write = (struct store_write){.is_map_full = false};
        err = attempt(&write, store, body, context);
        *full = write.is_map_full ? STORE_MAP_FULL : STORE_DISK_FULL;
        if (write.is_map_full) {
            err = grow_map(store);
        }
    } while (write.is_map_full && err == POT_OK);
    return err;
}

/* LMDB says EIO for a short write too. */
static enum pot_err note(struct store *store, enum pot_err err,
                         enum store_health full)
{
    if (err == POT_EIO && !store_health_has_room(store, ROOM_MIN)) {
        err = POT_EFULL;
    }
    store_health_note(store, err, full);
    return err;
}

enum pot_err store_write_run(struct store *store,
                             enum pot_err (*body)(struct store_write *write,
                                                  void *context),
                             void *context)
{
    enum store_health full = STORE_DISK_FULL;
    lock_writer(store);
    enum pot_err err = store_health_admit(store);
    if (err == POT_OK) {
        err = write_lmdb(store, body, context, &full);
    }
    err = note(store, err, full);
    (void)pthread_mutex_unlock(&store->writer);
    return err;
}

enum pot_err store_write_layer(struct store *store,
                               enum pot_err (*body)(struct store_write *write,
                                                    void *context),
                               void *context, bool may_wait)
{
    enum store_health full = STORE_DISK_FULL;
    if (may_wait) {
        lock_writer(store);
    } else if (pthread_mutex_trylock(&store->writer) != 0) {
        return POT_EAGAIN;
    }
    enum pot_err err = store_health_admit(store);
    if (err == POT_OK && takes_layer(store)) {
        err = attempt_layer(store, body, context);
    } else if (err == POT_OK) {
        err = may_wait ? write_lmdb(store, body, context, &full) : POT_EAGAIN;
    }
    err = note(store, err, full);
    (void)pthread_mutex_unlock(&store->writer);
    return err;
}

static enum pot_err write_nothing(struct store_write *write, void *context)
{
    (void)write;
    (void)context;
    return POT_OK;
}

enum pot_err store_write_nothing(struct store *store)
{
    return store_write_run(store, write_nothing, NULL);
}

enum pot_err store_sync(struct store *store)
{
    enum store_health full = STORE_DISK_FULL;
    enum pot_err err = POT_OK;
    lock_writer(store);
    if (store_unsynced(store, NULL) > 0) {
        err = store_health_admit(store);
        if (err == POT_OK) {
            err = write_journal(store);
        }
        if (err == POT_ELIMIT) { /* it has no room */
            err = write_lmdb(store, write_nothing, NULL, &full);
        }
        err = note(store, err, full);
    }
    (void)pthread_mutex_unlock(&store->writer);
    return err;
}
