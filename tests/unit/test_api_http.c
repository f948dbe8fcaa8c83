/* A whole node, one validator that mines too, asked over HTTP: how it treats
 * requests that nobody should send. */
#include "config.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "node/api/api_url.h"
#include "proto/batch.h"
#include "tests/scratch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ANSWER_MAX    (1 << 20)
#define DEADLINE_MS   30000
#define ARGUMENTS_MAX 16
#define STREAMS       40
#define STREAMS_MAX   32
#define CALLS_MAX     64

static char *folder;
static unsigned api_port;
static pid_t node;

/* ---- processes */

/* arguments end with NULL. */
static pid_t start(const char *const *arguments, const char *log)
{
    char *copy[ARGUMENTS_MAX];
    size_t count = 0;
    while (arguments[count] != NULL) {
        count++;
    }
    assert_true(count < ARGUMENTS_MAX);
    /* execv has no const strings; nothing writes to them. */
    memcpy(copy, arguments, (count + 1) * sizeof(*copy));
    pid_t pid = fork();
    if (pid == 0) {
        if (freopen(log, "a", stderr) == NULL ||
            freopen("/dev/null", "w", stdout) == NULL) {
            _exit(127);
        }
        (void)execv(copy[0], copy);
        _exit(127);
    }
    return pid;
}

static int wait_for(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run(const char *const *arguments)
{
    return wait_for(start(arguments, "/dev/null"));
}

/* ---- HTTP, byte by byte */

static int dial_port(unsigned port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static int dial(void)
{
    int fd = dial_port(api_port);
    assert_true(fd >= 0);
    return fd;
}

static void send_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
        if (n <= 0) {
            return; /* it hung up, and may have answered */
        }
        data += n;
        size -= (size_t)n;
    }
}

/* Reads until `until` has come, or the end; false: the time is up. */
static bool receive(struct buf *answer, int fd, const char *until)
{
    uint64_t end = clock_steady_ms() + DEADLINE_MS;
    for (;;) {
        char piece[4096];
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (until != NULL && strstr(buf_text(answer), until) != NULL) {
            return true;
        }
        if (clock_steady_ms() >= end || poll(&ready, 1, 100) < 0) {
            return false;
        }
        if (ready.revents == 0) {
            continue;
        }
        ssize_t n = recv(fd, piece, sizeof(piece), 0);
        if (n <= 0) {
            return until == NULL;
        }
        buf_append(answer, piece, (size_t)n);
    }
}

/* Sends a request and returns the status of the answer, 0 for none. */
static int ask(struct buf *answer, const char *request, size_t size)
{
    int status = 0;
    int fd = dial();
    buf_clear(answer);
    send_all(fd, request, size);
    assert_true(receive(answer, fd, NULL));
    (void)close(fd);
    if (answer->size > 12 && memcmp(answer->data, "HTTP/1.1 ", 9) == 0) {
        status = (int)strtol(buf_text(answer) + 9, NULL, 10);
    }
    return status;
}

static int ask_text(struct buf *answer, const char *request)
{
    return ask(answer, request, strlen(request));
}

#define HOST "Host: localhost\r\nConnection: close\r\n"

static int get(struct buf *answer, const char *path)
{
    char request[2048];
    (void)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n" HOST "\r\n",
                   path);
    return ask_text(answer, request);
}

static bool says(struct buf *answer, const char *text)
{
    return strstr(buf_text(answer), text) != NULL;
}

/* ---- the node */

static bool is_free(unsigned port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_bound = bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0;
    (void)close(fd);
    return is_bound;
}

static unsigned find_ports(void)
{
    unsigned port = 20000 + (unsigned)getpid() % 10000;
    while (!is_free(port) || !is_free(port + 1)) {
        port += 2;
    }
    return port;
}

