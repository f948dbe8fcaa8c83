#include "config.h"

#include "node/maintain.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "node/node_config.h"
#include "node/node_parts.h"
#include "node/replay.h"
#include "node/startup.h"
#include "storage/store.h"
#include "storage/store_copy.h"
#include "storage/store_prune.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WHY_SIZE  256
#define FILE_MAX  ((size_t)64 << 20)
#define ASIDE_MAX 1000
#define NOTE_SIZE 8192

static enum exit_code code_of(enum pot_err err)
{
    switch (err) {
    case POT_OK:
        return EXIT_CODE_DONE;
    case POT_EBUSY:
        return EXIT_CODE_LOCKED;
    case POT_EFULL:
    case POT_ELIMIT:
        return EXIT_CODE_FULL;
    case POT_ECORRUPT:
    case POT_EFORMAT:
    case POT_EIO:
        return EXIT_CODE_STORE;
    case POT_ENOENT:
    case POT_EEXIST:
    case POT_EACCESS:
    case POT_ERANGE:
    case POT_ESHAPE:
    case POT_EAGAIN:
    case POT_ETIMEOUT:
    case POT_ECONNECT:
    case POT_ECLOSED:
    case POT_EGUARD:
    case POT_EPRUNED:
    case POT_ECANCELLED:
    case POT_ELOCKED:
    case POT_EPASSPHRASE:
        break;
    }
    return EXIT_CODE_FAILED;
}

/* why: a whole line, or empty. */
static enum exit_code fail(enum pot_err err, const char *what, const char *why)
{
    if (why[0] != '\0') {
        fprintf(stderr, "potd: %s%s\n", why, startup_store_remedy(err));
    } else {
        fprintf(stderr, "potd: %s: %s\n", what, err_text(err));
    }
    return code_of(err);
}

bool maintain_has_store(const struct node_config *config)
{
    static const char *const files[] = {"store/data.mdb", "store/tip"};
    bool is_there = false;
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        struct stat info;
        char *path = file_join(config->home, files[i]);
        is_there = is_there || file_stat(path, &info) != POT_ENOENT;
        free(path);
    }
    if (!is_there) {
        fprintf(stderr,
                "potd: %s: no store is there: check `home` in %s; a node that"
                " starts makes one and syncs\n",
                config->home, config->path);
    }
    return is_there;
}

static enum pot_err sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum pot_err err =
        fd >= 0 && fsync(fd) == 0 ? POT_OK : err_from_errno(errno);
    if (fd >= 0) {
        (void)close(fd);
    }
    return err;
}

static enum pot_err move(const char *from, const char *to)
{
    char *folder = file_folder(to);
    enum pot_err err =
        rename(from, to) == 0 ? sync_folder(folder) : err_from_errno(errno);
    free(folder);
    return err;
}

/* home/store.old-1, or -2 ...: the first name that is free; free(). */
static char *name_aside(const char *home)
{
    for (unsigned i = 1; i < ASIDE_MAX; i++) {
        char name[32];
        struct stat info;
        (void)snprintf(name, sizeof(name), "store.old-%u", i);
        char *path = file_join(home, name);
        if (file_stat(path, &info) == POT_ENOENT) {
            return path;
        }
        free(path);
    }
    return NULL;
}

/* ---- backup */

static enum pot_err copy_file(const char *from, const char *folder,
                              const char *name)
{
    char *data;
    size_t size;
    enum pot_err err = file_read(&data, &size, from, FILE_MAX);
    if (err == POT_OK) {
        char *to = file_join(folder, name);
        err = file_create(to, 0600, data, size);
        free(to);
        free(data);
    }
    return err;
}

static enum pot_err write_manifest(const struct node_config *config,
                                   const char *folder,
                                   const struct store_copied *copied)
{
    struct buf text;
    char *path = file_join(folder, "MANIFEST");
    char *beside = file_folder(config->path);
    char *from = realpath(beside, NULL);
    buf_init(&text, NOTE_SIZE);
    buf_printf(
        &text,
        "A backup of potd's store at height %" PRIu64 ".\n"
        "\n"
        "store/data.mdb  chain, state and blobs, %" PRIu64 " bytes\n"
        "store/tip       what the store must hold at least\n"
        "genesis.json    of the chain\n"
        "node.toml       the node's config; paths in it count from its place,\n"
        "                %s\n"
        "\n"
        "Not in it: keys, and the sign state.  A validator that is started\n"
        "with an old sign state signs twice and loses its stake.  To restore,\n"
        "put store/ in the place of the node's own and leave its sign_state\n"
        "where it is: the node votes when it is past what it signed.\n",
        copied->height, copied->bytes, from != NULL ? from : beside);
    enum pot_err err = file_create(path, 0600, text.data, text.size);
    buf_fini(&text);
    free(from);
    free(beside);
    free(path);
    return err;
}

