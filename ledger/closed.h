/* closed: what the state remembers of a closed round of an exact task, so that
 * its submissions can be challenged: which were counted, who says to have
 * audited them, and what a gradient of it is computed from.
 *
 * A round can be challenged for challenge_blocks, and a challenge settled for
 * as long again.  Until then its theta is held, and the stake of its counted
 * miners is bound. */
#ifndef POT_LEDGER_CLOSED_H
#define POT_LEDGER_CLOSED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "ledger/ledger.h"

struct settle;

/* closed_keep: remembers the round in s that closes in a block of that height;
 * before its theta is replaced. */
void closed_keep(const struct settle *s, const struct ledger_env *env,
                 uint64_t height);

/* closed_find: the submission in it; NULL: it was not counted. */
const Pot__ClosedSubmission *closed_find(const Pot__ClosedRecord *closed,
                                         const struct hash *submission);

void closed_store(const struct state *state, const Pot__ClosedRecord *closed);

/* closed_take: forgets the one of that name in a list "closed-until/", and
 * hands it out for codec_free; NULL: the state cannot be read. */
Pot__ClosedRecord *closed_take(const struct ledger_env *env,
                               const struct hash *name);

#endif
