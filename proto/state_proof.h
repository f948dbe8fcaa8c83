/* state_proof: how the state's root comes about, and proofs against it.
 *
 * The state is a map from keys to values.  A key falls into one of 2^16
 * buckets by its hash.  A bucket is the list of its entries by ascending
 * key, each u8 key size | key | 32 value hash; its digest is the hash of
 * that list, zero when it is empty.  A binary tree of 16 levels stands over
 * the digests; a node over two zeros is zero, so an empty state's root is
 * zero too.  The leftmost bucket is 0; a bucket's top bit says which child
 * of the root it is under.
 *
 * A proof of a key is its bucket and the 16 siblings on the way up. */
#ifndef POT_PROTO_STATE_PROOF_H
#define POT_PROTO_STATE_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"

#define STATE_KEY_MAX    255
#define STATE_LEVELS     16
#define STATE_BUCKETS    (1 << STATE_LEVELS)
#define STATE_BUCKET_MAX ((size_t)16 << 20) /* bytes of a bucket's list */

struct state_proof {
    struct buf bucket;                  /* its list of entries */
    struct hash siblings[STATE_LEVELS]; /* the bucket's own one first */
};

/* state_proof_init, _fini: a zeroed proof may be passed to fini too. */
void state_proof_init(struct state_proof *proof);
void state_proof_fini(struct state_proof *proof);

/* state_proof_verify: whether root is that of a state with value under key;
 * value NULL: of a state without key.  The proof may come from anyone. */
bool state_proof_verify(const struct hash *root, const void *key,
                        size_t key_size, const void *value, size_t value_size,
                        const struct state_proof *proof);

/* state_bucket: the bucket of a key. */
uint16_t state_bucket(const void *key, size_t key_size);

/* state_value_hash, state_bucket_digest, state_node: the hashes above. */
void state_value_hash(struct hash *out, const void *value, size_t value_size);
void state_bucket_digest(struct hash *out, const void *list, size_t size);
void state_node(struct hash *out, const struct hash *left,
                const struct hash *right);

/* An entry of a bucket's list, in place. */
struct state_entry {
    const uint8_t *key;
    size_t key_size;
    const uint8_t *value_hash; /* HASH_SIZE bytes */
};

/* state_entry_next: the entry at *offset of a bucket's list, and *offset
 * behind it.  False: the list ends there, well or badly: it ended well if
 * *offset == size. */
bool state_entry_next(struct state_entry *out, const void *list, size_t size,
                      size_t *offset);

/* state_key_compare: the order of entries: bytes, then the shorter first. */
int state_key_compare(const void *a, size_t a_size, const void *b,
                      size_t b_size);

#endif
