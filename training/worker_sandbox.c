/* Three fences, one behind the other.  Limits bound what is used up.  Landlock
 * leaves the files of one folder.  The filter of system calls leaves reading,
 * writing what is open, and memory that is never code; it also keeps the two
 * others from being asked anything.
 *
 * How long a part may take is potd's to say (node/round/worker_process.c). */
#include "config.h"

#include "training/worker_sandbox.h"

#include "base/check.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILES_MAX                                                              \
    16 /* descriptors: 4, and the data set's while it is mapped                \
        */

#ifdef POT_SANDBOX
/* The largest model, its gradients as they are shared, and a data set of any
 * size: a thousand times less than what addresses reach. */
#define ADDRESS_BYTES_MAX ((rlim_t)128 << 30)
#endif

/* Never more than there was. */
static void limit(__rlimit_resource_t resource, rlim_t value)
{
    struct rlimit both;
    int rc = getrlimit(resource, &both);
    POT_ASSERT(rc == 0);
    both.rlim_max = both.rlim_max < value ? both.rlim_max : value;
    both.rlim_cur = both.rlim_max;
    rc = setrlimit(resource, &both);
    POT_ASSERT(rc == 0);
}

void worker_sandbox_limit(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    limit(RLIMIT_CORE, 0); /* a dump would hold whole data sets */
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_NOFILE, FILES_MAX);
#ifdef POT_SANDBOX
    limit(RLIMIT_NPROC, 0);
    limit(RLIMIT_AS, ADDRESS_BYTES_MAX);
    (void)prctl(PR_SET_DUMPABLE, 0);
#endif
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)sigaction(SIGXFSZ, &ignore, NULL); /* the write fails */
    (void)sigaction(SIGPIPE, &ignore, NULL);
    /* A terminal's interrupt is for potd, which then closes the pipe. */
    (void)sigaction(SIGINT, &ignore, NULL);
}

#ifdef POT_SANDBOX
/* ---- files */

/* Everything that version 1 of Landlock knows is handled, and so refused where
 * no rule grants it; the filter refuses what later ones know. */
static int open_ruleset(void)
{
    const struct landlock_ruleset_attr all = {
        .handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1,
    };
    return (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
}

static bool grant_reading(int ruleset, const char *folder)
{
    struct landlock_path_beneath_attr below = {
        .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
        .parent_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC),
    };
    bool is_granted = below.parent_fd >= 0 &&
                      syscall(SYS_landlock_add_rule, ruleset,
                              LANDLOCK_RULE_PATH_BENEATH, &below, 0) == 0;
    if (below.parent_fd >= 0) {
        (void)close(below.parent_fd);
    }
    return is_granted;
}

static void confine(const char *folder)
{
    int ruleset = open_ruleset();
    if (ruleset < 0) {
        (void)fprintf(stderr, "pot-worker: no Landlock from this kernel: files "
                              "of this user can be read\n");
        return;
    }
    /* A folder that is not there grants nothing: its files cannot be opened. */
    (void)grant_reading(ruleset, folder);
    long rc = syscall(SYS_landlock_restrict_self, ruleset, 0);
    POT_ASSERT(rc == 0);
    (void)close(ruleset);
}

/* ---- system calls */

/* mbind: OpenBLAS wants its memory near. */
static const int allowed[] = {
    SCMP_SYS(mbind),         SCMP_SYS(read),         SCMP_SYS(write),
    SCMP_SYS(close),         SCMP_SYS(fstat),        SCMP_SYS(munmap),
    SCMP_SYS(brk),           SCMP_SYS(madvise),      SCMP_SYS(futex),
    SCMP_SYS(clock_gettime), SCMP_SYS(gettid),       SCMP_SYS(getpid),
    SCMP_SYS(sched_yield),   SCMP_SYS(getrandom),    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction),  SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall),
    SCMP_SYS(exit),          SCMP_SYS(exit_group),
};

static int allow_all(scmp_filter_ctx filter)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof(allowed) / sizeof(*allowed); i++) {
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    }
    return rc;
}

/* Reading alone; and memory that is never code: what is not there cannot be
 * run.  fstat is newfstatat of an empty name in glibc, abort is tgkill. */
static int allow_some(scmp_filter_ctx filter)
{
    const unsigned writing = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND;
    int rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                              SCMP_A2(SCMP_CMP_MASKED_EQ, writing, O_RDONLY));
    if (rc == 0) {
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                              SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    }
    if (rc == 0) {
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                              SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    }
    if (rc == 0) {
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mremap), 0);
    }
    if (rc == 0) {
        rc = seccomp_rule_add(
            filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1,
            SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH));
    }
    if (rc == 0) {
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 2,
                              SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()),
                              SCMP_A2(SCMP_CMP_EQ, SIGABRT));
    }
    return rc;
}

static enum pot_err load_filter(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (filter == NULL) {
        return POT_EIO;
    }
    bool is_loaded = allow_all(filter) == 0 && allow_some(filter) == 0 &&
                     seccomp_load(filter) == 0;
    seccomp_release(filter);
    return is_loaded ? POT_OK : POT_EIO;
}
#endif

enum pot_err worker_sandbox_enter(const char *folder)
{
#ifdef POT_SANDBOX
    confine(folder);
    return load_filter();
#else
    (void)folder;
    return POT_OK;
#endif
}
