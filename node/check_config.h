/* check_config: what is to be said of settings beyond their file: whether this
 * machine has what they name. */
#ifndef POT_NODE_CHECK_CONFIG_H
#define POT_NODE_CHECK_CONFIG_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/exit_code.h"
#include "node/node_config.h"

/* check_config: --check-config: what is wrong is said on stderr; if nothing is,
 * stdout gets the settings in force. */
enum exit_code check_config(const struct node_config *config);

/* check_config_start: what a node would find out too late, or never: whether
 * this processor has the miner's kernels, home is a folder of its own and
 * api.web is one.  If not, stderr says so. */
bool check_config_start(const struct node_config *config);

/* check_config_tell: prints faults, and the one line that ends them wherever
 * they were found; buf_fini.  True: there are none. */
bool check_config_tell(struct buf *faults);

/* check_config_peers: warns in the log where p2p.peers names this node alone,
 * and so nobody. */
void check_config_peers(const struct node_config *config);

#endif