static enum pot_err fill_backup(const struct node_config *config,
                                const char *folder, char *why)
{
    struct store_copied copied;
    char *from = file_join(config->home, "store");
    char *to = file_join(folder, "store");
    enum pot_err err = store_copy(&copied, from, to, why, WHY_SIZE);
    if (err == POT_OK) {
        err = copy_file(config->genesis, folder, "genesis.json");
    }
    if (err == POT_OK) {
        err = copy_file(config->path, folder, "node.toml");
    }
    if (err == POT_OK) {
        err = write_manifest(config, folder, &copied);
    }
    if (err == POT_OK) {
        printf("height %" PRIu64 ", %" PRIu64 " bytes\n", copied.height,
               copied.bytes);
    } else if (file_remove_folder(to) != POT_OK) {
        fprintf(stderr, "potd: %s: cannot be removed\n", to);
    }
    free(to);
    free(from);
    return err;
}

enum exit_code maintain_backup(const struct node_config *config,
                               const char *folder)
{
    char why[WHY_SIZE] = "";
    struct stat info;
    size_t size = strlen(folder) + sizeof(".new");
    if (file_stat(folder, &info) != POT_ENOENT) {
        fprintf(stderr,
                "potd: %s: exists already: choose a folder that is not there\n",
                folder);
        return EXIT_CODE_FAILED;
    }
    char *fresh = pot_alloc(size);
    (void)snprintf(fresh, size, "%s.new", folder);
    enum pot_err err = file_make_folder(fresh, 0700);
    if (err != POT_OK) {
        (void)snprintf(why, sizeof(why),
                       "%s: cannot be made: %s: it needs a folder to stand in",
                       folder, err_text(err));
    } else {
        err = fill_backup(config, fresh, why);
    }
    if (err == POT_OK) {
        err = move(fresh, folder);
    }
    if (err != POT_OK && file_remove_folder(fresh) != POT_OK) {
        fprintf(stderr, "potd: %s: cannot be removed\n", fresh);
    }
    free(fresh);
    if (err != POT_OK) {
        return fail(err, folder, why);
    }
    printf("%s holds no keys and no sign state: see its MANIFEST\n", folder);
    return EXIT_CODE_DONE;
}

/* ---- compact */

static enum pot_err remove_from(const char *folder, const char *name)
{
    char *path = file_join(folder, name);
    enum pot_err err =
        unlink(path) == 0 || errno == ENOENT ? POT_OK : err_from_errno(errno);
    free(path);
    return err;
}

/* What counts transactions goes first, as a copy counts them anew: the
 * witness, and LMDB's table of readers, which a backup that reads the old file
 * still has open. */
static enum pot_err take_place(const char *copy, const char *store)
{
    char *from = file_join(copy, "data.mdb");
    char *to = file_join(store, "data.mdb");
    enum pot_err err = remove_from(store, "tip");
    if (err == POT_OK) {
        err = remove_from(store, "lock.mdb");
    }
    if (err == POT_OK) {
        err = sync_folder(store);
    }
    if (err == POT_OK) {
        err = move(from, to);
    }
    free(to);
    free(from);
    return err;
}

