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

/* verified_check: whether the signature holds, from memory or by checking it
 * now (about 50 us); hash, may be NULL, receives the message's hash. */
bool verified_check(struct verified *verified, const char *what,
                    const Pot__Signed *message, struct hash *hash);

/* verified_check_hashed: the same, of one whose hash is known already. */
bool verified_check_hashed(struct verified *verified, const char *what,
                           const Pot__Signed *message, const struct hash *hash);

/* verified_add_vote: one whose signature was found right, by vote_id, for
 * verified_has_vote: a known_votes' has, with the verified as its context. */
void verified_add_vote(struct verified *verified, const struct hash *id);
bool verified_has_vote(void *context, const struct hash *id);

/* verified_checks: signatures that had to be checked, ever. */
uint64_t verified_checks(struct verified *verified);

#endif
