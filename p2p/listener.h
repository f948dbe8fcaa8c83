/* listener: the socket on which others connect.  The loop alone. */
#ifndef POT_P2P_LISTENER_H
#define POT_P2P_LISTENER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"

/* A zeroed one is closed. */
struct listener {
    uv_tcp_t tcp;
    bool is_open; /* the loop has its handle */
    void *context;
    /* Somebody connects: to be taken with uv_accept; NULL: that failed. */
    void (*on_connection)(void *context, uv_stream_t *stream);
    void (*closed)(void *context);
};

/* listener_open: "host:port" with a numeric host; port 0: any.  After an error
 * it may be open, and is to be closed.
 *
 * Errors: POT_EFORMAT, POT_EBUSY the port is in use, POT_EACCESS, POT_EIO */
POT_MUST_USE enum pot_err listener_open(struct listener *listener,
                                        uv_loop_t *loop, const char *address);

/* listener_close: of an open one; then closed(context), from the loop. */
void listener_close(struct listener *listener);

/* listener_port: 0: nowhere. */
uint16_t listener_port(const struct listener *listener);

#endif
