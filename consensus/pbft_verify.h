/* pbft_verify: what needs no state of a message: its form, and every
 * signature in it. */
#ifndef POT_CONSENSUS_PBFT_VERIFY_H
#define POT_CONSENSUS_PBFT_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "proto/consensus.pb-c.h"

struct validator_set;

/* pbft_verify: whether nothing is missing in message, every index in it is
 * of set, every size is right and every signature holds; the replica asserts
 * what is checked here.  Stateless, may run on any thread. */
POT_MUST_USE bool pbft_verify(const struct validator_set *set,
                              const struct hash *chain,
                              const Pot__ConsensusMessage *message);

/* pbft_is_breach: of a message that pbft_verify refused with the validators of
 * height: whether no honest replica sends such a one.  What is about another
 * height may hold with that one's validators. */
bool pbft_is_breach(const Pot__ConsensusMessage *message, uint64_t height);

/* pbft_signatures: how many signatures pbft_verify checks in an encoded
 * message, at most, before it is decoded. */
uint32_t pbft_signatures(const void *data, size_t size);

#endif
