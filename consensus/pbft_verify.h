/* pbft_verify: what needs no state of a message: its form, and every
 * signature in it. */
#ifndef POT_CONSENSUS_PBFT_VERIFY_H
#define POT_CONSENSUS_PBFT_VERIFY_H

#include <stdbool.h>

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

#endif
