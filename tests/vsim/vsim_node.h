/* vsim_node: a node of the simulation: its folder, its starts and its ends. */
#ifndef POT_TESTS_VSIM_NODE_H
#define POT_TESTS_VSIM_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/vsim/vsim_world.h"

/* vsim_node_open_all: keys, genesis, homes and settings of all nodes, in
 * fresh folders.  vsim_node_close_all: all of it goes. */
void vsim_node_open_all(const char *folder);
void vsim_node_close_all(void);

/* vsim_node_remove_tree: a folder goes, with all that is in it. */
void vsim_node_remove_tree(const char *path);

/* vsim_node_key: the key of a node, or, from VSIM_NODES_MAX on, of a client;
 * borrowed. */
struct key *vsim_node_key(uint32_t index);

/* vsim_node_start: fine when it runs.  vsim_node_start_in: after some time. */
void vsim_node_start(struct vsim_node *node);
void vsim_node_start_in(struct vsim_node *node, uint64_t delay_us);

/* vsim_node_die: its process ends here and now. */
void vsim_node_die(struct vsim_node *node, enum vsim_crash crash);

/* vsim_node_lose_store: a node that is down starts without. */
void vsim_node_lose_store(struct vsim_node *node);

/* vsim_node_after_step: the end of a node whose disk froze or that has
 * stopped by itself; the checks of one that runs. */
void vsim_node_after_step(void);

#endif
