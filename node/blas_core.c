#include "config.h"

#include "node/blas_core.h"

#include "base/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* It takes some milliseconds. */
#define ANSWER_SECONDS 10

_Static_assert(WORKER_CORE_NAME_SIZE == 32, "as fscanf below reads it");

/* The alarm outlives exec, and ends a program that hangs.  What it says of its
 * end is of no use to whoever reads ours. */
static void become(const char *program, const char *core, int answer_fd)
{
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    (void)alarm(ANSWER_SECONDS);
    (void)setenv(WORKER_CORE_VARIABLE, core, 1);
    (void)dup2(answer_fd, STDOUT_FILENO);
    (void)dup2(nowhere, STDERR_FILENO);
    (void)execl(program, program, WORKER_CORE_MEASURE, (char *)NULL);
    _exit(1);
}

bool blas_core_ask(char out[static WORKER_CORE_NAME_SIZE], const char *program,
                   const char *core)
{
    int ends[2];
    int status = 0;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return false;
    }
    pid_t pid = fork();
    if (pid == 0) {
        become(program, core, ends[1]);
    }
    (void)close(ends[1]);
    FILE *answer = fdopen(ends[0], "r");
    POT_ASSERT(answer != NULL);
    bool is_read = fscanf(answer, "%31s", out) == 1;
    (void)fclose(answer);
    return pid > 0 && waitpid(pid, &status, 0) == pid && is_read &&
           WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
