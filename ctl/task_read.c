/* One table says of each key what stands there; reading walks the file along
 * it. */
#include "config.h"

#include "ctl/task_read.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/fixed.h"
#include "base/suggest.h"
#include "ctl/task_check.h"
#include "ctl/task_value.h"
#include "proto/aggregation.h"

#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(struct task_file, field)
#define COUNT(key, field, low, high, usual)                                    \
    {                                                                          \
        key, TASK_VALUE_U32, AT(field), low, high, usual, 1, NULL              \
    }
#define TEXT(key, kind, field)                                                 \
    {                                                                          \
        key, kind, AT(field), 0, 0, 0, 0, NULL                                 \
    }
#define SCALED(key, field, low, high, usual, unit)                             \
    {                                                                          \
        key, TASK_VALUE_SCALED, AT(field), low, high, usual, unit, NULL        \
    }
#define CHOICE(key, field, choices)                                            \
    {                                                                          \
        key, TASK_VALUE_CHOICE, AT(field), 0, 0, 0, 0, choices                 \
    }

/* A value below 1 that Q4.28 can hold. */
#define BELOW_ONE (1.0 - 1.0 / RATE_ONE)

#define EPSILON_ONE   ((double)(UINT64_C(1) << SPEC_EPSILON_BITS))
#define BETA2_USUAL   0.999
#define EPSILON_USUAL 1e-8

#define TOPK_SHARE_PPM_USUAL 10000

static const struct task_rule rules[] = {
    TEXT("name", TASK_VALUE_TEXT, name),
    TEXT("data.train", TASK_VALUE_PATH, train),
    TEXT("data.test", TASK_VALUE_PATH, test),
    TEXT("data.hash", TASK_VALUE_HASH, hash),
    TEXT("data.test_hash", TASK_VALUE_HASH, test_hash),
    TEXT("data.label", TASK_VALUE_COLUMN, label),
    TEXT("data.train_labels", TASK_VALUE_PATH, train_labels),
    TEXT("data.test_labels", TASK_VALUE_PATH, test_labels),
    {"data.test_split", TASK_VALUE_NUMBER, AT(test_split), 0, 1, 0, 0, NULL},
    {"data.scale", TASK_VALUE_NUMBER, AT(scale), 0, 1e9, 0, 0, NULL},
    TEXT("model.layers", TASK_VALUE_LAYERS, layers),
    CHOICE("model.activation", activation, &spec_activations),
    CHOICE("model.loss", loss, &spec_losses),
    {"model.seed", TASK_VALUE_U64, AT(seed), 0, 0, 1, 0, NULL},
    CHOICE("optimizer.kind", kind, &spec_optimizers),
    SCALED("optimizer.learning_rate", learning_rate, 1e-8, 15.999999, 0.1,
           RATE_ONE),
    SCALED("optimizer.momentum", momentum, 0, BELOW_ONE, 0.9, RATE_ONE),
    SCALED("optimizer.beta2", beta2, 0.001, BELOW_ONE, 0, RATE_ONE),
    SCALED("optimizer.epsilon", epsilon, 1e-11, 0.01, 0, EPSILON_ONE),
    SCALED("optimizer.weight_decay", weight_decay, 0, BELOW_ONE, 0, RATE_ONE),
    CHOICE("optimizer.schedule", schedule, &spec_schedules),
    COUNT("optimizer.step_rounds", step_rounds, 1, ROUNDS_MAX, 0),
    SCALED("optimizer.step_factor", step_factor, 1e-8, 1, 0, RATE_ONE),
    COUNT("optimizer.warmup_rounds", warmup_rounds, 0, ROUNDS_MAX, 0),
    SCALED("optimizer.local_rate", local_rate, 1e-8, 15.999999, 0, RATE_ONE),
    COUNT("training.rounds", rounds, 1, ROUNDS_MAX, 0),
    COUNT("training.rows_per_miner", rows_per_miner, 1, ROWS_PER_MINER_MAX,
          256),
    COUNT("training.shards_per_round", shards_per_round, 0,
          SHARDS_PER_ROUND_MAX, 0),
    COUNT("training.local_steps", local_steps, 1, LOCAL_STEPS_MAX, 1),
    COUNT("training.min_submissions", min_submissions, 1, ROSTER_MAX, 1),
    CHOICE("training.aggregation", aggregation, &spec_aggregations),
    SCALED("training.trim_share", trim_share_ppm, 1e-6, 0.499999, 0, PPM_ONE),
    COUNT("training.krum_faulty", krum_faulty, 0, ROSTER_MAX, 0),
    SCALED("training.clip_norm", clip_norm, 1e-6, 4095.999999, 0,
           1 << AGGREGATION_CLIP_BITS),
    CHOICE("training.numerics", numerics, &spec_numerics),
    CHOICE("training.compression", compression, &spec_compressions),
    SCALED("training.topk_share", topk_share_ppm, 1e-6, 0.5, 0, PPM_ONE),
    SCALED("training.audit_rate", audit_rate_ppm, 0, 1, 0.03, PPM_ONE),
    SCALED("training.plant_rate", plant_rate_ppm, 0, 1, 0, PPM_ONE),
    COUNT("training.eval_every", eval_every, 1, ROUNDS_MAX, 10),
    SCALED("training.target_accuracy", target_accuracy_ppm, 0, 1, 0, PPM_ONE),
    COUNT("training.round_timeout_ms", round_timeout_ms, ROUND_TIMEOUT_MS_MIN,
          ROUND_TIMEOUT_MS_MAX, 30000),
    TEXT("reward.budget", TASK_VALUE_AMOUNT, budget),
    TEXT("reward.miner_stake", TASK_VALUE_AMOUNT, miner_stake),
};

