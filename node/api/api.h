/* api: HTTP for people and programs, by libmicrohttpd in the node's loop. */
#ifndef POT_NODE_API_API_H
#define POT_NODE_API_API_H

#include <stdbool.h>

#include "base/err.h"
#include "node/api/api_config.h"

struct api; /* opaque: node/api/api.c */
struct block;
struct peer;

/* api_open: Errors: POT_EFORMAT config->listen is no host:port; POT_EBUSY
 * the port is taken; POT_EIO. */
POT_MUST_USE enum pot_err api_open(struct api **out,
                                   const struct api_config *config);

/* api_close: ends every connection, event streams too, in the turns of the
 * loop that follow, and frees itself.  Before the parts that it reads from are
 * closed; nothing is told to it any more. */
void api_close(struct api *api);

/* ---- what the node tells it */

/* api_block_applied: block is the tip. */
void api_block_applied(struct api *api, const struct block *block);
void api_peer_changed(struct api *api, const struct peer *peer, bool is_up);

#endif
