/* referee: the challenges that are open.  A validator computes each of them
 * again and attests to it; every node gathers these words and passes them on;
 * and once a quorum says the same, a node that has a key to send with brings
 * them into a block.  The loop's thread only. */
#ifndef POT_NODE_ROUND_REFEREE_H
#define POT_NODE_ROUND_REFEREE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/chain.pb-c.h"
#include "proto/round.h"

struct own_tx;
struct referee; /* opaque: node/round/referee.c */
struct rounds_shared;

/* referee_new: all is borrowed and outlives it; sender NULL: others bring the
 * words into a block. */
struct referee *referee_new(struct rounds_shared *shared,
                            struct own_tx *sender);
void referee_free(struct referee *referee);

/* referee_refresh: the tip moved, to a block of that height and time. */
void referee_refresh(struct referee *referee, uint64_t height,
                     uint64_t time_ms);

/* referee_is_asked: it speaks of an open challenge. */
bool referee_is_asked(const struct referee *referee,
                      const struct round_attestation *opened);

/* referee_take: takes what is in it; true: it is a validator's first word on
 * an open challenge, and worth passing on. */
bool referee_take(struct referee *referee, struct round_attestation *opened,
                  const Pot__Signed *message);

#endif
