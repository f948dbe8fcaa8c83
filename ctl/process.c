#include "config.h"

#include "ctl/process.h"

#include "base/alloc.h"
#include "base/file.h"

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
        return ctl_fail(ctl, EXIT_CODE_USAGE, "--potd %s: %s", named,
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

enum exit_code process_start(struct ctl *ctl, char *potd,
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
