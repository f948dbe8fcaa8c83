#include "config.h"

#include "base/key_claim.h"

#include "base/check.h"
#include "base/key_equation.h"

#include <sodium.h>
#include <string.h>

#define DIRECT_MAX 256

static void add(struct signed_bytes *s, const void *data, size_t size)
{
    POT_ASSERT(size <= sizeof(s->data) - s->size);
    if (size > 0) {
        memcpy(s->data + s->size, data, size);
        s->size += size;
    }
}

void signed_bytes_init(struct signed_bytes *bytes, const char *what,
                       const struct hash *chain, const void *message,
                       size_t size)
{
    const char *domain = size <= DIRECT_MAX ? "pot/1/" : "pot/1-long/";
    bytes->size = 0;
    add(bytes, domain, strlen(domain));
    add(bytes, what, strlen(what));
    add(bytes, "/", 1);
    add(bytes, chain->b, HASH_SIZE);
    if (size <= DIRECT_MAX) {
        add(bytes, message, size);
    } else {
        struct hash digest;
        hash_bytes(&digest, "signed-long", message, size);
        add(bytes, digest.b, HASH_SIZE);
    }
}

void key_claim_init(struct key_claim *claim,
                    const struct public_key *public_key, const char *what,
                    const struct hash *chain, const void *message, size_t size,
                    const struct signature *signature)
{
    claim->public_key = *public_key;
    claim->signature = *signature;
    signed_bytes_init(&claim->bytes, what, chain, message, size);
}

/* What libsodium accepts, the rule accepts: it asks the same of A, R and s, and
 * its equation, the one without the cofactor, is the stricter one.  It is
 * quicker, so it is asked first. */
bool key_claim_holds(const struct key_claim *claim)
{
    struct key_equation equation;
    decaf_255_point_t key;
    return crypto_sign_verify_detached(claim->signature.b, claim->bytes.data,
                                       claim->bytes.size,
                                       claim->public_key.b) == 0 ||
           (key_equation_open(&equation, claim) &&
            key_equation_open_key(key, &claim->public_key) &&
            key_equation_holds(&equation, key));
}
