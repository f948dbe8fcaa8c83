/* validator_sets: who signs which height.
 *
 * A set is kept in the store as a blob of the chain's, in the encoding of
 * Pot__ValidatorSet, under a key: its validators_hash, or, for the set that
 * signs the first block, the hash of the genesis.  It is kept once for all
 * the heights that it signs, and never dropped. */
#ifndef POT_NODE_BLOCK_VALIDATOR_SETS_H
#define POT_NODE_BLOCK_VALIDATOR_SETS_H

#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"

struct holdings;
struct overlay;
struct state;
struct validator_set;

/* validator_sets_next: the validators_hash of the set that signs the height
 * after this state's. */
void validator_sets_next(struct hash *out, const struct state *state);

/* validator_sets_keep: keeps that set under key. */
void validator_sets_keep(struct overlay *overlay, const struct state *state,
                         const struct hash *key);

/* validator_sets_key: of the set that signs `height` > 0.
 * Errors: POT_ENOENT height is beyond the tip + 1; the store's. */
POT_MUST_USE enum pot_err validator_sets_key(const struct holdings *holdings,
                                             uint64_t height, struct hash *key);

/* validator_sets_read: the set under a key.
 * Errors: POT_ECORRUPT, also when there is none or what is there is no set of
 *         that key: what is asked for was kept;
 *         the store's */
POT_MUST_USE enum pot_err validator_sets_read(const struct holdings *holdings,
                                              const struct hash *key,
                                              struct validator_set *out);

/* validator_sets_at: both in one; reads the block before `height`.  Errors:
 * those of the two. */
POT_MUST_USE enum pot_err validator_sets_at(const struct holdings *holdings,
                                            uint64_t height,
                                            struct validator_set *out);

#endif
