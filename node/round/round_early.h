/* round_early: messages of rounds that this node's tip has not opened yet,
 * kept for the blocks that are on their way.  A few of each author, and only
 * of those who may take part. */
#ifndef POT_NODE_ROUND_ROUND_EARLY_H
#define POT_NODE_ROUND_ROUND_EARLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/key.h"
#include "ledger/state.h"
#include "proto/chain.pb-c.h"

enum arrival_kind {
    ARRIVAL_SUBMISSION,
    ARRIVAL_COMMITMENT,
    ARRIVAL_ATTESTATION,
};

/* A message about a round, and how it came here. */
struct arrival {
    const Pot__Signed *message; /* borrowed */
    uint64_t peer_id;           /* 0: we made it */
    uint64_t height;            /* of the tip when it came */
    enum arrival_kind kind;
};

struct round_early_message; /* opaque: node/round/round_early.c */

/* Zeroed: empty. */
struct round_early {
    struct round_early_message *first;
    size_t count;
};

/* round_early_keep: keeps a copy of the author's message; false when it waits
 * for too long already, there is no room, or the author may not take part.  Of
 * an author's pledges in a round the latest alone is kept.
 *
 * In: state, height  of the tip */
bool round_early_keep(struct round_early *early, const struct arrival *arrival,
                      const struct public_key *author,
                      const struct state *state, uint64_t height);

/* round_early_replay: calls take for each, in the order in which they came, and
 * keeps none but those that take keeps again. */
void round_early_replay(struct round_early *early,
                        bool (*take)(void *context,
                                     const struct arrival *arrival),
                        void *context);

void round_early_fini(struct round_early *early);

#endif
