#include "config.h"

#include "base/alloc.h"
#include "base/check.h"
#include "node/api/api_server.h"
#include "node/node.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static bool address_equal(const struct sockaddr_storage *a,
                          const struct sockaddr_storage *b)
{
    if (a->ss_family != b->ss_family) {
        return false;
    }
    if (a->ss_family == AF_INET) {
        struct sockaddr_in x;
        struct sockaddr_in y;
        memcpy(&x, a, sizeof(x));
        memcpy(&y, b, sizeof(y));
        return x.sin_addr.s_addr == y.sin_addr.s_addr;
    }
    struct sockaddr_in6 x;
    struct sockaddr_in6 y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return memcmp(&x.sin6_addr, &y.sin6_addr, sizeof(x.sin6_addr)) == 0;
}

static bool is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof(in));
        return ntohl(in.sin_addr.s_addr) >> 24 == 127;
    }
    struct sockaddr_in6 in6;
    memcpy(&in6, address, sizeof(in6));
    return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
}

static void copy_address(struct sockaddr_storage *out,
                         const struct sockaddr *address, size_t size)
{
    *out = (struct sockaddr_storage){0};
    memcpy(out, address, size < sizeof(*out) ? size : sizeof(*out));
}

enum MHD_Result api_connection_accept(void *context,
                                      const struct sockaddr *address,
                                      socklen_t size)
{
    struct api *api = context;
    struct sockaddr_storage from;
    size_t count = 0;
    copy_address(&from, address, size);
    for (const struct api_connection *c = api->connections; c != NULL;
         c = c->next) {
        count += address_equal(&c->address, &from) ? 1 : 0;
    }
    if (api->is_closing ||
        (count >= API_PER_ADDRESS_MAX && !is_loopback(&from))) {
        api->stats.refused++;
        return MHD_NO;
    }
    return MHD_YES;
}

static void begin(struct api *api, struct MHD_Connection *connection,
                  void **slot)
{
    struct api_connection *c = pot_calloc(1, sizeof(*c));
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *from =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    POT_ASSERT(fd != NULL && from != NULL);
    c->api = api;
    c->fd = fd->connect_fd;
    if (from->client_addr != NULL) {
        copy_address(&c->address, from->client_addr,
                     from->client_addr->sa_family == AF_INET
                         ? sizeof(struct sockaddr_in)
                         : sizeof(struct sockaddr_in6));
    }
    c->next = api->connections;
    if (c->next != NULL) {
        c->next->previous = c;
    }
    api->connections = c;
    api->connection_count++;
    api_connection_allow(c, API_REQUEST_MS);
    *slot = c;
}

void api_connection_notify(void *context, struct MHD_Connection *connection,
                           void **slot,
                           enum MHD_ConnectionNotificationCode code)
{
    struct api *api = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        begin(api, connection, slot);
        return;
    }
    struct api_connection *c = *slot;
    *slot = NULL;
    if (c->previous != NULL) {
        c->previous->next = c->next;
    } else {
        api->connections = c->next;
    }
    if (c->next != NULL) {
        c->next->previous = c->previous;
    }
    api->connection_count--;
    free(c);
}

struct api_connection *api_connection_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    POT_ASSERT(info != NULL && info->socket_context != NULL);
    return info->socket_context;
}

void api_connection_allow(struct api_connection *connection, uint64_t ms)
{
    connection->deadline_ms =
        ms > 0 ? uv_now(&connection->api->node->loop) + ms : 0;
}

void api_connection_expire(struct api *api)
{
    uint64_t now = uv_now(&api->node->loop);
    for (struct api_connection *c = api->connections; c != NULL; c = c->next) {
        if (c->deadline_ms != 0 && c->deadline_ms <= now) {
            c->deadline_ms = 0;
            api->stats.expired++;
            (void)shutdown(c->fd, SHUT_RDWR);
        }
    }
}
