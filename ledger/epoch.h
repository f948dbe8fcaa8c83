/* epoch: the validator set follows the stakes at the end of each epoch. */
#ifndef POT_LEDGER_EPOCH_H
#define POT_LEDGER_EPOCH_H

#include <stdint.h>

#include "ledger/ledger.h"

/* epoch_store_validators: the set that signs the next height. */
void epoch_store_validators(const struct state *state,
                            const struct validator_set *set);

/* epoch_end: if height ends an epoch, the set that signs the next height:
 * members that still hold the minimum stake, in their order, then other
 * stakers by ascending key, as many as fit.  A set that would be empty stays
 * as it is. */
void epoch_end(const struct ledger_env *env, uint64_t height);

#endif
