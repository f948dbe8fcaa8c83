/* LMDB fills a new file in several writes.  One that a crash or a failing disk
 * cuts short looks like a damaged store, so it is filled in a folder of its
 * own: LMDB would remember in the file that it had another name. */
#include "config.h"

#include "storage/store_make.h"

#include "base/file.h"
#include "storage/store_env.h"
#include "storage/store_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static enum pot_err open_env(MDB_env **env, const char *folder)
{
    int rc = mdb_env_create(env);
    if (rc != 0) {
        *env = NULL;
        return store_err(rc);
    }
    rc = mdb_env_set_maxdbs(*env, STORE_TABLES);
    if (rc == 0) {
        rc = mdb_env_set_mapsize(*env, STORE_MAP_MIN);
    }
    if (rc == 0) {
        rc = mdb_env_open(*env, folder, MDB_NOLOCK, 0600); /* ours alone */
    }
    return store_err(rc);
}

static enum pot_err make_tables(struct store_write *write)
{
    for (unsigned i = 0; i < STORE_TABLES; i++) {
        int rc =
            mdb_dbi_open(write->read.txn, store_table_name((enum store_table)i),
                         MDB_CREATE, &write->read.store->tables[i]);
        if (rc != 0) {
            return store_err(rc);
        }
    }
    return store_write_meta(write);
}

static enum pot_err fill(struct store *fresh)
{
    struct store_write write = {.read.store = fresh};
    int rc = mdb_txn_begin(fresh->env, NULL, 0, &write.read.txn);
    if (rc != 0) {
        return store_err(rc);
    }
    enum pot_err err = make_tables(&write);
    if (err != POT_OK) {
        mdb_txn_abort(write.read.txn);
        return err;
    }
    return store_err(mdb_txn_commit(write.read.txn));
}

static enum pot_err make_in(const char *folder)
{
    struct store fresh = {.env = NULL};
    enum pot_err err = open_env(&fresh.env, folder);
    if (err == POT_OK) {
        err = fill(&fresh);
    }
    if (fresh.env != NULL) {
        mdb_env_close(fresh.env);
    }
    return err;
}

enum pot_err store_make_file(const char *folder)
{
    char *fresh = file_join(folder, "fresh");
    char *from = file_join(fresh, "data.mdb");
    char *to = file_join(folder, "data.mdb");
    enum pot_err err = file_remove_folder(fresh);
    if (err == POT_OK) {
        err = file_make_folder(fresh, 0700);
    }
    if (err == POT_OK) {
        err = make_in(fresh);
    }
    if (err == POT_OK) {
        err = file_sync(from);
    }
    if (err == POT_OK && rename(from, to) != 0) {
        err = err_from_errno(errno);
    }
    if (err == POT_OK) {
        err = file_sync(folder);
    }
    if (file_remove_folder(fresh) != POT_OK && err == POT_OK) {
        err = POT_EIO;
    }
    free(to);
    free(from);
    free(fresh);
    return err;
}
