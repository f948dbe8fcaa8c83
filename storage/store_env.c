/* Opening, in this order, so that nothing is trusted before it was checked:
 *
 *   lock the folder -> walk the file's pages -> compare with the tip file ->
 *   let LMDB map it -> open the tables -> compare the totals
 *
 * Writing: the body in a transaction, the totals, the commit (LMDB writes the
 * pages, syncs, then writes and syncs a meta page), then the tip file, which
 * is not synced: it may lie behind after a power cut, but never ahead.
 *
 * What fails: a full map (grow, again from the start), a full disk (LMDB
 * drops the transaction; its old pages were not touched), a failed sync
 * (nothing is tried after that: what reached the disk is unknown). */
#include "config.h"

#include "storage/store_env.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/file.h"
#include "storage/slot_file.h"
#include "storage/store_pages.h"
#include "storage/store_record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define READERS_MAX  512
#define MAP_STEP_MAX ((size_t)64 << 30)
/* Less room than this when a write fails: the disk counts as full. */
#define ROOM_MIN ((uint64_t)4 << 20)

static const uint8_t tip_label[SLOT_LABEL_SIZE] = "pot/1/store/tip";

/* ---- reading */

enum pot_err store_read_begin(struct store_read *read, struct store *store)
{
    *read = (struct store_read){.store = store};
    int locked = pthread_rwlock_rdlock(&store->map_lock);
    POT_ASSERT(locked == 0);
    int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &read->txn);
    if (rc != 0) {
        (void)pthread_rwlock_unlock(&store->map_lock);
        read->txn = NULL;
    }
    return store_err(rc);
}

