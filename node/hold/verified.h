/* verified: signed messages and votes whose signature was found right, so that
 * a node checks each of them once: on arrival, not again in a block.  Any
 * thread may call. */
#ifndef POT_NODE_HOLD_VERIFIED_H
#define POT_NODE_HOLD_VERIFIED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"
#include "proto/chain.pb-c.h"

struct verified; /* opaque: node/hold/verified.c */

/* verified_new: remembers the `size` latest. */
struct verified *verified_new(const struct hash *chain, size_t size);
void verified_free(struct verified *verified);

struct verified_ask {
    const char *what;
    const Pot__Signed *message;
    struct hash hash; /* by signed_hash */
    bool holds;       /* the answer */
};

/* verified_check: whether each signature holds, from memory or by checking now
 * those that are not known, together: some 25 us each of hundreds, 50 us a
 * single one.  What another thread is at is waited for: some ms at most. */
void verified_check(struct verified *verified, struct verified_ask *asks,
                    size_t count);

/* verified_add_vote: one whose signature was found right, by vote_id, for
 * verified_has_vote: a known_votes' has, with the verified as its context. */
void verified_add_vote(struct verified *verified, const struct hash *id);
bool verified_has_vote(void *context, const struct hash *id);

/* verified_checks: signatures that had to be checked, ever. */
uint64_t verified_checks(struct verified *verified);

#endif
