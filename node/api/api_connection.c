#include "config.h"

#include "node/api/api_connection.h"

#include "base/alloc.h"
#include "base/check.h"
#include "node/api/api_url.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define REPLYING_OLD_MS 5000 /* a reply that is read takes less */

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
    if (count >= all->address_max && !api_address_is_loopback(&from)) {
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
    c->entered_ms = uv_now(c->all->loop);
    c->deadline_ms = ms > 0 ? c->entered_ms + ms : 0;
}

static void end(struct api_connection *c)
{
    c->is_ending = true;
    c->all->ending++;
    (void)shutdown(c->fd, SHUT_RDWR);
}

static bool is_waited_for(const struct api_connection *c, uint64_t now)
{
    switch (c->phase) {
    case API_READING:
    case API_IDLE:
        return !c->is_ending;
    case API_REPLYING:
        return !c->is_ending && now - c->entered_ms >= REPLYING_OLD_MS;
    case API_WORKING:
    case API_STREAMING:
        break;
    }
    return false;
}

/* The newest stand first: the last one to be found is the oldest. */
static void make_room(struct api_connections *all,
                      struct api_connection *newest)
{
    struct api_connection *oldest = newest;
    for (struct api_connection *c = all->first; c != NULL; c = c->next) {
        if (c != newest && is_waited_for(c, uv_now(all->loop))) {
            oldest = c;
        }
    }
    all->evicted++;
    end(oldest);
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
    if (all->count - all->ending > all->max) {
        make_room(all, c);
    }
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
    all->ending -= ((const struct api_connection *)*slot)->is_ending ? 1 : 0;
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
        if (!c->is_ending && c->deadline_ms != 0 && c->deadline_ms <= now) {
            all->expired++;
            end(c);
        }
    }
}
