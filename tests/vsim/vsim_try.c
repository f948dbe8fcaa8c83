#include "config.h"

#include "tests/vsim/vsim_try.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/file.h"
#include "base/log.h"
#include "tests/vsim/vsim_clock.h"
#include "tests/vsim/vsim_disk.h"
#include "tests/vsim/vsim_node.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIFE_SECONDS_MAX 300 /* of the machine's: then it hangs */
#define TOLD_LIVES       500 /* of one process: it says how far it is */

static char *folder;

/* ---- files */

bool vsim_try_open(void)
{
    const char *parent = getenv("TMPDIR");
    if (parent == NULL) {
        parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    }
    char *name = file_join(parent, "pot-vsim-XXXXXX");
    folder = mkdtemp(name) != NULL ? realpath(name, NULL) : NULL;
    free(name);
    if (folder == NULL || !vsim_clock_open() || !vsim_disk_open(folder)) {
        (void)fprintf(stderr, "vsim: no folder can be made in %s\n", parent);
        return false;
    }
    return true;
}

void vsim_try_close(void)
{
    vsim_node_remove_tree(folder);
    free(folder);
}

void vsim_try_path(char out[static VSIM_PATH_SIZE], const char *name)
{
    (void)snprintf(out, VSIM_PATH_SIZE, "%s/%s", folder, name);
}

/* ---- outcomes */

struct vsim_outcome *vsim_outcome_new(void)
{
    void *shared =
        mmap(NULL, sizeof(struct vsim_outcome), PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    POT_ASSERT(shared != MAP_FAILED);
    return shared;
}

void vsim_outcome_free(struct vsim_outcome *outcome)
{
    (void)munmap(outcome, sizeof(*outcome));
}

static void tell_progress(const struct vsim_outcome *outcome)
{
    if (outcome->lives % TOLD_LIVES == 0) {
        printf("%" PRIu64 " lives, to seed %" PRIu64 "\n", outcome->lives,
               outcome->seed);
        (void)fflush(stdout);
    }
}

static void add_life(struct vsim_outcome *outcome)
{
    outcome->lives++;
    outcome->events += vsim.events;
    outcome->simulated_us += vsim.now_us;
    outcome->healed_us += vsim.healed_us;
    if (vsim.healed_us > outcome->healed_max_us) {
        outcome->healed_max_us = vsim.healed_us;
    }
    for (size_t i = 0; i < VSIM_MARK_COUNT; i++) {
        outcome->marks[i] += vsim.marks[i];
    }
    outcome->trace = vsim.trace;
    outcome->is_failed = vsim.is_failed;
    (void)snprintf(outcome->why, sizeof(outcome->why), "%s", vsim.failure);
}

/* ---- processes */

/* What a life says on stderr: of one that aborts, its last words. */
static char *words_path(pid_t pid)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "words-%ld", (long)pid);
    return file_join(folder, name);
}

/* What the lives before said is of no interest. */
static void forget_words(void)
{
    int rc = ftruncate(STDERR_FILENO, 0);
    (void)rc; /* a verbose life's goes to a terminal */
}

static void keep_words(void)
{
    char *path = words_path(getpid());
    FILE *words = freopen(path, "a+", stderr);
    POT_ASSERT(words != NULL);
    free(path);
}

static void live(const struct vsim_request *request, uint64_t to, uint64_t step,
                 struct vsim_outcome *outcome)
{
    char name[32];
    struct vsim_request own = *request;
    (void)snprintf(name, sizeof(name), "life-%ld", (long)getpid());
    char *path = file_join(folder, name);
    own.folder = path;
    if (!own.is_verbose) {
        keep_words();
    }
    POT_ASSERT(log_open(own.is_verbose ? LOG_INFO : LOG_ERROR, LOG_FORMAT_TEXT,
                        NULL) == POT_OK);
    for (; own.seed <= to && !outcome->is_failed; own.seed += step) {
        outcome->seed = own.seed;
        forget_words();
        (void)alarm(LIFE_SECONDS_MAX);
        vsim_life_run(&own);
        add_life(outcome);
        tell_progress(outcome);
        vsim_world_fini();
    }
    vsim_node_remove_tree(path);
    free(path);
}

