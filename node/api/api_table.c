/* The index and the OpenAPI document are made of the table and stand in it. */
#include "config.h"

#include "node/api/api_table.h"

#include "node/api/api_document.h"
#include "node/api/api_request.h"
#include "node/api/api_route.h"

#include <stdio.h>
#include <string.h>

#define INDEX_BYTES_MAX ((size_t)1 << 20)

static void get_index(struct api_request *request);
static void get_openapi(struct api_request *request);

static const struct api_route first_routes[] = {
    {"GET", "/", .summary = "this list, or the web pages of the node",
     .type = "text/html", .status = 200, .is_index = true,
     .handler = get_index},
    {.method = NULL},
};

static const struct api_route last_routes[] = {
    {"GET", "/openapi.json", .summary = "this API, for machines",
     .answer = "an OpenAPI 3.0 document", .status = 200,
     .handler = get_openapi},
    {.method = NULL},
};

static const struct api_route *const files[] = {
    first_routes,
    api_status_routes,
    api_account_routes,
    api_tx_routes,
    api_task_routes,
    api_block_routes,
    api_staker_routes,
    api_peer_routes,
    api_reward_routes,
    api_evidence_routes,
    api_challenge_routes,
    api_dataset_routes,
    api_chain_routes,
    api_consensus_routes,
    api_events_routes,
    metrics_routes,
    api_health_routes,
    last_routes,
    NULL,
};

static void get_index(struct api_request *request)
{
    struct buf body;
    buf_init(&body, INDEX_BYTES_MAX);
    api_document_index(&body, files);
    api_reply_bytes(request, 200, "text/html; charset=utf-8", &body);
}

static void get_openapi(struct api_request *request)
{
    api_reply_json(request, 200, api_document_openapi(files));
}

/* ---- finding */

static void add_method(char allow[static 64], const char *method)
{
    size_t used = strlen(allow);
    bool is_get = strcmp(method, "GET") == 0;
    (void)snprintf(allow + used, 64 - used, "%s%s%s", used > 0 ? ", " : "",
                   method, is_get ? ", HEAD" : "");
}

/* False: it does not fit; a method that would is noted in allow. */
static bool try_route(struct api_request *request,
                      const struct api_route *route, const char *method,
                      char allow[static 64])
{
    char args[API_ARGS_MAX][API_ARG_SIZE];
    if (!api_url_match(route->path, request->url.path, args)) {
        return false;
    }
    if (strcmp(route->method, method) != 0) {
        add_method(allow, route->method);
        return false;
    }
    request->route = route;
    memcpy(request->args, args, sizeof(args));
    return true;
}

/* A page of [api] web, for what no call is named like. */
static void try_web(struct api_request *request, const char *method,
                    char allow[static 64])
{
    if (strncmp(request->url.path, "/v1/", 4) == 0) {
        return;
    }
    if (strcmp(method, "GET") == 0) {
        request->route = &api_static_route;
    } else {
        add_method(allow, "GET");
    }
}

void api_table_find(struct api_request *request, const char *method,
                    char allow[static 64])
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    bool has_web = request->config->web[0] != '\0';
    allow[0] = '\0';
    for (size_t i = 0; files[i] != NULL; i++) {
        for (const struct api_route *r = files[i]; r->method != NULL; r++) {
            if (!(r->is_index && has_web) &&
                try_route(request, r, wanted, allow)) {
                return;
            }
        }
    }
    if (allow[0] == '\0' && has_web) {
        try_web(request, wanted, allow);
    }
}
