#include "config.h"

#include "node/api/api_route.h"

#include "base/limits.h"
#include "node/api/api_json.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define LIMIT(max)                                                             \
    {                                                                          \
        "limit", "integer", "at most so many, up to " max                      \
    }
#define FROM(what)                                                             \
    {                                                                          \
        "from", "integer", what                                                \
    }

const struct api_route api_routes[] = {
    {"GET", "/", .summary = "this list, or the web pages of the node",
     .type = "text/html", .status = 200, .is_unlisted = true,
     .handler = api_get_index},
    {"GET", "/v1/status", .summary = "the node and the chain at a glance",
     .answer = "version, protocol, chain_id, node, moniker, roles, height,"
               " block_hash, block_time_ms, state_root, view, primary,"
               " validators, peers, syncing, mempool_txs, tasks_running",
     .status = 200, .handler = api_get_status},
    {"GET", "/v1/accounts/{address}", .summary = "an account",
     .answer = "address, balance, staked, nonce, next_nonce, stake_validator,"
               " stake_miner, earned, slashed, moniker",
     .status = 200, .handler = api_get_account},
    {"POST", "/v1/txs", .summary = "send a signed transaction, as its bytes",
     .answer = "tx: its hash; it waits for a block now", .status = 202,
     .body_max = TX_BYTES_MAX, .handler = api_post_tx},
    {"GET", "/v1/txs/{hash}",
     .summary = "where a transaction stands; 202: it waits for a block",
     .answer = "tx, height, index, action; or tx, pending", .status = 200,
     .is_off_loop = true, .handler = api_get_tx, .prepare = api_prepare_tx},
    {"GET", "/v1/tasks", .summary = "tasks, the latest first",
     .answer = "tasks, next", .status = 200, .is_off_loop = true,
     .handler = api_get_tasks,
     .parameters = {LIMIT("1000"), FROM("number of a task, from 0")}},
    {"GET", "/v1/tasks/{task}", .summary = "a task",
     .answer = "task, name, status, reason, round, rounds, train_loss,"
               " test_accuracy, parameters_hash, submissions, rejected, paid,"
               " escrow_left, started_height, ended_height",
     .status = 200, .handler = api_get_task},
    {"GET", "/v1/tasks/{task}/parameters",
     .summary = "the model as it stands: each parameter as a little-endian"
                " int32, its value times 2^24, layer by layer, a weight"
                " (outputs, inputs) and then its bias",
     .type = "application/octet-stream", .status = 200, .is_off_loop = true,
     .handler = api_get_parameters},
    {"GET", "/v1/tasks/{task}/rounds", .summary = "a task's committed rounds",
     .answer = "rounds: round, height, submissions, train_loss,"
               " test_accuracy, aggregate_hash, parameters_hash, ms; next",
     .status = 200, .is_off_loop = true, .handler = api_get_rounds,
     .parameters = {FROM("first round"), LIMIT("1000")}},
    {"GET", "/v1/blocks", .summary = "blocks, by ascending height",
     .answer = "blocks, next", .status = 200, .is_off_loop = true,
     .handler = api_get_blocks,
     .parameters = {FROM("first height; the last blocks if missing"),
                    LIMIT("100")}},
    {"GET", "/v1/blocks/raw",
     .summary = "headers and certificates, as their bytes in hex",
     .answer = "blocks: height, header, certificate", .status = 200,
     .is_off_loop = true, .handler = api_get_blocks_raw,
     .parameters = {FROM("first height"), LIMIT("100")}},
    {"GET", "/v1/blocks/{block}", .summary = "a block: height, hash or latest",
     .answer = "height, hash, parent, time_ms, view, proposer, state_root,"
               " txs, round_updates, evidence, commit",
     .status = 200, .is_off_loop = true, .handler = api_get_block},
    {"GET", "/v1/blocks/{block}/raw",
     .summary = "its header and certificate, as their bytes in hex",
     .answer = "height, header, certificate", .status = 200,
     .is_off_loop = true, .handler = api_get_block_raw},
    {"GET", "/v1/validators", .summary = "the validators that sign a height",
     .answer = "height, validators: address, index, stake, earned, slashed,"
               " moniker, last_signed_height",
     .status = 200, .is_off_loop = true, .handler = api_get_validators,
     .parameters = {{"height", "integer", "the next one if missing"}}},
    {"GET", "/v1/miners", .summary = "the miners",
     .answer = "miners: address, stake, earned, slashed, tasks, moniker",
     .status = 200, .is_off_loop = true, .handler = api_get_miners},
    {"GET", "/v1/peers", .summary = "the node's peers",
     .answer = "peers: address, moniker, host, direction, height, rtt_ms",
     .status = 200, .handler = api_get_peers},
    {"GET", "/v1/rewards",
     .summary = "rewards and slashes of a task or an account, latest first",
     .answer = "rewards: height, task, round, to, amount, for; next",
     .status = 200, .is_off_loop = true, .handler = api_get_rewards,
     .parameters = {{"task", "string", "those of this task"},
                    {"address", "string", "those that this account got"},
                    {"from", "string", "next of an earlier answer"},
                    LIMIT("1000")}},
    {"POST", "/v1/datasets",
     .summary = "announce a data set: the bytes of its PublishDataset",
     .answer = "dataset, missing: indexes of the chunks to upload",
     .status = 200, .body_max = TX_BYTES_MAX, .is_off_loop = true,
     .is_writing = true, .handler = api_post_dataset},
    {"GET", "/v1/datasets/{dataset}", .summary = "a published data set",
     .answer = "dataset, name, rows, features, classes, size_bytes, chunks,"
               " owner, height, held",
     .status = 200, .handler = api_get_dataset},
    {"PUT", "/v1/datasets/{dataset}/chunks/{index}",
     .summary = "upload a chunk of an announced data set", .status = 204,
     .body_max = DATASET_CHUNK_BYTES, .is_off_loop = true, .is_writing = true,
     .handler = api_put_chunk},
    {"GET", "/v1/params", .summary = "what the chain was made with",
     .answer = "chain_id, genesis_hash, genesis_time_ms, its parameters",
     .status = 200, .handler = api_get_params},
    {"GET", "/v1/proofs/{key}",
     .summary = "a state record and its proof; the key in hex",
     .answer = "key, height, state_root, value, bucket, siblings",
     .status = 200, .is_off_loop = true, .handler = api_get_proof},
    {"GET", "/v1/events", .summary = "what happens, as server-sent events",
     .answer = "events block, round, task and peer, with JSON data",
     .type = "text/event-stream", .status = 200, .handler = api_get_events,
     .parameters = {{"type", "string", "only these, with commas between"}}},
    {"GET", "/metrics", .summary = "numbers for Prometheus",
     .type = "text/plain", .status = 200, .handler = api_get_metrics},
    {"GET", "/livez", .summary = "whether the node's loop turns",
     .answer = "live", .status = 200, .handler = api_get_live},
    {"GET", "/readyz",
     .summary = "whether the node is up to date and can do its part; 503 if"
                " not",
     .answer = "ready, reasons: code, message", .status = 200,
     .handler = api_get_ready},
    {"GET", "/openapi.json", .summary = "this API, for machines",
     .answer = "an OpenAPI 3.0 document", .status = 200,
     .handler = api_get_openapi},
};
const size_t api_route_count = sizeof(api_routes) / sizeof(*api_routes);

