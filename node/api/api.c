/* A request's way, the function on each edge:
 *
 *   first line    on_line        made, its URL taken apart
 *   headers       on_access      api_admit_head: URL, host, route, size
 *   body          on_access      collected under its bound
 *   whole         on_access      dispatch: handler, or a queue off the loop
 *     replied at once            api_server_send
 *     replies later              suspended; api_request_wake; on_access again
 *   sent or lost  on_completed   freed
 *
 * The files below this one: a server holds connections (api_server), whose
 * requests (api_request) are answered by handlers, a file a subject, which
 * export their routes (api_route, api_table). */
#include "config.h"

#include "node/api/api.h"

#include "base/alloc.h"
#include "base/check.h"
#include "node/api/api_admit.h"
#include "node/api/api_connection.h"
#include "node/api/api_events.h"
#include "node/api/api_history.h"
#include "node/api/api_queue.h"
#include "node/api/api_request.h"
#include "node/api/api_route.h"
#include "node/api/api_server.h"
#include "node/api/api_streams.h"
#include "node/tx/intake.h"
#include "p2p/sync.h"

#include <stdlib.h>

#define READERS 2

struct api {
    struct api_config config;
    struct api_server *server;
    struct api_streams *streams;
    struct api_events *events;
    struct api_history history;
    struct api_queue reading;
    struct api_queue writing;
    struct api_request *open;
    bool is_closing;
};

/* ---- requests */

static struct api_request *new_request(struct api *api,
                                       struct MHD_Connection *connection)
{
    struct api_request *request = pot_calloc(1, sizeof(*request));
    request->config = &api->config;
    request->history = &api->history;
    request->server = api->server;
    request->streams = api->streams;
    request->connection = connection;
    request->next_open = api->open;
    api->open = request;
    return request;
}

static void free_request(struct api *api, struct api_request *request)
{
    POT_ASSERT(!request->is_off_loop);
    struct api_request **at = &api->open;
    while (*at != request) {
        at = &(*at)->next_open;
    }
    *at = request->next_open;
    if (request->response != NULL) {
        MHD_destroy_response(request->response);
    }
    json_decref(request->batch.refused);
    buf_fini(&request->body);
    json_decref(request->prepared);
    free(request);
}

static void *on_line(void *context, const char *uri,
                     struct MHD_Connection *connection)
{
    struct api_request *request = new_request(context, connection);
    request->url_err = api_url_parse(&request->url, uri);
    api_connection_enter(api_connection_of(connection), API_READING);
    return request;
}

static void on_completed(void *context, struct MHD_Connection *connection,
                         void **slot, enum MHD_RequestTerminationCode code)
{
    (void)code;
    if (*slot != NULL) {
        free_request(context, *slot);
        *slot = NULL;
        api_connection_enter(api_connection_of(connection), API_IDLE);
    }
}

static void dispatch(struct api *api, struct api_request *request)
{
    const struct api_route *route = request->route;
    if (api->is_closing) {
        api_reply_stopping(request);
        return;
    }
    request->tip = *chain_tip(api->config.chain);
    request->is_synced = !sync_is_behind(api->config.sync);
    request->has_tip = true;
    if (!route->is_off_loop) {
        route->handler(request);
        return;
    }
    if (route->prepare != NULL) {
        route->prepare(request);
    }
    api_queue_add(route->is_writing ? &api->writing : &api->reading, request);
}

static enum MHD_Result send_reply(struct api_request *request)
{
    struct MHD_Response *response = request->response;
    request->response = NULL;
    return api_server_send(request->server, request->connection,
                           request->status, response, request->is_stream);
}

static enum MHD_Result on_access(void *context,
                                 struct MHD_Connection *connection,
                                 const char *url, const char *method,
                                 const char *version, const char *data,
                                 size_t *size, void **slot)
{
    struct api_request *request = *slot;
    (void)url;
    (void)version;
    POT_ASSERT(request != NULL);
    if (!request->is_begun) {
        request->is_begun = true;
        api_admit_head(request, method);
        return request->response != NULL ? send_reply(request) : MHD_YES;
    }
    if (*size > 0) {
        buf_append(&request->body, data, *size);
        *size = 0;
        return MHD_YES;
    }
    if (request->response == NULL) {
        api_admit_body(request);
    }
    if (request->response == NULL) {
        dispatch(context, request);
    }
    if (!request->is_off_loop && request->response != NULL) {
        return send_reply(request);
    }
    api_connection_enter(api_connection_of(connection), API_WORKING);
    request->is_suspended = true;
    MHD_suspend_connection(connection);
    return MHD_YES;
}

/* ---- opening and closing */

static void on_tick(void *context)
{
    struct api *api = context;
    api_streams_tick(api->streams, uv_now(api->config.loop));
}

static void on_closed(void *context)
{
    struct api *api = context;
    POT_ASSERT(api->open == NULL);
    api_events_free(api->events);
    api_streams_free(api->streams);
    free(api);
}

/* Goes on with closing once no thread has a request any more. */
static void on_settled(void *context)
{
    struct api *api = context;
    if (api->is_closing && api->reading.running == 0 &&
        api->writing.running == 0) {
        api_server_close(api->server, on_closed);
    }
}

static struct api_queue new_queue(struct api *api, unsigned running_max)
{
    return (struct api_queue){
        .loop = api->config.loop,
        .running_max = running_max,
        .settled = on_settled,
        .context = api,
    };
}

enum pot_err api_open(struct api **out, const struct api_config *config)
{
    struct api *api = pot_calloc(1, sizeof(*api));
    const struct api_server_config server = {
        .loop = config->loop,
        .listen = config->listen,
        .connections_max = config->connections_max,
        .address_max = config->address_max,
        .context = api,
        .on_line = on_line,
        .on_access = on_access,
        .on_completed = on_completed,
        .on_tick = on_tick,
    };
    *out = NULL;
    enum pot_err err = api_server_open(&api->server, &server);
    if (err != POT_OK) {
        free(api);
        return err;
    }
    api->config = *config;
    api->streams = api_streams_new(api->server, config->streams_max);
    api->events = api_events_new(&api->config, api->streams);
    api_history_init(&api->history, uv_now(config->loop));
    api->reading = new_queue(api, READERS);
    api->writing = new_queue(api, 1);
    *out = api;
    return POT_OK;
}

void api_close(struct api *api)
{
    POT_ASSERT(!api->is_closing);
    api->is_closing = true;
    api_server_quiesce(api->server);
    api_queue_drop(&api->reading);
    api_queue_drop(&api->writing);
    for (struct api_request *r = api->open; r != NULL; r = r->next_open) {
        if (r->is_suspended && !r->is_off_loop) {
            intake_forget(api->config.intake, r);
            api_reply_stopping(r);
        }
    }
    api_streams_end(api->streams);
    on_settled(api);
}

/* ---- news */

void api_block_applied(struct api *api, const struct block *block)
{
    api_history_block(&api->history, block, uv_now(api->config.loop));
    api_events_block(api->events, block);
}

void api_peer_changed(struct api *api, const struct peer *peer, bool is_up)
{
    api_events_peer(api->events, peer, is_up);
}
