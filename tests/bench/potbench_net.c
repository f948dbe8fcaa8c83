#include "config.h"

#include "tests/bench/potbench_net.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define ARGUMENTS_MAX 32

/* ---- programs */

/* The error line is the last one the program wrote. */
static enum exit_code tell_failure(struct potbench *bench, const char *program,
                                   const char *log, int status)
{
    char *text = NULL;
    size_t size = 0;
    const char *last = "";
    if (file_read(&text, &size, log, 1 << 20) == POT_OK && size > 0) {
        text[size - 1] = text[size - 1] == '\n' ? '\0' : text[size - 1];
        const char *newline = strrchr(text, '\n');
        last = newline != NULL ? newline + 1 : text;
    }
    enum exit_code rc = ctl_fail(
        &bench->ctl, EXIT_CODE_FAILED, "%s ended with status %d: %s", program,
        WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), last);
    free(text);
    return rc;
}

static int spawn(pid_t *pid, const char *path, const char *log, char **argv)
{
    posix_spawn_file_actions_t actions;
    int rc = posix_spawn_file_actions_init(&actions);
    POT_ASSERT(rc == 0);
    rc = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log,
                                          O_WRONLY | O_CREAT | O_TRUNC, 0600);
    POT_ASSERT(rc == 0);
    rc = posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO,
                                          STDERR_FILENO);
    POT_ASSERT(rc == 0);
    rc = posix_spawn(pid, path, &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    return rc;
}

enum exit_code potbench_net_run(struct potbench *bench, const char *log,
                                const char *const *argv)
{
    char *copy[ARGUMENTS_MAX] = {NULL};
    int status = 0;
    pid_t pid;
    for (size_t i = 0; argv[i] != NULL; i++) {
        POT_ASSERT(i + 1 < ARGUMENTS_MAX);
        copy[i] = pot_strdup(argv[i]);
    }
    char *path = file_join(bench->programs, argv[0]);
    int rc = spawn(&pid, path, log, copy);
    while (rc == 0 && waitpid(pid, &status, 0) < 0) {
        POT_ASSERT(errno == EINTR);
    }
    for (size_t i = 0; copy[i] != NULL; i++) {
        free(copy[i]);
    }
    enum exit_code result = EXIT_CODE_DONE;
    if (rc != 0) {
        result =
            ctl_fail(&bench->ctl, EXIT_CODE_FAILED,
                     "cannot start %s: %s; build it first", path, strerror(rc));
    } else if (status != 0) {
        result = tell_failure(bench, argv[0], log, status);
    }
    free(path);
    return result;
}

/* ---- the folder */

static int remove_entry(const char *path, const struct stat *info, int type,
                        struct FTW *place)
{
    (void)info;
    (void)type;
    (void)place;
    (void)remove(path);
    return 0;
}

