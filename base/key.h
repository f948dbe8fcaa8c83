/* key: Ed25519 identities (libsodium) and their addresses. */
#ifndef POT_BASE_KEY_H
#define POT_BASE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bech32.h"
#include "base/err.h"
#include "base/hash.h"

#define PUBLIC_KEY_SIZE   32
#define SIGNATURE_SIZE    64
#define KEY_SEED_SIZE     32
#define ADDRESS_TEXT_SIZE BECH32_TEXT_SIZE

struct public_key {
    uint8_t b[PUBLIC_KEY_SIZE];
};

struct signature {
    uint8_t b[SIGNATURE_SIZE];
};

struct key; /* a key pair in locked memory, or whom to ask: base/key.c */

/* Whoever signs in the place of a key that is elsewhere.  sign: as key_sign,
 * with the message as it is. */
struct key_signer {
    void *context;
    bool (*sign)(void *context, struct signature *out, const char *what,
                 const struct hash *chain, const void *message, size_t size);
};

/* key_generate: a fresh random pair.  key_from_seed: the pair of a seed;
 * tests ask it too, for keys that stay the same. */
struct key *key_generate(void);
struct key *key_from_seed(const uint8_t seed[static KEY_SEED_SIZE]);

/* key_remote: a key whose secret is elsewhere; signer's context outlives it. */
struct key *key_remote(const struct public_key *public_key,
                       const struct key_signer *signer);

bool key_is_remote(const struct key *key);

/* key_copy: another one of the same pair, or of the same signer. */
struct key *key_copy(const struct key *key);

/* key_free: wipes and frees; NULL is fine. */
void key_free(struct key *key);

const struct public_key *key_public(const struct key *key);

/* key_seed: the secret itself, borrowed: for files (base/key_file.h).  Not
 * of a remote one. */
const uint8_t *key_seed(const struct key *key);

/* key_sign: over "pot/1/<what>/" | chain | message.  Deterministic.  False: it
 * is remote and was not to be had, out is zero; a key in memory always
 * signs. */
bool key_sign(struct signature *out, const struct key *key, const char *what,
              const struct hash *chain, const void *message, size_t size);

/* key_verify: whether signature is public_key's over the same bytes, by the
 * rule of base/key_equation.h; of many, base/key_batch.h says it sooner. */
bool key_verify(const struct public_key *public_key, const char *what,
                const struct hash *chain, const void *message, size_t size,
                const struct signature *signature);

bool public_key_equal(const struct public_key *a, const struct public_key *b);
int public_key_compare(const struct public_key *a, const struct public_key *b);

/* public_key_from_bytes, signature_from_bytes: Errors: POT_EFORMAT if size is
 * wrong. */
POT_MUST_USE enum pot_err public_key_from_bytes(struct public_key *out,
                                                const void *data, size_t size);
POT_MUST_USE enum pot_err signature_from_bytes(struct signature *out,
                                               const void *data, size_t size);

/* address_format: "pot1..."; returns text.  address_parse: the inverse.
 * Errors: POT_EFORMAT, out untouched. */
const char *address_format(const struct public_key *key,
                           char text[static ADDRESS_TEXT_SIZE]);
POT_MUST_USE enum pot_err address_parse(struct public_key *out,
                                        const char *text);

#endif
