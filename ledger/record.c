#include "config.h"

#include "ledger/record.h"

#include "base/check.h"
#include "proto/codec.h"

#include <stdlib.h>

/* The largest is a data set's chunk list, or a full roster twice. */
#define RECORD_BYTES_MAX (1 << 20)
/* A ValidatorSet: a tag and a size before each key. */
#define SET_BYTES_MAX (VALIDATORS_MAX * (2 + PUBLIC_KEY_SIZE))

void *record_load(const struct state *state, struct state_key key,
                  const ProtobufCMessageDescriptor *type)
{
    struct buf value;
    void *message = NULL;
    buf_init(&value, RECORD_BYTES_MAX);
    if (state->get(state->context, key.b, key.size, &value)) {
        message = codec_open(type, value.data, value.size);
        POT_ASSERT(message != NULL);
    }
    buf_fini(&value);
    return message;
}

void record_store(const struct state *state, struct state_key key,
                  const void *message)
{
    size_t size;
    uint8_t *data = codec_encode(&size, message);
    POT_ASSERT(size <= RECORD_BYTES_MAX);
    state->put(state->context, key.b, key.size, data, size);
    free(data);
}

bool record_load_hash(const struct state *state, struct state_key key,
                      struct hash *out)
{
    struct buf value;
    buf_init(&value, HASH_SIZE);
    bool is_there = state->get(state->context, key.b, key.size, &value);
    if (is_there) {
        enum pot_err err = hash_from_bytes(out, value.data, value.size);
        POT_ASSERT(err == POT_OK);
    }
    buf_fini(&value);
    return is_there;
}

void record_store_hash(const struct state *state, struct state_key key,
                       const struct hash *hash)
{
    state->put(state->context, key.b, key.size, hash->b, HASH_SIZE);
}

bool record_load_set(const struct state *state, struct state_key key,
                     struct validator_set *out)
{
    struct buf value;
    buf_init(&value, SET_BYTES_MAX);
    bool is_there = state->get(state->context, key.b, key.size, &value);
    if (is_there) {
        enum pot_err err = validator_set_decode(out, value.data, value.size);
        POT_ASSERT(err == POT_OK);
    }
    buf_fini(&value);
    return is_there;
}

void record_store_set(const struct state *state, struct state_key key,
                      const struct validator_set *set)
{
    size_t size;
    uint8_t *data = validator_set_encode(&size, set);
    state->put(state->context, key.b, key.size, data, size);
    free(data);
}
