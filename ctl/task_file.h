/* task_file: task.toml, read strictly: unknown keys and values out of range
 * are refused with file, line and key. */
#ifndef POT_CTL_TASK_FILE_H
#define POT_CTL_TASK_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "ctl/ctl.h"
#include "proto/chain.pb-c.h"

#define TASK_FILE_BYTES_MAX (1 << 20)

struct task_file {
    char *path;
    char *name;
    /* [data]: paths are absolute or relative to where we run; NULL or 0:
     * not there */
    char *train;
    char *test;
    char *hash;
    char *test_hash;
    char *label;
    char *train_labels;
    char *test_labels;
    double test_split;
    double scale;
    /* [model] */
    uint32_t layers[LAYERS_MAX];
    size_t layer_count;
    uint32_t activation; /* these are the values of the Pot__ enums */
    uint32_t loss;
    uint64_t seed;
    /* [optimizer]: Q4.28 */
    uint32_t learning_rate;
    uint32_t momentum;
    uint32_t weight_decay;
    uint32_t schedule;
    uint32_t step_rounds;
    uint32_t step_factor;
    /* [training] */
    uint32_t rounds;
    uint32_t rows_per_miner;
    uint32_t local_steps;
    uint32_t min_submissions;
    uint32_t aggregation;
    uint32_t numerics;
    uint32_t compression;
    uint32_t audit_rate_ppm;
    uint32_t eval_every;
    uint32_t target_accuracy_ppm;
    uint32_t round_timeout_ms;
    /* [reward]: base units */
    uint64_t budget;
    uint64_t miner_stake;
};

/* task_file_load: reads and checks all that needs no data and no node.
 *
 * Owns:   task_file_fini releases what is in out, on failure too
 * Errors: CTL_CONFIG the file cannot be read; CTL_REJECTED its content */
POT_MUST_USE enum ctl_exit task_file_load(struct task_file *out,
                                          struct ctl *ctl, const char *path);

/* task_file_parse: the same from text; path is for messages and folders. */
POT_MUST_USE enum ctl_exit task_file_parse(struct task_file *out,
                                           struct ctl *ctl, const char *path,
                                           const char *text);

void task_file_fini(struct task_file *file);

/* task_file_fill: file as a task's description, but for its data sets; spec
 * and model borrow from file. */
void task_file_fill(Pot__TaskSpec *spec, Pot__ModelSpec *model,
                    Pot__OptimizerSpec *optimizer, struct task_file *file);

/* task_file_check_version: what this version of the chain refuses is refused
 * here too, before a data set is paid for.  Errors: CTL_REJECTED. */
POT_MUST_USE enum ctl_exit task_file_check_version(
    struct ctl *ctl, const struct task_file *file);

/* task_file_check_stake: S >= R (1 - p) / p, with S the stake a miner must
 * hold, R the most it can earn in a round and p the audit rate.  Where the
 * chain can slash (exact numerics) a task that breaks this is refused, where
 * it cannot a note says so. */
POT_MUST_USE enum ctl_exit task_file_check_stake(
    struct ctl *ctl, const struct task_file *file,
    const Pot__GenesisParams *params);

#endif
