#include "config.h"

#include "storage/sign_state.h"

#include "base/alloc.h"
#include "storage/slot_file.h"

#include <stdlib.h>
#include <string.h>

struct sign_state {
    struct slot_file *file;
};

/* A sign state is a slot file; what it is bound to is its label. */
static void make_label(uint8_t label[static SLOT_LABEL_SIZE],
                       const struct public_key *key, const struct hash *chain)
{
    _Static_assert(PUBLIC_KEY_SIZE + HASH_SIZE == SLOT_LABEL_SIZE,
                   "a label is a key and a chain");
    memcpy(label, key->b, PUBLIC_KEY_SIZE);
    memcpy(label + PUBLIC_KEY_SIZE, chain->b, HASH_SIZE);
}

enum pot_err sign_state_create(const char *path, const struct public_key *key,
                               const struct hash *chain)
{
    uint8_t label[SLOT_LABEL_SIZE];
    make_label(label, key, chain);
    return slot_file_create(path, label, SIGN_STATE_RECORD_MAX);
}

enum pot_err sign_state_open(struct sign_state **out, const char *path,
                             const struct public_key *key,
                             const struct hash *chain)
{
    uint8_t label[SLOT_LABEL_SIZE];
    struct slot_file *file;
    *out = NULL;
    make_label(label, key, chain);
    enum pot_err err =
        slot_file_open(&file, path, label, SIGN_STATE_RECORD_MAX);
    if (err == POT_OK) {
        *out = pot_alloc(sizeof(**out));
        (*out)->file = file;
    }
    return err;
}

void sign_state_close(struct sign_state *state)
{
    if (state != NULL) {
        slot_file_close(state->file);
        free(state);
    }
}

bool sign_state_is_torn(const struct sign_state *state)
{
    return slot_file_is_torn(state->file);
}

const void *sign_state_record(const struct sign_state *state, size_t *size)
{
    return slot_file_record(state->file, size);
}

enum pot_err sign_state_save(struct sign_state *state, const void *data,
                             size_t size)
{
    return slot_file_save(state->file, data, size, true);
}

enum pot_err sign_state_renew(struct sign_state *state)
{
    return slot_file_renew(state->file);
}
