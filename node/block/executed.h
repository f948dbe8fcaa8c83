/* executed: a block that was executed, with the write set that came of it:
 * storing it executes nothing again. */
#ifndef POT_NODE_BLOCK_EXECUTED_H
#define POT_NODE_BLOCK_EXECUTED_H

struct overlay;
struct shared_block;
struct store;

struct executed {
    struct shared_block *block;
    struct overlay *overlay; /* spent once it was committed */
    struct executed *next;   /* for whoever keeps them */
};

/* executed_new: an empty write set over the store's tip, and no block yet. */
struct executed *executed_new(struct store *store);
void executed_free(struct executed *executed);

#endif
