/* libmicrohttpd runs on its own epoll descriptor, which the loop watches
 * (on_ready), with its next time-out as a timer (on_timer): no threads.
 *
 * A request's way, the function on each edge:
 *
 *   first line    on_first_line   made, its URL taken apart
 *   headers       on_access       begin: host, route, size
 *   body          on_access       take_body
 *   whole         on_access       dispatch: handler, or a job off the loop
 *     replied at once             send_reply
 *     replies later               suspended; api_request_wake; on_access again
 *   sent or lost  on_completed    freed
 *
 * libmicrohttpd's time-out counts idle time only, and none while a
 * connection is suspended: the absolute deadlines are ours, on_tick. */
#include "config.h"

#include "node/api/api.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/log.h"
#include "node/api/api_route.h"
#include "node/api/api_server.h"
#include "node/block/chain.h"
#include "node/node.h"
#include "node/tx/intake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG      128
#define READERS      2
#define IDLE_SECONDS (API_IDLE_MS / 1000)

/* ---- requests */

static void *on_first_line(void *context, const char *uri,
                           struct MHD_Connection *connection)
{
    struct api *api = context;
    struct api_connection *c = api_connection_of(connection);
    struct api_request *request = pot_calloc(1, sizeof(*request));
    request->api = api;
    request->node = api->node;
    request->connection = connection;
    request->url_err = api_url_parse(&request->url, uri);
    request->next_open = api->open;
    if (api->open != NULL) {
        api->open->previous_open = request;
    }
    api->open = request;
    if (c->is_idle) {
        c->is_idle = false;
        api_connection_allow(c, API_REQUEST_MS);
    }
    return request;
}

static void on_completed(void *context, struct MHD_Connection *connection,
                         void **slot, enum MHD_RequestTerminationCode code)
{
    struct api *api = context;
    struct api_request *request = *slot;
    (void)code;
    if (request == NULL) {
        return;
    }
    *slot = NULL;
    POT_ASSERT(!request->is_off_loop);
    if (request->previous_open != NULL) {
        request->previous_open->next_open = request->next_open;
    } else {
        api->open = request->next_open;
    }
    if (request->next_open != NULL) {
        request->next_open->previous_open = request->previous_open;
    }
    if (request->response != NULL) {
        MHD_destroy_response(request->response);
    }
    struct api_connection *c = api_connection_of(connection);
    c->is_idle = true;
    api_connection_allow(c, API_IDLE_MS);
    buf_fini(&request->body);
    free(request);
}

static const char *header(const struct api_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                       name);
}

/* Nobody reaches this node by a name that others control, and no page of
 * another site writes to it. */
static void check_origin(struct api_request *request, const char *method)
{
    const char *host = header(request, MHD_HTTP_HEADER_HOST);
    const char *origin = header(request, MHD_HTTP_HEADER_ORIGIN);
    bool is_reading = strcmp(method, MHD_HTTP_METHOD_GET) == 0 ||
                      strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    if (request->api->is_loopback && host != NULL && !api_host_is_local(host)) {
        api_reply_error(request, 403, "host",
                        "this node answers to localhost, 127.0.0.1 and [::1]"
                        " only");
    } else if (!is_reading && origin != NULL &&
               (host == NULL || !api_origin_is_host(origin, host))) {
        api_reply_error(request, 403, "origin",
                        "a page of another site may not do this");
    }
}

static void check_url(struct api_request *request)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        request->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (info != NULL && info->header_size > API_HEADER_BYTES_MAX) {
        api_reply_error(request, 431, "header_too_large",
                        "the headers are larger than %d bytes",
                        API_HEADER_BYTES_MAX);
    } else if (request->url_err == POT_ELIMIT) {
        api_reply_error(request, 414, "url_too_long", "the URL is too long");
    } else if (request->url_err != POT_OK) {
        api_reply_error(request, 400, "malformed", "the URL is malformed");
    }
}

static void check_route(struct api_request *request, const char *method)
{
    char allow[64];
    api_route_find(request, method, allow);
    if (request->route != NULL) {
        return;
    }
    if (allow[0] == '\0') {
        api_reply_error(request, 404, "not_found", "there is nothing at %s",
                        request->url.path);
        return;
    }
    api_reply_error(request, 405, "method", "%s takes %s", request->url.path,
                    allow);
    enum MHD_Result rc = MHD_add_response_header(request->response,
                                                 MHD_HTTP_HEADER_ALLOW, allow);
    POT_ASSERT(rc == MHD_YES);
}

