/* task_file: a task as its task.toml says it: what ctl/task_read.h reads and
 * ctl/task_check.h checks. */
#ifndef POT_CTL_TASK_FILE_H
#define POT_CTL_TASK_FILE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/toml.h"
#include "ctl/ctl.h"
#include "proto/chain.pb-c.h"

struct task_file {
    char *path;
    struct toml_file toml; /* as it was read, for the lines of its keys */
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
    /* [optimizer]: Q4.28, epsilon times 2^SPEC_EPSILON_BITS */
    uint32_t kind;
    uint32_t learning_rate;
    uint32_t momentum;
    uint32_t beta2;
    uint32_t epsilon;
    uint32_t weight_decay;
    uint32_t schedule;
    uint32_t step_rounds;
    uint32_t step_factor;
    uint32_t warmup_rounds;
    uint32_t local_rate;
    /* [training] */
    uint32_t rounds;
    uint32_t rows_per_miner;
    uint32_t shards_per_round; /* 0: all */
    uint32_t local_steps;
    uint32_t min_submissions;
    uint32_t aggregation;
    uint32_t trim_share_ppm; /* of these, 0: what the rule usually takes */
    uint32_t krum_faulty;
    uint32_t clip_norm; /* value * 2^20 */
    uint32_t numerics;
    uint32_t compression;
    uint32_t topk_share_ppm;
    uint32_t audit_rate_ppm;
    uint32_t plant_rate_ppm;
    uint32_t eval_every;
    uint32_t target_accuracy_ppm;
    uint32_t round_timeout_ms;
    /* [reward]: base units */
    uint64_t budget;
    uint64_t miner_stake;
};

/* task_file_fini: releases what is in it; a zeroed one is fine. */
void task_file_fini(struct task_file *file);

/* task_file_fill: file as a task's description, but for its data sets; spec
 * and model borrow from file. */
void task_file_fill(Pot__TaskSpec *spec, Pot__ModelSpec *model,
                    Pot__OptimizerSpec *optimizer, struct task_file *file);

/* task_file_line: of "section.key"; 0 if it is not in the file. */
unsigned task_file_line(const struct task_file *file, const char *key);

/* task_file_place: appends "FILE:LINE: KEY: ", without what there is not: line
 * 0, key "". */
void task_file_place(struct buf *out, const struct task_file *file,
                     unsigned line, const char *key);

/* task_file_fault: the error line for a key ("": the file) at a line (0: no
 * line); EXIT_CODE_REJECTED. */
enum exit_code task_file_fault(struct ctl *ctl, const struct task_file *file,
                               unsigned line, const char *key,
                               const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#endif
