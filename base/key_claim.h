/* key_claim: "this key signed this": all that is needed to say whether it is
 * so. */
#ifndef POT_BASE_KEY_CLAIM_H
#define POT_BASE_KEY_CLAIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/key.h"

/* The bytes under a signature: "pot/1/<what>/", the chain, the message.  A
 * message too long for this stands as its hash under "pot/1-long/". */
struct signed_bytes {
    uint8_t data[384];
    size_t size;
};

void signed_bytes_init(struct signed_bytes *bytes, const char *what,
                       const struct hash *chain, const void *message,
                       size_t size);

struct key_claim {
    struct public_key public_key;
    struct signature signature;
    struct signed_bytes bytes;
};

/* key_claim_init: borrows nothing of what it is given. */
void key_claim_init(struct key_claim *claim,
                    const struct public_key *public_key, const char *what,
                    const struct hash *chain, const void *message, size_t size,
                    const struct signature *signature);

/* key_claim_holds: by the rule of base/key_equation.h.  About 50 us, the double
 * of one that does not hold. */
bool key_claim_holds(const struct key_claim *claim);

#endif
