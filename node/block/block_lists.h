/* block_lists: by what the parts of a block are found in the store. */
#ifndef POT_NODE_BLOCK_BLOCK_LISTS_H
#define POT_NODE_BLOCK_BLOCK_LISTS_H

struct block;
struct state;
struct store_commit;
struct store_reward;
struct store_round;

/* The arrays behind a store_commit. */
struct block_lists {
    struct store_reward *rewards;
    struct store_round *rounds;
};

/* block_lists_init: those of a block that the ledger took, state being one
 * behind it; commit refers to them, and to the block, until
 * block_lists_fini. */
void block_lists_init(struct block_lists *lists, struct store_commit *commit,
                      const struct block *block, const struct state *state);
void block_lists_fini(struct block_lists *lists);

#endif
