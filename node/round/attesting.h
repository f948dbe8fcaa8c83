/* attesting: what the validators say of an open round, we among them: of each
 * its pledge (node/round/pledges.h), the attestation that it had pledged, and
 * the latest one that it had not. */
#ifndef POT_NODE_ROUND_ATTESTING_H
#define POT_NODE_ROUND_ATTESTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/round_update.h"
#include "proto/chain.pb-c.h"
#include "proto/round.h"
#include "proto/state.pb-c.h"

struct attesting; /* opaque: node/round/attesting.c */

/* attesting_new: of a task's open round, whose record is borrowed and outlives
 * it. */
struct attesting *attesting_new(const Pot__TaskRecord *task,
                                uint64_t opened_ms);
void attesting_free(struct attesting *attesting);

/* attesting_take: takes what is in opened, of this round: a validator's pledge
 * or attestation; true: it is in time, or newer than what was held of it, and
 * not one too many (pledges_most). */
bool attesting_take(struct attesting *attesting,
                    struct round_attestation *opened,
                    const Pot__Signed *message);

/* attesting_look: whether so many validators show their words, with so many
 * submissions expected, and at limit_ms in any case; once they do it stays so.
 * See node/round/pledges.h. */
bool attesting_look(struct attesting *attesting, uint32_t validators,
                    size_t expected, uint64_t limit_ms, uint64_t now_ms);

/* attesting_since_ms: since when those who are missing from a round that can be
 * closed since closable_ms were given their time: that they are missing showed
 * when enough was pledged, if each pledge has turned out to be meant. */
uint64_t attesting_since_ms(const struct attesting *attesting,
                            uint64_t closable_ms);

/* Which words count, each of these and those before it. */
enum attesting_reach {
    REACH_KEPT,   /* those that were pledged */
    REACH_LATE,   /* of validators that had pledged nothing else */
    REACH_BROKEN, /* all */
};

/* attesting_reach: while the missing still have time.  Who pledged and shows
 * nothing keeps others' words out for no longer than 300 ms. */
enum attesting_reach attesting_reach(const struct attesting *attesting,
                                     uint64_t now_ms);

/* attesting_unkept: validators whose words are none that they had pledged:
 * late, they had pledged nothing, or broken, something else. */
struct attesting_unkept {
    uint64_t late;
    uint64_t broken;
};
struct attesting_unkept attesting_unkept(const struct attesting *attesting);

/* attesting_list: fresh memory for the attestations of a candidate whose
 * submissions are listed; what is in them stays the attesting's.  One that was
 * not kept is taken, the earlier ones first, where a submission would not be
 * decided without it. */
void attesting_list(const struct attesting *attesting, uint32_t validators,
                    enum attesting_reach reach,
                    struct round_candidate *candidate);

#endif
