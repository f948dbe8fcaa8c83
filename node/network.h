/* network: p2p/ as this node uses it. */
#ifndef POT_NODE_NETWORK_H
#define POT_NODE_NETWORK_H

#include "base/err.h"
#include "p2p/claims.h"

struct node;

/* network_open: node->net, and what stands on it: gossip, blobs, block sync.
 * node->chain is open.  Errors: those of net_open. */
POT_MUST_USE enum pot_err network_open(struct node *node);

/* network_claim: where this node stands, as it tells its peers. */
struct claim network_claim(const struct node *node);

#endif
