/* testnet up, in two ways.  In the foreground every node writes to a pipe;
 * its lines go to stdout behind its name, and to its potd.log.  Detached, a
 * node writes to potd.log itself, and we leave when all answer /readyz. */
#include "config.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/process.h"
#include "ctl/table.h"
#include "ctl/testnet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE_BYTES_MAX 8192
#define READY_MS       60000
#define POLL_MS        200
#define NOTE_MS        4000 /* between two words on who is waited for */
#define WHY_SIZE       256
#define TAIL_BYTES     2000
#define TAIL_LINES     8

static volatile sig_atomic_t is_stopping;

static void on_signal(int number)
{
    (void)number;
    is_stopping = 1;
}

static int open_log(const struct testnet_node *node)
{
    return open(node->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

/* What runs already is left alone, unless that is all. */
static enum exit_code choose(struct ctl *ctl, struct testnet *net)
{
    size_t running = 0;
    for (size_t i = 0; i < net->count; i++) {
        running += net->nodes[i].pid > 0;
    }
    if (running == net->count) {
        return ctl_fail(ctl, EXIT_CODE_LOCKED,
                        "%s runs already, as process %d, and so do all others;"
                        " stop the network with `potctl testnet down`",
                        net->nodes[0].name, (int)net->nodes[0].pid);
    }
    if (running > 0) {
        ctl_note(ctl, "%zu of %zu nodes run already; the others are started",
                 running, net->count);
        testnet_drop_running(net);
    }
    char *compose = file_join(net->folder, "docker-compose.yml");
    bool is_compose = access(compose, F_OK) == 0;
    free(compose);
    if (is_compose) {
        return ctl_fail(ctl, EXIT_CODE_CONFIG,
                        "%s was made for containers: run docker-compose up in"
                        " it",
                        net->folder);
    }
    return EXIT_CODE_DONE;
}

/* ---- in the foreground */

struct node_stream {
    struct testnet_node *node;
    int fd; /* -1: at its end */
    int log_fd;
    bool is_quiet; /* its log has it */
    struct buf line;
};

static void print_line(struct node_stream *s, size_t size)
{
    if (s->is_quiet) {
        return;
    }
    char *text = pot_alloc(size + 1);
    memcpy(text, s->line.data, size);
    text[size] = '\0';
    table_hide_controls(text);
    (void)printf("%-12s | %s\n", s->node->name, text);
    (void)fflush(stdout);
    free(text);
}

static void print_lines(struct node_stream *s)
{
    for (;;) {
        const uint8_t *end =
            s->line.size > 0 ? memchr(s->line.data, '\n', s->line.size) : NULL;
        if (end == NULL) {
            break;
        }
        size_t size = (size_t)(end - s->line.data);
        print_line(s, size);
        buf_consume(&s->line, size + 1);
    }
    if (s->line.size >= LINE_BYTES_MAX / 2) {
        print_line(s, s->line.size);
        buf_clear(&s->line);
    }
}

static void end_stream(struct ctl *ctl, struct node_stream *s, bool *has_failed)
{
    char text[PROCESS_END_SIZE];
    int status = 0;
    (void)close(s->fd);
    s->fd = -1;
    if (waitpid(s->node->pid, &status, 0) == s->node->pid) {
        process_describe_end(text, status);
        if (!s->is_quiet) {
            (void)printf("%-12s | %s\n", s->node->name, text);
        }
        if (status != 0) {
            *has_failed = true;
            (void)ctl_fail(ctl, EXIT_CODE_FAILED, "%s %s; its log is %s",
                           s->node->name, text, s->node->log);
        }
    }
    testnet_forget_pid(s->node);
}

static void pump(struct ctl *ctl, struct node_stream *s, bool *has_failed)
{
    char data[LINE_BYTES_MAX / 2];
    ssize_t n = read(s->fd, data, sizeof(data));
    if (n < 0 && errno == EINTR) {
        return;
    }
    if (n <= 0) {
        end_stream(ctl, s, has_failed);
        return;
    }
    (void)!file_write_all(s->log_fd, data, (size_t)n);
    buf_append(&s->line, data, (size_t)n);
    print_lines(s);
}

static void signal_streams(const struct node_stream *streams, size_t count,
                           int number)
{
    for (size_t i = 0; i < count; i++) {
        if (streams[i].fd >= 0) {
            (void)kill(streams[i].node->pid, number);
        }
    }
}

static enum exit_code pump_all(struct ctl *ctl, struct node_stream *streams,
                               size_t count)
{
    struct pollfd *fds = pot_calloc(count, sizeof(*fds));
    bool has_failed = false;
    uint64_t kill_ms = 0; /* 0: nobody asked us to stop */
    for (size_t open = count; open > 0;) {
        if (is_stopping && kill_ms == 0) {
            kill_ms = clock_steady_ms() + TESTNET_STOP_MS;
            signal_streams(streams, count, SIGTERM);
        }
        if (kill_ms > 0 && clock_steady_ms() > kill_ms) {
            signal_streams(streams, count, SIGKILL);
        }
        for (size_t i = 0; i < count; i++) {
            fds[i] = (struct pollfd){.fd = streams[i].fd, .events = POLLIN};
        }
        if (poll(fds, count, POLL_MS) < 0) {
            continue;
        }
        for (size_t i = 0; i < count; i++) {
            if (fds[i].fd >= 0 && fds[i].revents != 0) {
                pump(ctl, &streams[i], &has_failed);
                open -= streams[i].fd < 0;
            }
        }
    }
    free(fds);
    return has_failed ? EXIT_CODE_FAILED : EXIT_CODE_DONE;
}

static enum exit_code start_stream(struct ctl *ctl, struct node_stream *s,
                                   char *potd, struct testnet_node *node)
{
    int ends[2];
    *s = (struct node_stream){.node = node,
                              .fd = -1,
                              .log_fd = open_log(node),
                              .is_quiet = ctl->is_quiet};
    buf_init(&s->line, LINE_BYTES_MAX);
    if (s->log_fd < 0 || pipe2(ends, O_CLOEXEC) != 0) {
        return ctl_fail(ctl, EXIT_CODE_FAILED, "%s: %s", node->log,
                        strerror(errno));
    }
    enum exit_code rc = process_start(ctl, potd, node, ends[1], false);
    (void)close(ends[1]);
    s->fd = ends[0];
    return rc;
}

static enum exit_code run_foreground(struct ctl *ctl, struct testnet *net,
                                     char *potd)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct node_stream *streams = pot_calloc(net->count, sizeof(*streams));
    enum exit_code rc = EXIT_CODE_DONE;
    size_t started = 0;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGHUP, &action, NULL);
    for (; started < net->count && rc == EXIT_CODE_DONE; started++) {
        rc = start_stream(ctl, &streams[started], potd, &net->nodes[started]);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = pump_all(ctl, streams, started);
    } else {
        (void)testnet_stop(ctl, net, TESTNET_STOP_MS);
    }
    for (size_t i = 0; i < started; i++) {
        buf_fini(&streams[i].line);
        if (streams[i].log_fd >= 0) {
            (void)close(streams[i].log_fd);
        }
        if (streams[i].fd >= 0) {
            (void)close(streams[i].fd);
        }
    }
    free(streams);
    return rc;
}

