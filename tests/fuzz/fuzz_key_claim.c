/* Keys and signatures as anybody may send them: claims of 96 bytes, key and
 * signature, over always the same.  One by one, together, beside right ones and
 * by libdecaf alone the answer is the same, and libsodium accepts nothing
 * else. */
#include "config.h"

#include "base/check.h"
#include "base/key_batch.h"
#include "base/key_equation.h"

#include <sodium.h>
#include <string.h>

#define CLAIM_BYTES (PUBLIC_KEY_SIZE + SIGNATURE_SIZE)
#define CLAIMS_MAX  4
#define RIGHT       5 /* with one more they are enough for a sum */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char signed_text[] = "fuzz";

static void make_right(struct key_claim claims[static RIGHT])
{
    static const struct hash chain;
    for (uint8_t i = 0; i < RIGHT; i++) {
        uint8_t seed[KEY_SEED_SIZE] = {i};
        struct signature signature;
        struct key *key = key_from_seed(seed);
        bool is_signed = key_sign(&signature, key, "fuzz", &chain, &i, 1);
        POT_ASSERT(is_signed);
        key_claim_init(&claims[i], key_public(key), "fuzz", &chain, &i, 1,
                       &signature);
        key_free(key);
    }
}

static void read_claim(struct key_claim *out, const uint8_t *data)
{
    memcpy(out->public_key.b, data, PUBLIC_KEY_SIZE);
    memcpy(out->signature.b, data + PUBLIC_KEY_SIZE, SIGNATURE_SIZE);
    memcpy(out->bytes.data, signed_text, sizeof(signed_text));
    out->bytes.size = sizeof(signed_text);
}

static bool holds_alone(const struct key_claim *claim)
{
    struct key_equation equation;
    decaf_255_point_t key;
    return key_equation_open(&equation, claim) &&
           key_equation_open_key(key, &claim->public_key) &&
           key_equation_holds(&equation, key);
}

static bool sodium_accepts(const struct key_claim *claim)
{
    return crypto_sign_verify_detached(claim->signature.b, claim->bytes.data,
                                       claim->bytes.size,
                                       claim->public_key.b) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct key_claim claims[CLAIMS_MAX + RIGHT];
    static bool is_made;
    bool holds[CLAIMS_MAX + RIGHT];
    if (!is_made) {
        make_right(claims);
        is_made = true;
    }
    size_t count = RIGHT;
    for (size_t at = 0; size - at >= CLAIM_BYTES; at += CLAIM_BYTES) {
        if (count < CLAIMS_MAX + RIGHT) {
            read_claim(&claims[count++], data + at);
        }
    }
    key_batch_check(claims, count > RIGHT ? count : 0, holds);
    for (size_t i = RIGHT; i < count; i++) {
        POT_ASSERT(holds[i] == holds_alone(&claims[i]));
        POT_ASSERT(holds[i] == key_claim_holds(&claims[i]));
        POT_ASSERT(holds[i] || !sodium_accepts(&claims[i]));
    }
    for (size_t i = 0; i < RIGHT && count > RIGHT; i++) {
        POT_ASSERT(holds[i]);
    }
    return 0;
}
