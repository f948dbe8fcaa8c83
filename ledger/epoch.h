/* epoch: the validator set follows the stakes at the end of each epoch.
 *
 * Epoch e is the heights e * epoch_blocks + 1 to (e + 1) * epoch_blocks, all
 * signed by one set. */
#ifndef POT_LEDGER_EPOCH_H
#define POT_LEDGER_EPOCH_H

#include <stdint.h>

#include "ledger/ledger.h"

/* epoch_store_validators: the set that signs the next height. */
void epoch_store_validators(const struct state *state,
                            const struct validator_set *set);

/* epoch_last: the last height of the epoch of `height` > 0. */
uint64_t epoch_last(const Pot__GenesisParams *params, uint64_t height);

/* epoch_signers: the set that signs or signed `height` > 0; false when it is
 * not known yet, or not any more: of evidence_blocks_max back it is. */
POT_MUST_USE bool epoch_signers(const struct state *state,
                                const Pot__GenesisParams *params,
                                uint64_t height, struct validator_set *out);

/* epoch_begin: as the signers of epoch 0, the set that is stored. */
void epoch_begin(const struct state *state);

/* epoch_end: if height ends an epoch, the set that signs the next height:
 * members that still hold the minimum stake and are not jailed, in their
 * order, then other such stakers by ascending key, as many as fit.  A set
 * that would be empty stays as it is. */
void epoch_end(const struct ledger_env *env, uint64_t height);

#endif