pid_t vsim_try_begin(const struct vsim_request *request, uint64_t to,
                     uint64_t step, struct vsim_outcome *outcome)
{
    (void)fflush(NULL);
    memset(outcome, 0, sizeof(*outcome));
    pid_t pid = fork();
    POT_ASSERT(pid >= 0);
    if (pid == 0) {
        live(request, to, step, outcome);
        (void)fflush(stdout);
        _exit(0);
    }
    return pid;
}

/* The last line that the process wrote. */
static void read_words(pid_t pid, char *out, size_t size)
{
    char *text = NULL;
    size_t length = 0;
    char *path = words_path(pid);
    if (file_read(&text, &length, path, 1 << 20) == POT_OK && length > 0) {
        text[length - (text[length - 1] == '\n')] = '\0';
        const char *line = strrchr(text, '\n');
        (void)snprintf(out, size, "%s", line != NULL ? line + 1 : text);
    }
    free(text);
    (void)unlink(path);
    free(path);
}

bool vsim_try_end(pid_t pid, struct vsim_outcome *outcome)
{
    int status = 0;
    char words[VSIM_WHY_SIZE / 2] = "";
    POT_ASSERT(waitpid(pid, &status, 0) == pid);
    read_words(pid, words, sizeof(words));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        outcome->is_failed = true;
        (void)snprintf(outcome->why, sizeof(outcome->why), "%s %d: %s",
                       WIFSIGNALED(status) ? "signal" : "exit code",
                       WIFSIGNALED(status) ? WTERMSIG(status)
                                           : WEXITSTATUS(status),
                       words);
    }
    return !outcome->is_failed;
}

bool vsim_try(const struct vsim_request *request, struct vsim_outcome *outcome)
{
    return vsim_try_end(vsim_try_begin(request, request->seed, 1, outcome),
                        outcome);
}

/* ---- the smallest life that fails */

static const char *const fault_names[] = {
#define X(fault, name, text) name,
    VSIM_FAULTS(X)
#undef X
};

static void print_faults(unsigned faults)
{
    const char *between = "";
    for (unsigned i = 0; i < VSIM_FAULT_COUNT; i++) {
        if ((faults >> i & 1) != 0) {
            printf("%s%s", between, fault_names[i]);
            between = ",";
        }
    }
}

static bool fails(const struct vsim_request *request)
{
    struct vsim_outcome *outcome = vsim_outcome_new();
    bool is_failed = !vsim_try(request, outcome);
    vsim_outcome_free(outcome);
    return is_failed;
}

static unsigned drawn(const struct vsim_request *request)
{
    vsim_world_init(request->seed, false);
    vsim_life_draw(request);
    return vsim.config.faults;
}

void vsim_try_smallest(const struct vsim_request *request)
{
    static const uint64_t heights[] = {1, 2, 3, 5, 8, 12};
    struct vsim_request least = *request;
    least.is_verbose = false;
    unsigned faults = drawn(&least);
    printf("  it has drawn: ");
    print_faults(faults);
    for (unsigned i = 0; i < VSIM_FAULT_COUNT; i++) {
        struct vsim_request tried = least;
        tried.without |= faults & 1U << i;
        if (tried.without != least.without && fails(&tried)) {
            least = tried;
        }
    }
    for (size_t i = 0; i < sizeof(heights) / sizeof(*heights); i++) {
        struct vsim_request tried = least;
        tried.height_goal = heights[i];
        if (least.height_goal == 0 && fails(&tried)) {
            least = tried;
        }
    }
    printf("\n  it takes:     ");
    print_faults(drawn(&least));
    printf("\n  replay: tests/vsim/vsim --seed %" PRIu64 " --verbose",
           least.seed);
    if (least.without != 0) {
        printf(" --without ");
        print_faults(least.without);
    }
    if (least.height_goal != 0) {
        printf(" --height %" PRIu64, least.height_goal);
    }
    printf("\n");
}
