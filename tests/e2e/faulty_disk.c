/* A disk that fails at will, beneath a real process: preloaded, it stands
 * before libc's writes and syncs.
 *
 *   POT_FAULTY_DISK=FILE LD_PRELOAD=faulty_disk.so potd ...
 *
 * FILE holds rules, a line each, and is read again whenever it changes; it
 * may be made later.  A rule is
 *
 *   PATH CALLS WHAT
 *
 * PATH  a part of the path of the file that is written; * for any
 * CALLS write, sync (O_DSYNC writes too) or any
 * WHAT  ENOSPC, EIO      fails so; half of a longer write is done first
 *       full             ENOSPC, and statvfs tells of no room
 *       sleep=MS         takes so long
 *       hang             waits until the rule is gone
 *       kill@N           at the N-th such call since the process began: dies
 *       torn@N           the same, with half of the write done
 *       power@N          the same, and what was not synced is undone
 *
 * Only files below a folder that POT_FAULTY_HOME names are concerned, and no
 * logs.  With
 * POT_FAULTY_TRACE=FILE each call is written there: what, path, bytes. */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define RULES_MAX 16
#define PATH_SIZE 512
#define DYING_MAX 4

enum call { CALL_WRITE = 1, CALL_SYNC = 2 };

enum what {
    WHAT_ERROR,
    WHAT_FULL,
    WHAT_SLEEP,
    WHAT_HANG,
    WHAT_KILL,
    WHAT_TORN,
    WHAT_POWER
};

struct rule {
    char path[64];
    unsigned calls;
    enum what what;
    unsigned long value; /* errno, ms, or the number of the call */
};

/* What a write that is not synced has replaced. */
struct undo {
    struct undo *next;
    dev_t device;
    ino_t file;
    int fd; /* a duplicate */
    off_t at;
    off_t size; /* of the file before */
    size_t count;
    uint8_t *bytes;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct rule rules[RULES_MAX];
static size_t rule_count;
static struct timespec rules_time;
static unsigned long seen[RULES_MAX];
static struct undo *undos; /* the newest first */

/* ---- rules */

static void parse(char *line)
{
    static const struct {
        const char *name;
        enum what what;
        unsigned long value;
    } plain[] = {{"ENOSPC", WHAT_ERROR, ENOSPC},
                 {"EIO", WHAT_ERROR, EIO},
                 {"full", WHAT_FULL, ENOSPC},
                 {"hang", WHAT_HANG, 0}};
    static const struct {
        const char *prefix;
        enum what what;
    } counted[] = {{"sleep=", WHAT_SLEEP},
                   {"kill@", WHAT_KILL},
                   {"torn@", WHAT_TORN},
                   {"power@", WHAT_POWER}};
    char calls[16];
    char what[32];
    struct rule *r = &rules[rule_count];
    if (rule_count == RULES_MAX ||
        sscanf(line, "%63s %15s %31s", r->path, calls, what) != 3) {
        return;
    }
    r->calls = strcmp(calls, "write") == 0  ? CALL_WRITE
               : strcmp(calls, "sync") == 0 ? CALL_SYNC
                                            : CALL_WRITE | CALL_SYNC;
    for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
        if (strcmp(what, plain[i].name) == 0) {
            r->what = plain[i].what;
            r->value = plain[i].value;
            rule_count++;
            return;
        }
    }
    for (size_t i = 0; i < sizeof(counted) / sizeof(*counted); i++) {
        size_t size = strlen(counted[i].prefix);
        if (strncmp(what, counted[i].prefix, size) == 0) {
            r->what = counted[i].what;
            r->value = strtoul(what + size, NULL, 10);
            rule_count++;
            return;
        }
    }
    static const char bad[] = "faulty_disk: not understood\n";
    (void)!syscall(SYS_write, STDERR_FILENO, bad, sizeof(bad) - 1);
    abort();
}

