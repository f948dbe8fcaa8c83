#include "config.h"

#include "storage/store.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "storage/store_layer.h"
#include "storage/store_open.h"
#include "storage/store_record.h"
#include "storage/store_table.h"
#include "storage/store_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* ---- opening and closing */

static void init_locks(struct store *store)
{
    pthread_rwlockattr_t attributes;
    /* Growing the map must not wait for readers without end. */
    (void)pthread_rwlockattr_init(&attributes);
    (void)pthread_rwlockattr_setkind_np(
        &attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    int rc = pthread_rwlock_init(&store->map_lock, &attributes);
    (void)pthread_rwlockattr_destroy(&attributes);
    rc |= pthread_mutex_init(&store->writer, NULL);
    rc |= pthread_mutex_init(&store->tip_lock, NULL);
    POT_ASSERT(rc == 0);
}

enum pot_err store_open(struct store **out, const char *folder,
                        size_t map_bytes, char *why, size_t why_size)
{
    char spare[1];
    *out = NULL;
    if (why == NULL || why_size == 0) {
        why = spare;
        why_size = sizeof(spare);
    }
    why[0] = '\0';
    POT_ASSERT(sodium_init() >= 0);
    struct store *store = pot_calloc(1, sizeof(*store));
    store->folder = pot_strdup(folder);
    store->lock_fd = -1;
    init_locks(store);
    enum pot_err err = store_open_file(store, map_bytes, why, why_size);
    if (err != POT_OK) {
        store_layer_unref(store->top); /* what was refused is not written */
        store->top = NULL;
        store_close(store);
        return err;
    }
    if (store->top != NULL) {
        /* Who died may not have synced what the journal has.  If the disk does
         * not take it now, it is unsynced still. */
        err = store_write_nothing(store);
        (void)err;
    }
    *out = store;
    return POT_OK;
}

void store_close(struct store *store)
{
    if (store != NULL) {
        if (store->top != NULL) {
            enum pot_err err = store_write_nothing(store);
            if (err != POT_OK && store_unsynced(store, NULL) > 0) {
                LOG(LOG_WARN, "node", "the store ends without its last blocks",
                    log_u64("blocks", store_unsynced(store, NULL)),
                    log_text("why", err_text(err)));
            }
        }
        store_close_file(store);
        store_layer_unref(store->top);
        (void)pthread_mutex_destroy(&store->tip_lock);
        (void)pthread_mutex_destroy(&store->writer);
        (void)pthread_rwlock_destroy(&store->map_lock);
        free(store->folder);
        free(store);
    }
}

/* ---- reads */

bool store_tip(struct store *store, uint64_t *height, struct hash *hash,
               struct hash *state_root)
{
    (void)pthread_mutex_lock(&store->tip_lock);
    struct store_tip tip = store->tip;
    (void)pthread_mutex_unlock(&store->tip_lock);
    if (tip.is_set && height != NULL) {
        *height = tip.height;
    }
    if (tip.is_set && hash != NULL) {
        *hash = tip.hash;
    }
    if (tip.is_set && state_root != NULL) {
        *state_root = tip.state_root;
    }
    return tip.is_set;
}

enum pot_err store_get_block(struct store *store, uint64_t height,
                             struct buf *out)
{
    uint8_t key[RECORD_HEIGHT_SIZE];
    store_record_height(key, height);
    return store_read_value(store, TABLE_BLOCKS, key, sizeof(key), out);
}

enum pot_err store_get_certificate(struct store *store, uint64_t height,
                                   struct buf *out)
{
    uint8_t key[RECORD_HEIGHT_SIZE];
    store_record_height(key, height);
    return store_read_value(store, TABLE_CERTIFICATES, key, sizeof(key), out);
}

/* A record of a place, or of a height when index is NULL. */
static enum pot_err get_place(struct store *store, enum store_table table,
                              const struct hash *hash, uint64_t *height,
                              uint32_t *index)
{
    struct buf value;
    buf_init(&value, RECORD_PLACE_SIZE);
    enum pot_err err =
        store_read_value(store, table, hash->b, HASH_SIZE, &value);
    if (err == POT_OK &&
        !store_record_read_place(height, index, value.data, value.size)) {
        err = POT_ECORRUPT;
    }
    buf_fini(&value);
    return err == POT_ELIMIT ? POT_ECORRUPT : err;
}

enum pot_err store_get_block_height(struct store *store,
                                    const struct hash *hash, uint64_t *height)
{
    uint32_t index;
    return get_place(store, TABLE_HEIGHTS, hash, height, &index);
}

enum pot_err store_find_tx(struct store *store, const struct hash *tx,
                           uint64_t *height, uint32_t *index)
{
    return get_place(store, TABLE_TXS, tx, height, index);
}

enum pot_err store_state_get(struct store *store, const void *key,
                             size_t key_size, struct buf *out)
{
    POT_ASSERT(key_size >= 1 && key_size <= STATE_KEY_MAX);
    return store_read_value(store, TABLE_STATE, key, key_size, out);
}

enum pot_err store_state_proof(struct store *store, const void *key,
                               size_t key_size, struct state_proof *proof,
                               struct hash *root, uint64_t *height)
{
    struct store_read read;
    struct store_tip tip;
    POT_ASSERT(key_size >= 1 && key_size <= STATE_KEY_MAX);
    state_proof_init(proof);
    enum pot_err err = store_read_begin(&read, store);
    if (err != POT_OK) {
        return err;
    }
    err = store_read_tip(&tip, &read);
    if (err == POT_OK && !tip.is_set) {
        err = POT_ENOENT;
    }
    if (err == POT_OK) {
        err = tree_prove(proof, &read, state_bucket(key, key_size));
    }
    store_read_end(&read, err);
    if (err == POT_OK) {
        *root = tip.state_root;
        *height = tip.height;
    }
    return err;
}

/* ---- looking after it */

static enum pot_err count_records(struct store *store, struct store_stats *out)
{
    struct store_read read;
    struct store_total totals[STORE_TABLES];
    enum pot_err err = store_read_begin(&read, store);
    if (err != POT_OK) {
        return err;
    }
    err = store_read_totals(totals, &read);
    if (err == POT_OK) {
        out->blocks = totals[TABLE_BLOCKS].count;
        out->state_keys = totals[TABLE_STATE].count;
        out->blobs = totals[TABLE_BLOBS].count;
    }
    store_read_end(&read, err);
    return err;
}

/* A line of mdb_reader_list: process, thread, and the transaction that it
 * reads, or "-". */
static int on_reader(const char *line, void *context)
{
    uint64_t *oldest = context;
    unsigned long long transaction;
    if (sscanf(line, "%*d %*x %llu", &transaction) == 1 &&
        transaction < *oldest) {
        *oldest = transaction;
    }
    return 0;
}

/* What LMDB says of itself. */
static enum pot_err read_env(const struct store *store, struct store_stats *out)
{
    MDB_envinfo info;
    MDB_stat stat;
    uint64_t oldest = UINT64_MAX;
    struct stat file;
    int fd;
    if (store->env == NULL || mdb_env_info(store->env, &info) != 0 ||
        mdb_env_stat(store->env, &stat) != 0 ||
        mdb_env_get_fd(store->env, &fd) != 0 || fstat(fd, &file) != 0) {
        return POT_EIO;
    }
    (void)mdb_reader_list(store->env, on_reader, &oldest);
    out->lag = oldest < info.me_last_txnid ? info.me_last_txnid - oldest : 0;
    out->map_bytes = info.me_mapsize;
    out->used_bytes = (uint64_t)(info.me_last_pgno + 1) * stat.ms_psize;
    out->file_bytes = (uint64_t)file.st_size;
    return POT_OK;
}

enum pot_err store_stats(struct store *store, struct store_stats *out)
{
    struct statvfs disk;
    *out = (struct store_stats){.commits = store->commits,
                                .grown = store->grown,
                                .min_free_bytes = store->min_free_bytes};
    if (fstatvfs(store->lock_fd, &disk) == 0) {
        out->disk_free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    }
    enum pot_err err = count_records(store, out);
    if (err == POT_OK) {
        (void)pthread_rwlock_rdlock(&store->map_lock);
        err = read_env(store, out);
        (void)pthread_rwlock_unlock(&store->map_lock);
    }
    return err;
}

void store_tend(struct store *store)
{
    (void)pthread_rwlock_rdlock(&store->map_lock);
    if (store->env != NULL) {
        (void)mdb_reader_check(store->env, NULL);
    }
    (void)pthread_rwlock_unlock(&store->map_lock);
}