static void refuse_size(struct api_request *request)
{
    api_reply_error(request, 413, "body_too_large",
                    "a body here has at most %zu bytes",
                    request->route->body_max);
}

static void check_size(struct api_request *request)
{
    uint64_t size = 0;
    const char *length = header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (length != NULL && (api_parse_u64(&size, length) != POT_OK ||
                           size > request->route->body_max)) {
        refuse_size(request);
    }
}

static void begin(struct api_request *request, const char *method)
{
    request->is_begun = true;
    check_url(request);
    if (request->response == NULL) {
        check_origin(request, method);
    }
    if (request->response == NULL) {
        check_route(request, method);
    }
    if (request->response == NULL) {
        check_size(request);
    }
    if (request->response == NULL) {
        buf_init(&request->body, request->route->body_max);
    }
}

static void dispatch(struct api_request *request)
{
    struct api *api = request->api;
    const struct api_route *route = request->route;
    if (request->body.is_overflown) {
        refuse_size(request);
        return;
    }
    if (api->is_closing) {
        api_reply_error(request, 503, "stopping", "the node is stopping");
        return;
    }
    request->tip = *chain_tip(api->node->chain);
    if (!route->is_off_loop) {
        route->handler(request);
        return;
    }
    if (route->prepare != NULL) {
        route->prepare(request);
    }
    api_job_add(api, route->is_writing ? &api->writing : &api->reading,
                request);
}

static enum MHD_Result send_reply(struct api_request *request)
{
    unsigned class = request->status / 100;
    POT_ASSERT(class < sizeof(request->api->stats.requests) /
                           sizeof(*request->api->stats.requests));
    request->api->stats.requests[class]++;
    bool is_stream = request->route != NULL &&
                     request->route->handler == api_get_events &&
                     request->status == 200;
    api_connection_allow(api_connection_of(request->connection),
                         is_stream ? 0 : API_REPLY_MS);
    enum MHD_Result rc = MHD_queue_response(request->connection,
                                            request->status, request->response);
    MHD_destroy_response(request->response);
    request->response = NULL;
    return rc;
}

static enum MHD_Result on_access(void *context,
                                 struct MHD_Connection *connection,
                                 const char *url, const char *method,
                                 const char *version, const char *data,
                                 size_t *size, void **slot)
{
    struct api_request *request = *slot;
    (void)context;
    (void)url;
    (void)version;
    POT_ASSERT(request != NULL);
    if (!request->is_begun) {
        begin(request, method);
        return request->response != NULL ? send_reply(request) : MHD_YES;
    }
    if (*size > 0) {
        buf_append(&request->body, data, *size);
        *size = 0;
        return MHD_YES;
    }
    if (request->response == NULL) {
        dispatch(request);
    }
    if (!request->is_off_loop && request->response != NULL) {
        return send_reply(request);
    }
    api_connection_allow(api_connection_of(connection), 0);
    request->is_suspended = true;
    MHD_suspend_connection(connection);
    return MHD_YES;
}

void api_request_wake(struct api_request *request)
{
    POT_ASSERT(request->is_suspended && request->response != NULL);
    request->is_suspended = false;
    MHD_resume_connection(request->connection);
    api_kick(request->api);
}

/* ---- the loop */

static void on_timer(uv_timer_t *timer);

static void run(struct api *api)
{
    MHD_UNSIGNED_LONG_LONG ms;
    if (api->is_stopped) {
        return;
    }
    (void)MHD_run(api->daemon);
    if (MHD_get_timeout(api->daemon, &ms) == MHD_YES) {
        (void)uv_timer_start(&api->timer, on_timer, ms, 0);
    } else {
        (void)uv_timer_stop(&api->timer);
    }
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    run(poll->data);
}

static void on_timer(uv_timer_t *timer)
{
    run(timer->data);
}

void api_kick(struct api *api)
{
    if (!api->is_stopped) {
        int rc = uv_timer_start(&api->timer, on_timer, 0, 0);
        POT_ASSERT(rc == 0);
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct api *api = timer->data;
    api_connection_expire(api);
    run(api); /* at its limit it only looks again when it is run */
    api_events_tick(api->events, uv_now(&api->node->loop));
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

static struct MHD_Daemon *start_daemon(struct api *api, int fd)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, api_connection_accept, api,
        on_access, api, MHD_OPTION_LISTEN_SOCKET, (MHD_socket)fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)API_CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)API_CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, api,
        MHD_OPTION_NOTIFY_CONNECTION, api_connection_notify, api,
        MHD_OPTION_URI_LOG_CALLBACK, on_first_line, api,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
}

