#include "config.h"

#include "ctl/testnet.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/toml.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONFIG_BYTES_MAX  (1 << 20)
#define CMDLINE_BYTES_MAX 4096
#define STAT_BYTES_MAX    2048
#define STOP_POLL_MS      50
#define LOCK_POLL_MS      10
#define LOCK_WAIT_MS      5000 /* a child is at its exec sooner */
#define STATUS_BYTES_MAX  (1 << 20)
#define ENDING_WAIT_MS    10000 /* of a process that was killed */

/* The API's address out of node.toml: potd itself checks all the rest. */
static void read_url(struct testnet_node *node)
{
    char *text;
    size_t size;
    struct toml_file toml;
    unsigned line;
    char message[256];
    const char *listen = "127.0.0.1:26680";
    if (file_read(&text, &size, node->config, CONFIG_BYTES_MAX) != POT_OK) {
        return;
    }
    if (toml_parse(&toml, text, &line, message, sizeof(message)) == POT_OK) {
        const struct toml_value *value = toml_find(&toml, "api.listen");
        if (value != NULL && value->type == TOML_TEXT) {
            listen = value->text;
        }
        bool is_any = strncmp(listen, "0.0.0.0:", 8) == 0;
        (void)snprintf(node->url, sizeof(node->url), "http://%s%.40s",
                       is_any ? "127.0.0.1" : "", listen + (is_any ? 7 : 0));
        toml_free(&toml);
    }
    free(text);
}

/* Whether the process of this number was started with this config. */
static bool is_ours(pid_t pid, const char *config)
{
    char path[64];
    char line[CMDLINE_BYTES_MAX + 1];
    size_t size;
    (void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
    if (file_read_into(path, line, CMDLINE_BYTES_MAX, &size) != POT_OK) {
        return false;
    }
    line[size] = '\0';
    for (size_t at = 0; at < size; at += strlen(line + at) + 1) {
        if (strcmp(line + at, config) == 0) {
            return true;
        }
    }
    return false;
}

/* The number that a file holds, 0: none. */
static pid_t read_pid(const char *path)
{
    char text[24] = "";
    size_t size;
    uint64_t pid;
    if (file_read_into(path, text, sizeof(text) - 1, &size) != POT_OK) {
        return 0;
    }
    text[strcspn(text, "\n")] = '\0';
    return ctl_parse_count(&pid, text, INT32_MAX) ? (pid_t)pid : 0;
}

/* Who holds the store's lock: a node that was started by hand.  0: nobody. */
static pid_t find_holder(const struct testnet_node *node)
{
    char *path = file_join(node->folder, "store/LOCK");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool is_held =
        fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    pid_t pid = is_held ? read_pid(path) : 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    free(path);
    return pid;
}

pid_t testnet_running(const struct testnet_node *node)
{
    pid_t pid = read_pid(node->pid_file);
    return pid > 0 && is_ours(pid, node->config) ? pid : find_holder(node);
}

/* Whether a process was killed: it ends, but has its files, and so the store's
 * lock and its ports, for a while.  SIGKILL stays pending until the end; a
 * zombie may have threads that are at it still. */
static bool is_killed(pid_t pid)
{
    static const char *const words[] = {"\nSigPnd:", "\nShdPnd:"};
    char path[64];
    size_t size;
    char *text = pot_alloc(STATUS_BYTES_MAX + 1);
    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    if (file_read_into(path, text, STATUS_BYTES_MAX, &size) != POT_OK) {
        size = 0; /* gone, or of another namespace */
    }
    text[size] = '\0';
    const char *state = strstr(text, "\nState:\t");
    bool is_killed = state != NULL && (state[8] == 'Z' || state[8] == 'X');
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        const char *at = strstr(text, words[i]);
        uint64_t pending =
            at != NULL ? strtoull(at + strlen(words[i]), NULL, 16) : 0;
        is_killed |= (pending >> (SIGKILL - 1) & 1) != 0;
    }
    free(text);
    return is_killed;
}

/* Right behind a kill the lock and the ports are still taken. */
static void await_ending(struct ctl *ctl, const struct testnet_node *node)
{
    const struct timespec pause = {.tv_nsec = LOCK_POLL_MS * 1000000};
    uint64_t deadline_ms = clock_steady_ms() + ENDING_WAIT_MS;
    pid_t pid = testnet_running(node);
    while (pid > 0 && is_killed(pid)) {
        if (clock_steady_ms() >= deadline_ms) {
            ctl_note(ctl,
                     "note: process %d was killed and still holds the lock of"
                     " %s's store",
                     (int)pid, node->name);
            return;
        }
        (void)nanosleep(&pause, NULL);
        pid = testnet_running(node);
    }
}

/* Its state stands behind its name, which is in brackets and may hold any. */
bool testnet_is_paused(const struct testnet_node *node)
{
    char path[64];
    char line[STAT_BYTES_MAX + 1];
    size_t size;
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)node->pid);
    if (node->pid == 0 ||
        file_read_into(path, line, STAT_BYTES_MAX, &size) != POT_OK) {
        return false;
    }
    line[size] = '\0';
    const char *end = strrchr(line, ')');
    return end != NULL &&
           (strncmp(end, ") T ", 4) == 0 || strncmp(end, ") t ", 4) == 0);
}

static bool is_locked_in_time(int fd)
{
    const struct timespec pause = {.tv_nsec = LOCK_POLL_MS * 1000000};
    uint64_t deadline_ms = clock_steady_ms() + LOCK_WAIT_MS;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK || clock_steady_ms() >= deadline_ms) {
            return false;
        }
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

