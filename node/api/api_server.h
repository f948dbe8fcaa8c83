/* api_server: libmicrohttpd in the node's loop, without threads of its own:
 * it listens, reads requests and sends replies; what they say is for whoever
 * opened it. */
#ifndef POT_NODE_API_API_SERVER_H
#define POT_NODE_API_API_SERVER_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"

struct api_server; /* opaque: node/api/api_server.c */

struct api_server_config {
    uv_loop_t *loop;
    const char *listen;       /* host:port; port 0: any */
    uint64_t connections_max; /* 0: 64 */
    uint64_t address_max;     /* of one address, but loopback; 0: 16 */
    void *context;
    /* A request's first line came, the whole of it, it ended: as
     * libmicrohttpd calls them. */
    void *(*on_line)(void *context, const char *uri,
                     struct MHD_Connection *connection);
    MHD_AccessHandlerCallback on_access;
    MHD_RequestCompletedCallback on_completed;
    void (*on_tick)(void *context); /* every half second */
};

/* api_server_open: Errors: POT_EFORMAT no host:port; POT_EBUSY the port is
 * taken; POT_EIO. */
POT_MUST_USE enum pot_err api_server_open(
    struct api_server **out, const struct api_server_config *config);

/* api_server_quiesce: no connection is accepted any more. */
void api_server_quiesce(struct api_server *server);

/* api_server_close: once no connection is suspended: sends what is left, ends
 * every connection, frees itself, and calls closed(context) before that. */
void api_server_close(struct api_server *server, void (*closed)(void *context));

/* api_server_is_loopback: only this machine reaches it. */
bool api_server_is_loopback(const struct api_server *server);

/* api_server_send: a reply to the request at hand on this connection; takes
 * response.  is_stream: it has no end. */
enum MHD_Result api_server_send(struct api_server *server,
                                struct MHD_Connection *connection,
                                unsigned status, struct MHD_Response *response,
                                bool is_stream);

/* api_server_resume: a suspended connection has something to send. */
void api_server_resume(struct api_server *server,
                       struct MHD_Connection *connection);

struct api_server_stats {
    uint64_t connections; /* now */
    uint64_t refused;     /* connections, too many of one address */
    uint64_t expired;     /* connections, too slow */
    uint64_t evicted;     /* made room for another connection */
    uint64_t replies[6];  /* by the hundreds of their status */
};

void api_server_stats(const struct api_server *server,
                      struct api_server_stats *out);

#endif
