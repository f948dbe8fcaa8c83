#include "config.h"

#include "ctl/client.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/hash.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_TIMEOUT_MS 15000
#define PATH_SIZE          512

struct client {
    CURL *curl;
    struct curl_slist *headers;
};

static size_t take_body(char *data, size_t one, size_t count, void *context)
{
    struct buf *body = context;
    buf_append(body, data, one * count);
    return body->is_overflown ? 0 : one * count;
}

struct upload {
    const char *data;
    size_t size;
    size_t offset;
};

static size_t give_body(char *out, size_t one, size_t count, void *context)
{
    struct upload *upload = context;
    size_t size = upload->size - upload->offset;
    size = size < one * count ? size : one * count;
    if (size > 0) {
        memcpy(out, upload->data + upload->offset, size);
    }
    upload->offset += size;
    return size;
}

static struct client *open_client(struct ctl *ctl)
{
    if (ctl->client == NULL) {
        CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
        POT_ASSERT(code == CURLE_OK);
        ctl->client = pot_calloc(1, sizeof(*ctl->client));
        ctl->client->curl = curl_easy_init();
        POT_ASSERT(ctl->client->curl != NULL);
        /* No wait for "100 Continue" before a chunk is sent. */
        ctl->client->headers = curl_slist_append(NULL, "Expect:");
        ctl->client->headers = curl_slist_append(
            ctl->client->headers, "Content-Type: application/octet-stream");
    }
    return ctl->client;
}

void client_close(struct client *client)
{
    if (client != NULL) {
        curl_slist_free_all(client->headers);
        curl_easy_cleanup(client->curl);
        curl_global_cleanup();
        free(client);
    }
}

void client_reply_fini(struct client_reply *reply)
{
    json_decref(reply->json);
    buf_fini(&reply->body);
    *reply = (struct client_reply){0};
}

/* What is left of the time, in milliseconds; 0: none. */
static long time_left(const struct ctl *ctl)
{
    uint64_t now = clock_steady_ms();
    uint64_t left = ctl->deadline_ms > now ? ctl->deadline_ms - now : 0;
    return (long)(left < REQUEST_TIMEOUT_MS ? left : REQUEST_TIMEOUT_MS);
}

static void set_up(CURL *curl, struct client *client, const char *url,
                   struct buf *body, char *error)
{
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, client->headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "potctl/" PACKAGE_VERSION);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
}

static void set_method(CURL *curl, const char *method, struct upload *upload)
{
    if (strcmp(method, "POST") == 0) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)upload->size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, upload->data);
    } else if (strcmp(method, "PUT") == 0) {
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE,
                         (curl_off_t)upload->size);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_body);
        curl_easy_setopt(curl, CURLOPT_READDATA, upload);
    }
}

static enum exit_code explain(struct ctl *ctl, CURLcode code,
                              const char *detail)
{
    const char *why = detail[0] != '\0' ? detail : curl_easy_strerror(code);
    if (code == CURLE_OPERATION_TIMEDOUT) {
        return ctl_fail(ctl, EXIT_CODE_TIMEOUT, "%s: no answer in time (%s)",
                        ctl->node, why);
    }
    bool is_http =
        strncmp(ctl->node, "http", 4) == 0 || strstr(ctl->node, "://") == NULL;
    if (is_http &&
        (code == CURLE_UNSUPPORTED_PROTOCOL ||
         code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_GOT_NOTHING)) {
        return ctl_fail(ctl, EXIT_CODE_CONNECT,
                        "what answers at %s does not speak HTTP (%s): is it a"
                        " node's p2p port? api.listen says the API's, which is"
                        " one above it in a test network",
                        ctl->node, why);
    }
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
        return ctl_fail(ctl, EXIT_CODE_USAGE,
                        "--node %s: not a URL such as " CTL_NODE_DEFAULT
                        " (%s)",
                        ctl->node, why);
    }
    if (code == CURLE_WRITE_ERROR) {
        return ctl_fail(ctl, EXIT_CODE_FAILED, "%s: the answer is too long",
                        ctl->node);
    }
    bool is_plain = code == CURLE_SSL_CONNECT_ERROR;
    return ctl_fail(ctl, EXIT_CODE_CONNECT,
                    "cannot reach the node at %s: %s; %s", ctl->node, why,
                    is_plain ? "a node speaks http: give https:// for a proxy"
                               " before it alone"
                             : "start it, or name another with --node");
}

