#include "config.h"

#include "ctl/state_source.h"

#include "base/file.h"
#include "base/hex.h"
#include "ctl/client.h"
#include "storage/store.h"

#include <stdlib.h>
#include <string.h>

#define MAP_BYTES ((size_t)16 << 20)
#define WHY_SIZE  256

/* ---- by the API */

/* Appends the bytes that stand in a member in hex; false: it is no such. */
static bool take_hex(struct buf *out, const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    size_t size = text != NULL ? strlen(text) / 2 : 0;
    if (text == NULL) {
        return false;
    }
    buf_clear(out);
    uint8_t *data = size > 0 ? buf_extend(out, size) : NULL;
    return size == 0 ? text[0] == '\0'
                     : data != NULL && hex_parse(data, size, text) == POT_OK;
}

static bool take_siblings(struct state_proof *proof, const json_t *json)
{
    const json_t *siblings = json_object_get(json, "siblings");
    bool is_fine = json_array_size(siblings) == STATE_LEVELS;
    for (size_t i = 0; is_fine && i < STATE_LEVELS; i++) {
        const char *text = json_string_value(json_array_get(siblings, i));
        is_fine =
            text != NULL && hash_parse(&proof->siblings[i], text) == POT_OK;
    }
    return is_fine;
}

static enum exit_code show_answer(struct state_shown *shown, struct ctl *ctl,
                                  const json_t *json)
{
    shown->height = client_count(json, "height");
    shown->has_value = json_is_string(json_object_get(json, "value"));
    bool is_fine =
        hash_parse(&shown->root, client_text(json, "state_root")) == POT_OK &&
        take_hex(&shown->proof.bucket, json, "bucket") &&
        take_siblings(&shown->proof, json) &&
        (!shown->has_value || take_hex(&shown->value, json, "value"));
    return is_fine ? EXIT_CODE_DONE
                   : ctl_fail(ctl, EXIT_CODE_FAILED,
                              "%s: its proof cannot be read: is it another"
                              " version?",
                              ctl->node);
}

static enum exit_code show_by_api(void *context, struct ctl *ctl,
                                  const void *key, size_t size,
                                  struct state_shown *shown)
{
    const struct state_source *source = context;
    char text[2 * STATE_KEY_MAX + 1];
    json_t *json = NULL;
    const char *node_before = ctl->node;
    ctl->node = source->name;
    enum exit_code rc =
        client_get(&json, ctl, "/v1/proofs/%s", hex_format(text, key, size));
    if (rc == EXIT_CODE_DONE) {
        rc = show_answer(shown, ctl, json);
    }
    ctl->node = node_before;
    json_decref(json);
    return rc;
}

/* ---- out of a store */

static enum exit_code show_by_store(void *context, struct ctl *ctl,
                                    const void *key, size_t size,
                                    struct state_shown *shown)
{
    const struct state_source *source = context;
    state_proof_fini(&shown->proof);
    enum pot_err err = store_state_proof(
        source->store, key, size, &shown->proof, &shown->root, &shown->height);
    if (err == POT_OK) {
        err = store_state_get(source->store, key, size, &shown->value);
        shown->has_value = err == POT_OK;
        err = err == POT_ENOENT ? POT_OK : err;
    }
    return err == POT_OK ? EXIT_CODE_DONE
                         : ctl_fail(ctl, EXIT_CODE_STORE, "%s: its state: %s",
                                    source->name, err_text(err));
}

/* The store's folder below a home, or the folder itself; free(), or NULL. */
static char *find_store(const char *name)
{
    static const char *const places[] = {"store", "."};
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        struct stat info;
        char *folder = file_join(name, places[i]);
        char *data = file_join(folder, "data.mdb");
        bool is_there = file_stat(data, &info) == POT_OK;
        free(data);
        if (is_there) {
            return folder;
        }
        free(folder);
    }
    return NULL;
}

static enum exit_code open_store(struct state_source *source, struct ctl *ctl)
{
    char why[WHY_SIZE] = "";
    char *folder = find_store(source->name);
    if (folder == NULL) {
        return ctl_fail(ctl, EXIT_CODE_FAILED,
                        "%s: no store is in it: name a node's URL, or the home"
                        " of one that is stopped",
                        source->name);
    }
    enum pot_err err =
        store_open(&source->store, folder, MAP_BYTES, why, sizeof(why));
    free(folder);
    if (err == POT_OK) {
        return EXIT_CODE_DONE;
    }
    return ctl_fail(ctl, err == POT_EBUSY ? EXIT_CODE_LOCKED : EXIT_CODE_STORE,
                    "%s%s", why,
                    err == POT_EBUSY ? ": stop it, or name its URL" : "");
}

/* ---- both */

enum exit_code state_source_open(struct state_source *source, struct ctl *ctl,
                                 const char *name)
{
    *source = (struct state_source){.name = name};
    bool is_url =
        strncmp(name, "http://", 7) == 0 || strncmp(name, "https://", 8) == 0;
    return is_url ? EXIT_CODE_DONE : open_store(source, ctl);
}

void state_source_close(struct state_source *source)
{
    store_close(source->store);
    source->store = NULL;
}

struct state_side state_source_side(struct state_source *source)
{
    return (struct state_side){
        .context = source,
        .show = source->store != NULL ? show_by_store : show_by_api,
    };
}