static int set_up(void **state)
{
    char base[16];
    char net[64];
    char config[96];
    char log[96];
    struct buf answer;
    (void)state;
    folder = scratch_folder();
    unsigned port = find_ports();
    api_port = port + 1;
    (void)snprintf(base, sizeof(base), "%u", port);
    (void)snprintf(net, sizeof(net), "%s/net", folder);
    (void)snprintf(config, sizeof(config), "%s/validator0/node.toml", net);
    (void)snprintf(log, sizeof(log), "%s/log", folder);
    const char *const init[] = {"./potctl", "testnet",      "init", "--dir",
                                net,        "--validators", "1",    "--miners",
                                "0",        "--base-port",  base,   NULL};
    const char *const potd[] = {"./potd", "--config", config, NULL};
    assert_int_equal(run(init), 0);
    node = start(potd, log);
    uint64_t end = clock_steady_ms() + DEADLINE_MS;
    int fd = -1;
    while (fd < 0 && clock_steady_ms() < end) {
        (void)poll(NULL, 0, 20);
        fd = dial_port(api_port);
    }
    assert_true(fd >= 0);
    (void)close(fd);
    buf_init(&answer, ANSWER_MAX);
    while (!says(&answer, "\"height\":1,") && clock_steady_ms() < end) {
        (void)get(&answer, "/v1/blocks?from=1&limit=1");
    }
    buf_fini(&answer);
    return 0;
}

static int tear_down(void **state)
{
    const char *const remove[] = {"/bin/rm", "-rf", folder, NULL};
    (void)state;
    int code = 0;
    if (node > 0) {
        (void)kill(node, SIGTERM);
        code = wait_for(node);
    }
    (void)run(remove);
    free(folder);
    return code;
}

/* ---- what it does */

static void reading_requests_are_answered(void **state)
{
    static const struct {
        const char *path;
        const char *text;
    } cases[] = {
        {"/", "<!doctype html>"},
        {"/v1/status", "\"state_root\":\""},
        {"/v1/params", "\"genesis_hash\":\""},
        {"/v1/tasks", "{\"tasks\":[]"},
        {"/v1/blocks", "{\"blocks\":[{\"height\":"},
        {"/v1/blocks/latest", "\"commit\":{\"height\":"},
        {"/v1/blocks/1", "{\"height\":1,"},
        {"/v1/blocks/1/raw", "\"certificate\":\""},
        {"/v1/blocks/1/bytes", "Content-Type: application/octet-stream"},
        {"/v1/blocks/raw?from=1&limit=1", "\"header\":\""},
        {"/v1/validators", "\"moniker\":\"validator0\",\"index\":0"},
        {"/v1/validators?height=1", "{\"height\":1,"},
        {"/v1/miners", "\"moniker\":\"validator0\",\"tasks\":"},
        {"/v1/evidence", "{\"pending\":[],\"punished\":[]}"},
        {"/v1/peers", "{\"peers\":[],\"banned\":[]}"},
        {"/v1/proofs/737570706c79", "\"siblings\":["},
        {"/livez", "{\"live\":true}"},
        {"/readyz", "{\"ready\":true,"},
        {"/metrics", "\npot_consensus_height "},
        {"/openapi.json", "\"/v1/blocks/{block}/raw\":{\"get\":"},
    };
    struct buf answer;
    (void)state;
    buf_init(&answer, ANSWER_MAX);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_int_equal(get(&answer, cases[i].path), 200);
        assert_true(says(&answer, cases[i].text));
        assert_true(says(&answer, "X-Content-Type-Options: nosniff"));
        assert_false(says(&answer, "Access-Control-Allow-Origin"));
    }
    buf_fini(&answer);
}

/* "GET /v1/blocks/{}", from the list at / or from docs/api.md. */
struct calls {
    char all[CALLS_MAX][128];
    size_t count;
};

/* Up to a '?' or the first of end; what braces hold has other names there. */
static void add_call(struct calls *calls, const char *method, const char *path,
                     const char *end)
{
    assert_true(calls->count < CALLS_MAX);
    char *out = calls->all[calls->count++];
    size_t used = (size_t)snprintf(out, 128, "%s ", method);
    while (*path != '\0' && *path != '?' && strchr(end, *path) == NULL) {
        assert_true(used < 126);
        out[used++] = *path;
        path += *path == '{' ? strcspn(path, "}") : 1;
    }
    out[used] = '\0';
}

