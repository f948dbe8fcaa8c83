#include "config.h"

#include "storage/store_copy.h"

#include "base/file.h"
#include "storage/store.h"
#include "storage/store_open.h"
#include "storage/store_table.h"

#include <errno.h>
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

static enum pot_err copy_env(const char *from, const char *to)
{
    MDB_env *env;
    int rc = mdb_env_create(&env);
    if (rc != 0) {
        return store_err(rc);
    }
    rc = mdb_env_open(env, from, MDB_RDONLY | MDB_NOTLS, 0600);
    if (rc == 0) {
        rc = mdb_env_copy2(env, to, MDB_CP_COMPACT);
    }
    mdb_env_close(env);
    return store_err(rc);
}

static void remove_in(const char *folder, const char *name)
{
    char *path = file_join(folder, name);
    (void)unlink(path);
    free(path);
}

/* As a node would open it; what only a process that uses it needs goes. */
static enum pot_err check_copy(struct store_copied *out, const char *to,
                               char *why, size_t why_size)
{
    struct store *store;
    struct store_stats stats;
    enum pot_err err = store_open(&store, to, STORE_MAP_MIN, why, why_size);
    if (err != POT_OK) {
        return err;
    }
    *out = (struct store_copied){.height = 0};
    (void)store_tip(store, &out->height, NULL, NULL);
    err = store_stats(store, &stats);
    out->bytes = stats.file_bytes;
    store_close(store);
    remove_in(to, "LOCK");
    remove_in(to, "lock.mdb");
    return err;
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
    if (err == POT_OK) {
        err = copy_env(from, to);
    }
    if (err == POT_OK) {
        err = file_sync(copy);
    }
    if (err == POT_OK) {
        err = file_sync(to);
    }
    if (err != POT_OK) {
        (void)say(why, why_size, err, err == POT_EFULL ? to : from);
    } else {
        err = check_copy(out, to, why, why_size);
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