/* Answers what no other route does, where [api] web names a folder. */
static const struct api_route static_route = {"GET",
                                              "",
                                              .summary = "web pages",
                                              .status = 200,
                                              .is_off_loop = true,
                                              .handler = api_get_static};

static void add_method(char allow[static 64], const char *method)
{
    size_t used = strlen(allow);
    bool is_get = strcmp(method, "GET") == 0;
    (void)snprintf(allow + used, 64 - used, "%s%s%s", used > 0 ? ", " : "",
                   method, is_get ? ", HEAD" : "");
}

void api_route_find(struct api_request *request, const char *method,
                    char allow[static 64])
{
    bool is_head = strcmp(method, "HEAD") == 0;
    const char *wanted = is_head ? "GET" : method;
    char args[API_ARGS_MAX][API_ARG_SIZE];
    bool has_web = api_has_web(request);
    const char *path = request->url.path;
    allow[0] = '\0';
    for (size_t i = has_web ? 1 : 0; i < api_route_count; i++) {
        const struct api_route *route = &api_routes[i];
        if (!api_url_match(route->path, path, args)) {
            continue;
        }
        if (strcmp(route->method, wanted) == 0) {
            request->route = route;
            memcpy(request->args, args, sizeof(args));
            return;
        }
        add_method(allow, route->method);
    }
    if (allow[0] == '\0' && has_web && strncmp(path, "/v1/", 4) != 0) {
        if (strcmp(wanted, "GET") == 0) {
            request->route = &static_route;
            return;
        }
        add_method(allow, "GET");
    }
}

/* ---- the table as a document */

static json_t *text_schema(const char *type)
{
    return json_pack("{s{ss}}", "schema", "type", type);
}

static void add_path_parameters(json_t *out, const char *path)
{
    for (const char *at = strchr(path, '{'); at != NULL; at = strchr(at, '{')) {
        size_t size = strcspn(++at, "}");
        json_t *one = text_schema("string");
        api_json_set(one, "name", json_stringn(at, size));
        api_json_set(one, "in", json_string("path"));
        api_json_set(one, "required", json_true());
        api_json_add(out, one);
    }
}

