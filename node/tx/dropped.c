#include "config.h"

#include "node/tx/dropped.h"

void dropped_note(struct dropped *dropped, const struct dropped_tx *tx)
{
    dropped->txs[dropped->next] = *tx;
    dropped->next = (dropped->next + 1) % DROPPED_MAX;
}

/* The one that was noted so many before the next. */
static const struct dropped_tx *at(const struct dropped *dropped, size_t back)
{
    return &dropped->txs[(dropped->next + DROPPED_MAX - back) % DROPPED_MAX];
}

const struct dropped_tx *dropped_find(const struct dropped *dropped,
                                      const struct hash *tx)
{
    for (size_t back = 1; back <= DROPPED_MAX; back++) {
        const struct dropped_tx *one = at(dropped, back);
        if (one->why != NULL && hash_equal(&one->tx, tx)) {
            return one;
        }
    }
    return NULL;
}

const struct dropped_tx *dropped_of(const struct dropped *dropped,
                                    const struct public_key *sender,
                                    uint64_t nonce)
{
    for (size_t back = 1; back <= DROPPED_MAX; back++) {
        const struct dropped_tx *one = at(dropped, back);
        if (one->why != NULL && one->nonce == nonce &&
            public_key_equal(&one->sender, sender)) {
            return one;
        }
    }
    return NULL;
}