/* The method that from begins with; returns what follows, which is end. */
static const char *take_method(char method[static 8], const char *from,
                               char end)
{
    size_t size = 0;
    while (size < 7 && from[size] >= 'A' && from[size] <= 'Z') {
        method[size] = from[size];
        size++;
    }
    method[size] = '\0';
    return size > 0 && from[size] == end ? from + size : NULL;
}

/* <tr><td>GET</td><td><code><a href="/x">/x</a></code>, a link or not. */
static void read_index(struct calls *calls, const char *page)
{
    while ((page = strstr(page, "<tr><td>")) != NULL) {
        char method[8];
        page = take_method(method, page + 8, '<');
        assert_non_null(page);
        page = strstr(page, "<code>");
        assert_non_null(page);
        page += strcspn(page, "/");
        add_call(calls, method, page, "<\"");
    }
}

/* The first column of the table of calls: `GET /x`, `GET /y`. */
static void read_row(struct calls *calls, const char *row)
{
    const char *end = strstr(row, " | ");
    for (row = strchr(row, '`'); row != NULL && row < end;
         row = strchr(row, '`')) {
        char method[8];
        const char *path = take_method(method, ++row, ' ');
        assert_non_null(path);
        add_call(calls, method, path + 1, "`");
        row = strchr(row, '`') + 1;
    }
}

static void read_document(struct calls *calls)
{
    const char *source = getenv("srcdir");
    char *path = file_join(source != NULL ? source : "..", "docs/api.md");
    char *page;
    size_t size;
    assert_int_equal(file_read(&page, &size, path, ANSWER_MAX), POT_OK);
    const char *end = strstr(page, "\n## Events");
    for (const char *row = strstr(page, "\n| `"); row != NULL && row < end;
         row = strstr(row + 1, "\n| `")) {
        read_row(calls, row);
    }
    free(page);
    free(path);
}

static void expect_all(const struct calls *calls, const struct calls *in,
                       const char *what)
{
    for (size_t i = 0; i < calls->count; i++) {
        size_t k = 0;
        while (k < in->count && strcmp(calls->all[i], in->all[k]) != 0) {
            k++;
        }
        if (k == in->count) {
            fail_msg("%s: %s", what, calls->all[i]);
        }
    }
}

static struct calls read_both(struct calls *described)
{
    struct calls calls = {.count = 0};
    struct buf answer;
    buf_init(&answer, ANSWER_MAX);
    assert_int_equal(get(&answer, "/"), 200);
    read_index(&calls, buf_text(&answer));
    read_document(described);
    buf_fini(&answer);
    return calls;
}

static void every_call_is_described_and_there(void **state)
{
    struct calls described = {.count = 0};
    struct calls calls = read_both(&described);
    (void)state;
    assert_true(calls.count > 0);
    expect_all(&calls, &described, "not in docs/api.md");
    expect_all(&described, &calls, "in docs/api.md, but there is no route");
}

/* The first match wins: "/v1/blocks/{block}" before "/v1/blocks/raw" would
 * take all of its requests. */
static void no_call_hides_a_later_one(void **state)
{
    struct calls described = {.count = 0};
    struct calls calls = read_both(&described);
    (void)state;
    for (size_t later = 1; later < calls.count; later++) {
        for (size_t i = 0; i < later; i++) {
            char args[API_ARGS_MAX][API_ARG_SIZE];
            if (api_url_match(calls.all[i], calls.all[later], args)) {
                fail_msg("%s hides %s", calls.all[i], calls.all[later]);
            }
        }
    }
}

