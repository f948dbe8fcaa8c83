#include "config.h"

#include "node/recover.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "consensus/pbft.h"
#include "node/block/decided.h"
#include "node/node_parts.h"
#include "node/startup.h"
#include "storage/sign_state.h"
#include "storage/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_TEXT_MAX 8192

static bool fail(struct node *node, const char *path, enum pot_err err)
{
    startup_error(node,
                  err == POT_EBUSY    ? EXIT_CODE_LOCKED
                  : err == POT_EGUARD ? EXIT_CODE_GUARD
                                      : EXIT_CODE_STORE,
                  path, err,
                  err == POT_EBUSY    ? "stop the node first"
                  : err == POT_EGUARD ? "it is another key's or another chain's"
                                      : "check the disk");
    return false;
}

/* What is damaged stays there under another name: somebody may want to look
 * at it. */
static bool put_aside(struct node *node, const char *path)
{
    struct buf aside;
    buf_init(&aside, PATH_TEXT_MAX);
    buf_printf(&aside, "%s.damaged-%" PRIu64, path, clock_wall_ms() / 1000);
    bool is_moved = rename(path, buf_text(&aside)) == 0;
    if (is_moved) {
        printf("%s is damaged: moved to %s\n", path, buf_text(&aside));
    } else {
        (void)fail(node, path, err_from_errno(errno));
    }
    buf_fini(&aside);
    return is_moved;
}

/* ---- the store */

static bool check_store(struct node *node)
{
    char why[256] = "";
    struct store *store;
    char *path = file_join(node->config->home, "store");
    bool is_fine = true;
    enum pot_err err = POT_ENOENT;
    if (access(path, F_OK) == 0) {
        err = store_open(&store, path, (size_t)node->config->map_size_mb << 20,
                         why, sizeof(why));
    }
    if (err == POT_OK) {
        uint64_t height = 0;
        (void)store_tip(store, &height, NULL, NULL);
        printf("%s is whole, at height %" PRIu64 ": kept\n", path, height);
        store_close(store);
    } else if (err == POT_ECORRUPT || err == POT_EFORMAT) {
        is_fine = put_aside(node, path);
    } else if (err == POT_EBUSY) {
        node->exit_code = EXIT_CODE_LOCKED;
        fprintf(stderr, "potd: %s: stop the node first\n", why);
        is_fine = false;
    } else if (err != POT_ENOENT) {
        is_fine = fail(node, path, err);
    }
    free(path);
    return is_fine;
}

/* ---- the sign state */

static enum pot_err open_state(struct node *node, const char *path)
{
    return sign_state_open(&node->sign_state, path,
                           key_public(node->validator_key),
                           &node->holdings.chain);
}

static bool open_or_make_state(struct node *node, const char *path)
{
    enum pot_err err = open_state(node, path);
    if (err == POT_ECORRUPT) {
        if (!put_aside(node, path)) {
            return false;
        }
        err = POT_ENOENT;
    }
    if (err == POT_ENOENT) {
        err = sign_state_create(path, key_public(node->validator_key),
                                &node->holdings.chain);
        err = err == POT_OK ? open_state(node, path) : err;
    }
    return err == POT_OK || fail(node, path, err);
}

/* Takes record. */
static bool write_state(struct node *node, uint8_t *record, size_t size)
{
    char *path = file_join(node->config->home, "sign_state");
    enum pot_err err = POT_OK;
    bool is_open = open_or_make_state(node, path);
    if (is_open) { /* the store may lack the blocks that are in it */
        size_t old_size;
        const void *old = sign_state_record(node->sign_state, &old_size);
        uint8_t *whole = decided_carry(&size, record, size, old, old_size);
        err = sign_state_save(node->sign_state, whole, size);
        free(whole);
    }
    bool is_fine = is_open && (err == POT_OK || fail(node, path, err));
    free(path);
    free(record);
    return is_fine;
}

static bool is_validator(struct node *node)
{
    if (node->validator_key == NULL) {
        startup_error(node, EXIT_CODE_CONFIG, "validator.enabled", POT_ENOENT,
                      "only a validator has something to recover; any other"
                      " node may begin with an empty home");
    }
    return node->validator_key != NULL;
}

static enum exit_code end(struct node *node)
{
    startup_close(node);
    enum exit_code code = node->exit_code;
    free(node);
    return code;
}

enum exit_code recover_home(const struct node_config *config)
{
    size_t size;
    struct node *node = pot_calloc(1, sizeof(*node));
    node->config = config;
    uint8_t *record = pbft_recovering_record(&size);
    if (!startup_open_home(node) || !is_validator(node) || !check_store(node)) {
        free(record);
    } else if (write_state(node, record, size)) {
        printf("sign_state: nothing is signed until the chain is past all that"
               " this key may have signed\n"
               "start potd now; /readyz and `potctl status` tell when it"
               " votes\n");
    }
    return end(node);
}

/* What this key has signed is on record: there is nothing to vouch for, and a
 * word that is given all the same is the one mistake that costs a stake. */
static bool is_recovering(struct node *node)
{
    size_t known_size = 0;
    char *path = file_join(node->config->home, "sign_state");
    const void *known = NULL;
    enum pot_err err = open_state(node, path);
    if (err == POT_OK) {
        known = sign_state_record(node->sign_state, &known_size);
    }
    bool is_fine = err == POT_ENOENT || err == POT_ECORRUPT ||
                   (err == POT_OK &&
                    (known_size == 0 || pbft_is_recovering(known, known_size)));
    if (err == POT_OK && !is_fine) {
        node->exit_code = EXIT_CODE_FAILED;
        fprintf(stderr,
                "potd: %s: this validator is not recovering: start potd, and"
                " it votes by itself once others have answered\n",
                path);
    } else if (!is_fine) {
        (void)fail(node, path, err);
    }
    sign_state_close(node->sign_state);
    node->sign_state = NULL;
    free(path);
    return is_fine;
}

enum exit_code recover_unsafe_vote_now(const struct node_config *config)
{
    size_t size;
    struct node *node = pot_calloc(1, sizeof(*node));
    node->config = config;
    uint8_t *record = pbft_trusted_record(&size);
    if (!startup_open_home(node) || !is_validator(node) ||
        !is_recovering(node)) {
        free(record);
    } else if (write_state(node, record, size)) {
        printf("sign_state: potd will vote at once, whatever this key has"
               " signed before\n");
    }
    return end(node);
}
