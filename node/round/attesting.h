/* attesting: the attestations of one open round: the latest of each
 * validator, our own among them. */
#ifndef POT_NODE_ROUND_ATTESTING_H
#define POT_NODE_ROUND_ATTESTING_H

#include <stdbool.h>

#include "ledger/round_update.h"
#include "proto/chain.pb-c.h"
#include "proto/round.h"
#include "proto/state.pb-c.h"

struct rounds_shared;
struct attesting; /* opaque: node/round/attesting.c */

/* attesting_new: shared is borrowed and outlives it. */
struct attesting *attesting_new(struct rounds_shared *shared);
void attesting_free(struct attesting *attesting);

/* attesting_take: takes what is in opened, of this round; true: it is a
 * validator's, and newer than what was held of it. */
bool attesting_take(struct attesting *attesting,
                    struct round_attestation *opened,
                    const Pot__Signed *message);

/* attesting_say: numbers the body, signs it, takes it and sends it to
 * everyone.  In: shared has a key.  False: it did not sign; nothing is said. */
bool attesting_say(struct attesting *attesting, Pot__AttestationBody *body);

/* attesting_close: says to everyone that this validator takes no more
 * commitments of the round; false: the key did not sign. */
bool attesting_close(const struct attesting *attesting,
                     const Pot__TaskRecord *task);

/* attesting_list: fresh memory for the candidate's attestations; what is in
 * them stays the attesting's. */
void attesting_list(const struct attesting *attesting,
                    struct round_candidate *candidate);

#endif