static void what_is_not_there_is_said_so(void **state)
{
    static const struct {
        const char *path;
        int status;
    } cases[] = {
        {"/nothing", 404},
        {"/v1/blocks/999999999", 404},
        {"/v1/blocks/0", 404},
        {"/v1/blocks/xyz", 400},
        {"/v1/blocks?limit=0", 400},
        {"/v1/blocks?from=-1", 400},
        {"/v1/validators?height=0", 404},
        {"/v1/validators?height=999999999", 404},
        {"/v1/txs/12", 400},
        {"/v1/accounts/pot1", 400},
        {"/v1/rewards", 400},
        {"/v1/proofs/zz", 400},
        {"/v1/events?type=nothing", 400},
        {"/%zz", 400},
        {"/%00", 400},
        {"/../etc/passwd", 404},
    };
    struct buf answer;
    (void)state;
    buf_init(&answer, ANSWER_MAX);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_int_equal(get(&answer, cases[i].path), cases[i].status);
        assert_true(says(&answer, "{\"error\":{\"code\":\""));
    }
    assert_int_equal(get(&answer, "/v1/blocks/999999999"), 404);
    assert_true(says(&answer, "no block 999999999 yet: the latest is "));
    buf_fini(&answer);
}

static void a_kind_of_event_that_is_none_is_told_which_there_are(void **state)
{
    struct buf answer;
    (void)state;
    buf_init(&answer, ANSWER_MAX);
    assert_int_equal(get(&answer, "/v1/events?type=blok"), 400);
    assert_true(says(&answer, "type: block, round, task, peer, evidence,"
                              " challenge, with commas between"));
    buf_fini(&answer);
}

static void other_sites_are_refused(void **state)
{
    struct buf answer;
    (void)state;
    buf_init(&answer, ANSWER_MAX);
    assert_int_equal(ask_text(&answer, "GET /v1/status HTTP/1.1\r\n"
                                       "Host: evil.example\r\n"
                                       "Connection: close\r\n\r\n"),
                     403);
    assert_int_equal(ask_text(&answer, "GET /livez HTTP/1.1\r\n"
                                       "Host: [::1]:1\r\n"
                                       "Connection: close\r\n\r\n"),
                     200);
    assert_int_equal(ask_text(&answer, "POST /v1/txs HTTP/1.1\r\n" HOST
                                       "Origin: http://evil.example\r\n"
                                       "Content-Length: 0\r\n\r\n"),
                     403);
    buf_fini(&answer);
}

static void a_wrong_method_is_told_the_right_ones(void **state)
{
    struct buf answer;
    (void)state;
    buf_init(&answer, ANSWER_MAX);
    assert_int_equal(
        ask_text(&answer, "DELETE /v1/txs HTTP/1.1\r\n" HOST "\r\n"), 405);
    assert_true(says(&answer, "\r\nAllow: POST\r\n"));
    assert_int_equal(
        ask_text(&answer, "OPTIONS /v1/status HTTP/1.1\r\n" HOST "\r\n"), 405);
    assert_true(says(&answer, "\r\nAllow: GET, HEAD\r\n"));
    assert_int_equal(
        ask_text(&answer, "HEAD /v1/status HTTP/1.1\r\n" HOST "\r\n"), 200);
    assert_false(says(&answer, "chain_id"));
    buf_fini(&answer);
}