enum exit_code client_ask(struct client_reply *reply, struct ctl *ctl,
                          const char *method, const char *path,
                          const void *data, size_t size)
{
    char url[PATH_SIZE + 256];
    char error[CURL_ERROR_SIZE] = "";
    struct buf body;
    struct upload upload = {data != NULL ? data : "", size, 0};
    struct client *client = open_client(ctl);
    CURL *curl = client->curl;

    *reply = (struct client_reply){0};
    size_t node_size = strlen(ctl->node);
    while (node_size > 0 && ctl->node[node_size - 1] == '/') {
        node_size--;
    }
    int n =
        snprintf(url, sizeof(url), "%.*s%s", (int)node_size, ctl->node, path);
    if (n < 0 || (size_t)n >= sizeof(url)) {
        return ctl_fail(ctl, EXIT_CODE_USAGE, "--node: the URL is too long");
    }
    long left_ms = time_left(ctl);
    if (left_ms == 0) {
        return ctl_fail(ctl, EXIT_CODE_TIMEOUT,
                        "timed out; give a longer --timeout");
    }
    buf_init(&body, CLIENT_BYTES_MAX);
    set_up(curl, client, url, &body, error);
    set_method(curl, method, &upload);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, left_ms);
    CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK) {
        buf_fini(&body);
        return explain(ctl, code, error);
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply->status);
    reply->json = json_loadb((const char *)body.data, body.size,
                             JSON_REJECT_DUPLICATES, NULL);
    reply->body = body;
    return EXIT_CODE_DONE;
}

enum exit_code client_refused(struct ctl *ctl, const struct client_reply *reply,
                              const char *what)
{
    const json_t *error = json_object_get(reply->json, "error");
    const char *message = client_text(error, "message");
    if (message[0] == '\0') {
        message = "no reason was given";
    }
    if (reply->status == 503) {
        return ctl_fail(ctl, EXIT_CODE_NOT_READY, "the node is not ready: %s",
                        message);
    }
    if (reply->status == 400 || reply->status == 422) {
        return ctl_fail(ctl, EXIT_CODE_REJECTED, "%s: refused: %s", what,
                        message);
    }
    return ctl_fail(ctl, EXIT_CODE_FAILED, "%s: %s (HTTP %ld)", what, message,
                    reply->status);
}

/* What a hash may be of; a task's is also its transaction's. */
static const struct {
    const char *path;
    const char *what;
} owners[] = {
    {"/v1/blocks/", "a block's; `potctl block HASH` shows it"},
    {"/v1/datasets/", "a data set's; `potctl dataset show HASH` shows it"},
    {"/v1/tasks/", "a task's; `potctl task HASH` shows it"},
    {"/v1/txs/", "a transaction's; `potctl tx HASH` shows it"},
};
#define OWNERS (sizeof(owners) / sizeof(*owners))

/* NULL: the hash in path is of what the path takes it for, or of nothing. */
static const char *find_owner(struct ctl *ctl, const char *path)
{
    const char *hash = NULL;
    for (size_t i = 0; i < OWNERS; i++) {
        size_t size = strlen(owners[i].path);
        hash = strncmp(path, owners[i].path, size) == 0 ? path + size : hash;
    }
    if (hash == NULL || strspn(hash, "0123456789abcdef") != HASH_SIZE * 2) {
        return NULL;
    }
    for (size_t i = 0; i < OWNERS; i++) {
        char other[PATH_SIZE];
        struct client_reply reply;
        (void)snprintf(other, sizeof(other), "%s%.*s", owners[i].path,
                       HASH_SIZE * 2, hash);
        enum exit_code rc = client_ask(&reply, ctl, "GET", other, NULL, 0);
        bool is_there = rc == EXIT_CODE_DONE && reply.status / 100 == 2;
        client_reply_fini(&reply);
        if (is_there) {
            bool is_right =
                strncmp(path, owners[i].path, strlen(owners[i].path)) == 0;
            return is_right ? NULL : owners[i].what;
        }
    }
    return NULL;
}

enum exit_code client_missing(struct ctl *ctl, const struct client_reply *reply,
                              const char *path)
{
    const json_t *error = json_object_get(reply->json, "error");
    const char *owner = reply->status == 404 ? find_owner(ctl, path) : NULL;
    if (owner == NULL) {
        return client_refused(ctl, reply,
                              reply->status == 404 ? ctl->node : path);
    }
    return ctl_fail(ctl, EXIT_CODE_FAILED, "%s: %s; the hash is %s", ctl->node,
                    client_text(error, "message"), owner);
}

enum exit_code client_get(json_t **out, struct ctl *ctl, const char *format,
                          ...)
{
    char path[PATH_SIZE];
    struct client_reply reply;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(path, sizeof(path), format, args);
    va_end(args);
    *out = NULL;
    enum exit_code rc = client_ask(&reply, ctl, "GET", path, NULL, 0);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    if (reply.status != 200) {
        rc = client_missing(ctl, &reply, path);
        /* A question that makes no sense is the asker's fault. */
        rc = rc == EXIT_CODE_REJECTED ? EXIT_CODE_FAILED : rc;
    } else if (reply.json == NULL) {
        rc = ctl_fail(ctl, EXIT_CODE_FAILED,
                      "%s%s: the answer is no JSON; is this a node's API?",
                      ctl->node, path);
    } else {
        *out = json_incref(reply.json);
    }
    client_reply_fini(&reply);
    return rc;
}

const char *client_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

uint64_t client_count(const json_t *object, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(object, key));
    return value > 0 ? (uint64_t)value : 0;
}

uint64_t client_units(const json_t *object, const char *key)
{
    uint64_t units = 0;
    if (!ctl_parse_count(&units, client_text(object, key), UINT64_MAX)) {
        return 0;
    }
    return units;
}