void potbench_net_remove(const char *folder)
{
    (void)nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- the network */

static enum exit_code make_network(struct potbench_net *net, size_t miners)
{
    char validators_text[16];
    char miners_text[16];
    char aggregators_text[24];
    char port_text[16];
    (void)snprintf(validators_text, sizeof(validators_text), "%zu",
                   net->validators);
    (void)snprintf(miners_text, sizeof(miners_text), "%zu", miners);
    (void)snprintf(aggregators_text, sizeof(aggregators_text), "%" PRIu64,
                   net->bench->aggregators);
    (void)snprintf(port_text, sizeof(port_text), "%u",
                   (unsigned)net->bench->base_port);
    const char *const argv[] = {"potctl",         "testnet",
                                "init",           "--dir",
                                net->folder,      "--validators",
                                validators_text,  "--miners",
                                miners_text,      "--aggregators",
                                aggregators_text, "--base-port",
                                port_text,        NULL};
    char *log = file_join(net->bench->folder, "init.log");
    enum exit_code rc = potbench_net_run(net->bench, log, argv);
    free(log);
    return rc;
}

static enum exit_code start_network(struct potbench_net *net)
{
    const char *const argv[] = {"potctl",    "testnet",  "up", "--dir",
                                net->folder, "--detach", NULL};
    char *log = file_join(net->bench->folder, "up.log");
    enum exit_code rc = potbench_net_run(net->bench, log, argv);
    free(log);
    return rc;
}

/* Nodes read POTD_<SECTION>_<KEY>.  With "--miners 0" the validators would
 * mine: that is switched off. */
static void set_environment(const struct potbench *bench, size_t miners)
{
    char workers[24];
    (void)snprintf(workers, sizeof(workers), "%" PRIu64, bench->workers);
    (void)setenv("POTD_MINER_WORKERS", workers, 1);
    if (miners == 0) {
        (void)setenv("POTD_MINER_ENABLED", "false", 1);
    } else {
        (void)unsetenv("POTD_MINER_ENABLED");
    }
}

enum exit_code potbench_net_open(struct potbench_net *net,
                                 struct potbench *bench, size_t validators,
                                 size_t miners)
{
    *net = (struct potbench_net){.bench = bench, .validators = validators};
    net->folder = file_join(bench->folder, "net");
    net->key_path = file_join(net->folder, "client.key");
    set_environment(bench, miners);
    enum exit_code rc = make_network(net, miners);
    if (rc == EXIT_CODE_DONE) {
        rc = start_network(net);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = testnet_open(&net->testnet, &bench->ctl, net->folder);
    }
    return rc;
}

void potbench_net_close(struct potbench_net *net)
{
    const char *const argv[] = {"potctl", "testnet",   "down",
                                "--dir",  net->folder, NULL};
    if (net->folder == NULL) {
        return;
    }
    char error[CTL_ERROR_SIZE];
    memcpy(error, net->bench->ctl.error, sizeof(error));
    char *log = file_join(net->bench->folder, "down.log");
    if (potbench_net_run(net->bench, log, argv) != EXIT_CODE_DONE) {
        ctl_note(&net->bench->ctl, "potbench: %s", net->bench->ctl.error);
    }
    memcpy(net->bench->ctl.error, error, sizeof(error));
    testnet_close(&net->testnet);
    potbench_net_remove(net->folder);
    free(log);
    free(net->folder);
    free(net->key_path);
    *net = (struct potbench_net){0};
}

/* ---- processor time */

struct process {
    pid_t pid;
    pid_t parent;
    double seconds;
};

/* /proc/PID/stat: the name in brackets may hold anything. */
static bool read_process(struct process *out, const char *name)
{
    char path[64];
    char text[1024];
    (void)snprintf(path, sizeof(path), "/proc/%.20s/stat", name);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    size_t size = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    text[size] = '\0';
    const char *at = strrchr(text, ')');
    long parent;
    unsigned long user;
    unsigned long system;
    if (at == NULL ||
        sscanf(at + 1, " %*c %ld %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
               &parent, &user, &system) != 3) {
        return false;
    }
    out->pid = (pid_t)strtol(name, NULL, 10);
    out->parent = (pid_t)parent;
    out->seconds = (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
    return true;
}

static void add_process(struct potbench_cpu *out,
                        const struct potbench_net *net,
                        const struct process *process)
{
    for (size_t i = 0; i < net->testnet.count; i++) {
        pid_t node = net->testnet.nodes[i].pid;
        bool is_validator = i < net->validators;
        if (process->pid == node) {
            *(is_validator ? &out->validators : &out->miners) +=
                process->seconds;
        } else if (process->parent == node) {
            *(is_validator ? &out->validator_workers : &out->miner_workers) +=
                process->seconds;
        }
    }
}

void potbench_net_cpu(struct potbench_cpu *out, const struct potbench_net *net)
{
    DIR *folder = opendir("/proc");
    *out = (struct potbench_cpu){0};
    POT_ASSERT(folder != NULL);
    for (const struct dirent *entry = readdir(folder); entry != NULL;
         entry = readdir(folder)) {
        struct process process;
        if (isdigit((unsigned char)entry->d_name[0]) &&
            read_process(&process, entry->d_name)) {
            add_process(out, net, &process);
        }
    }
    (void)closedir(folder);
}
