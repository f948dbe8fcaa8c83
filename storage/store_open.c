/* Opening, in this order, so that nothing is trusted before it was checked:
 *
 *   lock the folder -> walk the file's pages -> compare with the tip file ->
 *   make the file if there is none -> let LMDB map it -> ask its format ->
 *   open the tables -> compare the totals -> put on what the journal has ->
 *   compare the height with the tip file's
 */
#include "config.h"

#include "storage/store_open.h"

#include "base/check.h"
#include "base/file.h"
#include "storage/journal.h"
#include "storage/slot_file.h"
#include "storage/store_layer.h"
#include "storage/store_make.h"
#include "storage/store_pages.h"
#include "storage/store_record.h"
#include "storage/store_replay.h"
#include "storage/store_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define READERS_MAX 512

static const uint8_t tip_label[SLOT_LABEL_SIZE] = "pot/1/store/tip";

struct opening {
    struct store *store;
    size_t map_bytes;
    char *why;
    size_t why_size;
    uint64_t transaction; /* the last one in the file; 0: there is none */
    struct store_total totals[STORE_TABLES]; /* as met in the file */
    bool has_stranger;                       /* a table that is not ours */
    uint64_t last_transaction;               /* as the tip file knows it */
    uint64_t last_height;                    /* likewise; 0: it does not */
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

__attribute__((format(printf, 4, 5))) static enum pot_err say(
    char *why, size_t why_size, enum pot_err err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(why, why_size, format, args);
    va_end(args);
    return err;
}

enum pot_err store_lock_folder(int *fd, const char *folder, char *why,
                               size_t why_size)
{
    char text[32] = {0};
    char *path = file_join(folder, "LOCK");
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int failed = errno;
    free(path);
    if (*fd < 0) {
        return say(why, why_size, err_from_errno(failed), "cannot lock %s: %s",
                   folder, strerror(failed));
    }
    if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
        ssize_t n = pread(*fd, text, sizeof(text) - 1, 0);
        unsigned long pid = n > 0 ? strtoul(text, NULL, 10) : 0;
        return say(why, why_size, POT_EBUSY, "%s is in use by process %lu",
                   folder, pid);
    }
    int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (ftruncate(*fd, 0) != 0 ||
        pwrite(*fd, text, (size_t)length, 0) != length) {
        return say(why, why_size, err_from_errno(errno),
                   "cannot write %s/LOCK: %s", folder, strerror(errno));
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
            bool is_ours = record->key_size <= STORE_TABLE_KEY_MAX;
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
    return err == POT_OK ? POT_OK
                         : refuse(o, err, "%s/data.mdb: %s", o->store->folder,
                                  what[0] != '\0' ? what : err_text(err));
}

static enum pot_err refuse_loss(struct opening *o, const char *file)
{
    return refuse(o, POT_ECORRUPT,
                  "%s/%s: holds less than was committed (height %llu)",
                  o->store->folder, file, (unsigned long long)o->last_height);
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
    if (size == 0 || !store_record_read_last(&transaction, &tip, data, size)) {
        return POT_OK;
    }
    o->last_transaction = transaction;
    o->last_height = tip.is_set ? tip.height : 0;
    return transaction > o->transaction ? refuse_loss(o, "data.mdb") : POT_OK;
}

static enum pot_err open_table(struct opening *o, MDB_txn *txn,
                               enum store_table table)
{
    struct store *store = o->store;
    int rc =
        mdb_dbi_open(txn, store_table_name(table), 0, &store->tables[table]);
    if (rc == 0) {
        return POT_OK;
    }
    return refuse(o, rc == MDB_NOTFOUND ? POT_ECORRUPT : store_err(rc),
                  "%s/data.mdb: table %s is missing or damaged", store->folder,
                  store_table_name(table));
}

/* The format, before anything that depends on it: other tables than ours are
 * damage in a file of our format, and to be expected in another one. */
static enum pot_err check_format(struct opening *o, MDB_txn *txn)
{
    struct store *store = o->store;
    const struct store_read read = {.store = store, .txn = txn};
    struct store_value value;
    enum pot_err err = store_table_get(&value, &read, TABLE_META, "version", 7);
    if (err != POT_OK) {
        return refuse(o, POT_ECORRUPT, "%s/data.mdb: damaged meta record",
                      store->folder);
    }
    store->format = value.size == 1 ? value.data[0] : 0;
    if (store->format > STORE_FORMAT) {
        return refuse(o, POT_EFORMAT,
                      "%s was made by another version, a later one (format"
                      " %u, known are up to %d): start that again",
                      store->folder, store->format, STORE_FORMAT);
    }
    if (store->format < STORE_FORMAT_OLDEST) {
        return refuse(o, POT_EFORMAT,
                      "%s was made by another version, too long ago (format"
                      " %u, known are %d and later): run `potctl resync"
                      " --config FILE`, which moves it aside to sync anew",
                      store->folder, store->format, STORE_FORMAT_OLDEST);
    }
    return o->has_stranger ? refuse(o, POT_ECORRUPT,
                                    "%s/data.mdb: a record of no known table",
                                    store->folder)
                           : POT_OK;
}

static enum pot_err open_tables(struct opening *o)
{
    struct store *store = o->store;
    MDB_txn *txn;
    int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);
    if (rc != 0) {
        return refuse(o, store_err(rc), "%s: %s", store->folder,
                      mdb_strerror(rc));
    }
    enum pot_err err = open_table(o, txn, TABLE_META);
    if (err == POT_OK) {
        err = check_format(o, txn);
    }
    for (unsigned i = TABLE_META + 1; err == POT_OK && i < STORE_TABLES; i++) {
        err = open_table(o, txn, (enum store_table)i);
    }
    if (err != POT_OK) {
        mdb_txn_abort(txn);
        return err;
    }
    rc = mdb_txn_commit(txn); /* keeps the tables open */
    return rc == 0 ? POT_OK
                   : refuse(o, store_err(rc), "%s: %s", store->folder,
                            mdb_strerror(rc));
}

