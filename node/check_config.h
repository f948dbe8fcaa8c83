/* check_config: what is to be said of settings beyond their file: whether this
 * machine has what they name. */
#ifndef POT_NODE_CHECK_CONFIG_H
#define POT_NODE_CHECK_CONFIG_H

#include <stdbool.h>

#include "base/exit_code.h"
#include "node/node_config.h"

/* check_config: --check-config: what is wrong is said on stderr; if nothing is,
 * stdout gets the settings in force. */
enum exit_code check_config(const struct node_config *config);

/* check_config_kernel: whether this processor has miner.exact_kernel; if not,
 * stderr says so.  Without it no worker starts. */
bool check_config_kernel(const struct node_config *config);

/* check_config_peers: warns in the log where p2p.peers names this node alone,
 * and so nobody. */
void check_config_peers(const struct node_config *config);

#endif
