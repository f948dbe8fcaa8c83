#include "config.h"

#include "node/api/metrics_process.h"

#include "node/api/metrics_text.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static uint64_t resident_bytes(void)
{
    unsigned long all = 0;
    unsigned long resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL) {
        return 0;
    }
    int n = fscanf(file, "%lu %lu", &all, &resident);
    (void)fclose(file);
    return n == 2 ? (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static uint64_t open_fds(void)
{
    uint64_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL) {
        return 0;
    }
    while (readdir(folder) != NULL) {
        count++;
    }
    (void)closedir(folder);
    return count > 3 ? count - 3 : 0; /* ".", ".." and the folder's own */
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

void metrics_process_write(struct buf *out)
{
    struct rlimit fds = {0};
    struct rusage usage;
    metrics_one(out, "process_resident_memory_bytes", "gauge",
                "Resident memory.", (double)resident_bytes());
    metrics_one(out, "process_open_fds", "gauge", "Open file descriptors.",
                (double)open_fds());
    if (getrlimit(RLIMIT_NOFILE, &fds) == 0) {
        metrics_one(out, "process_max_fds", "gauge",
                    "File descriptors allowed.", (double)fds.rlim_cur);
    }
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        metrics_one(out, "process_cpu_seconds_total", "counter",
                    "User and system time.",
                    seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime));
    }
}
