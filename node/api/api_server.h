/* api_server: what the files of the API share of it; nobody else's. */
#ifndef POT_NODE_API_API_SERVER_H
#define POT_NODE_API_API_SERVER_H

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "node/api/api_events.h"
#include "node/api/api_job.h"
#include "node/api/api_request.h"
#include "node/api/metrics.h"

#define API_CONNECTIONS_MAX   64
#define API_PER_ADDRESS_MAX   16 /* of them; those of loopback have no share */
#define API_HEADER_BYTES_MAX  (16 << 10)
#define API_CONNECTION_MEMORY (32 << 10)
/* Absolute, however busily a client drips its bytes. */
#define API_REQUEST_MS 10000 /* until a request is whole */
#define API_REPLY_MS   60000 /* until its reply is read */
#define API_IDLE_MS    30000 /* until the next one's first line */
#define API_TICK_MS    500

struct api_connection {
    struct api_connection *next;
    struct api_connection *previous;
    struct api *api;
    MHD_socket fd;
    uint64_t deadline_ms; /* on the loop's clock; 0: none */
    bool is_idle;         /* between two requests */
    struct sockaddr_storage address;
};

struct api_stats {
    uint64_t requests[6]; /* by the hundreds of their status */
    uint64_t refused;     /* connections, for their number */
    uint64_t expired;     /* connections, by a deadline */
};

struct api {
    struct node *node;
    struct MHD_Daemon *daemon;
    bool is_loopback;
    uint16_t port;
    struct api_connection *connections;
    size_t connection_count;
    struct api_request *open;
    struct api_lane reading;
    struct api_lane writing;
    struct api_events *events;
    struct metrics *metrics;
    struct api_stats stats;

    uv_poll_t poll;
    uv_timer_t timer; /* libmicrohttpd's own next time-out */
    uv_timer_t tick;
    unsigned handles; /* open */
    bool is_closing;
    bool is_stopped; /* no daemon any more */
    void (*done)(void *context);
    void *context;
};

/* api_kick: libmicrohttpd has something to do, soon. */
void api_kick(struct api *api);

/* api_settled: a job off the loop has ended; goes on with closing. */
void api_settled(struct api *api);

/* ---- node/api/api_connection.c */

enum MHD_Result api_connection_accept(void *context,
                                      const struct sockaddr *address,
                                      socklen_t size);
void api_connection_notify(void *context, struct MHD_Connection *connection,
                           void **slot,
                           enum MHD_ConnectionNotificationCode code);
struct api_connection *api_connection_of(struct MHD_Connection *connection);

/* api_connection_allow: ms from now on until it must have gone on; 0: no
 * limit. */
void api_connection_allow(struct api_connection *connection, uint64_t ms);

/* api_connection_expire: ends those that are over their time. */
void api_connection_expire(struct api *api);

#endif
