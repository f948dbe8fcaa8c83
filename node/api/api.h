/* api: HTTP for people and programs, by libmicrohttpd in the node's loop. */
#ifndef POT_NODE_API_API_H
#define POT_NODE_API_API_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct api; /* opaque: node/api/api.c */
struct executed;
struct node;
struct peer;

/* api_open: listens on node->config->api_listen.
 * Errors: POT_EFORMAT no host:port; POT_EBUSY the port is taken; POT_EIO. */
POT_MUST_USE enum pot_err api_open(struct api **out, struct node *node);

/* api_port: where it listens; the one it got when the config says 0. */
uint16_t api_port(const struct api *api);

/* api_close: ends every connection, SSE streams too; done is called when its
 * handles are closed, and it is freed after that.  Before the parts that it
 * reads from are closed. */
void api_close(struct api *api, void (*done)(void *context), void *context);

/* What the event streams tell. */
void api_block_applied(struct api *api, const struct executed *executed);
void api_peer_changed(struct api *api, const struct peer *peer, bool is_up);

#endif