static void open_handles(struct api *api)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(api->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    POT_ASSERT(info != NULL);
    int rc = uv_poll_init(&api->node->loop, &api->poll, info->epoll_fd);
    POT_ASSERT(rc == 0);
    (void)uv_timer_init(&api->node->loop, &api->timer);
    (void)uv_timer_init(&api->node->loop, &api->tick);
    api->poll.data = api;
    api->timer.data = api;
    api->tick.data = api;
    api->handles = 3;
    rc = uv_poll_start(&api->poll, UV_READABLE, on_ready);
    POT_ASSERT(rc == 0);
    rc = uv_timer_start(&api->tick, on_tick, API_TICK_MS, API_TICK_MS);
    POT_ASSERT(rc == 0);
}

enum pot_err api_open(struct api **out, struct node *node)
{
    int fd = -1;
    struct sockaddr_storage address;
    bool is_loopback;
    *out = NULL;
    enum pot_err err =
        api_listen_parse(&address, &is_loopback, node->config->api_listen);
    if (err == POT_OK) {
        err = open_socket(&fd, &address);
    }
    if (err != POT_OK) {
        return err;
    }
    struct api *api = pot_calloc(1, sizeof(*api));
    api->node = node;
    api->is_loopback = is_loopback;
    api->port = port_of(fd);
    api->reading.running_max = READERS;
    api->writing.running_max = 1;
    api->daemon = start_daemon(api, fd);
    if (api->daemon == NULL) {
        (void)close(fd);
        free(api);
        return POT_EIO;
    }
    api->events = api_events_new(api);
    api->metrics = metrics_new();
    open_handles(api);
    LOG(LOG_INFO, "node", "api_listens",
        log_text("listen", node->config->api_listen),
        log_u64("port", api->port));
    *out = api;
    return POT_OK;
}

uint16_t api_port(const struct api *api)
{
    return api->port;
}

/* ---- closing */

static void on_closed(uv_handle_t *handle)
{
    struct api *api = handle->data;
    if (--api->handles > 0) {
        return;
    }
    if (api->done != NULL) {
        api->done(api->context);
    }
    api_events_free(api->events);
    metrics_free(api->metrics);
    free(api);
}

static void stop_daemon(struct api *api)
{
    (void)MHD_run(api->daemon); /* the last replies */
    api->is_stopped = true;
    uv_close((uv_handle_t *)&api->poll, on_closed);
    MHD_stop_daemon(api->daemon);
    POT_ASSERT(api->open == NULL && api->connections == NULL);
    uv_close((uv_handle_t *)&api->timer, on_closed);
    uv_close((uv_handle_t *)&api->tick, on_closed);
}

void api_settled(struct api *api)
{
    if (api->is_closing && !api->is_stopped && api->reading.running == 0 &&
        api->writing.running == 0) {
        stop_daemon(api);
    }
}

void api_close(struct api *api, void (*done)(void *context), void *context)
{
    POT_ASSERT(!api->is_closing);
    api->is_closing = true;
    api->done = done;
    api->context = context;
    MHD_socket fd = MHD_quiesce_daemon(api->daemon);
    if (fd != MHD_INVALID_SOCKET) {
        (void)close(fd);
    }
    api_job_drop(&api->reading);
    api_job_drop(&api->writing);
    for (struct api_request *r = api->open; r != NULL; r = r->next_open) {
        if (r->is_suspended && !r->is_off_loop) {
            intake_forget(api->node->intake, r);
            api_reply_error(r, 503, "stopping", "the node is stopping");
        }
    }
    api_events_end(api->events);
    api_settled(api);
}

/* ---- news */

void api_block_applied(struct api *api, const struct executed *executed)
{
    uv_timeval64_t now = {0};
    (void)uv_gettimeofday(&now);
    uint64_t now_ms =
        (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_usec / 1000;
    uint64_t time_ms = executed->block->header->time_ms;
    bool is_live = now_ms <= time_ms || now_ms - time_ms < 60000;
    metrics_block(api->metrics, executed->block, now_ms, is_live);
    api_events_block(api->events, executed);
}

void api_peer_changed(struct api *api, const struct peer *peer, bool is_up)
{
    api_events_peer(api->events, peer, is_up);
}
