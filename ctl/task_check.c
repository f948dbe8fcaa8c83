#include "config.h"

#include "ctl/task_check.h"

#include "base/amount.h"
#include "base/check.h"
#include "base/hash.h"
#include "proto/codec.h"
#include "proto/model.h"

#include <inttypes.h>
#include <stdio.h>

/* With fewer rows a class on average its name is hardly one. */
#define CLASS_ROWS_FEW 4

/* The fault of a key, at the key's line. */
#define FAULT(key, ...)                                                        \
    task_file_fault(ctl, f, task_file_line(f, key), key, __VA_ARGS__)

/* ---- alone */

static enum exit_code check_sources(struct ctl *ctl, const struct task_file *f)
{
    int tests =
        (f->test != NULL) + (f->test_hash != NULL) + (f->test_split > 0);
    if ((f->train == NULL) == (f->hash == NULL)) {
        return task_file_fault(
            ctl, f, task_file_line(f, "data.hash"), "data",
            "needs train = \"FILE\" or hash = \"...\", one of the two");
    }
    if (tests != 1) {
        return task_file_fault(ctl, f, task_file_line(f, "data.test"), "data",
                               "needs one of test, test_split and test_hash");
    }
    if (f->test_split > 0 && f->train == NULL) {
        return FAULT("data.test_split",
                     "a published data set cannot be split here; publish the"
                     " test set and name it by test_hash");
    }
    if (f->test != NULL && f->train == NULL) {
        return FAULT("data.test",
                     "a test file needs its training file; publish both and"
                     " name them by hash and test_hash");
    }
    if (f->train_labels != NULL && f->train == NULL) {
        return FAULT("data.train_labels",
                     "there is no data.train that these label");
    }
    if (f->test_labels != NULL && f->test == NULL) {
        return FAULT("data.test_labels",
                     "there is no data.test that these label");
    }
    return EXIT_CODE_DONE;
}

static enum exit_code check_steps(struct ctl *ctl, const struct task_file *f)
{
    bool has_steps = f->schedule == POT__SCHEDULE__SCHEDULE_STEP;
    if (has_steps && (f->step_rounds == 0 || f->step_factor == 0)) {
        return FAULT("optimizer.schedule",
                     "\"step\" needs step_rounds and step_factor");
    }
    if (!has_steps && (f->step_rounds > 0 || f->step_factor > 0)) {
        return task_file_fault(
            ctl, f, task_file_line(f, "optimizer.step_rounds"), "optimizer",
            "step_rounds and step_factor are for schedule = \"step\"");
    }
    return EXIT_CODE_DONE;
}

static enum exit_code check_kind(struct ctl *ctl, const struct task_file *f)
{
    bool is_adam = f->kind == POT__OPTIMIZER__OPTIMIZER_ADAM;
    if (f->kind == POT__OPTIMIZER__OPTIMIZER_SGD && f->momentum > 0) {
        return FAULT("optimizer.momentum",
                     "kind = \"sgd\" has none; take \"momentum\"");
    }
    if (!is_adam && f->beta2 > 0) {
        return FAULT("optimizer.beta2", "is for kind = \"adam\"");
    }
    if (!is_adam && f->epsilon > 0) {
        return FAULT("optimizer.epsilon", "is for kind = \"adam\"");
    }
    return EXIT_CODE_DONE;
}

static enum exit_code check_local(struct ctl *ctl, const struct task_file *f)
{
    if (f->local_steps > 1 && f->local_rate == 0) {
        return FAULT("training.local_steps",
                     "above 1 needs optimizer.local_rate, the rate of the steps"
                     " within a round; try 0.1");
    }
    if (f->local_steps <= 1 && f->local_rate > 0) {
        return FAULT("optimizer.local_rate",
                     "is the rate of the steps within a round, for"
                     " training.local_steps above 1; take it out, or set"
                     " local_steps");
    }
    return EXIT_CODE_DONE;
}