/* There is no file, or an empty one. */
static enum pot_err make_file(struct opening *o)
{
    enum pot_err err = store_make_file(o->store->folder);
    return err == POT_OK ? POT_OK
                         : refuse(o, err, "cannot make %s/data.mdb: %s",
                                  o->store->folder, err_text(err));
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

/* The tip, and the totals that the file says it has. */
static enum pot_err read_meta(struct store_total totals[static STORE_TABLES],
                              struct opening *o, struct store_read *read)
{
    struct store *store = o->store;
    struct store_tip tip;
    struct store_layer *gone = NULL;
    bool has_layers = read->top != NULL; /* which lie on this very file */
    enum pot_err err = store_read_tip(&tip, read);
    store_read_lower(read);
    if (err == POT_OK) {
        err = store_read_totals(totals, read);
    }
    if (err == POT_OK) {
        (void)pthread_mutex_lock(&store->tip_lock);
        if (!has_layers) { /* a commit that failed stood, and has them */
            gone = store->top;
            store->top = NULL;
            store->synced = tip.height;
        }
        store->tip = tip;
        (void)pthread_mutex_unlock(&store->tip_lock);
        store_layer_unref(gone);
    }
    return err == POT_OK || err == POT_EIO
               ? err
               : refuse(o, POT_ECORRUPT, "%s/data.mdb: damaged meta record",
                        store->folder);
}

/* Compares what was met in the file with what it says it holds. */
static enum pot_err check_totals(struct opening *o)
{
    struct store_total totals[STORE_TABLES];
    struct store_read read;
    enum pot_err err = store_read_begin(&read, o->store);
    if (err != POT_OK) {
        return err;
    }
    err = read_meta(totals, o, &read);
    store_read_end(&read, err);
    for (unsigned i = TABLE_META + 1; err == POT_OK && i < STORE_TABLES; i++) {
        if (!store_total_equal(&totals[i], &o->totals[i])) {
            err =
                refuse(o, POT_ECORRUPT,
                       "%s/data.mdb: table %s lost or changed a record",
                       o->store->folder, store_table_name((enum store_table)i));
        }
    }
    return err;
}

static enum pot_err open_env(struct opening *o)
{
    enum pot_err err = check_tip_file(o);
    if (err == POT_OK && o->transaction == 0) {
        err = make_file(o);
    }
    if (err == POT_OK) {
        err = map_file(o);
    }
    return err == POT_OK ? open_tables(o) : err;
}

static enum pot_err finish(struct opening *o)
{
    return o->transaction != 0 ? check_totals(o) : POT_OK;
}

static enum pot_err open_journal(struct opening *o)
{
    struct store *store = o->store;
    char *path = file_join(store->folder, "journal");
    enum pot_err err = journal_open(&store->journal, path);
    if (err == POT_OK) {
        err = store_replay(store);
    }
    free(path);
    if (err != POT_OK) {
        return refuse(o, err, "%s/journal: %s", store->folder, err_text(err));
    }
    bool has_less = o->last_transaction == o->transaction &&
                    o->last_height > store->tip.height;
    return has_less ? refuse_loss(o, "journal") : POT_OK;
}

enum pot_err store_open_file(struct store *store, size_t map_bytes, char *why,
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
    err = store_lock_folder(&store->lock_fd, store->folder, why, why_size);
    if (err == POT_OK) {
        err = check_pages(&o);
    }
    if (err == POT_OK) {
        err = open_env(&o);
    }
    if (err == POT_OK) {
        err = finish(&o);
    }
    return err == POT_OK ? open_journal(&o) : err;
}

static void close_env(struct store *store)
{
    if (store->env != NULL) {
        mdb_env_close(store->env);
        store->env = NULL;
    }
    slot_file_close(store->tip_file);
    store->tip_file = NULL;
}

/* The pages are walked while readers go on; they wait for the rest. */
enum pot_err store_reopen_file(struct store *store, char *why, size_t why_size)
{
    MDB_envinfo info = {.me_mapsize = 0};
    struct opening o = {.store = store, .why = why, .why_size = why_size};
    enum pot_err err = check_pages(&o);
    if (err != POT_OK) {
        return err;
    }
    int locked = pthread_rwlock_wrlock(&store->map_lock);
    POT_ASSERT(locked == 0);
    if (store->env != NULL) {
        (void)mdb_env_info(store->env, &info);
    }
    o.map_bytes = info.me_mapsize;
    close_env(store);
    err = open_env(&o);
    if (err != POT_OK) {
        close_env(store);
    }
    (void)pthread_rwlock_unlock(&store->map_lock);
    return err == POT_OK ? finish(&o) : err;
}

void store_close_file(struct store *store)
{
    close_env(store);
    journal_close(store->journal);
    if (store->lock_fd >= 0) {
        (void)close(store->lock_fd);
    }
}
