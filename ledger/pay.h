/* pay: who gets what for a round.
 *
 * The budget is spread evenly over the rounds, so that all of them together
 * take exactly the budget.  Of a round's part attesting_bps go to the
 * validators whose attestations are listed, in equal shares, proposing_bps
 * to the proposer, the rest to the miners by their rows.  Shares are rounded
 * down; what is left over, and the part of a round that closes empty, stays
 * in the escrow and goes back to the owner at the end. */
#ifndef POT_LEDGER_PAY_H
#define POT_LEDGER_PAY_H

#include <stdint.h>

#include "base/key.h"

struct settle;
struct ledger_env;

/* pay_of_round: what may be paid in this round, 0 <= round < rounds.
 * Outside this module tests ask it. */
uint64_t pay_of_round(uint64_t budget, uint32_t round, uint32_t rounds);

/* pay_compute: fills rewards: miners, validators, proposer; none is zero. */
void pay_compute(struct settle *s, const struct public_key *proposer);

/* pay_write: credits them from the task's escrow; the record is not
 * stored. */
void pay_write(struct settle *s, const struct ledger_env *env);

#endif
