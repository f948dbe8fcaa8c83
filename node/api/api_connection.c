#include "config.h"

#include "node/api/api_connection.h"

#include "base/alloc.h"
#include "base/check.h"
#include "node/api/api_url.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define PER_ADDRESS_MAX 16 /* connections; those of loopback have no share */

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
    struct api_connections *all = context;
    struct sockaddr_storage from;
    size_t count = 0;
    copy_address(&from, address, size);
    for (const struct api_connection *c = all->first; c != NULL; c = c->next) {
        count += address_equal(&c->address, &from) ? 1 : 0;
    }
    if (count >= PER_ADDRESS_MAX && !api_address_is_loopback(&from)) {
        all->refused++;
        return MHD_NO;
    }
    return MHD_YES;
}

static void set_deadline(struct api_connection *c)
{
    static const uint64_t phase_ms[] = {
        [API_READING] = 10000, [API_WORKING] = 0,  [API_REPLYING] = 60000,
        [API_STREAMING] = 0,   [API_IDLE] = 30000,
    };
    uint64_t ms = phase_ms[c->phase];
    c->deadline_ms = ms > 0 ? uv_now(c->all->loop) + ms : 0;
}

static struct api_connection *begin(struct api_connections *all,
                                    struct MHD_Connection *connection)
{
    struct api_connection *c = pot_calloc(1, sizeof(*c));
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *from =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    POT_ASSERT(fd != NULL && from != NULL);
    c->all = all;
    c->fd = fd->connect_fd;
    if (from->client_addr != NULL) {
        copy_address(&c->address, from->client_addr,
                     from->client_addr->sa_family == AF_INET
                         ? sizeof(struct sockaddr_in)
                         : sizeof(struct sockaddr_in6));
    }
    c->next = all->first;
    all->first = c;
    all->count++;
    c->phase = API_READING;
    set_deadline(c);
    return c;
}

void api_connection_notify(void *context, struct MHD_Connection *connection,
                           void **slot,
                           enum MHD_ConnectionNotificationCode code)
{
    struct api_connections *all = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *slot = begin(all, connection);
        return;
    }
    struct api_connection **at = &all->first;
    while (*at != *slot) {
        at = &(*at)->next;
    }
    *at = (*at)->next;
    all->count--;
    free(*slot);
    *slot = NULL;
}

struct api_connection *api_connection_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    POT_ASSERT(info != NULL && info->socket_context != NULL);
    return info->socket_context;
}

void api_connection_enter(struct api_connection *connection,
                          enum api_phase phase)
{
    if (connection->phase != phase) {
        connection->phase = phase;
        set_deadline(connection);
    }
}

void api_connection_expire(struct api_connections *all)
{
    uint64_t now = uv_now(all->loop);
    for (struct api_connection *c = all->first; c != NULL; c = c->next) {
        if (c->deadline_ms != 0 && c->deadline_ms <= now) {
            c->deadline_ms = 0;
            all->expired++;
            (void)shutdown(c->fd, SHUT_RDWR);
        }
    }
}
