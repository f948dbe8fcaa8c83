/* round_lists: what an update lists of a round: the submissions that count,
 * those that are refused, and the attestations on them.
 *
 * A submission fits when its miner is in the round's roster and it is for the
 * round, its parameters and its rows.  It counts when a quorum of the
 * validators accepts it, and is refused when more validators refuse it than
 * may be faulty.  Each miner is listed once, counted before refused. */
#ifndef POT_LEDGER_ROUND_LISTS_H
#define POT_LEDGER_ROUND_LISTS_H

#include "ledger/round_update.h"
#include "proto/chain.pb-c.h"

struct settle;
struct ledger_env;

/* round_lists_read: the lists of an update, every rule checked, into s. */
POT_MUST_USE enum round_verdict round_lists_read(struct settle *s,
                                                 const struct ledger_env *env,
                                                 const Pot__RoundUpdate *update,
                                                 struct ledger_trust trust);

/* The messages behind the lists in s, borrowed from the candidate; free()
 * each array. */
struct round_messages {
    const Pot__Signed **counted;
    const Pot__Signed **refused;
    const Pot__Signed **attestations;
};

/* round_lists_select: the lists that follow from all that a node holds, into s
 * and *out; what stands in them stays the candidate's. */
void round_lists_select(struct settle *s, struct round_messages *out,
                        const struct round_candidate *candidate);

/* round_lists_drop_counted: empties the list of counted ones, as for a round
 * that closes empty, and what attests to nothing else. */
void round_lists_drop_counted(struct settle *s,
                              struct round_messages *messages);

#endif
