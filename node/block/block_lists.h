/* block_lists: by what the parts of a block are found in the store. */
#ifndef POT_NODE_BLOCK_BLOCK_LISTS_H
#define POT_NODE_BLOCK_BLOCK_LISTS_H

#include "proto/chain.pb-c.h"

struct hash;
struct store_commit;
struct store_reward;
struct store_round;

/* The arrays behind a store_commit. */
struct block_lists {
    struct hash *txs;
    struct store_reward *rewards;
    struct store_round *rounds;
};

/* block_lists_init: those of a block that the ledger took; commit refers to
 * them until block_lists_fini. */
void block_lists_init(struct block_lists *lists, struct store_commit *commit,
                      const Pot__Block *body);
void block_lists_fini(struct block_lists *lists);

#endif
