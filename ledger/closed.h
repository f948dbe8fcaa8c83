/* closed: what the state remembers of a closed round of an exact task, so that
 * its submissions can be challenged: which were counted, who says to have
 * audited them, and what a gradient of it is computed from.
 *
 * A round can be challenged until challenge_blocks and challenge_ms are both
 * over, and stays as long as a challenge is open (ledger/challenge.h).  Until
 * then its theta is held.  The stake of its counted miners is bound for the
 * former, that of who is accused for the latter. */
#ifndef POT_LEDGER_CLOSED_H
#define POT_LEDGER_CLOSED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "ledger/ledger.h"

struct settle;

/* closed_keep: remembers the round in s that closes in that block; before its
 * theta is replaced. */
void closed_keep(const struct settle *s, const struct ledger_env *env,
                 const struct ledger_block *block);

/* closed_is_within: in that block no more than so many times challenge_blocks,
 * or so many times challenge_ms, have passed since the round closed. */
bool closed_is_within(const Pot__ClosedRecord *closed,
                      const Pot__GenesisParams *params,
                      const struct ledger_block *block, unsigned times);

/* closed_bind: the miner's stake is bound for challenge_blocks and challenge_ms
 * from that block on, if it is not for longer. */
void closed_bind(const struct state *state, const Pot__GenesisParams *params,
                 const struct ledger_block *from,
                 const struct public_key *miner);

/* closed_find: the submission in it; NULL: it was not counted. */
const Pot__ClosedSubmission *closed_find(const Pot__ClosedRecord *closed,
                                         const struct hash *submission);

/* closed_load: the one of that name in a list "closed-until/", for codec_free;
 * NULL: the state cannot be read.  closed_forget: it is no more. */
Pot__ClosedRecord *closed_load(const struct state *state,
                               const struct hash *name);
void closed_forget(const struct ledger_env *env, const struct hash *name,
                   const Pot__ClosedRecord *closed);

#endif
