/* node: a running potd, from its config to its exit code. */
#ifndef POT_NODE_NODE_H
#define POT_NODE_NODE_H

#include "base/exit_code.h"

struct node; /* opaque outside node/: node/node_parts.h */
struct node_config;

/* node_run: opens everything, runs until a signal or a fatal fault, closes
 * everything.  What fails is told on stderr and in the log.  A node that fell
 * behind what its peers keep gives up its store, and begins anew. */
enum exit_code node_run(const struct node_config *config);

/* node_begin, node_end: the same in two halves, for who drives the loop: all
 * is open and at work, or has failed and begun to stop; and, once the loop has
 * run out, all is closed and the node is gone.  Never NULL. */
struct node *node_begin(const struct node_config *config);
enum exit_code node_end(struct node *node);

#endif
