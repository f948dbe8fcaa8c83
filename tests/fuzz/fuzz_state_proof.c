/* A state proof from anyone: the first byte is the key's size, then the key,
 * the 16 siblings, the bucket's list. */
#include "config.h"

#include "base/check.h"
#include "proto/state_proof.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct state_proof proof;
    struct hash root = {{0}};
    size_t siblings = sizeof(proof.siblings);
    if (size < 1 || data[0] == 0 || size < 1 + data[0] + siblings) {
        return 0;
    }
    size_t key_size = data[0];
    const uint8_t *key = data + 1;
    state_proof_init(&proof);
    memcpy(proof.siblings, key + key_size, siblings);
    buf_append(&proof.bucket, key + key_size + siblings,
               size - 1 - key_size - siblings);
    bool has = state_proof_verify(&root, key, key_size, "v", 1, &proof);
    bool lacks = state_proof_verify(&root, key, key_size, NULL, 0, &proof);
    POT_ASSERT(!has || !lacks);
    struct state_entry entry;
    size_t offset = 0;
    while (state_entry_next(&entry, proof.bucket.data, proof.bucket.size,
                            &offset)) {
        POT_ASSERT(offset <= proof.bucket.size);
        POT_ASSERT(entry.key_size > 0 && entry.key_size <= STATE_KEY_MAX);
    }
    state_proof_fini(&proof);
    return 0;
}
