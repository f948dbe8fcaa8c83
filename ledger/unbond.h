/* unbond: a validator's withdrawn stake stays bound for a while, so that who
 * voted with it can still be punished.
 *
 * It is free unbonding_blocks after the end of the epoch in which it was
 * withdrawn: until then the validator may still be in the set.  Evidence
 * expires no later (proto/genesis.c), so no fault outlives its stake. */
#ifndef POT_LEDGER_UNBOND_H
#define POT_LEDGER_UNBOND_H

#include <stdint.h>

#include "base/err.h"
#include "ledger/ledger.h"

/* unbond_begin: account, which is key's, gets another part at height; the
 * caller stores it.  false: it has too many, or too many others have one that
 * ends with it. */
POT_MUST_USE bool unbond_begin(const struct state *state,
                               const Pot__GenesisParams *params,
                               uint64_t height, const struct public_key *key,
                               struct account *account, uint64_t amount);

/* unbond_end: what is free behind the block of this height goes to the
 * balances. */
void unbond_end(const struct state *state, uint64_t height);

#endif
