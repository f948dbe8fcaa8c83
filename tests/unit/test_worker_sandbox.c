/* What pot-worker cannot do once it is fenced in: each is tried by a process
 * of its own, which must die of it or be refused. */
#include "config.h"

#include "training/worker_sandbox.h"

#include "base/file.h"
#include "tests/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What a process ends with that was not stopped. */
#define DONE   41
#define FAILED 42

static char *folder; /* the data sets */
static char *data;   /* one of them */
static char *secret; /* in another folder */
static char *other;

static int set_up(void **state)
{
    (void)state;
    folder = scratch_folder();
    other = scratch_folder();
    data = file_join(folder, "data.pds");
    secret = file_join(other, "key");
    return file_create(data, 0600, "rows", 4) == POT_OK &&
                   file_create(secret, 0600, "seed", 4) == POT_OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(folder);
    scratch_remove(other);
    free(data);
    free(secret);
    return 0;
}

/* Runs `act` inside; what waitpid tells. */
static int inside(bool (*act)(void))
{
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        worker_sandbox_limit();
        if (worker_sandbox_enter(folder) != POT_OK) {
            _exit(1);
        }
        _exit(act() ? DONE : FAILED);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static bool read_file(const char *path, const char *text)
{
    char bytes[4];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool is_read = fd >= 0 && read(fd, bytes, sizeof(bytes)) == 4 &&
                   memcmp(bytes, text, 4) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return is_read;
}

/* ---- what it needs */

static bool map_data(void)
{
    struct stat info;
    int fd = open(data, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    void *mapped = mmap(NULL, 4, PROT_READ, MAP_PRIVATE, fd, 0);
    return fd >= 0 && fstat(fd, &info) == 0 && mapped != MAP_FAILED &&
           memcmp(mapped, "rows", 4) == 0 && munmap(mapped, 4) == 0;
}

static bool use_memory(void)
{
    size_t size = (size_t)64 << 20;
    char *bytes = malloc(size);
    if (bytes == NULL) {
        return false;
    }
    memset(bytes, 1, size);
    char *more = realloc(bytes, 2 * size);
    free(more);
    return more != NULL;
}

static bool speak(void)
{
    return fputs("", stderr) >= 0 && write(STDERR_FILENO, "", 0) == 0;
}

static bool read_data(void)
{
    return read_file(data, "rows");
}

static void it_can_do_its_work(void **state)
{
    (void)state;
    static bool (*const acts[])(void) = {map_data, use_memory, speak,
                                         read_data};
    for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
        int status = inside(acts[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), DONE);
    }
}

static bool give_up(void)
{
    abort();
}

/* An assertion that fails still shows as one. */
static void it_can_abort(void **state)
{
    (void)state;
    int status = inside(give_up);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

/* ---- what it must not */

static bool open_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool open_local_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static bool make_pair(void)
{
    int ends[2];
    return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0;
}

static bool write_data(void)
{
    return open(data, O_WRONLY | O_CLOEXEC) >= 0;
}

static bool make_file(void)
{
    return open("fresh", O_RDONLY | O_CREAT | O_CLOEXEC, 0600) >= 0;
}

static bool cut_data(void)
{
    return open(data, O_RDONLY | O_TRUNC | O_CLOEXEC) >= 0;
}

static bool remove_data(void)
{
    return unlink(data) == 0;
}

static bool be_two(void)
{
    return fork() >= 0;
}

static bool be_another(void)
{
    static char name[] = "true";
    char *arguments[] = {name, NULL};
    return execv("/bin/true", arguments) == 0;
}

static bool end_parent(void)
{
    return kill(getppid(), SIGKILL) == 0;
}

static bool signal_itself(void)
{
    return raise(SIGSTOP) == 0;
}

static bool look_into_parent(void)
{
    return ptrace(PTRACE_ATTACH, 1, NULL, NULL) == 0;
}

static bool make_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0) != MAP_FAILED;
}

static bool turn_into_code(void)
{
    void *page =
        mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0;
}

static bool raise_limit(void)
{
    struct rlimit limit = {1, 1};
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static bool outlive_parent(void)
{
    return prctl(PR_SET_PDEATHSIG, 0) == 0;
}

static bool rename_data(void)
{
    return rename(data, "elsewhere") == 0;
}

static bool open_ring(void)
{
    return syscall(SYS_io_uring_setup, 1, NULL) >= 0;
}

static bool open_newer(void)
{
    return syscall(SYS_openat2, AT_FDCWD, data, NULL, 0) >= 0;
}

static void what_is_forbidden_ends_it(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool (*act)(void);
    } acts[] = {
        {"socket", open_socket},     {"unix socket", open_local_socket},
        {"socketpair", make_pair},   {"open to write", write_data},
        {"open to make", make_file}, {"open to cut", cut_data},
        {"unlink", remove_data},     {"fork", be_two},
        {"exec", be_another},        {"kill", end_parent},
        {"raise", signal_itself},    {"ptrace", look_into_parent},
        {"map code", make_code},     {"make code", turn_into_code},
        {"setrlimit", raise_limit},  {"prctl", outlive_parent},
        {"rename", rename_data},     {"io_uring", open_ring},
        {"openat2", open_newer},
    };
    for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
        int status = inside(acts[i].act);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS) {
            fail_msg("%s: waitpid told %#x", acts[i].name, (unsigned)status);
        }
    }
}

static bool read_secret(void)
{
    return read_file(secret, "seed");
}

static bool read_by_detour(void)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/../%s/key", folder,
                   strrchr(other, '/') + 1);
    return read_file(path, "seed");
}

static bool read_password_file(void)
{
    return open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0;
}

static bool read_process(void)
{
    return open("/proc/self/environ", O_RDONLY | O_CLOEXEC) >= 0;
}

static void other_files_stay_closed(void **state)
{
    (void)state;
    static bool (*const acts[])(void) = {read_secret, read_by_detour,
                                         read_password_file, read_process};
    for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
        int status = inside(acts[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), FAILED);
    }
}

static bool read_limits(void)
{
    static const int none[] = {RLIMIT_CORE, RLIMIT_FSIZE, RLIMIT_NPROC};
    struct rlimit limit;
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
        if (getrlimit((__rlimit_resource_t)none[i], &limit) != 0 ||
            limit.rlim_max != 0) {
            return false;
        }
    }
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
           prctl(PR_GET_DUMPABLE) == 0;
}

static void limits_hold(void **state)
{
    (void)state;
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        worker_sandbox_limit();
        _exit(read_limits() ? DONE : FAILED);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_can_do_its_work),
        cmocka_unit_test(it_can_abort),
        cmocka_unit_test(what_is_forbidden_ends_it),
        cmocka_unit_test(other_files_stay_closed),
        cmocka_unit_test(limits_hold),
    };
#ifndef POT_SANDBOX
    (void)fputs("no sandbox in a build with sanitizers\n", stderr);
    return 77;
#endif
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
