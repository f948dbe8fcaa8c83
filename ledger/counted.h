/* counted: which submissions of a round count.
 *
 * A submission fits when its miner is in the round's roster and it is for the
 * round, its parameters and its rows.  It counts when a quorum of the
 * validators accepts it, and is refused when more validators refuse it than
 * may be faulty.  Each miner is listed once, counted before refused. */
#ifndef POT_LEDGER_COUNTED_H
#define POT_LEDGER_COUNTED_H

#include <stddef.h>

#include "ledger/round_update.h"
#include "proto/chain.pb-c.h"

struct settle;
struct ledger_env;

/* counted_read: the lists of an update, every rule checked, into s. */
POT_MUST_USE enum round_verdict counted_read(struct settle *s,
                                             const struct ledger_env *env,
                                             const Pot__RoundUpdate *update,
                                             struct ledger_trust trust);

/* The messages behind the lists in s, borrowed from the candidate; free()
 * each array. */
struct counted_messages {
    const Pot__Signed **counted;
    const Pot__Signed **refused;
    const Pot__Signed **attestations;
};

/* counted_select: the lists that follow from all that a node holds, into s
 * and *out; what stands in them stays the candidate's. */
void counted_select(struct settle *s, struct counted_messages *out,
                    const struct round_candidate *candidate);

/* counted_drop: empties the list of counted ones, as for a round that closes
 * empty, and what attests to nothing else. */
void counted_drop(struct settle *s, struct counted_messages *messages);

#endif