/* Under lock. */
static void read_rules(void)
{
    char text[1024];
    struct stat info;
    const char *path = getenv("POT_FAULTY_DISK");
    if (path == NULL || stat(path, &info) != 0) {
        rule_count = 0;
        rules_time = (struct timespec){0, 0};
        return;
    }
    if (info.st_mtim.tv_sec == rules_time.tv_sec &&
        info.st_mtim.tv_nsec == rules_time.tv_nsec) {
        return;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    if (fd >= 0) {
        (void)close(fd);
    }
    if (size < 0) {
        return;
    }
    text[size] = '\0';
    rule_count = 0;
    rules_time = info.st_mtim;
    for (char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        bool is_last = line[length] == '\0';
        line[length] = '\0';
        parse(line);
        line += length + (is_last ? 0 : 1);
    }
}

static bool is_concerned(int fd, char path[static PATH_SIZE])
{
    char link[32];
    const char *home = getenv("POT_FAULTY_HOME");
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, PATH_SIZE - 1);
    if (size <= 0 || home == NULL) {
        return false;
    }
    path[size] = '\0';
    return strncmp(path, home, strlen(home)) == 0 &&
           strstr(path, ".log") == NULL;
}

/* The first rule that a call meets; *is_now: a counted one's turn has come.
 * Under lock. */
static const struct rule *find(const char *path, enum call call, bool *is_now)
{
    const struct rule *met = NULL;
    read_rules();
    *is_now = false;
    for (size_t i = 0; i < rule_count; i++) {
        const struct rule *r = &rules[i];
        bool is_met = (r->calls & call) != 0 && (strcmp(r->path, "*") == 0 ||
                                                 strstr(path, r->path) != NULL);
        if (is_met && met == NULL) {
            met = r;
            *is_now = ++seen[i] == r->value;
        }
    }
    return met;
}

/* ---- losing what was not synced */

static bool is_of(const struct undo *undo, const struct stat *info)
{
    return undo->device == info->st_dev && undo->file == info->st_ino;
}

static void undo_free(struct undo *undo)
{
    (void)close(undo->fd);
    free(undo->bytes);
    free(undo);
}

/* Under lock: what a file had unsynced is safe now. */
static void forget(int fd)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return;
    }
    for (struct undo **at = &undos; *at != NULL;) {
        struct undo *undo = *at;
        if (is_of(undo, &info)) {
            *at = undo->next;
            undo_free(undo);
        } else {
            at = &undo->next;
        }
    }
}

static void remember(int fd, off_t at, size_t size)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        return;
    }
    struct undo *undo = calloc(1, sizeof(*undo));
    char link[32];
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    undo->fd = open(link, O_RDWR | O_CLOEXEC);
    undo->device = info.st_dev;
    undo->file = info.st_ino;
    undo->at = at;
    undo->size = info.st_size;
    undo->bytes = malloc(size > 0 ? size : 1);
    ssize_t count = pread(undo->fd, undo->bytes, size, at);
    undo->count = count > 0 ? (size_t)count : 0;
    undo->next = undos;
    undos = undo;
}

static void lose(void)
{
    for (struct undo *undo = undos; undo != NULL; undo = undo->next) {
        (void)!syscall(SYS_pwrite64, undo->fd, undo->bytes, undo->count,
                       undo->at);
        (void)!syscall(SYS_ftruncate, undo->fd, undo->size);
    }
}

/* ---- calls */

