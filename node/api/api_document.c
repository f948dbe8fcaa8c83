#include "config.h"

#include "node/api/api_document.h"

#include "node/api/api_json.h"
#include "node/api/api_route.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- for machines */

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

static void add_operation(json_t *paths, const struct api_route *route)
{
    char method[8] = "";
    json_t *path = json_object_get(paths, route->path);
    if (path == NULL) {
        path = json_object();
        api_json_set(paths, route->path, path);
    }
    for (size_t i = 0; i < 7 && route->method[i] != '\0'; i++) {
        method[i] = (char)tolower((unsigned char)route->method[i]);
    }
    api_json_set(path, method, operation_json(route));
}

json_t *api_document_openapi(const struct api_route *const *files)
{
    json_t *paths = json_object();
    for (; *files != NULL; files++) {
        for (const struct api_route *r = *files; r->method != NULL; r++) {
            add_operation(paths, r);
        }
    }
    return json_pack("{ss s{ss ss} so s{s{so}}}", "openapi", "3.0.3", "info",
                     "title", "Proof-of-Training node", "version",
                     PACKAGE_VERSION, "paths", paths, "components", "responses",
                     "Error", error_json());
}

/* ---- for people */

static void add_row(struct buf *out, const struct api_route *route)
{
    bool is_link =
        strcmp(route->method, "GET") == 0 && strchr(route->path, '{') == NULL;
    buf_printf(out, "<tr><td>%s</td><td><code>", route->method);
    if (is_link) {
        buf_printf(out, "<a href=\"%s\">%s</a>", route->path, route->path);
    } else {
        buf_printf(out, "%s", route->path);
    }
    buf_printf(out, "</code></td><td>%s</td></tr>\n", route->summary);
}

void api_document_index(struct buf *out, const struct api_route *const *files)
{
    buf_printf(out,
               "<!doctype html>\n<html lang=\"en\"><head>"
               "<meta charset=\"utf-8\"><title>potd</title>"
               "<style>body{font:1rem/1.5 sans-serif;margin:2rem auto;"
               "max-width:60rem;padding:0 1rem}td{padding:.1rem 1rem .1rem 0;"
               "vertical-align:top}code{white-space:nowrap}</style></head>\n"
               "<body><h1>potd " PACKAGE_VERSION "</h1><table>\n");
    for (; *files != NULL; files++) {
        for (const struct api_route *r = *files; r->method != NULL; r++) {
            if (!r->is_index) {
                add_row(out, r);
            }
        }
    }
    buf_printf(out, "</table></body></html>\n");
}
