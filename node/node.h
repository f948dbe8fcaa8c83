/* node: a running potd, from its config to its exit code. */
#ifndef POT_NODE_NODE_H
#define POT_NODE_NODE_H

#include "base/exit_code.h"

struct node_config;

/* node_run: opens everything, runs until a signal or a fatal fault, closes
 * everything.  What fails is told on stderr and in the log. */
enum exit_code node_run(const struct node_config *config);

#endif
