#include "config.h"

#include "storage/store_copy.h"

#include "base/alloc.h"
#include "base/file.h"
#include "storage/journal.h"
#include "storage/store.h"
#include "storage/store_env.h"
#include "storage/store_open.h"
#include "storage/store_pages.h"
#include "storage/store_table.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static enum pot_err say(char *why, size_t why_size, enum pot_err err,
                        const char *path)
{
    (void)snprintf(why, why_size, "%s: %s", path, err_text(err));
    return err;
}

static enum pot_err check_room(const char *data, const char *to)
{
    struct stat file;
    struct statvfs disk;
    enum pot_err err = file_stat(data, &file);
    if (err == POT_OK && statvfs(to, &disk) == 0 &&
        (uint64_t)disk.f_bavail * disk.f_frsize < (uint64_t)file.st_size) {
        err = POT_EFULL;
    }
    return err;
}

static void pass_over(void *context, const struct store_pages_record *record)
{
    (void)context;
    (void)record;
}

/* LMDB faults on a damaged page, and a copy reads them all. */
static enum pot_err check_pages(const char *data, char *why, size_t why_size)
{
    const struct store_pages_options options = {.on_record = pass_over};
    char what[128] = "";
    uint64_t transaction;
    int fd = open(data, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return say(why, why_size, err_from_errno(errno), data);
    }
    enum pot_err err =
        store_pages_check(fd, &options, &transaction, what, sizeof(what));
    (void)close(fd);
    if (err != POT_OK) {
        (void)snprintf(why, why_size, "%s: %s", data,
                       what[0] != '\0' ? what : err_text(err));
    }
    return err;
}

/* The pages are checked while a snapshot is open: those that it needs, or a
 * later one, are not used for anything else meanwhile. */
static enum pot_err copy_env(const char *from, const char *data, const char *to,
                             char *why, size_t why_size)
{
    MDB_env *env;
    MDB_txn *snapshot = NULL;
    int rc = mdb_env_create(&env);
    if (rc != 0) {
        return say(why, why_size, store_err(rc), from);
    }
    rc = mdb_env_open(env, from, MDB_RDONLY | MDB_NOTLS, 0600);
    if (rc == 0) {
        rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &snapshot);
    }
    enum pot_err err = check_pages(data, why, why_size);
    if (err == POT_OK && rc == 0) {
        rc = mdb_env_copy2(env, to, MDB_CP_COMPACT);
    }
    if (snapshot != NULL) {
        mdb_txn_abort(snapshot);
    }
    mdb_env_close(env);
    if (err == POT_OK && rc != 0) {
        err = store_err(rc);
        (void)say(why, why_size, err, err == POT_EFULL ? to : from);
    }
    return err;
}

/* Before LMDB's file: what a commit put into the journal by now is in this
 * copy or, if it was written over since, in that one. */
static enum pot_err copy_journal(const char *from, const char *to, char *why,
                                 size_t why_size)
{
    char *data = NULL;
    size_t size = 0;
    char *path = file_join(from, "journal");
    char *copy = file_join(to, "journal");
    enum pot_err err = file_read(&data, &size, path, JOURNAL_MAX);
    if (err == POT_OK) {
        err = file_create(copy, 0600, data, size);
    } else if (err == POT_ENOENT) {
        err = POT_OK;
    }
    if (err != POT_OK) {
        (void)say(why, why_size, err, path);
    }
    free(data);
    free(copy);
    free(path);
    return err;
}

static void remove_in(const char *folder, const char *name)
{
    char *path = file_join(folder, name);
    (void)unlink(path);
    free(path);
}

/* What a page check does not see: values that do not fit their checksums. */
static enum pot_err check_values(struct store *store, const char *from,
                                 char *why, size_t why_size)
{
    struct store_report *report = pot_calloc(1, sizeof(*report));
    enum pot_err err = store_verify(store, report, NULL, NULL);
    if (err != POT_OK && report->problem_count > 0) {
        const struct store_problem *p = &report->problems[0];
        (void)snprintf(why, why_size, "%s: %s %s: %s", from, p->table, p->key,
                       p->what);
    } else if (err != POT_OK) {
        (void)say(why, why_size, err, from);
    }
    free(report);
    return err;
}

/* As a node would open it; what only a process that uses it needs goes. */
static enum pot_err check_copy(struct store_copied *out, const char *from,
                               const char *to, char *why, size_t why_size)
{
    struct store *store;
    struct store_stats stats;
    enum pot_err err = store_open(&store, to, STORE_MAP_MIN, why, why_size);
    if (err != POT_OK) {
        return err;
    }
    *out = (struct store_copied){.height = 0};
    (void)store_tip(store, &out->height, NULL, NULL);
    err = store_write_nothing(store);
    if (err != POT_OK) {
        (void)say(why, why_size, err, to);
    } else {
        err = check_values(store, from, why, why_size);
    }
    if (err == POT_OK) {
        err = store_stats(store, &stats);
        out->bytes = stats.file_bytes;
    }
    store_close(store);
    remove_in(to, "journal"); /* LMDB has it */
    remove_in(to, "LOCK");
    remove_in(to, "lock.mdb");
    return err;
}

static enum pot_err sync_both(const char *file, const char *folder, char *why,
                              size_t why_size)
{
    enum pot_err err = file_sync(file);
    if (err == POT_OK) {
        err = file_sync(folder);
    }
    return err == POT_OK ? err : say(why, why_size, err, folder);
}

enum pot_err store_copy(struct store_copied *out, const char *from,
                        const char *to, char *why, size_t why_size)
{
    char *data = file_join(from, "data.mdb");
    char *copy = file_join(to, "data.mdb");
    enum pot_err err = POT_OK;
    if (mkdir(to, 0700) != 0) {
        err = say(why, why_size, err_from_errno(errno), to);
        goto out;
    }
    err = check_room(data, to);
    if (err != POT_OK) {
        (void)say(why, why_size, err, err == POT_EFULL ? to : data);
    } else {
        err = copy_journal(from, to, why, why_size);
    }
    if (err == POT_OK) {
        err = copy_env(from, data, to, why, why_size);
    }
    if (err == POT_OK) {
        err = sync_both(copy, to, why, why_size);
    }
    if (err == POT_OK) {
        err = check_copy(out, from, to, why, why_size);
    }
    if (err != POT_OK && file_remove_folder(to) != POT_OK) {
        err = say(why, why_size, POT_EIO, to);
    }

out:
    free(copy);
    free(data);
    return err;
}

enum pot_err store_lock(int *fd, const char *folder, char *why, size_t why_size)
{
    struct stat info;
    *fd = -1;
    enum pot_err err = file_stat(folder, &info);
    if (err != POT_OK) {
        return say(why, why_size, err, folder);
    }
    return store_lock_folder(fd, folder, why, why_size);
}