void store_read_end(struct store_read *read)
{
    if (read->txn != NULL) {
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
    store_read_end(&read);
    return err;
}

/* ---- writing */

/* Asks for a larger map while no transaction of this process is open.  LMDB
 * gives up its map before it has the new one, so the room is probed first. */
static enum pot_err grow_map(struct store *store)
{
    MDB_envinfo info;
    enum pot_err err = POT_ELIMIT;
    int locked = pthread_rwlock_wrlock(&store->map_lock);
    POT_ASSERT(locked == 0);
    (void)mdb_env_info(store->env, &info);
    size_t old = info.me_mapsize;
    size_t size = old + (old < MAP_STEP_MAX ? old : MAP_STEP_MAX);
    void *probe = mmap(NULL, size, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
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

/* LMDB says EIO for a short write too. */
static bool is_out_of_room(const struct store *store)
{
    struct statvfs disk;
    struct rlimit limit;
    struct stat file;
    int fd;
    if (mdb_env_get_fd(store->env, &fd) != 0 || fstat(fd, &file) != 0) {
        return false;
    }
    if (fstatvfs(fd, &disk) == 0 &&
        (uint64_t)disk.f_bavail * disk.f_frsize < ROOM_MIN) {
        return true;
    }
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
           limit.rlim_cur != RLIM_INFINITY &&
           (uint64_t)file.st_size + ROOM_MIN > limit.rlim_cur;
}

static enum pot_err write_begin(struct store_write *write, struct store *store)
{
    struct store_value value;
    *write = (struct store_write){.store = store};
    int rc = mdb_txn_begin(store->env, NULL, 0, &write->txn);
    if (rc != 0) {
        write->txn = NULL;
        return store_err(rc);
    }
    enum pot_err err = store_read_tip(&write->tip, store, write->txn);
    if (err == POT_OK) {
        err =
            store_table_get(&value, store, write->txn, TABLE_META, "totals", 6);
    }
    if (err != POT_OK) {
        return err == POT_ENOENT ? POT_ECORRUPT : err;
    }
    return store_record_read_totals(write->totals, value.data, value.size)
               ? POT_OK
               : POT_ECORRUPT;
}

static enum pot_err write_meta(struct store_write *write)
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
    if (slot_file_save(store->tip_file, last, sizeof(last), false) != POT_OK) {
        store->is_failed = true; /* this one stands, no other will follow */
    }
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
    enum pot_err err = write_begin(write, store);
    if (err == POT_OK) {
        err = body(write, context);
    }
    if (err == POT_OK) {
        err = write_meta(write);
    }
    if (err == POT_OK) {
        err = commit(write);
    }
    if (write->txn != NULL) {
        mdb_txn_abort(write->txn);
    }
    if (err == POT_EIO) {
        if (is_out_of_room(store)) {
            err = POT_EFULL;
        } else {
            store->is_failed = true;
        }
    }
    return err;
}

enum pot_err store_write_run(struct store *store,
                             enum pot_err (*body)(struct store_write *write,
                                                  void *context),
                             void *context)
{
    struct store_write write;
    enum pot_err err = POT_EIO;
    int locked = pthread_mutex_lock(&store->writer);
    POT_ASSERT(locked == 0);
    bool is_retried = !store->is_failed;
    while (is_retried) {
        err = attempt(&write, store, body, context);
        is_retried = write.is_map_full;
        if (is_retried) {
            err = grow_map(store);
            is_retried = err == POT_OK;
        }
    }
    (void)pthread_mutex_unlock(&store->writer);
    return err;
}

/* ---- opening */

struct opening {
    struct store *store;
    size_t map_bytes;
    char *why;
    size_t why_size;
    uint64_t transaction; /* the last one in the file; 0: a fresh file */
    struct store_total totals[STORE_TABLES]; /* as met in the file */
    bool has_stranger;                       /* a table that is not ours */
};

__attribute__((format(printf, 3, 4))) static enum pot_err refuse(
    struct opening *o, enum pot_err err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(o->why, o->why_size, format, args);
    va_end(args);
    return err;
}

static enum pot_err lock_folder(struct opening *o)
{
    struct store *store = o->store;
    char text[32] = {0};
    char *path = file_join(store->folder, "LOCK");
    store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int failed = errno;
    free(path);
    if (store->lock_fd < 0) {
        return refuse(o, err_from_errno(failed), "cannot lock %s: %s",
                      store->folder, strerror(failed));
    }
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        ssize_t n = pread(store->lock_fd, text, sizeof(text) - 1, 0);
        unsigned long pid = n > 0 ? strtoul(text, NULL, 10) : 0;
        return refuse(o, POT_EBUSY, "%s is in use by process %lu",
                      store->folder, pid);
    }
    int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (ftruncate(store->lock_fd, 0) != 0 ||
        pwrite(store->lock_fd, text, (size_t)length, 0) != length) {
        return refuse(o, err_from_errno(errno), "cannot write %s/LOCK: %s",
                      store->folder, strerror(errno));
    }
    return POT_OK;
}

static void count_record(void *context, const struct store_pages_record *record)
{
    struct opening *o = context;
    for (unsigned i = 0; i < STORE_TABLES; i++) {
        const char *name = store_table_name((enum store_table)i);
        if (strlen(name) == record->table_size &&
            memcmp(name, record->table, record->table_size) == 0) {
            bool is_ours = record->key_size <= STORE_ENV_KEY_MAX;
            o->has_stranger |= !is_ours;
            o->totals[i].count++;
            o->totals[i].sum +=
                is_ours ? store_total_hash((enum store_table)i, record->key,
                                           record->key_size, record->head)
                        : 0;
            return;
        }
    }
    o->has_stranger = true;
}

static enum pot_err check_pages(struct opening *o)
{
    struct store_pages_options options = {.on_record = count_record,
                                          .context = o};
    char what[128] = "";
    char *path = file_join(o->store->folder, "data.mdb");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int failed = errno;
    free(path);
    if (fd < 0) {
        return failed == ENOENT
                   ? POT_OK
                   : refuse(o, err_from_errno(failed), "cannot open %s: %s",
                            o->store->folder, strerror(failed));
    }
    enum pot_err err =
        store_pages_check(fd, &options, &o->transaction, what, sizeof(what));
    (void)close(fd);
    if (err == POT_OK && o->has_stranger) {
        err = POT_ECORRUPT;
        (void)snprintf(what, sizeof(what), "a record of no known table");
    }
    return err == POT_OK ? POT_OK
                         : refuse(o, err, "%s/data.mdb: %s", o->store->folder,
                                  what[0] != '\0' ? what : err_text(err));
}

/* The tip file is a witness: a damaged or missing one says nothing and is
 * made anew, a whole one must not know more than the store. */
static enum pot_err check_tip_file(struct opening *o)
{
    struct store *store = o->store;
    uint64_t transaction;
    struct store_tip tip;
    size_t size;
    char *path = file_join(store->folder, "tip");
    enum pot_err err =
        slot_file_open(&store->tip_file, path, tip_label, RECORD_LAST_SIZE);
    if (err == POT_ECORRUPT || err == POT_EGUARD) {
        (void)unlink(path);
        err = POT_ENOENT;
    }
    if (err == POT_ENOENT) {
        err = slot_file_create(path, tip_label, RECORD_LAST_SIZE);
        if (err == POT_OK) {
            err = slot_file_open(&store->tip_file, path, tip_label,
                                 RECORD_LAST_SIZE);
        }
    }
    free(path);
    if (err != POT_OK) {
        return refuse(o, err, "%s/tip: %s", store->folder, err_text(err));
    }
    const void *data = slot_file_record(store->tip_file, &size);
    if (size > 0 && store_record_read_last(&transaction, &tip, data, size) &&
        transaction > o->transaction) {
        return refuse(o, POT_ECORRUPT,
                      "%s/data.mdb: holds less than was committed (height "
                      "%llu)",
                      store->folder, (unsigned long long)tip.height);
    }
    return POT_OK;
}

static enum pot_err open_tables(struct opening *o, bool is_fresh)
{
    struct store *store = o->store;
    struct store_write write = {.store = store};
    enum pot_err err = POT_OK;
    int rc =
        mdb_txn_begin(store->env, NULL, is_fresh ? 0 : MDB_RDONLY, &write.txn);
    if (rc != 0) {
        return refuse(o, store_err(rc), "%s: %s", store->folder,
                      mdb_strerror(rc));
    }
    for (unsigned i = 0; rc == 0 && i < STORE_TABLES; i++) {
        rc = mdb_dbi_open(write.txn, store_table_name((enum store_table)i),
                          is_fresh ? MDB_CREATE : 0, &store->tables[i]);
    }
    if (rc != 0) {
        err = rc == MDB_NOTFOUND ? POT_ECORRUPT : store_err(rc);
        (void)refuse(o, err, "%s/data.mdb: a table is missing or damaged",
                     store->folder);
    } else if (is_fresh) {
        uint8_t version = STORE_FORMAT;
        err = store_table_put(&write, TABLE_META, "version", 7, &version, 1);
        if (err == POT_OK) {
            err = write_meta(&write);
        }
    }
    if (err != POT_OK) {
        mdb_txn_abort(write.txn);
        return err;
    }
    rc = mdb_txn_commit(write.txn);
    return rc == 0 ? POT_OK
                   : refuse(o, store_err(rc), "%s: %s", store->folder,
                            mdb_strerror(rc));
}

static enum pot_err map_file(struct opening *o)
{
    struct store *store = o->store;
    size_t size = o->map_bytes > STORE_MAP_MIN ? o->map_bytes : STORE_MAP_MIN;
    size = (size + STORE_MAP_MIN - 1) / STORE_MAP_MIN * STORE_MAP_MIN;
    int rc = mdb_env_create(&store->env);
    if (rc == 0) {
        rc = mdb_env_set_maxdbs(store->env, STORE_TABLES);
    }
    if (rc == 0) {
        rc = mdb_env_set_maxreaders(store->env, READERS_MAX);
    }
    if (rc == 0) {
        rc = mdb_env_set_mapsize(store->env, size);
    }
    if (rc == 0) {
        rc = mdb_env_open(store->env, store->folder, MDB_NOTLS, 0600);
    }
    if (rc == 0) {
        (void)mdb_reader_check(store->env, NULL);
    }
    return rc == 0 ? POT_OK
                   : refuse(o, store_err(rc), "%s: %s", store->folder,
                            mdb_strerror(rc));
}

/* Compares what was met in the file with what it says it holds. */
static enum pot_err check_totals(struct opening *o)
{
    struct store *store = o->store;
    struct store_total totals[STORE_TABLES];
    struct store_value value;
    struct store_read read;
    enum pot_err err = store_read_begin(&read, store);
    if (err != POT_OK) {
        return err;
    }
    err = store_table_get(&value, store, read.txn, TABLE_META, "version", 7);
    if (err == POT_OK && (value.size != 1 || value.data[0] != STORE_FORMAT)) {
        err = refuse(o, POT_EFORMAT, "%s was made by another version",
                     store->folder);
    }
    if (err == POT_OK) {
        err = store_table_get(&value, store, read.txn, TABLE_META, "totals", 6);
    }
    if (err == POT_OK) {
        err = store_read_tip(&store->tip, store, read.txn);
    }
    if (err == POT_OK &&
        !store_record_read_totals(totals, value.data, value.size)) {
        err = POT_ECORRUPT;
    }
    for (unsigned i = TABLE_META + 1; err == POT_OK && i < STORE_TABLES; i++) {
        if (totals[i].count != o->totals[i].count ||
            totals[i].sum != o->totals[i].sum) {
            err = refuse(o, POT_ECORRUPT,
                         "%s/data.mdb: table %s lost or changed a record",
                         store->folder, store_table_name((enum store_table)i));
        }
    }
    store_read_end(&read);
    if (err == POT_ENOENT || (err == POT_ECORRUPT && o->why[0] == '\0')) {
        err = refuse(o, POT_ECORRUPT, "%s/data.mdb: damaged meta record",
                     store->folder);
    }
    return err;
}

enum pot_err store_env_open(struct store *store, size_t map_bytes, char *why,
                            size_t why_size)
{
    struct opening o = {
        .store = store,
        .map_bytes = map_bytes,
        .why = why,
        .why_size = why_size,
    };
    enum pot_err err = file_make_folder(store->folder, 0700);
    if (err != POT_OK) {
        return refuse(&o, err, "cannot make %s: %s", store->folder,
                      err_text(err));
    }
    err = lock_folder(&o);
    if (err == POT_OK) {
        err = check_pages(&o);
    }
    if (err == POT_OK) {
        err = check_tip_file(&o);
    }
    if (err == POT_OK) {
        err = map_file(&o);
    }
    if (err == POT_OK) {
        err = open_tables(&o, o.transaction == 0);
    }
    return err == POT_OK && o.transaction != 0 ? check_totals(&o) : err;
}

void store_env_close(struct store *store)
{
    if (store->env != NULL) {
        mdb_env_close(store->env);
    }
    slot_file_close(store->tip_file);
    if (store->lock_fd >= 0) {
        (void)close(store->lock_fd);
    }
}
