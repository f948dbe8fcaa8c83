#include "config.h"

#include "node/api/api_admit.h"

#include "base/check.h"
#include "node/api/api_request.h"
#include "node/api/api_route.h"
#include "node/api/api_server.h"
#include "node/api/api_table.h"
#include "storage/store.h"

#include <string.h>

#define HEADER_BYTES_MAX (16 << 10)

static void check_url(struct api_request *request)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        request->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (info != NULL && info->header_size > HEADER_BYTES_MAX) {
        api_reply_error(request, 431, "header_too_large",
                        "the headers are larger than %d bytes",
                        HEADER_BYTES_MAX);
    } else if (request->url_err == POT_ELIMIT) {
        api_reply_error(request, 414, "url_too_long", "the URL is too long");
    } else if (request->url_err != POT_OK) {
        api_reply_error(request, 400, "malformed", "the URL is malformed");
    }
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
    if (api_server_is_loopback(request->server) && host != NULL &&
        !api_host_is_local(host)) {
        api_reply_error(request, 403, "host",
                        "this node answers to localhost, 127.0.0.1 and [::1]"
                        " only");
    } else if (!is_reading && origin != NULL &&
               (host == NULL || !api_origin_is_host(origin, host))) {
        api_reply_error(request, 403, "origin",
                        "a page of another site may not do this");
    }
}

static void check_route(struct api_request *request, const char *method)
{
    char allow[64];
    api_table_find(request, method, allow);
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

/* Nothing is taken that could not be kept. */
static void check_store(struct api_request *request)
{
    char text[STORE_HEALTH_TEXT_SIZE];
    enum store_health health = store_health(api_store(request));
    if (request->route->body_max > 0 && health != STORE_SOUND) {
        api_reply_error(request, 503, store_health_name(health),
                        "this node takes nothing now: %s",
                        store_health_text(text, api_store(request), health));
    }
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

void api_admit_head(struct api_request *request, const char *method)
{
    check_url(request);
    if (request->response == NULL) {
        check_origin(request, method);
    }
    if (request->response == NULL) {
        check_route(request, method);
    }
    if (request->response == NULL) {
        check_store(request);
    }
    if (request->response == NULL) {
        check_size(request);
    }
    if (request->response == NULL) {
        buf_init(&request->body, request->route->body_max);
    }
}

void api_admit_body(struct api_request *request)
{
    if (request->body.is_overflown) {
        refuse_size(request);
    }
}
