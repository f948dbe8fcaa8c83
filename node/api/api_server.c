/* libmicrohttpd runs on its own epoll descriptor, which the loop watches
 * (on_ready), with its next time-out as a timer (on_timer).
 *
 * It does all that it can in one run, and everything else on the loop waits
 * for it: a flood of connections would make each step of consensus as long as
 * a run.  After a long one it rests as long as it ran. */
#include "config.h"

#include "node/api/api_server.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "node/api/api_connection.h"
#include "node/api/api_url.h"
#include "p2p/net_address.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG         128
#define CONNECTIONS_MAX 64
#define ADDRESS_MAX     16
/* Those that have been told to go, and are not closed yet. */
#define CONNECTIONS_SPARE 64
#define CONNECTION_MEMORY (32 << 10)
#define IDLE_SECONDS      30
#define TICK_MS           500
#define HANDLES           3
#define RUN_LONG_NS       UINT64_C(2000000)
#define REST_MS_MAX       100

struct api_server {
    struct api_server_config config;
    struct MHD_Daemon *daemon;
    struct api_connections connections;
    bool is_loopback;
    uint64_t replies[6];

    uv_poll_t poll;
    uv_timer_t timer; /* libmicrohttpd's own next time-out */
    uv_timer_t tick;
    unsigned handles; /* open */
    bool is_resting;  /* the poll stands still, the timer ends that */
    bool is_stopped;  /* no daemon any more */
    void (*closed)(void *context);
};

/* ---- the loop */

static void on_timer(uv_timer_t *timer);
static void on_rested(uv_timer_t *timer);

static void rest(struct api_server *server, uint64_t run_ns)
{
    uint64_t ms = run_ns / 1000000;
    server->is_resting = true;
    (void)uv_poll_stop(&server->poll);
    uv_update_time(server->config.loop); /* it was before the run */
    (void)uv_timer_start(&server->timer, on_rested,
                         ms < REST_MS_MAX ? ms : REST_MS_MAX, 0);
}

static void run(struct api_server *server)
{
    MHD_UNSIGNED_LONG_LONG ms;
    if (server->is_stopped || server->is_resting) {
        return;
    }
    uint64_t begun_ns = uv_hrtime();
    (void)MHD_run(server->daemon);
    uint64_t run_ns = uv_hrtime() - begun_ns;
    if (run_ns >= RUN_LONG_NS) {
        rest(server, run_ns);
    } else if (MHD_get_timeout(server->daemon, &ms) == MHD_YES) {
        (void)uv_timer_start(&server->timer, on_timer, ms, 0);
    } else {
        (void)uv_timer_stop(&server->timer);
    }
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    run(poll->data);
}

static void on_rested(uv_timer_t *timer)
{
    struct api_server *server = timer->data;
    server->is_resting = false;
    int rc = uv_poll_start(&server->poll, UV_READABLE, on_ready);
    POT_ASSERT(rc == 0);
    run(server);
}

static void on_timer(uv_timer_t *timer)
{
    run(timer->data);
}

static void on_tick(uv_timer_t *timer)
{
    struct api_server *server = timer->data;
    api_connection_expire(&server->connections);
    run(server); /* at its limit it only looks again when it is run */
    server->config.on_tick(server->config.context);
}

/* ---- opening */

static enum pot_err open_socket(int *out, const struct sockaddr_storage *from)
{
    int on = 1;
    socklen_t size = from->ss_family == AF_INET ? sizeof(struct sockaddr_in)
                                                : sizeof(struct sockaddr_in6);
    int fd =
        socket(from->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return err_from_errno(errno);
    }
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, (const struct sockaddr *)from, size) != 0 ||
        listen(fd, BACKLOG) != 0) {
        int saved = errno;
        (void)close(fd);
        return saved == EADDRINUSE ? POT_EBUSY : err_from_errno(saved);
    }
    *out = fd;
    return POT_OK;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof(address);
    struct sockaddr_in6 in6;
    struct sockaddr_in in;
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        return 0;
    }
    memcpy(&in6, &address, sizeof(in6));
    memcpy(&in, &address, sizeof(in));
    return ntohs(address.ss_family == AF_INET ? in.sin_port : in6.sin6_port);
}