/* ---- detached */

/* The last lines of a log, for people. */
static void show_tail(struct ctl *ctl, const struct testnet_node *node)
{
    char text[TAIL_BYTES + 1];
    int fd = open(node->log, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    (void)lseek(fd, 0, SEEK_SET);
    (void)lseek(fd, -TAIL_BYTES, SEEK_END);
    ssize_t size = read(fd, text, TAIL_BYTES);
    (void)close(fd);
    text[size > 0 ? size : 0] = '\0';
    const char *from = text + strlen(text);
    for (int lines = 0; from > text && lines <= TAIL_LINES;) {
        from--;
        lines += *from == '\n';
    }
    from += *from == '\n';
    ctl_note(ctl, "%s: the end of %s:\n%s", node->name, node->log, from);
}

/* Why a node that answers is not ready; of several reasons the first. */
static void read_reason(char why[static WHY_SIZE], const json_t *answer)
{
    const json_t *first = json_array_get(json_object_get(answer, "reasons"), 0);
    (void)snprintf(why, WHY_SIZE, "%s",
                   first != NULL ? client_text(first, "message")
                                 : "it says no more");
}

/* EXIT_CODE_DONE and why: not ready yet; "": it is.  What why was stands when
 * our time is up. */
static enum exit_code check_node(char why[static WHY_SIZE], struct ctl *ctl,
                                 struct testnet_node *node)
{
    char text[PROCESS_END_SIZE];
    int status;
    struct client_reply reply;
    const char *node_before = ctl->node;
    if (waitpid(node->pid, &status, WNOHANG) == node->pid) {
        process_describe_end(text, status);
        testnet_forget_pid(node);
        show_tail(ctl, node);
        return ctl_fail(ctl, EXIT_CODE_FAILED, "%s %s; its log is %s",
                        node->name, text, node->log);
    }
    ctl->node = node->url;
    enum exit_code rc = client_ask(&reply, ctl, "GET", "/readyz", NULL, 0);
    if (rc == EXIT_CODE_DONE && reply.status == 200) {
        why[0] = '\0';
    } else if (rc == EXIT_CODE_DONE) {
        read_reason(why, reply.json);
    } else if (rc != EXIT_CODE_TIMEOUT || why[0] == '\0') {
        (void)snprintf(why, WHY_SIZE, "it does not answer");
    }
    client_reply_fini(&reply);
    ctl->node = node_before;
    return EXIT_CODE_DONE;
}

static enum exit_code pause_for(struct ctl *ctl,
                                const struct testnet_node *node,
                                const char *why)
{
    enum exit_code rc = ctl_pause(ctl, POLL_MS, node->name);
    if (rc == EXIT_CODE_TIMEOUT) {
        show_tail(ctl, node);
        rc = ctl_fail(ctl, EXIT_CODE_TIMEOUT,
                      "%s was not ready in time: %s; its log is %s, and a"
                      " longer --timeout waits longer",
                      node->name, why, node->log);
    }
    return rc;
}

static enum exit_code wait_until_ready(struct ctl *ctl, struct testnet *net)
{
    enum exit_code rc = EXIT_CODE_DONE;
    uint64_t note_ms = clock_steady_ms() + NOTE_MS;
    char why[WHY_SIZE] = "";
    for (size_t i = 0; i < net->count && rc == EXIT_CODE_DONE;) {
        /* All are looked at: the one that failed is told at once. */
        for (size_t n = i; n < net->count && rc == EXIT_CODE_DONE; n++) {
            char other[WHY_SIZE] = "";
            rc = check_node(n == i ? why : other, ctl, &net->nodes[n]);
        }
        if (rc == EXIT_CODE_DONE && why[0] == '\0') {
            i++;
            continue;
        }
        if (rc == EXIT_CODE_DONE && clock_steady_ms() >= note_ms) {
            note_ms = clock_steady_ms() + NOTE_MS;
            ctl_note(ctl, "waiting for %s: %s", net->nodes[i].name, why);
        }
        if (rc == EXIT_CODE_DONE) {
            rc = pause_for(ctl, &net->nodes[i], why);
        }
    }
    return rc;
}

/* An answer before anything was started is another network's. */
static enum exit_code check_ports(struct ctl *ctl, const struct testnet *net)
{
    const char *node_before = ctl->node;
    for (size_t i = 0; i < net->count; i++) {
        struct client_reply reply;
        ctl->node = net->nodes[i].url;
        enum exit_code rc = client_ask(&reply, ctl, "GET", "/livez", NULL, 0);
        client_reply_fini(&reply);
        ctl->node = node_before;
        if (rc == EXIT_CODE_DONE) {
            return ctl_fail(ctl, EXIT_CODE_FAILED,
                            "%s's port is taken: something answers at %s; stop"
                            " it, or init with another --base-port",
                            net->nodes[i].name, net->nodes[i].url);
        }
    }
    return EXIT_CODE_DONE;
}

static enum exit_code start_detached(struct ctl *ctl, struct testnet *net,
                                     char *potd)
{
    enum exit_code free_ports = check_ports(ctl, net);
    if (free_ports != EXIT_CODE_DONE) {
        return free_ports;
    }
    for (size_t i = 0; i < net->count; i++) {
        struct testnet_node *node = &net->nodes[i];
        int fd = open_log(node);
        if (fd < 0) {
            return ctl_fail(ctl, EXIT_CODE_FAILED, "cannot write %s: %s",
                            node->log, strerror(errno));
        }
        enum exit_code rc = process_start(ctl, potd, node, fd, true);
        (void)close(fd);
        if (rc != EXIT_CODE_DONE) {
            return rc;
        }
    }
    return EXIT_CODE_DONE;
}

static enum exit_code run_detached(struct ctl *ctl, struct testnet *net,
                                   char *potd)
{
    if (ctl->deadline_ms == UINT64_MAX) {
        ctl->deadline_ms = clock_steady_ms() + READY_MS;
    }
    enum exit_code rc = start_detached(ctl, net, potd);
    if (rc == EXIT_CODE_DONE) {
        rc = wait_until_ready(ctl, net);
    }
    if (rc != EXIT_CODE_DONE) {
        (void)testnet_stop(ctl, net, TESTNET_STOP_MS);
        return rc;
    }
    ctl_tell(ctl, "%zu node%s ready; the first answers at %s\n", net->count,
             net->count == 1 ? " is" : "s are", net->nodes[0].url);
    json_t *nodes = json_array();
    for (size_t i = 0; i < net->count; i++) {
        (void)json_array_append_new(
            nodes,
            json_pack("{ss sI ss}", "name", net->nodes[i].name, "pid",
                      (json_int_t)net->nodes[i].pid, "api", net->nodes[i].url));
    }
    ctl_print_json(ctl, json_pack("{so}", "nodes", nodes));
    return EXIT_CODE_DONE;
}

static enum exit_code run(struct ctl *ctl, const struct cli_args *args)
{
    struct testnet net = {0};
    const char *folder;
    char *potd = NULL;
    enum exit_code rc = cli_required(&folder, ctl, args, "dir");
    if (rc == EXIT_CODE_DONE) {
        rc = testnet_open(&net, ctl, folder);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = choose(ctl, &net);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = process_find_potd(&potd, ctl, cli_value(args, "potd"));
    }
    if (rc == EXIT_CODE_DONE) {
        rc = cli_value(args, "detach") != NULL
                 ? run_detached(ctl, &net, potd)
                 : run_foreground(ctl, &net, potd);
    }
    free(potd);
    testnet_close(&net);
    return rc;
}

const struct cli_command cmd_testnet_up = {
    .name = "testnet up",
    .arguments = "",
    .summary = "run a network's nodes on this machine",
    .details =
        "In the foreground until Ctrl-C, with one log.  With --detach until"
        " every node is\nready, a minute or --timeout at most, saying whom it"
        " waits for and why; if one\nfails, all that it started are stopped."
        "  Nodes that run already are left alone.\n",
    .examples = "  potctl testnet up --dir net\n"
                "  potctl testnet up --dir net --detach --timeout 2m\n",
    .options = {{"dir", "D", "the network's folder"},
                {"detach", NULL, "leave once every node answers"},
                {"potd", "FILE", "the node's program"}},
    .run = run,
};