static void trace(const char *call, const char *path, size_t size)
{
    char line[PATH_SIZE + 64];
    static int out = -1;
    const char *to = getenv("POT_FAULTY_TRACE");
    if (to == NULL) {
        return;
    }
    if (out < 0) {
        out = open(to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    int length = snprintf(line, sizeof(line), "%s %s %zu\n", call, path, size);
    (void)!syscall(SYS_write, out, line, (size_t)length);
}

static void pause_ms(unsigned long ms)
{
    const struct timespec span = {.tv_sec = (time_t)(ms / 1000),
                                  .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&span, NULL);
}

static void die(void)
{
    (void)kill(getpid(), SIGKILL);
    for (;;) {
        (void)pause();
    }
}

/* A call as it is made: what to do first, how much of it, and whether it is
 * the last. */
struct verdict {
    bool is_half;
    bool is_last;
    int error; /* 0: it goes well */
};

/* Under lock on return. */
static struct verdict judge(const char *path, enum call call)
{
    struct verdict verdict = {false, false, 0};
    bool is_now;
    const struct rule *rule;
    (void)pthread_mutex_lock(&lock);
    while ((rule = find(path, call, &is_now)) != NULL &&
           rule->what == WHAT_HANG) {
        (void)pthread_mutex_unlock(&lock);
        pause_ms(20);
        (void)pthread_mutex_lock(&lock);
    }
    if (rule == NULL) {
        return verdict;
    }
    switch (rule->what) {
    case WHAT_ERROR:
    case WHAT_FULL:
        verdict.error = (int)rule->value;
        verdict.is_half = true;
        break;
    case WHAT_SLEEP:
        (void)pthread_mutex_unlock(&lock);
        pause_ms(rule->value);
        (void)pthread_mutex_lock(&lock);
        break;
    case WHAT_KILL:
        if (is_now) {
            die();
        }
        break;
    case WHAT_TORN:
        verdict.is_half = verdict.is_last = is_now;
        break;
    case WHAT_POWER:
        if (is_now) {
            lose();
            die();
        }
        break;
    case WHAT_HANG:
        break;
    }
    return verdict;
}

static bool is_synced_at_once(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & (O_DSYNC | O_SYNC)) != 0;
}

/* Any write, at `at`; -1: at the file's own place. */
static ssize_t write_to(int fd, const void *data, size_t size, off_t at)
{
    char path[PATH_SIZE];
    if (!is_concerned(fd, path)) {
        return at < 0 ? syscall(SYS_write, fd, data, size)
                      : syscall(SYS_pwrite64, fd, data, size, at);
    }
    bool is_sync = is_synced_at_once(fd);
    struct verdict v = judge(path, is_sync ? CALL_SYNC : CALL_WRITE);
    off_t place = at < 0 ? lseek(fd, 0, SEEK_CUR) : at;
    if (!is_sync) {
        remember(fd, place, size);
    }
    trace(is_sync ? "write+sync" : "write", path, size);
    ssize_t done = -1;
    if (v.error == 0 || size > 1) {
        size_t count = v.is_half ? size / 2 : size;
        done = at < 0 ? syscall(SYS_write, fd, data, count)
                      : syscall(SYS_pwrite64, fd, data, count, at);
    }
    if (v.is_last) {
        die();
    }
    if (v.error != 0) { /* the caller hears of it in either way */
        errno = v.error;
        done = -1;
    }
    int failed = errno;
    (void)pthread_mutex_unlock(&lock);
    errno = failed;
    return done;
}

ssize_t write(int fd, const void *data, size_t size)
{
    return write_to(fd, data, size, -1);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    return write_to(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
    return write_to(fd, data, size, (off_t)at);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    char path[PATH_SIZE];
    if (!is_concerned(fd, path)) {
        return syscall(SYS_writev, fd, parts, count);
    }
    size_t size = 0;
    for (int i = 0; i < count; i++) {
        size += parts[i].iov_len;
    }
    uint8_t *data = malloc(size);
    size_t at = 0;
    for (int i = 0; i < count; i++) {
        memcpy(data + at, parts[i].iov_base, parts[i].iov_len);
        at += parts[i].iov_len;
    }
    ssize_t done = write_to(fd, data, size, -1);
    free(data);
    return done;
}

static int sync_file(int fd, long number)
{
    char path[PATH_SIZE];
    if (!is_concerned(fd, path)) {
        return (int)syscall(number, fd);
    }
    struct verdict v = judge(path, CALL_SYNC);
    int rc = -1;
    trace("sync", path, 0);
    if (v.is_last) {
        die();
    }
    if (v.error == 0) {
        rc = (int)syscall(number, fd);
        forget(fd);
    }
    (void)pthread_mutex_unlock(&lock);
    errno = v.error;
    return rc;
}

int fsync(int fd)
{
    return sync_file(fd, SYS_fsync);
}

int fdatasync(int fd)
{
    return sync_file(fd, SYS_fdatasync);
}

int fstatvfs(int fd, struct statvfs *out)
{
    char path[PATH_SIZE];
    static int (*real)(int, struct statvfs *);
    if (real == NULL) {
        void *symbol = dlsym(RTLD_NEXT, "fstatvfs");
        memcpy(&real, &symbol, sizeof(real)); /* C has no cast for it */
    }
    int rc = real(fd, out);
    if (rc == 0 && is_concerned(fd, path)) {
        (void)pthread_mutex_lock(&lock);
        read_rules();
        for (size_t i = 0; i < rule_count; i++) {
            if (rules[i].what == WHAT_FULL) {
                out->f_bavail = 0;
            }
        }
        (void)pthread_mutex_unlock(&lock);
    }
    return rc;
}
