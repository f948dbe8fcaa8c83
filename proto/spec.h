/* spec: which tasks and which descriptions of data sets a chain takes, as far
 * as they can be judged by themselves.  The ledger refuses a transaction by
 * these rules, potctl a file before anything is sent or paid. */
#ifndef POT_PROTO_SPEC_H
#define POT_PROTO_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "proto/chain.pb-c.h"

/* ---- what is chosen by name */

struct spec_choice {
    const char *name; /* in task.toml */
    uint32_t value;   /* of the Pot__ enumeration */
    bool is_taken;    /* by this version; the others are planned */
};

struct spec_choices {
    const struct spec_choice *all; /* the first is the usual one */
    size_t count;
};

extern const struct spec_choices spec_activations;
extern const struct spec_choices spec_losses;
extern const struct spec_choices spec_optimizers;
extern const struct spec_choices spec_schedules;
extern const struct spec_choices spec_aggregations;
extern const struct spec_choices spec_numerics;
extern const struct spec_choices spec_compressions;

/* spec_takes: value is one of choices, and this version takes it. */
bool spec_takes(const struct spec_choices *choices, uint32_t value);

/* spec_name: what a task's file calls the value; "" when it is none. */
const char *spec_name(const struct spec_choices *choices, uint32_t value);

/* ---- plants: plant_rate times audit_rate */

#define SPEC_PLANTS_LOST_PPM_MAX 200000

/* ---- optimizers */

#define SPEC_MOMENTS_MAX  2
#define SPEC_EPSILON_BITS 38 /* of OptimizerSpec.epsilon, behind the point */

/* spec_moments: how many numbers a parameter the optimizer keeps from round
 * to round. */
unsigned spec_moments(const Pot__OptimizerSpec *optimizer);

/* ---- tasks */

enum spec_fault {
    SPEC_SOUND,
    /* of the task alone, in the order in which they are looked for */
    SPEC_NAME,    /* not UTF-8 of 1 to TX_TEXT_MAX bytes without controls */
    SPEC_ADDRESS, /* a data set's address has another size than a hash */
    SPEC_LAYERS,  /* not a model within the limits */
    SPEC_ACTIVATION,
    SPEC_LOSS,
    SPEC_OPTIMIZER, /* a rate out of its range, the schedule, or a key that
                       the kind lacks or needs */
    SPEC_ROUNDS,
    SPEC_WARMUP, /* more rounds than the task's */
    SPEC_ROWS_PER_MINER,
    SPEC_SHARDS,
    SPEC_LOCAL_STEPS,
    SPEC_LOCAL_RATE,    /* with several local steps, and only then */
    SPEC_LOCAL_EXACT,   /* several local steps, but not in the exact lane */
    SPEC_LOCAL_ROWS,    /* rows_per_miner is no multiple of local_steps, or a
                           step has too many */
    SPEC_GRADIENT_SIZE, /* rows_per_miner times parameters: too much to do */
    SPEC_MIN_SUBMISSIONS,
    SPEC_AGGREGATION,
    SPEC_NUMERICS,
    SPEC_COMPRESSION,
    SPEC_TRIM_SHARE, /* these four: proto/aggregation.h */
    SPEC_KRUM_FAULTY,
    SPEC_CLIP_NORM,
    SPEC_AGGREGATION_SIZE,
    SPEC_TOPK_SHARE,        /* out of range, or not with topk */
    SPEC_COMPRESSION_EXACT, /* below a byte an element, but not in the exact
                               lane, which alone can audit that */
    SPEC_AUDIT_RATE,
    SPEC_PLANT_RATE, /* too high for audit_rate, or not of the exact lane */
    SPEC_EVAL_EVERY,
    SPEC_TARGET_ACCURACY,
    SPEC_ROUND_TIMEOUT,
    SPEC_BUDGET, /* less than a base unit a round */
    /* of the task and its data sets */
    SPEC_INPUTS,          /* not the training set's number of features */
    SPEC_OUTPUTS,         /* not its number of classes; 1 for numbers */
    SPEC_TEST_SET,        /* other features or classes than the training set */
    SPEC_NUMBERS_LOSS,    /* the loss is for classes, the labels are numbers */
    SPEC_NUMBERS_TARGET,  /* a target accuracy, but the labels are numbers */
    SPEC_EVALUATION_SIZE, /* test rows times parameters: too much to do */
    SPEC_FAULT_COUNT
};

/* spec_check: the first fault of a task by itself. */
enum spec_fault spec_check(const Pot__TaskSpec *spec, uint64_t budget);

/* What a task's rules ask of a data set. */
struct spec_data {
    uint64_t rows;
    uint32_t features;
    uint32_t classes; /* 0: labels are numbers */
};

/* spec_fits_data: the first fault between a task that is sound by itself and
 * its data sets. */
enum spec_fault spec_fits_data(const Pot__TaskSpec *spec,
                               const struct spec_data *train,
                               const struct spec_data *test);

/* spec_miner_stake: what a miner must have at stake for the task, apart from
 * what its other tasks ask; at least a unit. */
uint64_t spec_miner_stake(const Pot__TaskSpec *spec,
                          const Pot__GenesisParams *params);

/* spec_reward_max: the most that a miner can be paid for one round. */
uint64_t spec_reward_max(const Pot__TaskSpec *spec, uint64_t budget,
                         const Pot__GenesisParams *params);

/* spec_stake_outweighs: S >= R (1 - p) / p, so that a false submission costs
 * more than it brings: S is what is taken of spec_miner_stake, R
 * spec_reward_max, p the audit rate. */
bool spec_stake_outweighs(const Pot__TaskSpec *spec, uint64_t budget,
                          const Pot__GenesisParams *params);

/* spec_stake_enough: the least miner_stake with which it would hold; false:
 * none does. */
bool spec_stake_enough(uint64_t *out, const Pot__TaskSpec *spec,
                       uint64_t budget, const Pot__GenesisParams *params);

/* ---- data sets */

/* spec_is_dataset: a description that fits together: sizes, number of
 * chunks, and the address is that of the chunks. */
bool spec_is_dataset(const Pot__PublishDataset *dataset);

/* spec_make_name: a name of 1 to TX_TEXT_MAX bytes from any text: as many of
 * its characters as leave room for suffix, which is a sound name or empty.
 * What a name may not hold becomes '_'. */
void spec_make_name(char out[static TX_TEXT_MAX + 1], const char *text,
                    const char *suffix);

#endif