static void too_large_a_request_is_refused(void **state)
{
    static char large[200000];
    struct buf answer;
    (void)state;
    buf_init(&answer, ANSWER_MAX);
    assert_int_equal(ask_text(&answer, "POST /v1/txs HTTP/1.1\r\n" HOST
                                       "Content-Length: 1048577\r\n\r\n"),
                     413);
    memset(large, 'a', sizeof(large) - 1);
    int n =
        snprintf(large, sizeof(large), "GET /livez HTTP/1.1\r\n" HOST "X: ");
    large[n] = 'a';
    memcpy(large + 20000, "\r\n\r\n", 4);
    assert_int_equal(ask(&answer, large, 20004), 431);
    memset(large + 20000, 'a', 4);
    assert_int_equal(ask(&answer, large, sizeof(large) - 1), 431);
    memcpy(large, "GET /", 5);
    memset(large + 5, 'b', 2000);
    (void)snprintf(large + 2005, 100, " HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(ask_text(&answer, large), 414);
    buf_fini(&answer);
}

static void a_body_without_a_length_is_limited_too(void **state)
{
    struct buf answer;
    struct buf request;
    static char piece[65536];
    (void)state;
    buf_init(&answer, ANSWER_MAX);
    buf_init(&request, 4 << 20);
    memset(piece, 'a', sizeof(piece));
    buf_printf(&request, "POST /v1/txs HTTP/1.1\r\n" HOST
                         "Transfer-Encoding: chunked\r\n\r\n");
    for (unsigned i = 0; i < 20; i++) {
        buf_printf(&request, "10000\r\n");
        buf_append(&request, piece, sizeof(piece));
        buf_printf(&request, "\r\n");
    }
    buf_printf(&request, "0\r\n\r\n");
    assert_int_equal(ask(&answer, (const char *)request.data, request.size),
                     413);
    buf_fini(&request);
    buf_fini(&answer);
}

static void garbage_is_no_transaction(void **state)
{
    struct buf answer;
    (void)state;
    buf_init(&answer, ANSWER_MAX);
    assert_int_equal(ask_text(&answer, "POST /v1/txs HTTP/1.1\r\n" HOST
                                       "Content-Length: 7\r\n\r\ngarbage"),
                     400);
    assert_true(says(&answer, "{\"error\":{\"code\":\"malformed\""));
    assert_int_equal(ask_text(&answer, "POST /v1/datasets HTTP/1.1\r\n" HOST
                                       "Content-Length: 7\r\n\r\ngarbage"),
                     400);
    buf_fini(&answer);
}

/* A batch of so many, none of which is a transaction. */
static int ask_batch(struct buf *answer, unsigned count, size_t cut)
{
    static const uint8_t garbage[BATCH_ITEM_MIN] = {7};
    char head[128];
    struct buf batch;
    struct buf request;
    buf_init(&batch, TX_BATCH_BYTES_MAX);
    for (unsigned i = 0; i < count; i++) {
        batch_add(&batch, garbage, sizeof(garbage));
    }
    int size = snprintf(head, sizeof(head),
                        "POST /v1/txs/batch HTTP/1.1\r\n" HOST
                        "Content-Length: %zu\r\n\r\n",
                        batch.size - cut);
    buf_init(&request, TX_BATCH_BYTES_MAX + sizeof(head));
    buf_append(&request, head, (size_t)size);
    buf_append(&request, batch.data, batch.size - cut);
    int status = ask(answer, (const char *)request.data, request.size);
    buf_fini(&request);
    buf_fini(&batch);
    return status;
}

static void a_batch_is_answered_one_by_one(void **state)
{
    struct buf answer;
    (void)state;
    buf_init(&answer, ANSWER_MAX);
    assert_int_equal(ask_batch(&answer, 2, 0), 202);
    assert_true(says(&answer, "\"accepted\":0"));
    assert_true(says(&answer, "\"index\":0"));
    assert_true(says(&answer, "\"index\":1"));
    assert_false(says(&answer, "\"index\":2"));
    assert_int_equal(ask_batch(&answer, 2, 1), 400);
    assert_true(says(&answer, "{\"error\":{\"code\":\"malformed\""));
    assert_int_equal(ask_batch(&answer, 0, 0), 400);
    buf_fini(&answer);
}

/* An answer that names each one would be far longer than the request. */
static void of_a_large_batch_the_first_refused_are_named(void **state)
{
    struct buf answer;
    (void)state;
    buf_init(&answer, ANSWER_MAX);
    assert_int_equal(ask_batch(&answer, TX_BATCH_MAX, 0), 202);
    assert_true(says(&answer, "\"accepted\":0"));
    assert_true(says(&answer, "\"index\":99,"));
    assert_false(says(&answer, "\"index\":100,"));
    buf_fini(&answer);
}

static void requests_may_follow_each_other(void **state)
{
    struct buf answer;
    (void)state;
    buf_init(&answer, ANSWER_MAX);
    assert_int_equal(
        ask_text(&answer, "GET /v1/blocks/1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
                          "GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n"
                          "GET /v1/miners HTTP/1.1\r\n" HOST "\r\n"),
        200);
    assert_true(says(&answer, "\"commit\""));
    assert_true(says(&answer, "\"chain_id\""));
    assert_true(says(&answer, "\"miners\""));
    buf_fini(&answer);
}

static void events_come_and_their_streams_are_counted(void **state)
{
    int fds[STREAMS];
    unsigned open = 0;
    struct buf answer;
    static const char request[] =
        "GET /v1/events?type=block HTTP/1.1\r\nHost: localhost\r\n\r\n";
    (void)state;
    buf_init(&answer, ANSWER_MAX);
    for (unsigned i = 0; i < STREAMS; i++) {
        fds[i] = dial();
        send_all(fds[i], request, sizeof(request) - 1);
    }
    for (unsigned i = 0; i < STREAMS; i++) {
        buf_clear(&answer);
        assert_true(receive(&answer, fds[i], "\r\n\r\n"));
        open += says(&answer, "HTTP/1.1 200") ? 1 : 0;
    }
    assert_int_equal(open, STREAMS_MAX);
    buf_clear(&answer);
    assert_true(receive(&answer, fds[0], "event: block\nid: "));
    for (unsigned i = 0; i < STREAMS; i++) {
        (void)close(fds[i]);
    }
    assert_int_equal(get(&answer, "/livez"), 200);
    buf_fini(&answer);
}

/* A byte now and then keeps a connection busy, and yet it ends. */
static void a_dripping_client_is_cut_off(void **state)
{
    char c;
    (void)state;
    int fd = dial();
    uint64_t end = clock_steady_ms() + DEADLINE_MS;
    bool is_over = false;
    send_all(fd, "GET /livez HTTP/1.1\r\nX: ", 24);
    while (!is_over && clock_steady_ms() < end) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        is_over = send(fd, "a", 1, MSG_NOSIGNAL) < 0 ||
                  (poll(&ready, 1, 100) > 0 && recv(fd, &c, 1, 0) <= 0);
    }
    assert_true(is_over);
    (void)close(fd);
}

