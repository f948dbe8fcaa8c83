#include "config.h"

#include "base/key.h"

#include "base/check.h"
#include "base/key_claim.h"

#include <sodium.h>
#include <string.h>

#define ADDRESS_PREFIX "pot"

struct key {
    uint8_t seed[KEY_SEED_SIZE];
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    struct public_key public_key;
    struct key_signer signer; /* sign is NULL: the secret is here */
};

static struct key *key_alloc(void)
{
    int rc = sodium_init();
    POT_ASSERT(rc >= 0);
    struct key *key = sodium_malloc(sizeof(*key));
    POT_ASSERT(key != NULL);
    memset(key, 0, sizeof(*key));
    return key;
}

struct key *key_from_seed(const uint8_t seed[static KEY_SEED_SIZE])
{
    struct key *key = key_alloc();
    memcpy(key->seed, seed, sizeof(key->seed));
    int rc =
        crypto_sign_seed_keypair(key->public_key.b, key->secret, key->seed);
    POT_ASSERT(rc == 0);
    return key;
}

struct key *key_generate(void)
{
    uint8_t seed[KEY_SEED_SIZE];
    int rc = sodium_init();
    POT_ASSERT(rc >= 0);
    randombytes_buf(seed, sizeof(seed));
    struct key *key = key_from_seed(seed);
    sodium_memzero(seed, sizeof(seed));
    return key;
}

struct key *key_remote(const struct public_key *public_key,
                       const struct key_signer *signer)
{
    struct key *key = key_alloc();
    key->public_key = *public_key;
    key->signer = *signer;
    return key;
}

bool key_is_remote(const struct key *key)
{
    return key->signer.sign != NULL;
}

struct key *key_copy(const struct key *key)
{
    return key_is_remote(key) ? key_remote(&key->public_key, &key->signer)
                              : key_from_seed(key->seed);
}

void key_free(struct key *key)
{
    sodium_free(key); /* wipes */
}

const struct public_key *key_public(const struct key *key)
{
    return &key->public_key;
}

const uint8_t *key_seed(const struct key *key)
{
    return key->seed;
}

bool key_sign(struct signature *out, const struct key *key, const char *what,
              const struct hash *chain, const void *message, size_t size)
{
    struct signed_bytes s;
    if (key_is_remote(key)) {
        memset(out, 0, sizeof(*out));
        return key->signer.sign(key->signer.context, out, what, chain, message,
                                size);
    }
    signed_bytes_init(&s, what, chain, message, size);
    int rc = crypto_sign_detached(out->b, NULL, s.data, s.size, key->secret);
    POT_ASSERT(rc == 0);
    return true;
}

bool key_verify(const struct public_key *public_key, const char *what,
                const struct hash *chain, const void *message, size_t size,
                const struct signature *signature)
{
    struct key_claim claim;
    key_claim_init(&claim, public_key, what, chain, message, size, signature);
    return key_claim_holds(&claim);
}

bool public_key_equal(const struct public_key *a, const struct public_key *b)
{
    return memcmp(a->b, b->b, PUBLIC_KEY_SIZE) == 0;
}

int public_key_compare(const struct public_key *a, const struct public_key *b)
{
    return memcmp(a->b, b->b, PUBLIC_KEY_SIZE);
}

enum pot_err public_key_from_bytes(struct public_key *out, const void *data,
                                   size_t size)
{
    if (size != PUBLIC_KEY_SIZE) {
        return POT_EFORMAT;
    }
    memcpy(out->b, data, PUBLIC_KEY_SIZE);
    return POT_OK;
}

enum pot_err signature_from_bytes(struct signature *out, const void *data,
                                  size_t size)
{
    if (size != SIGNATURE_SIZE) {
        return POT_EFORMAT;
    }
    memcpy(out->b, data, SIGNATURE_SIZE);
    return POT_OK;
}

const char *address_format(const struct public_key *key,
                           char text[static ADDRESS_TEXT_SIZE])
{
    bech32_format(text, ADDRESS_PREFIX, key->b);
    return text;
}

enum pot_err address_parse(struct public_key *out, const char *text)
{
    return bech32_parse(out->b, ADDRESS_PREFIX, text);
}
