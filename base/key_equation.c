#include "config.h"

#include "base/key_equation.h"

#include "base/key_claim.h"

#include <sodium.h>

/* libdecaf takes no other encoding of a point than the one. */
static bool open_point(decaf_255_point_t out, const uint8_t b[static 32])
{
    return decaf_255_point_decode_like_eddsa_and_mul_by_ratio(out, b) ==
               DECAF_SUCCESS &&
           decaf_255_point_eq(out, decaf_255_point_identity) != DECAF_TRUE;
}

bool key_equation_open(struct key_equation *out, const struct key_claim *claim)
{
    const uint8_t *r = claim->signature.b;
    crypto_hash_sha512_state state;
    uint8_t digest[crypto_hash_sha512_BYTES];
    if (decaf_255_scalar_decode(out->s, r + 32) != DECAF_SUCCESS ||
        !open_point(out->r, r)) {
        return false;
    }
    (void)crypto_hash_sha512_init(&state);
    (void)crypto_hash_sha512_update(&state, r, 32);
    (void)crypto_hash_sha512_update(&state, claim->public_key.b,
                                    PUBLIC_KEY_SIZE);
    (void)crypto_hash_sha512_update(&state, claim->bytes.data,
                                    claim->bytes.size);
    (void)crypto_hash_sha512_final(&state, digest);
    decaf_255_scalar_decode_long(out->k, digest, sizeof(digest));
    return true;
}

bool key_equation_open_key(decaf_255_point_t out, const struct public_key *key)
{
    return open_point(out, key->b);
}

void key_equation_base(decaf_255_scalar_t out, const decaf_255_scalar_t s)
{
    decaf_255_scalar_copy(out, s);
    for (unsigned i = 1; i < DECAF_255_EDDSA_DECODE_RATIO; i *= 2) {
        decaf_255_scalar_add(out, out, out);
    }
}

/* s B + k A.  libdecaf leaves out s B where k is 0. */
static void add_both(decaf_255_point_t out, const decaf_255_scalar_t s,
                     const decaf_255_point_t key, const decaf_255_scalar_t k)
{
    if (decaf_255_scalar_eq(k, decaf_255_scalar_zero) == DECAF_TRUE) {
        decaf_255_point_scalarmul(out, decaf_255_point_base, s);
    } else {
        decaf_255_base_double_scalarmul_non_secret(out, s, key, k);
    }
}

bool key_equation_holds(const struct key_equation *equation,
                        const decaf_255_point_t key)
{
    decaf_255_point_t sum;
    decaf_255_scalar_t base;
    decaf_255_scalar_t minus_k;
    key_equation_base(base, equation->s);
    decaf_255_scalar_sub(minus_k, decaf_255_scalar_zero, equation->k);
    add_both(sum, base, key, minus_k);
    return decaf_255_point_eq(sum, equation->r) == DECAF_TRUE;
}
