#include "config.h"

#include "node/api/api_request.h"

#include "base/check.h"
#include "base/log.h"
#include "node/api/api_json.h"
#include "node/api/api_server.h"
#include "node/hold/holdings.h"
#include "storage/store_prune.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ANSWER_BYTES_MAX ((size_t)256 << 20)
#define MESSAGE_SIZE     512

static void add_header(struct MHD_Response *response, const char *name,
                       const char *value)
{
    enum MHD_Result rc = MHD_add_response_header(response, name, value);
    POT_ASSERT(rc == MHD_YES);
}

/* What every response bears. */
static void protect(struct MHD_Response *response)
{
    add_header(response, "X-Content-Type-Options", "nosniff");
    add_header(response, "X-Frame-Options", "DENY");
    add_header(response, "Referrer-Policy", "no-referrer");
    add_header(response, "Cross-Origin-Resource-Policy", "same-origin");
    add_header(response, "Content-Security-Policy",
               "default-src 'self'; style-src 'self' 'unsafe-inline';"
               " frame-ancestors 'none'; base-uri 'none'");
}

/* Which state it tells of, and whether that may be an old one. */
static void date(const struct api_request *request,
                 struct MHD_Response *response)
{
    char height[24];
    if (request->has_tip) {
        (void)snprintf(height, sizeof(height), "%llu",
                       (unsigned long long)request->tip.height);
        add_header(response, "Pot-Height", height);
        add_header(response, "Pot-Synced",
                   request->is_synced ? "true" : "false");
    }
}

void api_request_wake(struct api_request *request)
{
    POT_ASSERT(request->is_suspended && request->response != NULL);
    request->is_suspended = false;
    api_server_resume(request->server, request->connection);
}

void api_reply_response(struct api_request *request, unsigned status,
                        struct MHD_Response *response)
{
    POT_ASSERT(request->response == NULL);
    POT_ASSERT(response != NULL);
    protect(response);
    date(request, response);
    request->status = status;
    request->response = response;
    if (!request->is_off_loop && request->is_suspended) {
        api_request_wake(request);
    }
}

void api_reply_bytes(struct api_request *request, unsigned status,
                     const char *type, struct buf *body)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback(body->size,
                                                           body->data, free);
    POT_ASSERT(response != NULL);
    *body = (struct buf){.size_max = body->size_max};
    add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    add_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    api_reply_response(request, status, response);
}

/* Nothing is told that stands on a read which failed. */
static bool reply_unread(struct api_request *request)
{
    enum pot_err err = request->view.err;
    request->view.err = POT_OK;
    if (err != POT_OK) {
        api_reply_store_error(request, err, "state");
    }
    return err != POT_OK;
}

void api_reply_json(struct api_request *request, unsigned status, json_t *json)
{
    struct buf body;
    if (reply_unread(request)) {
        json_decref(json);
        return;
    }
    buf_init(&body, ANSWER_BYTES_MAX);
    api_json_write(&body, json);
    buf_append(&body, "\n", 1);
    if (body.is_overflown) {
        buf_fini(&body);
        api_reply_error(request, 500, "answer_too_large",
                        "the answer is too large; ask for less at once");
        return;
    }
    api_reply_bytes(request, status, "application/json", &body);
}

void api_reply_empty(struct api_request *request, unsigned status)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    api_reply_response(request, status, response);
}

void api_reply_error(struct api_request *request, unsigned status,
                     const char *code, const char *format, ...)
{
    char message[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    json_t *error = json_object();
    json_t *json = json_object();
    api_json_set(error, "code", json_string(code));
    api_json_set(error, "message", api_json_text(message));
    api_json_set(json, "error", error);
    api_reply_json(request, status, json);
}

void api_reply_stopping(struct api_request *request)
{
    api_reply_error(request, 503, "stopping", "the node is stopping");
}

void api_reply_store_error(struct api_request *request, enum pot_err err,
                           const char *what)
{
    POT_ASSERT(err != POT_OK);
    if (err == POT_ENOENT) {
        api_reply_error(request, 404, "not_found", "there is no such %s", what);
        return;
    }
    if (err == POT_EPRUNED) {
        api_reply_error(
            request, 410, "pruned",
            "the %s is pruned: this node keeps blocks from height"
            " %llu on; headers are at /v1/blocks/HEIGHT/raw",
            what, (unsigned long long)store_lowest_block(api_store(request)));
        return;
    }
    LOG(LOG_ERROR, "node", "api_read_failed", log_text("what", what),
        log_text("error", err_text(err)));
    api_reply_error(request, 500,
                    err == POT_ECORRUPT ? "store_damaged" : "store",
                    "the %s cannot be read: %s", what, err_text(err));
}

bool api_arg_hash(struct api_request *request, struct hash *out,
                  const char *text)
{
    if (hash_parse(out, text) == POT_OK) {
        return true;
    }
    api_reply_error(request, 400, "malformed",
                    "a hash is 64 lower-case hex digits");
    return false;
}

bool api_arg_address(struct api_request *request, struct public_key *out,
                     const char *text)
{
    if (address_parse(out, text) == POT_OK) {
        return true;
    }
    api_reply_error(request, 400, "malformed",
                    "an address begins with pot1 and ends with its checksum");
    return false;
}

bool api_arg_u64(struct api_request *request, uint64_t *out, const char *key,
                 uint64_t max, uint64_t fallback)
{
    enum pot_err err =
        api_query_u64(out, request->url.query, key, max, fallback);
    if (err == POT_OK) {
        return true;
    }
    api_reply_error(request, 400, "malformed", "%s: a number up to %llu", key,
                    (unsigned long long)max);
    return false;
}

bool api_arg_limit(struct api_request *request, size_t *out, size_t max,
                   size_t fallback)
{
    uint64_t limit;
    if (!api_arg_u64(request, &limit, "limit", UINT64_MAX, fallback)) {
        return false;
    }
    if (limit == 0) {
        api_reply_error(request, 400, "malformed", "limit: at least 1");
        return false;
    }
    *out = limit < max ? (size_t)limit : max;
    return true;
}

struct state api_state(struct api_request *request)
{
    request->view.store = api_store(request);
    return stored_view_state(&request->view);
}

struct store *api_store(const struct api_request *request)
{
    return request->config->holdings->store;
}