#define RULE_COUNT (sizeof(rules) / sizeof(*rules))

/* "reward.budget" for "training.budget": a heading that is missing puts a key
 * into the section before.  NULL: no section has it. */
static const char *find_elsewhere(const char *key)
{
    const char *dot = strchr(key, '.');
    const char *word = dot != NULL ? dot + 1 : key;
    for (size_t i = 0; i < RULE_COUNT; i++) {
        const char *own = strchr(rules[i].key, '.');
        if (own != NULL && strcmp(own + 1, word) == 0) {
            return rules[i].key;
        }
    }
    return NULL;
}

static enum exit_code refuse_key(struct task_file *file, struct ctl *ctl,
                                 const struct toml_value *value)
{
    const char *keys[RULE_COUNT];
    char hint[SUGGEST_TEXT_SIZE];
    const char *elsewhere = find_elsewhere(value->key);
    for (size_t i = 0; i < RULE_COUNT; i++) {
        keys[i] = rules[i].key;
    }
    (void)suggest_text(hint, "", elsewhere != NULL ? elsewhere : value->key,
                       keys, RULE_COUNT);
    return task_file_fault(ctl, file, value->line, "", "unknown key \"%s\"%s",
                           value->key, hint);
}

static enum exit_code take_value(struct task_file *file, struct ctl *ctl,
                                 const struct toml_value *value)
{
    for (size_t i = 0; i < RULE_COUNT; i++) {
        if (strcmp(value->key, rules[i].key) == 0) {
            return task_value_set(file, ctl, &rules[i], value);
        }
    }
    return refuse_key(file, ctl, value);
}

static enum exit_code take_values(struct task_file *file, struct ctl *ctl)
{
    static const char *const required[] = {
        "name",
        "model.layers",
        "training.rounds",
        "reward.budget",
    };
    for (size_t i = 0; i < RULE_COUNT; i++) {
        task_value_set_usual(file, &rules[i]);
    }
    for (size_t i = 0; i < file->toml.count; i++) {
        enum exit_code rc = take_value(file, ctl, &file->toml.values[i]);
        if (rc != EXIT_CODE_DONE) {
            return rc;
        }
    }
    for (size_t i = 0; i < sizeof(required) / sizeof(*required); i++) {
        if (toml_find(&file->toml, required[i]) == NULL) {
            return task_file_fault(ctl, file, 0, required[i], "missing");
        }
    }
    return EXIT_CODE_DONE;
}

/* What is usual for one kind of optimizer or compression only. */
static void set_kind_usual(struct task_file *file)
{
    if (file->compression == POT__COMPRESSION__COMPRESSION_TOPK &&
        file->topk_share_ppm == 0) {
        file->topk_share_ppm = TOPK_SHARE_PPM_USUAL;
    }
    if (file->kind == POT__OPTIMIZER__OPTIMIZER_SGD &&
        task_file_line(file, "optimizer.momentum") == 0) {
        file->momentum = 0;
    }
    if (file->kind == POT__OPTIMIZER__OPTIMIZER_ADAM) {
        file->beta2 =
            file->beta2 > 0 ? file->beta2 : (uint32_t)(BETA2_USUAL * RATE_ONE);
        file->epsilon = file->epsilon > 0
                            ? file->epsilon
                            : (uint32_t)(EPSILON_USUAL * EPSILON_ONE);
    }
}

/* What a rule takes when its key is not there: a quarter is cut from either
 * end; Krum assumes as many hostile miners as min_submissions allows. */
static void set_rule_usual(struct task_file *file)
{
    bool is_krum =
        file->aggregation == POT__AGGREGATION__AGGREGATION_KRUM ||
        file->aggregation == POT__AGGREGATION__AGGREGATION_MULTI_KRUM;
    if (file->aggregation == POT__AGGREGATION__AGGREGATION_TRIMMED_MEAN &&
        file->trim_share_ppm == 0) {
        file->trim_share_ppm = PPM_ONE / 4;
    }
    if (is_krum && file->min_submissions >= 3 &&
        task_file_line(file, "training.krum_faulty") == 0) {
        file->krum_faulty = (file->min_submissions - 3) / 2;
    }
}

enum exit_code task_read_text(struct task_file *out, struct ctl *ctl,
                              const char *path, const char *text)
{
    unsigned line;
    char message[256];
    *out = (struct task_file){.path = pot_strdup(path)};
    if (toml_parse(&out->toml, text, &line, message, sizeof(message)) !=
        POT_OK) {
        return task_file_fault(ctl, out, line, "", "%s", message);
    }
    enum exit_code rc = take_values(out, ctl);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    set_kind_usual(out);
    set_rule_usual(out);
    return task_check_alone(ctl, out);
}

enum exit_code task_read(struct task_file *out, struct ctl *ctl,
                         const char *path)
{
    char *text;
    size_t size;
    *out = (struct task_file){0};
    enum pot_err err = file_read(&text, &size, path, TASK_FILE_BYTES_MAX);
    if (err != POT_OK) {
        return ctl_fail(ctl, EXIT_CODE_CONFIG,
                        "cannot read the task file %s: %s", path,
                        file_err_text(err, path));
    }
    enum exit_code rc =
        strlen(text) == size
            ? task_read_text(out, ctl, path, text)
            : ctl_fail(ctl, EXIT_CODE_REJECTED,
                       "the task file %s holds a zero byte: it is no text",
                       path);
    free(text);
    return rc;
}
