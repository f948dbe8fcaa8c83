/* fetch_node: a node of a world that follows the chain, says so, and gets blobs
 * from the others and gives them; its user is its blob_fetch. */
#ifndef POT_TESTS_UNIT_FETCH_NODE_H
#define POT_TESTS_UNIT_FETCH_NODE_H

#include "p2p/blob_fetch.h"
#include "tests/unit/p2p_nodes.h"

/* fetch_node_open: config's net is filled in; all but node 0 dial that.  Its
 * blob_fetch, which blob_fetch_free releases when the node is closed. */
struct blob_fetch *fetch_node_open(struct world *world, unsigned index,
                                   struct blob_fetch_config config);

/* fetch_node_on_message: the node's, unless a test has another. */
void fetch_node_on_message(struct node *node, struct peer *peer, uint8_t type,
                           const uint8_t *data, size_t size);

#endif
