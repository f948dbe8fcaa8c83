/* owed: how long the primary of a view may leave out one piece of work that
 * its blocks could have taken: a transaction, a round that can be closed.
 *
 * It is overdue once OWED_BLOCKS blocks of the view have passed it over and a
 * time-out has gone by since the first of these.  Each primary gets as much.
 * When f + 1 primaries have left it out, one of them was honest: then it is
 * not the primaries that are wrong, and nothing more is asked for it.
 *
 * Blocks of the chain only, so that what one is asked for is what all have
 * seen; pure. */
#ifndef POT_NODE_BLOCK_OWED_H
#define POT_NODE_BLOCK_OWED_H

#include <stdbool.h>
#include <stdint.h>

#define OWED_BLOCKS 4

/* A zeroed struct: nobody has left it out yet. */
struct owed {
    uint64_t view;
    uint64_t since_ms;  /* the first block that passed it over in view */
    uint32_t passed;    /* such blocks */
    uint32_t primaries; /* earlier ones that left it out until overdue */
    bool is_overdue;
};

/* A block by which its primary is judged. */
struct owed_rule {
    bool has_room; /* it could have taken more */
    uint64_t view; /* in which it was proposed and committed */
    uint64_t now_ms;
    uint64_t timeout_ms;
    uint32_t faults;
};

/* owed_pass: a block could have taken it, and did not.  True: the primary is
 * to be replaced. */
bool owed_pass(struct owed *owed, const struct owed_rule *rule);

#endif
