/* vsim_try: lives in processes of their own, so that one that aborts or hangs
 * is an outcome like another. */
#ifndef POT_TESTS_VSIM_TRY_H
#define POT_TESTS_VSIM_TRY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/vsim/vsim_life.h"

#define VSIM_WHY_SIZE  512
#define VSIM_PATH_SIZE 512

/* What became of the lives of one process; in memory that its parent sees. */
struct vsim_outcome {
    uint64_t seed; /* of the life at hand, or of the one that failed */
    bool is_failed;
    char why[VSIM_WHY_SIZE];
    struct hash trace; /* of the last life */
    uint64_t lives;
    uint64_t events;
    uint64_t simulated_us;
    uint64_t healed_us;     /* from healing to the next block, in all */
    uint64_t healed_max_us; /* at most */
    uint64_t marks[VSIM_MARK_COUNT];
};

/* vsim_try_open: where files lie; false, and why on stderr.  vsim_try_close:
 * all of them go. */
bool vsim_try_open(void);
void vsim_try_close(void);

/* vsim_try_path: of this name among the files. */
void vsim_try_path(char out[static VSIM_PATH_SIZE], const char *name);

struct vsim_outcome *vsim_outcome_new(void);
void vsim_outcome_free(struct vsim_outcome *outcome);

/* vsim_try_begin: a process that lives the seeds from request->seed to `to`
 * in steps, until one fails.  vsim_try_end: waits for it; false: a life
 * failed, outcome says which and why. */
pid_t vsim_try_begin(const struct vsim_request *request, uint64_t to,
                     uint64_t step, struct vsim_outcome *outcome);
bool vsim_try_end(pid_t pid, struct vsim_outcome *outcome);

/* vsim_try: both, for one life. */
bool vsim_try(const struct vsim_request *request, struct vsim_outcome *outcome);

/* vsim_try_smallest: of a request that fails: the fewest kinds of faults and
 * the least height with which it still does; on stdout, with the command. */
void vsim_try_smallest(const struct vsim_request *request);

#endif