/* Krum must have more than its hostile ones. */
static enum exit_code check_krum(struct ctl *ctl, const struct task_file *f)
{
    static const char key[] = "training.min_submissions";
    unsigned line = task_file_line(f, key);
    bool is_krum = f->aggregation == POT__AGGREGATION__AGGREGATION_KRUM ||
                   f->aggregation == POT__AGGREGATION__AGGREGATION_MULTI_KRUM;
    uint64_t least = 2 * (uint64_t)f->krum_faulty + 3;
    if (!is_krum || f->min_submissions >= least) {
        return EXIT_CODE_DONE;
    }
    if (line == 0) {
        line = task_file_line(f, "training.aggregation");
    }
    return task_file_fault(ctl, f, line, key,
                           "is %" PRIu32 ", and the aggregation rule needs 2 *"
                           " krum_faulty + 3: set %" PRIu64 " or more",
                           f->min_submissions, least);
}

/* What the chain would refuse, by its key; of a choice the taken names are
 * told. */
struct chain_rule {
    const char *key;
    const char *what;
    const struct spec_choices *choices;
};

static const struct chain_rule chain_rules[SPEC_FAULT_COUNT] = {
    [SPEC_NAME] = {"name",
                   "must be 1 to " LIMIT_TEXT(
                       TX_TEXT_MAX) " bytes of UTF-8"
                                    " without control characters",
                   NULL},
    [SPEC_LAYERS] = {"model.layers",
                     "more than " LIMIT_TEXT(PARAMETERS_MAX) " parameters",
                     NULL},
    [SPEC_ACTIVATION] = {"model.activation", NULL, &spec_activations},
    [SPEC_LOSS] = {"model.loss", NULL, &spec_losses},
    [SPEC_OPTIMIZER] = {"optimizer", "a rate is out of its range", NULL},
    [SPEC_ROUNDS] = {"training.rounds", "out of range", NULL},
    [SPEC_WARMUP] = {"optimizer.warmup_rounds", "more than training.rounds",
                     NULL},
    [SPEC_ROWS_PER_MINER] = {"training.rows_per_miner", "out of range", NULL},
    [SPEC_SHARDS] = {"training.shards_per_round", "out of range", NULL},
    [SPEC_LOCAL_STEPS] = {"training.local_steps", "out of range", NULL},
    [SPEC_LOCAL_RATE] = {"optimizer.local_rate",
                         "is needed for training.local_steps above 1, and is"
                         " for nothing else",
                         NULL},
    [SPEC_LOCAL_EXACT] = {"training.local_steps",
                          "above 1 needs numerics = \"exact\"", NULL},
    [SPEC_LOCAL_ROWS] =
        {"training.rows_per_miner",
         "must be a multiple of local_steps, with at most " LIMIT_TEXT(
             LOCAL_ROWS_MAX) " rows a step",
         NULL},
    [SPEC_MIN_SUBMISSIONS] = {"training.min_submissions", "out of range", NULL},
    [SPEC_AGGREGATION] = {"training.aggregation", NULL, &spec_aggregations},
    [SPEC_NUMERICS] = {"training.numerics", NULL, &spec_numerics},
    [SPEC_COMPRESSION] = {"training.compression", NULL, &spec_compressions},
    [SPEC_TRIM_SHARE] = {"training.trim_share",
                         "is for aggregation = \"trimmed_mean\"", NULL},
    [SPEC_KRUM_FAULTY] = {"training.krum_faulty",
                          "is for aggregation = \"krum\" and \"multi_krum\"",
                          NULL},
    [SPEC_CLIP_NORM] = {"training.clip_norm",
                        "is for aggregation = \"clipped_mean\" and"
                        " \"centered_clipping\"",
                        NULL},
    [SPEC_AGGREGATION_SIZE] = {"training.min_submissions",
                               "the aggregation rule holds all gradients of"
                               " a round at once, and cannot take so many of"
                               " this model",
                               NULL},
    [SPEC_TOPK_SHARE] = {"training.topk_share", "is for compression = \"topk\"",
                         NULL},
    [SPEC_COMPRESSION_EXACT] = {"training.compression",
                                "int4, sign and topk need numerics ="
                                " \"exact\"",
                                NULL},
    [SPEC_AUDIT_RATE] = {"training.audit_rate", "out of range", NULL},
    [SPEC_PLANT_RATE] = {"training.plant_rate",
                         "0 to 1, above 0 with numerics = \"exact\", and times "
                         "audit_rate 0.2 at most",
                         NULL},
    [SPEC_EVAL_EVERY] = {"training.eval_every", "out of range", NULL},
    [SPEC_TARGET_ACCURACY] = {"training.target_accuracy", "out of range", NULL},
    [SPEC_ROUND_TIMEOUT] = {"training.round_timeout_ms", "out of range", NULL},
    [SPEC_BUDGET] = {"reward.budget",
                     "must be at least one base unit (0.000000001) a round",
                     NULL},
    [SPEC_TEST_SET] = {"data.test",
                       "training and test set differ in features or classes",
                       NULL},
    [SPEC_NUMBERS_LOSS] = {"model.loss", "numbers as labels need \"mse\"",
                           NULL},
    [SPEC_NUMBERS_TARGET] = {"training.target_accuracy",
                             "needs classes, but the labels are numbers", NULL},
};

