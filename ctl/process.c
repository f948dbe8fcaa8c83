#include "config.h"

#include "ctl/process.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "ctl/json_text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The file of that name beside this program; NULL if there is none. */
static char *beside_us(const char *name)
{
    char self[PATH_MAX + 1];
    ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (size <= 0) {
        return NULL;
    }
    self[size] = '\0';
    char *folder = file_folder(self);
    char *path = file_join(folder, name);
    free(folder);
    if (access(path, X_OK) != 0) {
        free(path);
        return NULL;
    }
    return path;
}

static char *in_path(const char *name)
{
    const char *at = getenv("PATH");
    while (at != NULL && *at != '\0') {
        size_t size = strcspn(at, ":");
        char *folder = pot_calloc(size + 1, 1);
        memcpy(folder, at, size);
        char *path = file_join(size > 0 ? folder : ".", name);
        free(folder);
        if (access(path, X_OK) == 0) {
            return path;
        }
        free(path);
        at += size + (at[size] == ':');
    }
    return NULL;
}

enum exit_code process_find_potd(char **out, struct ctl *ctl, const char *named)
{
    if (named != NULL) {
        *out = pot_strdup(named);
        if (access(named, X_OK) == 0) {
            return EXIT_CODE_DONE;
        }
        return ctl_fail(ctl, EXIT_CODE_CONFIG, "--potd %s: %s", named,
                        strerror(errno));
    }
    *out = beside_us("potd");
    if (*out == NULL) {
        *out = in_path("potd");
    }
    if (*out == NULL) {
        return ctl_fail(ctl, EXIT_CODE_FAILED,
                        "potd is neither beside potctl nor in PATH; build or"
                        " install it, or name it with --potd");
    }
    return EXIT_CODE_DONE;
}

/* ---- potd in our place */

#define OUTPUT_BYTES_MAX ((size_t)1 << 20)

/* Until its end; what it prints beyond the limit is passed over. */
static void collect(struct buf *out, int fd)
{
    char data[4096];
    for (;;) {
        ssize_t n = read(fd, data, sizeof(data));
        if (n == 0 || (n < 0 && errno != EINTR)) {
            return;
        }
        if (n > 0) {
            buf_append(out, data, (size_t)n);
        }
    }
}

static json_t *lines_of(const char *output)
{
    json_t *lines = json_array();
    json_t *whole = json_text(output);
    const char *text = json_string_value(whole);
    while (*text != '\0') {
        size_t size = strcspn(text, "\n");
        (void)json_array_append_new(lines, json_stringn(text, size));
        text += size + (text[size] == '\n');
    }
    json_decref(whole);
    return lines;
}

/* Appends what a program prints; *status is how it ended, as of waitpid. */
static enum exit_code run_collected(struct buf *out, int *status,
                                    struct ctl *ctl, char *const argv[],
                                    bool with_errors)
{
    int ends[2];
    pid_t pid = pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;
    if (pid < 0) {
        return ctl_fail(ctl, EXIT_CODE_FAILED, "cannot run %s: %s", argv[0],
                        strerror(errno));
    }
    if (pid == 0) {
        if (dup2(ends[1], STDOUT_FILENO) >= 0 &&
            (!with_errors || dup2(ends[1], STDERR_FILENO) >= 0)) {
            (void)execv(argv[0], argv);
            (void)fprintf(stderr, "cannot run %s: %s\n", argv[0],
                          strerror(errno));
        }
        _exit(EXIT_CODE_FAILED);
    }
    (void)close(ends[1]);
    collect(out, ends[0]);
    (void)close(ends[0]);
    while (waitpid(pid, status, 0) < 0 && errno == EINTR) {
    }
    return EXIT_CODE_DONE;
}

enum exit_code process_collect(struct buf *out, struct ctl *ctl,
                               const char *const *words, size_t count)
{
    int status;
    char **argv = pot_calloc(count + 1, sizeof(*argv));
    for (size_t i = 0; i < count && words[i] != NULL; i++) {
        argv[i] = pot_strdup(words[i]);
    }
    enum exit_code rc = run_collected(out, &status, ctl, argv, true);
    for (size_t i = 0; i < count; i++) {
        free(argv[i]);
    }
    free(argv);
    return rc;
}

