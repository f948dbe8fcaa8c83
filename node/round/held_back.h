/* held_back: what an aggregator that tells all validators itself has said of a
 * round's miners (node/round/tellers.h).  They need not be told; but one of
 * them may have missed it, or not be connected to it any more: they are told
 * once, after HELD_BACK_MS, if the round is open still.  The loop's thread
 * only. */
#ifndef POT_NODE_ROUND_HELD_BACK_H
#define POT_NODE_ROUND_HELD_BACK_H

#include <stddef.h>
#include <stdint.h>

#include "proto/chain.pb-c.h"

struct gossip;
struct held;

#define HELD_BACK_MS  6000
#define HELD_BACK_MAX 8192 /* more of them are told at once */

/* A zeroed struct holds nothing. */
struct held_back {
    struct held *all; /* the oldest first */
    size_t count;
    size_t told; /* of them, from the first one on */
};

void held_back_fini(struct held_back *held_back);

/* held_back_add: a verified message of that type, which is copied. */
void held_back_add(struct held_back *held_back, struct gossip *gossip,
                   uint8_t type, const Pot__Signed *message, uint64_t now_ms);

void held_back_tick(struct held_back *held_back, struct gossip *gossip,
                    uint64_t now_ms);

#endif
