#include "config.h"

#include "proto/state_proof.h"

#include "base/check.h"

#include <string.h>

void state_proof_init(struct state_proof *proof)
{
    memset(proof, 0, sizeof(*proof));
    buf_init(&proof->bucket, STATE_BUCKET_MAX);
}

void state_proof_fini(struct state_proof *proof)
{
    buf_fini(&proof->bucket);
}

uint16_t state_bucket(const void *key, size_t key_size)
{
    struct hash hash;
    hash_bytes(&hash, "state-key", key, key_size);
    return (uint16_t)(hash.b[0] << 8 | hash.b[1]);
}

void state_value_hash(struct hash *out, const void *value, size_t value_size)
{
    hash_bytes(out, "state-value", value, value_size);
}

void state_bucket_digest(struct hash *out, const void *list, size_t size)
{
    if (size == 0) {
        memset(out, 0, sizeof(*out));
    } else {
        hash_bytes(out, "state-bucket", list, size);
    }
}

void state_node(struct hash *out, const struct hash *left,
                const struct hash *right)
{
    if (hash_is_zero(left) && hash_is_zero(right)) {
        memset(out, 0, sizeof(*out));
        return;
    }
    struct hasher h;
    hasher_init(&h, "state-node");
    hasher_add(&h, left->b, HASH_SIZE);
    hasher_add(&h, right->b, HASH_SIZE);
    hasher_final(&h, out);
}

bool state_entry_next(struct state_entry *out, const void *list, size_t size,
                      size_t *offset)
{
    const uint8_t *at = list;
    if (*offset >= size) {
        return false;
    }
    size_t key_size = at[*offset];
    if (key_size == 0 || size - *offset < 1 + key_size + HASH_SIZE) {
        return false;
    }
    out->key = at + *offset + 1;
    out->key_size = key_size;
    out->value_hash = out->key + key_size;
    *offset += 1 + key_size + HASH_SIZE;
    return true;
}

int state_key_compare(const void *a, size_t a_size, const void *b,
                      size_t b_size)
{
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    if (order != 0) {
        return order;
    }
    return a_size < b_size ? -1 : a_size > b_size;
}

/* What a bucket's list says of a key. */
enum found {
    FOUND_NOTHING,
    FOUND_VALUE,
    FOUND_DISORDER, /* not the list of any bucket */
};

static enum found find_in_bucket(struct hash *value_hash, const void *key,
                                 size_t key_size, const struct buf *bucket)
{
    enum found found = FOUND_NOTHING;
    struct state_entry entry;
    struct state_entry last = {.key = NULL};
    size_t offset = 0;
    while (state_entry_next(&entry, bucket->data, bucket->size, &offset)) {
        if (last.key != NULL &&
            state_key_compare(last.key, last.key_size, entry.key,
                              entry.key_size) >= 0) {
            return FOUND_DISORDER;
        }
        if (state_key_compare(entry.key, entry.key_size, key, key_size) == 0) {
            memcpy(value_hash->b, entry.value_hash, HASH_SIZE);
            found = FOUND_VALUE;
        }
        last = entry;
    }
    return offset == bucket->size ? found : FOUND_DISORDER;
}

bool state_proof_verify(const struct hash *root, const void *key,
                        size_t key_size, const void *value, size_t value_size,
                        const struct state_proof *proof)
{
    struct hash found_hash;
    struct hash wanted;
    struct hash node;
    POT_ASSERT(key_size >= 1 && key_size <= STATE_KEY_MAX);
    enum found found =
        find_in_bucket(&found_hash, key, key_size, &proof->bucket);
    if (found != (value != NULL ? FOUND_VALUE : FOUND_NOTHING)) {
        return false;
    }
    if (value != NULL) {
        state_value_hash(&wanted, value, value_size);
        if (!hash_equal(&wanted, &found_hash)) {
            return false;
        }
    }
    unsigned index = state_bucket(key, key_size);
    state_bucket_digest(&node, proof->bucket.data, proof->bucket.size);
    for (unsigned level = 0; level < STATE_LEVELS; level++) {
        const struct hash *sibling = &proof->siblings[level];
        struct hash left = index & 1 ? *sibling : node;
        struct hash right = index & 1 ? node : *sibling;
        state_node(&node, &left, &right);
        index >>= 1;
    }
    return hash_equal(&node, root);
}
