/* api_connection: the connections of a server: how many there may be, in all
 * and of one address, and how long each may take, however busily a client
 * drips its bytes.
 *
 * When there are as many as there may be, a newcomer takes the place of the
 * one that has been waited for longest: who connects and says nothing, or
 * little, keeps nobody out.
 *
 * libmicrohttpd's own time-out counts idle time only, and none while a
 * connection is suspended: these deadlines are absolute. */
#ifndef POT_NODE_API_API_CONNECTION_H
#define POT_NODE_API_API_CONNECTION_H

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/* What a connection does, each for so long. */
enum api_phase {
    API_READING,   /* until its request is whole: 10 s */
    API_WORKING,   /* until there is a reply: as long as it takes */
    API_REPLYING,  /* until the reply is read: 60 s */
    API_STREAMING, /* a reply without an end */
    API_IDLE,      /* until the next request's first line: 30 s */
};

struct api_connection {
    struct api_connection *next;
    struct api_connections *all;
    MHD_socket fd;
    enum api_phase phase;
    uint64_t entered_ms;  /* the phase; on the loop's clock, as is */
    uint64_t deadline_ms; /* 0: none */
    bool is_ending;       /* shut down; libmicrohttpd will close it */
    struct sockaddr_storage address;
};

struct api_connections {
    uv_loop_t *loop;
    struct api_connection *first;
    uint64_t max; /* of those that are not ending */
    uint64_t address_max;
    uint64_t count;
    uint64_t ending;
    uint64_t refused; /* too many of one address */
    uint64_t evicted; /* made room for another */
    uint64_t expired; /* too slow */
};

/* api_connection_accept, _notify: for libmicrohttpd; context is the struct
 * api_connections. */
enum MHD_Result api_connection_accept(void *context,
                                      const struct sockaddr *address,
                                      socklen_t size);
void api_connection_notify(void *context, struct MHD_Connection *connection,
                           void **slot,
                           enum MHD_ConnectionNotificationCode code);

struct api_connection *api_connection_of(struct MHD_Connection *connection);

/* api_connection_enter: a phase begins; one that goes on keeps its
 * deadline. */
void api_connection_enter(struct api_connection *connection,
                          enum api_phase phase);

/* api_connection_expire: ends those that are over their time. */
void api_connection_expire(struct api_connections *all);

#endif