static enum exit_code refuse_size(struct ctl *ctl, const struct task_file *f)
{
    struct model_shape shape;
    enum pot_err err = model_shape_init(&shape, f->layers, f->layer_count);
    POT_ASSERT(err == POT_OK); /* spec_check looked at the model first */
    return FAULT(
        "training.rows_per_miner",
        "%" PRIu32 " rows times %zu parameters are more than " LIMIT_TEXT(
            GRADIENT_PRODUCTS_MAX) ", which every auditor must compute in "
                                   "time; take at most"
                                   " %" PRIu64 " rows, or smaller layers",
        f->rows_per_miner, shape.parameter_count,
        GRADIENT_PRODUCTS_MAX / (uint64_t)shape.parameter_count);
}

static enum exit_code refuse(struct ctl *ctl, const struct task_file *f,
                             enum spec_fault fault)
{
    if (fault == SPEC_GRADIENT_SIZE) {
        return refuse_size(ctl, f);
    }
    const struct chain_rule *rule = &chain_rules[fault];
    char list[160] = "";
    size_t used = 0;
    POT_ASSERT(rule->key != NULL);
    if (rule->choices == NULL) {
        return FAULT(rule->key, "%s", rule->what);
    }
    for (size_t i = 0; i < rule->choices->count; i++) {
        const struct spec_choice *choice = &rule->choices->all[i];
        if (choice->is_taken && used < sizeof(list)) {
            used +=
                (size_t)snprintf(list + used, sizeof(list) - used, "%s\"%s\"",
                                 used > 0 ? ", " : "", choice->name);
        }
    }
    return FAULT(rule->key, "this version has only %s", list);
}

enum exit_code task_check_alone(struct ctl *ctl, struct task_file *file)
{
    static const struct hash any; /* stands in for the data sets' addresses */
    Pot__TaskSpec spec;
    Pot__ModelSpec model;
    Pot__OptimizerSpec optimizer;
    enum exit_code rc = check_sources(ctl, file);
    if (rc == EXIT_CODE_DONE) {
        rc = check_steps(ctl, file);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = check_kind(ctl, file);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = check_local(ctl, file);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = check_krum(ctl, file);
    }
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    task_file_fill(&spec, &model, &optimizer, file);
    spec.train = codec_bytes(any.b, HASH_SIZE);
    spec.test = codec_bytes(any.b, HASH_SIZE);
    enum spec_fault fault = spec_check(&spec, file->budget);
    return fault == SPEC_SOUND ? EXIT_CODE_DONE : refuse(ctl, file, fault);
}

/* ---- with its data */

