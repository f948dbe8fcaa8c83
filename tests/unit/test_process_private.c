/* A process that holds keys, and another one of the same user that is after
 * them. */
#include "config.h"

#include "base/process_private.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <fcntl.h>

#define NOBODY 65534

/* Root may look at everything: both are somebody else then. */
static void become_somebody(void)
{
    if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)) {
        _exit(1);
    }
}

/* A process that waits for its end; it is told when it is ready. */
static pid_t start_holder(bool is_private)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        become_somebody();
        (void)prctl(PR_SET_DUMPABLE, 1); /* setuid took that away */
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (is_private) {
            process_private();
        }
        (void)!write(ready[1], "r", 1);
        (void)pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    (void)close(ready[0]);
    (void)close(ready[1]);
    return pid;
}

static bool can_look_into(pid_t holder)
{
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char path[64];
        become_somebody();
        (void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)holder);
        _exit(open(path, O_RDONLY | O_CLOEXEC) >= 0 ? 0 : 3);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 1);
    return WEXITSTATUS(status) == 0;
}

static void end(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void others_of_its_user_cannot_look_into_it(void **state)
{
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip();
#endif
    pid_t open_one = start_holder(false);
    pid_t private_one = start_holder(true);
    assert_true(can_look_into(open_one));
    assert_false(can_look_into(private_one));
    end(open_one);
    end(private_one);
}

static void it_leaves_no_dump(void **state)
{
    (void)state;
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct rlimit limit;
        process_private();
        if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_max != 0) {
            _exit(1);
        }
        (void)signal(SIGSEGV, SIG_DFL);
        (void)raise(SIGSEGV);
        _exit(1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSEGV);
    assert_false(WCOREDUMP(status));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_of_its_user_cannot_look_into_it),
        cmocka_unit_test(it_leaves_no_dump),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
