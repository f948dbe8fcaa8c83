/* dropped: the last transactions that left the mempool and that no block can
 * take any more, and why: for who asks, and for those that wait behind. */
#ifndef POT_NODE_TX_DROPPED_H
#define POT_NODE_TX_DROPPED_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/key.h"

#define DROPPED_MAX 256

struct dropped_tx {
    struct hash tx;
    struct public_key sender;
    uint64_t nonce;
    const char *why; /* static, for people; NULL: this place is empty */
};

/* Zeroed: nothing. */
struct dropped {
    struct dropped_tx txs[DROPPED_MAX];
    size_t next; /* the place that is overwritten next */
};

/* dropped_note: copies it; the oldest one is forgotten for it. */
void dropped_note(struct dropped *dropped, const struct dropped_tx *tx);

/* Each the last one, borrowed until the next dropped_note; NULL: none is
 * remembered. */
const struct dropped_tx *dropped_find(const struct dropped *dropped,
                                      const struct hash *tx);
const struct dropped_tx *dropped_of(const struct dropped *dropped,
                                    const struct public_key *sender,
                                    uint64_t nonce);

#endif