enum exit_code task_check_data(struct ctl *ctl, const struct task_file *f,
                               const Pot__TaskSpec *spec,
                               const struct spec_data *train,
                               const struct spec_data *test)
{
    enum spec_fault fault = spec_fits_data(spec, train, test);
    if (fault == SPEC_INPUTS) {
        return FAULT("model.layers",
                     "the first is %" PRIu32 ", but the data has %" PRIu32
                     " features",
                     f->layers[0], train->features);
    }
    if (fault == SPEC_OUTPUTS) {
        return FAULT("model.layers",
                     "the last is %" PRIu32 ", but the data has %" PRIu32
                     " %s%s",
                     f->layers[f->layer_count - 1],
                     train->classes > 0 ? train->classes : 1,
                     train->classes > 0 ? "classes" : "target",
                     train->classes > train->rows / CLASS_ROWS_FEW
                         ? ", which look like numbers: to predict those take a"
                           " last width of 1 and loss = \"mse\", or name"
                           " another column by data.label"
                         : "");
    }
    if (fault == SPEC_EVALUATION_SIZE) {
        return FAULT("data.test",
                     "%" PRIu64 " test rows times the model's parameters are"
                     " too much for every validator; take fewer test rows",
                     test->rows);
    }
    if (fault != SPEC_SOUND) {
        return refuse(ctl, f, fault);
    }
    if (train->rows < f->rows_per_miner) {
        return FAULT("training.rows_per_miner",
                     "%" PRIu32 " rows are more than the training set's"
                     " %" PRIu64,
                     f->rows_per_miner, train->rows);
    }
    return EXIT_CODE_DONE;
}

/* ---- with the chain's rules */

static enum exit_code refuse_stake(struct ctl *ctl,
                                   const struct task_file *file,
                                   const Pot__TaskSpec *spec,
                                   const Pot__GenesisParams *params,
                                   const char *held, const char *reward)
{
    struct amount enough;
    char remedy[2 * AMOUNT_TEXT_SIZE] = "";
    char text[AMOUNT_TEXT_SIZE];
    if (spec_stake_enough(&enough.units, spec, file->budget, params)) {
        (void)snprintf(remedy, sizeof(remedy),
                       "reward.miner_stake to \"%s\" or ",
                       amount_format(enough, text));
    }
    return ctl_fail(ctl, EXIT_CODE_REJECTED,
                    "%s: cheating would pay: a miner's stake of %s POT is below"
                    " R (1 - p) / p with R = %s POT a round and p = audit_rate"
                    " = %g; raise %straining.audit_rate, or lower"
                    " reward.budget",
                    file->path, held, reward,
                    file->audit_rate_ppm / (double)PPM_ONE, remedy);
}

enum exit_code task_check_stake(struct ctl *ctl, const struct task_file *file,
                                const Pot__GenesisParams *params)
{
    Pot__TaskSpec spec = POT__TASK_SPEC__INIT;
    spec.rounds = file->rounds;
    spec.min_submissions = file->min_submissions;
    spec.audit_rate_ppm = file->audit_rate_ppm;
    spec.miner_stake = file->miner_stake;
    if (spec_stake_outweighs(&spec, file->budget, params)) {
        return EXIT_CODE_DONE;
    }
    struct amount most = {spec_reward_max(&spec, file->budget, params)};
    struct amount stake = {spec_miner_stake(&spec, params)};
    char reward[AMOUNT_TEXT_SIZE];
    char held[AMOUNT_TEXT_SIZE];
    (void)amount_format(most, reward);
    (void)amount_format(stake, held);
    if (file->numerics == POT__NUMERICS__NUMERICS_EXACT) {
        return refuse_stake(ctl, file, &spec, params, held, reward);
    }
    ctl_note(ctl,
             "note: with audit_rate %g a stake of %s POT does not outweigh"
             " a round's reward of up to %s POT, and blas numerics never"
             " slash",
             file->audit_rate_ppm / (double)PPM_ONE, held, reward);
    return EXIT_CODE_DONE;
}
