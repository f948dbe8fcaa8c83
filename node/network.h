/* network: p2p/ as this node uses it. */
#ifndef POT_NODE_NETWORK_H
#define POT_NODE_NETWORK_H

#include "node/node.h"

/* network_open: node->net.  Errors: those of net_open. */
POT_MUST_USE enum pot_err network_open(struct node *node);

/* network_open_transfers: gossip, blobs, block sync, and what stands on them:
 * needs, delivery, catch_up.  node->net and node->chain are open. */
void network_open_transfers(struct node *node);

#endif
