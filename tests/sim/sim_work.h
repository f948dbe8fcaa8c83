/* sim_work: work that wants to be put into blocks, for lives that ask how well
 * primaries serve.  Items are of clients; every node hears of each a little
 * later than it was born, and judges primaries by node/block/owed.h, as a real
 * node does by its mempool. */
#ifndef POT_TESTS_SIM_WORK_H
#define POT_TESTS_SIM_WORK_H

#include "node/block/owed.h"
#include "tests/sim/sim_world.h"

#define SIM_ITEMS       512
#define SIM_BLOCK_ITEMS 8 /* at most in one block */
#define SIM_CLIENTS     4

struct sim_item {
    uint32_t client;
    uint64_t born_ms;
    uint64_t taken_ms; /* by the first honest node that stored its block */
};

struct sim_node_work {
    uint64_t arrived_ms[SIM_ITEMS]; /* 0: not heard of */
    bool is_taken[SIM_ITEMS];
    struct owed owed[SIM_ITEMS];
};

struct sim_work {
    struct sim_item items[SIM_ITEMS];
    size_t count;
    struct sim_node_work nodes[SIM_NODES];
};

/* sim_work_bear: a new item, and when who hears of it (SIM_ITEM). */
void sim_work_bear(struct sim_world *world, uint32_t client);

/* sim_work_choose: what node puts into its block; into ids, of which there
 * are at most SIM_BLOCK_ITEMS.  Returns how many. */
size_t sim_work_choose(const struct sim_world *world,
                       const struct sim_node *node, uint64_t *ids);

/* sim_work_stored: node stored a block at its height. */
void sim_work_stored(struct sim_world *world, const struct sim_node *node);

/* sim_work_judge: after the replica has heard of it.  True: its primary has
 * left out an item for too long. */
bool sim_work_judge(struct sim_world *world, const struct sim_node *node);

/* sim_work_waits: whether node holds an item that no block took. */
bool sim_work_waits(const struct sim_world *world, const struct sim_node *node);

#endif
