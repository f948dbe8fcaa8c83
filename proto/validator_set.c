#include "config.h"

#include "proto/validator_set.h"

#include "base/check.h"
#include "proto/codec.h"
#include "proto/state.pb-c.h"

uint32_t validator_set_faults(uint32_t count)
{
    POT_ASSERT(count > 0);
    return (count - 1) / 3;
}

uint32_t validator_set_quorum(uint32_t count)
{
    return (count + validator_set_faults(count) + 2) / 2;
}

uint32_t validator_set_primary(uint32_t count, uint64_t view)
{
    POT_ASSERT(count > 0);
    return (uint32_t)(view % count);
}

bool validator_set_find(uint32_t *index, const struct validator_set *set,
                        const struct public_key *key)
{
    for (uint32_t i = 0; i < set->count; i++) {
        if (public_key_equal(&set->keys[i], key)) {
            *index = i;
            return true;
        }
    }
    return false;
}

bool validator_set_equal(const struct validator_set *a,
                         const struct validator_set *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        if (!public_key_equal(&a->keys[i], &b->keys[i])) {
            return false;
        }
    }
    return true;
}

void validator_set_hash(struct hash *out, const struct validator_set *set)
{
    struct hasher h;
    hasher_init(&h, "validators");
    hasher_add_u32(&h, set->count);
    for (uint32_t i = 0; i < set->count; i++) {
        hasher_add(&h, set->keys[i].b, PUBLIC_KEY_SIZE);
    }
    hasher_final(&h, out);
}

uint8_t *validator_set_encode(size_t *size, const struct validator_set *set)
{
    ProtobufCBinaryData fields[VALIDATORS_MAX];
    Pot__ValidatorSet message = POT__VALIDATOR_SET__INIT;
    POT_ASSERT(set->count > 0 && set->count <= VALIDATORS_MAX);
    for (uint32_t i = 0; i < set->count; i++) {
        fields[i] = codec_bytes(set->keys[i].b, PUBLIC_KEY_SIZE);
    }
    message.n_public_keys = set->count;
    message.public_keys = fields;
    return codec_encode(size, &message);
}

enum pot_err validator_set_decode(struct validator_set *out, const void *data,
                                  size_t size)
{
    Pot__ValidatorSet *message;
    if (CODEC_DECODE(&message, pot__validator_set, data, size) != POT_OK) {
        return POT_EFORMAT;
    }
    size_t count = message->n_public_keys;
    bool is_good = count > 0 && count <= VALIDATORS_MAX;
    for (size_t i = 0; is_good && i < count; i++) {
        is_good = codec_key(&out->keys[i], message->public_keys[i]);
    }
    out->count = (uint32_t)count;
    codec_free(message);
    return is_good ? POT_OK : POT_EFORMAT;
}

bool validator_set_is(const struct hash *hash, const void *data, size_t size)
{
    struct validator_set set;
    struct hash found;
    if (validator_set_decode(&set, data, size) != POT_OK) {
        return false;
    }
    validator_set_hash(&found, &set);
    return hash_equal(&found, hash);
}
