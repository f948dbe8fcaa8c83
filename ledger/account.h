/* account: changing accounts; ledger_account loads one. */
#ifndef POT_LEDGER_ACCOUNT_H
#define POT_LEDGER_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/key.h"
#include "ledger/ledger.h"

/* account_store: what account holds now. */
void account_store(const struct state *state, const struct public_key *key,
                   const struct account *account);

/* account_credit: cannot overflow, the whole supply fits. */
void account_credit(const struct state *state, const struct public_key *key,
                    uint64_t units);

/* account_debit: false, and nothing written, if the balance is too low. */
POT_MUST_USE bool account_debit(const struct state *state,
                                const struct public_key *key, uint64_t units);

#endif