/* Where potd ends with a code of its own, it has said why. */
static enum exit_code run_for_json(struct ctl *ctl, char *const argv[])
{
    struct buf out;
    int status;
    buf_init(&out, OUTPUT_BYTES_MAX);
    enum exit_code rc = run_collected(&out, &status, ctl, argv, false);
    if (rc == EXIT_CODE_DONE && status == 0) {
        ctl_print_json(ctl,
                       json_pack("{so}", "output", lines_of(buf_text(&out))));
    } else if (rc == EXIT_CODE_DONE && WIFEXITED(status)) {
        rc = (enum exit_code)WEXITSTATUS(status);
    } else if (rc == EXIT_CODE_DONE) {
        char end[PROCESS_END_SIZE];
        process_describe_end(end, status);
        rc = ctl_fail(ctl, EXIT_CODE_FAILED, "%s %s", argv[0], end);
    }
    buf_fini(&out);
    return rc;
}

enum exit_code process_become_potd(struct ctl *ctl, const struct cli_args *args,
                                   const char *option, const char *value)
{
    static char config_option[] = "--config";
    const char *config;
    char *potd;
    enum exit_code rc = cli_required(&config, ctl, args, "config");
    if (rc == EXIT_CODE_DONE) {
        rc = process_find_potd(&potd, ctl, cli_value(args, "potd"));
    }
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    char *argv[] = {potd,
                    config_option,
                    pot_strdup(config),
                    pot_strdup(option),
                    value != NULL ? pot_strdup(value) : NULL,
                    NULL};
    if (ctl->is_json) {
        rc = run_for_json(ctl, argv);
    } else {
        (void)execv(potd, argv);
        rc = ctl_fail(ctl, EXIT_CODE_FAILED, "cannot run %s: %s", potd,
                      strerror(errno));
    }
    free(argv[2]);
    free(argv[3]);
    free(argv[4]);
    free(potd);
    return rc;
}

/* ---- potd as a child */

/* Between fork and exec: only what is safe after fork. */
static _Noreturn void become(char *potd, char *config, int out_fd,
                             bool is_detached)
{
    static char option[] = "--config";
    sigset_t none;
    char *const argv[] = {potd, option, config, NULL};
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGHUP, SIG_DFL);
    int null_fd = open("/dev/null", O_RDONLY);
    if ((is_detached ? setsid() : setpgid(0, 0)) < 0 || null_fd < 0 ||
        dup2(null_fd, STDIN_FILENO) < 0 || dup2(out_fd, STDOUT_FILENO) < 0 ||
        dup2(out_fd, STDERR_FILENO) < 0) {
        _exit(127);
    }
    (void)execv(potd, argv);
    _exit(127);
}

static enum exit_code start(struct ctl *ctl, char *potd,
                            struct testnet_node *node, int out_fd,
                            bool is_detached)
{
    char text[24];
    pid_t pid = fork();
    if (pid < 0) {
        return ctl_fail(ctl, EXIT_CODE_FAILED, "cannot start %s: %s",
                        node->name, strerror(errno));
    }
    if (pid == 0) {
        become(potd, node->config, out_fd, is_detached);
    }
    node->pid = pid;
    int size = snprintf(text, sizeof(text), "%d\n", (int)pid);
    enum pot_err err = file_replace(node->pid_file, 0644, text, (size_t)size);
    if (err != POT_OK) {
        return ctl_fail_err(ctl, err, "cannot write", node->pid_file);
    }
    return EXIT_CODE_DONE;
}

/* Locked, as a child that is not potd yet would be taken for another's process;
 * and somebody else may have started the node since it was looked at. */
enum exit_code process_start(struct ctl *ctl, char *potd,
                             struct testnet_node *node, int out_fd,
                             bool is_detached)
{
    int lock = testnet_lock(node);
    pid_t other = testnet_running(node);
    enum exit_code rc =
        other > 0 ? ctl_fail(ctl, EXIT_CODE_LOCKED,
                             "%s was started by somebody else meanwhile, as "
                             "process %d; `potctl testnet ps` shows what runs",
                             node->name, (int)other)
                  : start(ctl, potd, node, out_fd, is_detached);
    testnet_unlock(lock);
    return rc;
}

void process_describe_end(char text[static PROCESS_END_SIZE], int status)
{
    if (WIFSIGNALED(status)) {
        (void)snprintf(text, PROCESS_END_SIZE, "was ended by signal %d",
                       WTERMSIG(status));
    } else {
        (void)snprintf(text, PROCESS_END_SIZE, "stopped with exit code %d",
                       WEXITSTATUS(status));
    }
}