static json_t *parameters_json(const struct api_route *route)
{
    json_t *out = json_array();
    add_path_parameters(out, route->path);
    for (size_t i = 0; i < API_PARAMETERS_MAX; i++) {
        const struct api_parameter *p = &route->parameters[i];
        if (p->name != NULL) {
            json_t *one = text_schema(p->type);
            api_json_set(one, "name", json_string(p->name));
            api_json_set(one, "in", json_string("query"));
            api_json_set(one, "description", json_string(p->summary));
            api_json_add(out, one);
        }
    }
    return out;
}

/* "post" and "/v1/txs" give "post_v1_txs". */
static json_t *operation_id(const struct api_route *route)
{
    char text[160];
    size_t used = 0;
    (void)snprintf(text, sizeof(text), "%s%s", route->method, route->path);
    for (const char *c = text; *c != '\0'; c++) {
        bool is_word = isalnum((unsigned char)*c) != 0;
        if (is_word) {
            text[used++] = (char)tolower((unsigned char)*c);
        } else if (used > 0 && text[used - 1] != '_') {
            text[used++] = '_';
        }
    }
    used -= used > 0 && text[used - 1] == '_' ? 1 : 0;
    return json_stringn(text, used);
}

static json_t *responses_json(const struct api_route *route)
{
    char status[8];
    json_t *answer = json_object();
    json_t *out = json_object();
    (void)snprintf(status, sizeof(status), "%u", route->status);
    api_json_set(
        answer, "description",
        json_string(route->answer != NULL ? route->answer : route->summary));
    if (route->status != 204) {
        bool is_json = route->type == NULL;
        json_t *schema = text_schema(is_json ? "object" : "string");
        json_t *content = json_object();
        api_json_set(content, is_json ? "application/json" : route->type,
                     schema);
        api_json_set(answer, "content", content);
    }
    api_json_set(out, status, answer);
    api_json_set(out, "default",
                 json_pack("{ss}", "$ref", "#/components/responses/Error"));
    return out;
}

static json_t *operation_json(const struct api_route *route)
{
    json_t *out = json_object();
    api_json_set(out, "operationId", operation_id(route));
    api_json_set(out, "summary", json_string(route->summary));
    api_json_set(out, "parameters", parameters_json(route));
    if (route->body_max > 0) {
        api_json_set(out, "requestBody",
                     json_pack("{sb s{s{s{ss ss}}}}", "required", 1, "content",
                               "application/octet-stream", "schema", "type",
                               "string", "format", "binary"));
    }
    api_json_set(out, "responses", responses_json(route));
    return out;
}

static json_t *error_json(void)
{
    json_t *text = json_pack("{ss}", "type", "string");
    json_t *error = json_pack("{ss s{sO sO}}", "type", "object", "properties",
                              "code", text, "message", text);
    json_t *schema =
        json_pack("{ss s{so}}", "type", "object", "properties", "error", error);
    json_decref(text);
    return json_pack("{ss s{s{so}}}", "description", "what went wrong",
                     "content", "application/json", "schema", schema);
}

json_t *api_route_openapi(void)
{
    json_t *paths = json_object();
    for (size_t i = 0; i < api_route_count; i++) {
        char method[8] = "";
        const struct api_route *route = &api_routes[i];
        json_t *path = json_object_get(paths, route->path);
        if (path == NULL) {
            path = json_object();
            api_json_set(paths, route->path, path);
        }
        for (size_t j = 0; j < 7 && route->method[j] != '\0'; j++) {
            method[j] = (char)tolower((unsigned char)route->method[j]);
        }
        api_json_set(path, method, operation_json(route));
    }
    return json_pack("{ss s{ss ss} so s{s{so}}}", "openapi", "3.0.3", "info",
                     "title", "Proof-of-Training node", "version",
                     PACKAGE_VERSION, "paths", paths, "components", "responses",
                     "Error", error_json());
}

void api_route_index(struct buf *out)
{
    buf_printf(out,
               "<!doctype html>\n<html lang=\"en\"><head>"
               "<meta charset=\"utf-8\"><title>potd</title>"
               "<style>body{font:1rem/1.5 sans-serif;margin:2rem auto;"
               "max-width:60rem;padding:0 1rem}td{padding:.1rem 1rem .1rem 0;"
               "vertical-align:top}code{white-space:nowrap}</style></head>\n"
               "<body><h1>potd " PACKAGE_VERSION "</h1><table>\n");
    for (size_t i = 0; i < api_route_count; i++) {
        const struct api_route *route = &api_routes[i];
        bool is_link = strcmp(route->method, "GET") == 0 &&
                       strchr(route->path, '{') == NULL;
        if (route->is_unlisted) {
            continue;
        }
        buf_printf(out, "<tr><td>%s</td><td><code>", route->method);
        if (is_link) {
            buf_printf(out, "<a href=\"%s\">%s</a>", route->path, route->path);
        } else {
            buf_printf(out, "%s", route->path);
        }
        buf_printf(out, "</code></td><td>%s</td></tr>\n", route->summary);
    }
    buf_printf(out, "</table></body></html>\n");
}
