/* validator_set: the validators of a height, in their order, and how many of
 * them it takes. */
#ifndef POT_PROTO_VALIDATOR_SET_H
#define POT_PROTO_VALIDATOR_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"
#include "base/limits.h"

struct validator_set {
    struct public_key keys[VALIDATORS_MAX]; /* distinct */
    uint32_t count;                         /* 1 <= count <= VALIDATORS_MAX */
};

/* validator_set_faults: f = floor((count - 1) / 3), how many may be faulty.
 * validator_set_quorum: ceil((count + f + 1) / 2); two quorums share an
 * honest replica, and the honest ones alone make one. */
uint32_t validator_set_faults(uint32_t count);
uint32_t validator_set_quorum(uint32_t count);

/* validator_set_primary: index of view's primary, view mod count. */
uint32_t validator_set_primary(uint32_t count, uint64_t view);

/* validator_set_find: *index of key; false, and *index untouched, when it is
 * not in the set. */
POT_MUST_USE bool validator_set_find(uint32_t *index,
                                     const struct validator_set *set,
                                     const struct public_key *key);

bool validator_set_equal(const struct validator_set *a,
                         const struct validator_set *b);

/* validator_set_hash: over the keys, in their order; what a block's header
 * says of the set that signs the next height. */
void validator_set_hash(struct hash *out, const struct validator_set *set);

/* validator_set_encode: as a ValidatorSet message, the form in which it is
 * stored; fresh memory, free() releases it.
 * validator_set_decode: the inverse.
 * Errors: POT_EFORMAT no such message, or not 1 to VALIDATORS_MAX keys; *out
 *         is worthless then */
uint8_t *validator_set_encode(size_t *size, const struct validator_set *set);
POT_MUST_USE enum pot_err validator_set_decode(struct validator_set *out,
                                               const void *data, size_t size);

/* validator_set_is: whether that is the set of this hash.  From anyone. */
bool validator_set_is(const struct hash *hash, const void *data, size_t size);

#endif