int testnet_lock(const struct testnet_node *node)
{
    int fd = open(node->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && !is_locked_in_time(fd)) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

void testnet_unlock(int lock)
{
    if (lock >= 0) {
        (void)close(lock);
    }
}

void testnet_forget_pid(struct testnet_node *node)
{
    int lock = testnet_lock(node);
    if (read_pid(node->pid_file) == node->pid) {
        (void)unlink(node->pid_file);
    }
    testnet_unlock(lock);
    node->pid = 0;
}

/* What a node that was killed leaves behind stands in nobody's way.  The folder
 * is locked: else it may be of one that starts. */
static void drop_stale(struct ctl *ctl, const struct testnet_node *node)
{
    pid_t pid = node->pid == 0 ? read_pid(node->pid_file) : 0;
    if (pid == 0) {
        return;
    }
    bool is_removed = unlink(node->pid_file) == 0;
    ctl_note(ctl,
             "note: %s names process %d, which is not %s any more: it ended"
             " without `testnet down`; the file %s%s",
             node->pid_file, (int)pid, node->name,
             is_removed ? "is removed" : "cannot be removed: ",
             is_removed ? "" : strerror(errno));
}

static void look(struct ctl *ctl, struct testnet_node *node)
{
    await_ending(ctl, node);
    int lock = testnet_lock(node);
    node->pid = testnet_running(node);
    if (lock >= 0) {
        drop_stale(ctl, node);
    }
    testnet_unlock(lock);
}

static bool add_node(struct testnet *net, struct ctl *ctl, const char *role,
                     size_t index)
{
    struct testnet_node *node = &net->nodes[net->count];
    struct stat info;
    (void)snprintf(node->name, sizeof(node->name), "%s%zu", role, index);
    node->folder = file_join(net->folder, node->name);
    node->config = file_join(node->folder, "node.toml");
    node->log = file_join(node->folder, "potd.log");
    node->pid_file = file_join(node->folder, "potd.pid");
    net->count++;
    if (file_stat(node->config, &info) != POT_OK) {
        return false;
    }
    read_url(node);
    look(ctl, node);
    return true;
}

static void free_node(struct testnet_node *node)
{
    free(node->folder);
    free(node->config);
    free(node->log);
    free(node->pid_file);
    *node = (struct testnet_node){0};
}

static void free_last(struct testnet *net)
{
    free_node(&net->nodes[--net->count]);
}

void testnet_drop_running(struct testnet *net)
{
    size_t kept = 0;
    for (size_t i = 0; i < net->count; i++) {
        if (net->nodes[i].pid > 0) {
            free_node(&net->nodes[i]);
        } else {
            net->nodes[kept++] = net->nodes[i];
        }
    }
    net->count = kept;
}

static void add_role(struct testnet *net, struct ctl *ctl, const char *role)
{
    for (size_t i = 0; net->count < TESTNET_NODES_MAX; i++) {
        if (!add_node(net, ctl, role, i)) {
            free_last(net);
            return;
        }
    }
}

enum exit_code testnet_open(struct testnet *net, struct ctl *ctl,
                            const char *folder)
{
    *net = (struct testnet){.folder = realpath(folder, NULL)};
    if (net->folder == NULL) {
        return ctl_fail(ctl, EXIT_CODE_CONFIG,
                        "%s: %s; `potctl testnet init --dir %s` makes a"
                        " network",
                        folder, strerror(errno), folder);
    }
    net->nodes = pot_calloc(TESTNET_NODES_MAX, sizeof(*net->nodes));
    add_role(net, ctl, "validator");
    add_role(net, ctl, "miner");
    add_role(net, ctl, "aggregator");
    if (net->count == 0) {
        return ctl_fail(ctl, EXIT_CODE_CONFIG,
                        "%s: no validator0/node.toml in it; `potctl testnet"
                        " init --dir %s` makes a network",
                        folder, folder);
    }
    return EXIT_CODE_DONE;
}

void testnet_close(struct testnet *net)
{
    while (net->count > 0) {
        free_last(net);
    }
    free(net->nodes);
    free(net->folder);
    *net = (struct testnet){0};
}

static bool is_anyone_left(struct testnet *net)
{
    bool is_left = false;
    for (size_t i = 0; i < net->count; i++) {
        struct testnet_node *node = &net->nodes[i];
        if (node->pid == 0) {
            continue;
        }
        /* 0: a child of ours that lives; it may not have become potd yet.
         * A dead child is reaped here, or it would seem to run for ever. */
        pid_t child = waitpid(node->pid, NULL, WNOHANG);
        if (child == 0 || (child < 0 && testnet_running(node) == node->pid)) {
            is_left = true;
        } else {
            testnet_forget_pid(node);
        }
    }
    return is_left;
}

static void signal_all(const struct testnet *net, int signal_number)
{
    for (size_t i = 0; i < net->count; i++) {
        if (net->nodes[i].pid > 0) {
            (void)kill(net->nodes[i].pid, signal_number);
        }
    }
}

size_t testnet_stop(struct ctl *ctl, struct testnet *net, uint64_t wait_ms)
{
    const struct timespec pause = {.tv_nsec = STOP_POLL_MS * 1000000L};
    uint64_t end = clock_steady_ms() + wait_ms;
    size_t killed = 0;
    signal_all(net, SIGTERM);
    while (is_anyone_left(net) && clock_steady_ms() < end) {
        (void)nanosleep(&pause, NULL);
    }
    for (size_t i = 0; i < net->count; i++) {
        if (net->nodes[i].pid > 0) {
            ctl_note(ctl, "%s did not stop in time and was killed",
                     net->nodes[i].name);
            killed++;
        }
    }
    signal_all(net, SIGKILL);
    for (int i = 0; i < 100 && is_anyone_left(net); i++) {
        (void)nanosleep(&pause, NULL);
    }
    return killed;
}
