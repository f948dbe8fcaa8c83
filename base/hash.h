/* hash: BLAKE2b-256, domain-separated.  Every hash begins with
 * "pot/1/<what>/", so a value hashed as one thing never passes for another. */
#ifndef POT_BASE_HASH_H
#define POT_BASE_HASH_H

#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define HASH_SIZE      32
#define HASH_TEXT_SIZE (2 * HASH_SIZE + 1)

struct hash {
    uint8_t b[HASH_SIZE];
};

struct hasher {
    crypto_generichash_state state;
};

/* hasher_init, _add, _final: a hash over pieces; what is a literal such as
 * "block".  The pieces are not delimited: add lengths where they vary. */
void hasher_init(struct hasher *h, const char *what);
void hasher_add(struct hasher *h, const void *data, size_t size);
void hasher_add_u32(struct hasher *h, uint32_t value);
void hasher_add_u64(struct hasher *h, uint64_t value);
void hasher_final(struct hasher *h, struct hash *out);

/* hash_bytes: the hash of one piece. */
void hash_bytes(struct hash *out, const char *what, const void *data,
                size_t size);

bool hash_equal(const struct hash *a, const struct hash *b);
bool hash_is_zero(const struct hash *h);

/* hash_compare: order of the bytes, as memcmp.  hash_order: the same, for qsort
 * and bsearch over hashes. */
int hash_compare(const struct hash *a, const struct hash *b);
int hash_order(const void *a, const void *b);

/* hash_format: 64 lower-case hex digits and a NUL; returns text. */
const char *hash_format(const struct hash *h, char text[static HASH_TEXT_SIZE]);

/* hash_parse: the inverse.  Errors: POT_EFORMAT, out untouched. */
POT_MUST_USE enum pot_err hash_parse(struct hash *out, const char *text);

/* hash_from_bytes: copies size bytes.  Errors: POT_EFORMAT if size != 32. */
POT_MUST_USE enum pot_err hash_from_bytes(struct hash *out, const void *data,
                                          size_t size);

/* hash_merkle_root: root of a binary Merkle tree over count leaves, which it
 * overwrites.  An odd last node moves up unchanged; leaf and inner hashes
 * have different domains (RFC 6962, section 2.1); no leaf: the zero hash. */
void hash_merkle_root(struct hash *out, struct hash *leaves, size_t count);

#endif