enum exit_code maintain_compact(const struct node_config *config)
{
    char why[WHY_SIZE] = "";
    struct stat before = {.st_size = 0};
    struct store_copied copied;
    int fd;
    char *store = file_join(config->home, "store");
    char *copy = file_join(config->home, "store.compact");
    char *data = file_join(store, "data.mdb");
    enum pot_err err = store_lock(&fd, store, why, sizeof(why));
    if (err == POT_OK) {
        err = file_stat(data, &before);
    }
    if (err == POT_OK) {
        err = file_remove_folder(copy);
    }
    if (err == POT_OK) {
        err = store_copy(&copied, store, copy, why, sizeof(why));
    }
    if (err == POT_OK) {
        err = take_place(copy, store);
    }
    if (file_remove_folder(copy) != POT_OK) {
        fprintf(stderr, "potd: %s: cannot be removed\n", copy);
    }
    enum exit_code code =
        err == POT_OK ? EXIT_CODE_DONE : fail(err, store, why);
    if (err == POT_OK) {
        printf("height %" PRIu64 ", %lld bytes before, %" PRIu64 " now\n",
               copied.height, (long long)before.st_size, copied.bytes);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    free(data);
    free(copy);
    free(store);
    return code;
}

/* ---- the store moved aside */

static enum exit_code move_to(const struct node_config *config,
                              const char *aside)
{
    char why[WHY_SIZE] = "";
    int fd;
    char *store = file_join(config->home, "store");
    enum pot_err err = store_lock(&fd, store, why, sizeof(why));
    if (err == POT_OK) {
        err = move(store, aside);
    }
    enum exit_code code =
        err == POT_OK ? EXIT_CODE_DONE : fail(err, store, why);
    if (fd >= 0) {
        (void)close(fd);
    }
    free(store);
    return code;
}

static enum exit_code move_aside(const struct node_config *config)
{
    char *aside = name_aside(config->home);
    enum exit_code code = aside != NULL ? move_to(config, aside)
                                        : fail(POT_ELIMIT, config->home, "");
    if (code == EXIT_CODE_DONE) {
        printf("the old store is %s: remove it when all is well\n", aside);
    }
    free(aside);
    return code;
}

enum exit_code maintain_resync(const struct node_config *config)
{
    enum exit_code code = move_aside(config);
    if (code == EXIT_CODE_DONE) {
        printf("keys, sign state and data sets stay; the next start syncs "
               "from the genesis\n");
    }
    return code;
}

static bool find_target(uint64_t *height, struct node *node,
                        const struct rollback *rollback)
{
    uint64_t tip = 0;
    (void)store_tip(node->holdings.store, &tip, NULL, NULL);
    bool is_fine = rollback->is_back
                       ? rollback->count > 0 && rollback->count <= tip
                       : rollback->count < tip;
    if (!is_fine) {
        fprintf(stderr,
                "potd: the store stands at height %" PRIu64
                ": choose a lower one\n",
                tip);
        return false;
    }
    *height = rollback->is_back ? tip - rollback->count : rollback->count;
    return true;
}

static enum exit_code replay_into(struct node *node, const char *folder,
                                  uint64_t height)
{
    struct replay r;
    if (store_lowest_block(node->holdings.store) > 1) {
        fprintf(stderr, "potd: blocks are pruned: take a backup, or resync\n");
        return EXIT_CODE_FAILED;
    }
    bool is_done = replay_run(&r, node, folder, height);
    if (is_done) {
        r.own = store_copy_kept(r.holdings.store, node->holdings.store);
        is_done = r.own == POT_OK;
        if (!is_done) {
            fprintf(stderr,
                    "potd: the data sets' chunks cannot be copied:"
                    " %s\n",
                    err_text(r.own));
        }
    }
    replay_close(&r);
    return is_done ? EXIT_CODE_DONE : replay_code(&r);
}

enum exit_code maintain_rollback(const struct node_config *config,
                                 const struct rollback *rollback)
{
    uint64_t height = 0;
    struct node node = {.config = config};
    char *folder = file_join(config->home, "store.rollback");
    char *store = file_join(config->home, "store");
    if (startup_open_store(&node)) {
        node.exit_code = find_target(&height, &node, rollback)
                             ? replay_into(&node, folder, height)
                             : EXIT_CODE_FAILED;
    }
    startup_close(&node);
    enum exit_code code = node.exit_code;
    if (code == EXIT_CODE_DONE) {
        code = move_aside(config);
    }
    if (code == EXIT_CODE_DONE) {
        enum pot_err err = move(folder, store);
        code = err == POT_OK ? EXIT_CODE_DONE : fail(err, store, "");
    }
    if (code == EXIT_CODE_DONE) {
        printf("the store stands at height %" PRIu64 "; the sign state stays: "
               "this node votes when it is past what it signed\n",
               height);
    } else if (file_remove_folder(folder) != POT_OK) {
        fprintf(stderr, "potd: %s: cannot be removed\n", folder);
    }
    free(store);
    free(folder);
    return code;
}