/* The last one: streams do not keep the node from stopping. */
static void an_open_stream_ends_with_the_node(void **state)
{
    struct buf answer;
    static const char request[] =
        "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    (void)state;
    buf_init(&answer, ANSWER_MAX);
    int fd = dial();
    send_all(fd, request, sizeof(request) - 1);
    assert_true(receive(&answer, fd, "event: block"));
    assert_int_equal(kill(node, SIGTERM), 0);
    assert_true(receive(&answer, fd, NULL));
    (void)close(fd);
    buf_fini(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_requests_are_answered),
        cmocka_unit_test(every_call_is_described_and_there),
        cmocka_unit_test(no_call_hides_a_later_one),
        cmocka_unit_test(what_is_not_there_is_said_so),
        cmocka_unit_test(a_kind_of_event_that_is_none_is_told_which_there_are),
        cmocka_unit_test(other_sites_are_refused),
        cmocka_unit_test(a_wrong_method_is_told_the_right_ones),
        cmocka_unit_test(too_large_a_request_is_refused),
        cmocka_unit_test(a_body_without_a_length_is_limited_too),
        cmocka_unit_test(garbage_is_no_transaction),
        cmocka_unit_test(a_batch_is_answered_one_by_one),
        cmocka_unit_test(of_a_large_batch_the_first_refused_are_named),
        cmocka_unit_test(requests_may_follow_each_other),
        cmocka_unit_test(events_come_and_their_streams_are_counted),
        cmocka_unit_test(a_dripping_client_is_cut_off),
        cmocka_unit_test(an_open_stream_ends_with_the_node),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