static struct MHD_Daemon *start_daemon(struct api_server *server, int fd)
{
    const struct api_server_config *c = &server->config;
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, api_connection_accept,
        &server->connections, c->on_access, c->context,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)fd, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)(server->connections.max + CONNECTIONS_SPARE),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
        MHD_OPTION_NOTIFY_COMPLETED, c->on_completed, c->context,
        MHD_OPTION_NOTIFY_CONNECTION, api_connection_notify,
        &server->connections, MHD_OPTION_URI_LOG_CALLBACK, c->on_line,
        c->context, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
}

static void open_handles(struct api_server *server)
{
    uv_loop_t *loop = server->config.loop;
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    POT_ASSERT(info != NULL);
    int rc = uv_poll_init(loop, &server->poll, info->epoll_fd);
    POT_ASSERT(rc == 0);
    (void)uv_timer_init(loop, &server->timer);
    (void)uv_timer_init(loop, &server->tick);
    server->poll.data = server;
    server->timer.data = server;
    server->tick.data = server;
    server->handles = HANDLES;
    rc = uv_poll_start(&server->poll, UV_READABLE, on_ready);
    POT_ASSERT(rc == 0);
    rc = uv_timer_start(&server->tick, on_tick, TICK_MS, TICK_MS);
    POT_ASSERT(rc == 0);
}

enum pot_err api_server_open(struct api_server **out,
                             const struct api_server_config *config)
{
    int fd = -1;
    struct sockaddr_storage address;
    *out = NULL;
    enum pot_err err = net_address_listen(&address, config->listen);
    if (err == POT_OK) {
        err = open_socket(&fd, &address);
    }
    if (err != POT_OK) {
        return err;
    }
    struct api_server *server = pot_calloc(1, sizeof(*server));
    server->config = *config;
    server->connections.loop = config->loop;
    server->connections.max = config->connections_max != 0
                                  ? config->connections_max
                                  : CONNECTIONS_MAX;
    server->connections.address_max =
        config->address_max != 0 ? config->address_max : ADDRESS_MAX;
    server->is_loopback = api_address_is_loopback(&address);
    server->daemon = start_daemon(server, fd);
    if (server->daemon == NULL) {
        (void)close(fd);
        free(server);
        return POT_EIO;
    }
    open_handles(server);
    LOG(LOG_INFO, "node", "api_listens", log_text("listen", config->listen),
        log_u64("port", port_of(fd)));
    *out = server;
    return POT_OK;
}

/* ---- closing */

void api_server_quiesce(struct api_server *server)
{
    MHD_socket fd = MHD_quiesce_daemon(server->daemon);
    if (fd != MHD_INVALID_SOCKET) {
        (void)close(fd);
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct api_server *server = handle->data;
    if (--server->handles == 0) {
        server->closed(server->config.context);
        free(server);
    }
}

void api_server_close(struct api_server *server, void (*closed)(void *context))
{
    POT_ASSERT(!server->is_stopped);
    (void)MHD_run(server->daemon); /* the last replies */
    server->is_stopped = true;
    server->closed = closed;
    uv_close((uv_handle_t *)&server->poll, on_closed);
    MHD_stop_daemon(server->daemon);
    POT_ASSERT(server->connections.first == NULL);
    uv_close((uv_handle_t *)&server->timer, on_closed);
    uv_close((uv_handle_t *)&server->tick, on_closed);
}

/* ---- replies */

bool api_server_is_loopback(const struct api_server *server)
{
    return server->is_loopback;
}

enum MHD_Result api_server_send(struct api_server *server,
                                struct MHD_Connection *connection,
                                unsigned status, struct MHD_Response *response,
                                bool is_stream)
{
    unsigned class = status / 100;
    POT_ASSERT(class < sizeof(server->replies) / sizeof(*server->replies));
    server->replies[class]++;
    api_connection_enter(api_connection_of(connection),
                         is_stream ? API_STREAMING : API_REPLYING);
    enum MHD_Result rc = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return rc;
}

void api_server_resume(struct api_server *server,
                       struct MHD_Connection *connection)
{
    MHD_resume_connection(connection);
    if (!server->is_stopped && !server->is_resting) {
        int rc = uv_timer_start(&server->timer, on_timer, 0, 0);
        POT_ASSERT(rc == 0);
    }
}

void api_server_stats(const struct api_server *server,
                      struct api_server_stats *out)
{
    out->connections = server->connections.count;
    out->refused = server->connections.refused;
    out->expired = server->connections.expired;
    out->evicted = server->connections.evicted;
    memcpy(out->replies, server->replies, sizeof(out->replies));
}
