/* One table says of each key its type, where it goes, its range and what
 * stands when it is missing; reading walks the file along it. */
#include "config.h"

#include "ctl/task_file.h"

#include "base/alloc.h"
#include "base/amount.h"
#include "base/check.h"
#include "base/file.h"
#include "base/fixed.h"
#include "base/suggest.h"
#include "base/toml.h"
#include "ctl/show.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PPM 1000000

enum kind {
    KIND_TEXT,
    KIND_PATH, /* relative to the file */
    KIND_HASH,
    KIND_U32, /* in [low, high] */
    KIND_U64,
    KIND_SCALED, /* a number in [low, high], times unit, as uint32_t */
    KIND_NUMBER, /* a number in ]low, high[, as double */
    KIND_CHOICE, /* the place in choices, from 1 on */
    KIND_LAYERS,
    KIND_AMOUNT, /* POT */
};

struct rule {
    const char *key;
    enum kind kind;
    size_t offset;
    double low;
    double high;
    double usual; /* in the file's terms; ignored for texts */
    double unit;
    const char *const *choices; /* NULL at the end; "" is passed over */
};

static const char *const activations[] = {"relu", "tanh", "sigmoid", NULL};
static const char *const losses[] = {"softmax_cross_entropy", "mse", NULL};
static const char *const schedules[] = {"constant", "cosine", "step", NULL};
static const char *const aggregations[] = {"mean", "trimmed_mean", "median",
                                           "krum", "clipped_mean", NULL};
static const char *const numerics[] = {"blas", "exact", NULL};
static const char *const compressions[] = {"int8", "int16", "topk", NULL};

#define AT(field) offsetof(struct task_file, field)
#define COUNT(key, field, low, high, usual)                                    \
    {                                                                          \
        key, KIND_U32, AT(field), low, high, usual, 1, NULL                    \
    }
#define TEXT(key, kind, field)                                                 \
    {                                                                          \
        key, kind, AT(field), 0, 0, 0, 0, NULL                                 \
    }
#define SCALED(key, field, low, high, usual, unit)                             \
    {                                                                          \
        key, KIND_SCALED, AT(field), low, high, usual, unit, NULL              \
    }
#define CHOICE(key, field, choices)                                            \
    {                                                                          \
        key, KIND_CHOICE, AT(field), 0, 0, 1, 0, choices                       \
    }

/* A value below 1 that Q4.28 can hold. */
#define BELOW_ONE (1.0 - 1.0 / RATE_ONE)

static const struct rule rules[] = {
    TEXT("name", KIND_TEXT, name),
    TEXT("data.train", KIND_PATH, train),
    TEXT("data.test", KIND_PATH, test),
    TEXT("data.hash", KIND_HASH, hash),
    TEXT("data.test_hash", KIND_HASH, test_hash),
    TEXT("data.label", KIND_TEXT, label),
    TEXT("data.train_labels", KIND_PATH, train_labels),
    TEXT("data.test_labels", KIND_PATH, test_labels),
    {"data.test_split", KIND_NUMBER, AT(test_split), 0, 1, 0, 0, NULL},
    {"data.scale", KIND_NUMBER, AT(scale), 0, 1e9, 0, 0, NULL},
    TEXT("model.layers", KIND_LAYERS, layers),
    CHOICE("model.activation", activation, activations),
    CHOICE("model.loss", loss, losses),
    {"model.seed", KIND_U64, AT(seed), 0, 0, 1, 0, NULL},
    SCALED("optimizer.learning_rate", learning_rate, 1e-8, 15.999999, 0.1,
           RATE_ONE),
    SCALED("optimizer.momentum", momentum, 0, BELOW_ONE, 0.9, RATE_ONE),
    SCALED("optimizer.weight_decay", weight_decay, 0, BELOW_ONE, 0, RATE_ONE),
    CHOICE("optimizer.schedule", schedule, schedules),
    COUNT("optimizer.step_rounds", step_rounds, 1, ROUNDS_MAX, 0),
    SCALED("optimizer.step_factor", step_factor, 1e-8, 1, 0, RATE_ONE),
    COUNT("training.rounds", rounds, 1, ROUNDS_MAX, 0),
    COUNT("training.rows_per_miner", rows_per_miner, 1, ROWS_PER_MINER_MAX,
          256),
    COUNT("training.local_steps", local_steps, 1, 1000, 1),
    COUNT("training.min_submissions", min_submissions, 1, ROSTER_MAX, 1),
    CHOICE("training.aggregation", aggregation, aggregations),
    CHOICE("training.numerics", numerics, numerics),
    CHOICE("training.compression", compression, compressions),
    SCALED("training.audit_rate", audit_rate_ppm, 0, 1, 0.1, PPM),
    COUNT("training.eval_every", eval_every, 1, ROUNDS_MAX, 10),
    SCALED("training.target_accuracy", target_accuracy_ppm, 0, 1, 0, PPM),
    COUNT("training.round_timeout_ms", round_timeout_ms, 100, 86400000, 30000),
    TEXT("reward.budget", KIND_AMOUNT, budget),
    TEXT("reward.miner_stake", KIND_AMOUNT, miner_stake),
};

#define RULE_COUNT (sizeof(rules) / sizeof(*rules))

struct parser {
    struct task_file *file;
    struct ctl *ctl;
    enum ctl_exit rc; /* of the first fault */
};

__attribute__((format(printf, 4, 5))) static void fault(struct parser *p,
                                                        unsigned line,
                                                        const char *key,
                                                        const char *format, ...)
{
    char what[512];
    char place[24] = "";
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    if (line > 0) {
        (void)snprintf(place, sizeof(place), ":%u", line);
    }
    if (p->rc == CTL_DONE) {
        size_t size = strlen(what);
        bool has_hint = size > 0 && what[size - 1] == '?';
        p->rc = ctl_fail(p->ctl, CTL_REJECTED, "%s%s: %s%s%s%s", p->file->path,
                         place, key, key[0] != '\0' ? ": " : "", what,
                         has_hint ? "" : "; see task.toml(5)");
    }
}

static void *field_of(struct task_file *file, const struct rule *rule)
{
    return (char *)file + rule->offset;
}

static void set_u32(struct task_file *file, const struct rule *rule,
                    uint32_t value)
{
    memcpy(field_of(file, rule), &value, sizeof(value));
}

static void set_text(struct parser *p, const struct rule *rule,
                     const struct toml_value *value)
{
    char **field = field_of(p->file, rule);
    if (value->type != TOML_TEXT || value->text[0] == '\0') {
        fault(p, value->line, rule->key, "must be a text in quotes");
    } else if (rule->kind == KIND_HASH && !show_is_hash(value->text)) {
        fault(p, value->line, rule->key,
              "must be 64 lower-case hex digits, the address of a published"
              " data set");
    } else if (rule->kind == KIND_PATH) {
        char *folder = file_folder(p->file->path);
        *field = file_join(folder, value->text);
        free(folder);
    } else {
        *field = pot_strdup(value->text);
    }
}

static void set_number(struct parser *p, const struct rule *rule,
                       const struct toml_value *value)
{
    double number = value->number;
    bool is_number = value->type == TOML_NUMBER || value->type == TOML_INTEGER;
    bool is_open = rule->kind == KIND_NUMBER;
    if (!is_number || !(number >= rule->low && number <= rule->high) ||
        (is_open && (number <= rule->low || number >= rule->high))) {
        fault(p, value->line, rule->key, "must be a number %s %g %s %g",
              is_open ? "between" : "from", rule->low, is_open ? "and" : "to",
              rule->high);
        return;
    }
    if (is_open) {
        memcpy(field_of(p->file, rule), &number, sizeof(number));
    } else {
        set_u32(p->file, rule, (uint32_t)llround(number * rule->unit));
    }
}

static void set_count(struct parser *p, const struct rule *rule,
                      const struct toml_value *value)
{
    uint64_t wide = (uint64_t)value->integer;
    if (value->type != TOML_INTEGER || value->integer < 0) {
        fault(p, value->line, rule->key, "must be a whole number");
    } else if (rule->kind == KIND_U64) {
        memcpy(field_of(p->file, rule), &wide, sizeof(wide));
    } else if (value->number < rule->low || value->number > rule->high) {
        fault(p, value->line, rule->key,
              "must be from %.0f to %.0f, not %" PRId64, rule->low, rule->high,
              value->integer);
    } else {
        set_u32(p->file, rule, (uint32_t)wide);
    }
}

static void set_choice(struct parser *p, const struct rule *rule,
                       const struct toml_value *value)
{
    char list[160] = "";
    char hint[SUGGEST_TEXT_SIZE];
    size_t used = 0;
    size_t count = 0;
    for (; rule->choices[count] != NULL; count++) {
        if (value->type == TOML_TEXT &&
            strcmp(value->text, rule->choices[count]) == 0) {
            set_u32(p->file, rule, (uint32_t)count + 1);
            return;
        }
        int n = snprintf(list + used, sizeof(list) - used, "%s%s",
                         count > 0 ? ", " : "", rule->choices[count]);
        used += (size_t)n;
    }
    fault(p, value->line, rule->key, "must be one of: %s%s", list,
          suggest_text(hint, "", value->type == TOML_TEXT ? value->text : "",
                       rule->choices, count));
}

static void set_layers(struct parser *p, const struct rule *rule,
                       const struct toml_value *value)
{
    bool is_good = value->type == TOML_ARRAY && value->item_count >= 2 &&
                   value->item_count <= LAYERS_MAX;
    for (size_t i = 0; is_good && i < value->item_count; i++) {
        const struct toml_value *item = &value->items[i];
        is_good = item->type == TOML_INTEGER && item->integer >= 1 &&
                  item->integer <= LAYER_WIDTH_MAX;
        p->file->layers[i] = (uint32_t)item->integer;
    }
    if (!is_good) {
        fault(p, value->line, rule->key,
              "must be a list of 2 to %d widths of 1 to %d, the input's first,"
              " such as [64, 32, 10]",
              LAYERS_MAX, LAYER_WIDTH_MAX);
        return;
    }
    p->file->layer_count = value->item_count;
}

static void set_amount(struct parser *p, const struct rule *rule,
                       const struct toml_value *value)
{
    char digits[24];
    const char *text = value->text;
    struct amount amount;
    if (value->type == TOML_INTEGER) {
        (void)snprintf(digits, sizeof(digits), "%" PRId64, value->integer);
        text = digits;
    } else if (value->type != TOML_TEXT) {
        text = "";
    }
    if (amount_parse(&amount, text) != POT_OK) {
        fault(p, value->line, rule->key,
              "must be an amount in POT, such as \"100\" or \"12.5\"");
        return;
    }
    memcpy(field_of(p->file, rule), &amount.units, sizeof(amount.units));
}

static void set_value(struct parser *p, const struct rule *rule,
                      const struct toml_value *value)
{
    switch (rule->kind) {
    case KIND_TEXT:
    case KIND_PATH:
    case KIND_HASH:
        set_text(p, rule, value);
        break;
    case KIND_U32:
    case KIND_U64:
        set_count(p, rule, value);
        break;
    case KIND_SCALED:
    case KIND_NUMBER:
        set_number(p, rule, value);
        break;
    case KIND_CHOICE:
        set_choice(p, rule, value);
        break;
    case KIND_LAYERS:
        set_layers(p, rule, value);
        break;
    case KIND_AMOUNT:
        set_amount(p, rule, value);
        break;
    }
}

static void set_usual(struct task_file *file)
{
    for (size_t i = 0; i < RULE_COUNT; i++) {
        const struct rule *rule = &rules[i];
        if (rule->kind == KIND_SCALED) {
            set_u32(file, rule, (uint32_t)llround(rule->usual * rule->unit));
        } else if (rule->kind == KIND_U32 || rule->kind == KIND_CHOICE) {
            set_u32(file, rule, (uint32_t)rule->usual);
        } else if (rule->kind == KIND_U64) {
            uint64_t value = (uint64_t)rule->usual;
            memcpy(field_of(file, rule), &value, sizeof(value));
        }
    }
}

static void take_value(struct parser *p, const struct toml_value *value)
{
    const char *keys[RULE_COUNT];
    char hint[SUGGEST_TEXT_SIZE];
    for (size_t i = 0; i < RULE_COUNT; i++) {
        keys[i] = rules[i].key;
        if (strcmp(value->key, keys[i]) == 0) {
            set_value(p, &rules[i], value);
            return;
        }
    }
    fault(p, value->line, "", "unknown key \"%s\"%s", value->key,
          suggest_text(hint, "", value->key, keys, RULE_COUNT));
}

/* ---- rules between values */

static unsigned line_of(const struct toml_file *toml, const char *key)
{
    const struct toml_value *value = toml_find(toml, key);
    return value != NULL ? value->line : 0;
}

static void check_data(struct parser *p, const struct toml_file *toml)
{
    const struct task_file *f = p->file;
    int tests =
        (f->test != NULL) + (f->test_hash != NULL) + (f->test_split > 0);
    if ((f->train == NULL) == (f->hash == NULL)) {
        fault(p, line_of(toml, "data.hash"), "data",
              "needs train = \"FILE\" or hash = \"...\", one of the two");
    } else if (tests != 1) {
        fault(p, line_of(toml, "data.test"), "data",
              "needs one of test, test_split and test_hash");
    } else if (f->test_split > 0 && f->train == NULL) {
        fault(p, line_of(toml, "data.test_split"), "data.test_split",
              "a published data set cannot be split here; publish the test set"
              " and name it by test_hash");
    } else if (f->test != NULL && f->train == NULL) {
        fault(p, line_of(toml, "data.test"), "data.test",
              "a test file needs its training file; publish both and name"
              " them by hash and test_hash");
    } else if (f->train_labels != NULL && f->train == NULL) {
        fault(p, line_of(toml, "data.train_labels"), "data.train_labels",
              "there is no data.train that these label");
    } else if (f->test_labels != NULL && f->test == NULL) {
        fault(p, line_of(toml, "data.test_labels"), "data.test_labels",
              "there is no data.test that these label");
    }
}

static void check_training(struct parser *p, const struct toml_file *toml)
{
    const struct task_file *f = p->file;
    bool has_steps = f->schedule == POT__SCHEDULE__SCHEDULE_STEP + 1;
    if (f->local_steps > 1 && f->numerics != POT__NUMERICS__NUMERICS_EXACT) {
        fault(p, line_of(toml, "training.local_steps"), "training.local_steps",
              "more than 1 needs numerics = \"exact\"");
    }
    if (has_steps && (f->step_rounds == 0 || f->step_factor == 0)) {
        fault(p, line_of(toml, "optimizer.schedule"), "optimizer.schedule",
              "\"step\" needs step_rounds and step_factor");
    }
    if (!has_steps && (f->step_rounds > 0 || f->step_factor > 0)) {
        fault(p, line_of(toml, "optimizer.step_rounds"), "optimizer",
              "step_rounds and step_factor are for schedule = \"step\"");
    }
    if (f->budget < f->rounds) {
        fault(p, line_of(toml, "reward.budget"), "reward.budget",
              "must be at least one base unit (0.000000001) a round");
    }
}

static void check_whole(struct parser *p, const struct toml_file *toml)
{
    static const char *const required[] = {
        "name",
        "model.layers",
        "training.rounds",
        "reward.budget",
    };
    for (size_t i = 0; i < sizeof(required) / sizeof(*required); i++) {
        if (toml_find(toml, required[i]) == NULL) {
            fault(p, 0, required[i], "missing");
        }
    }
    for (const char *c = p->file->name; c != NULL && *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            fault(p, line_of(toml, "name"), "name",
                  "holds a control character");
            break;
        }
    }
    if (p->rc == CTL_DONE && strlen(p->file->name) > TX_TEXT_MAX) {
        fault(p, line_of(toml, "name"), "name", "at most %d bytes",
              TX_TEXT_MAX);
    }
    if (p->rc == CTL_DONE) {
        check_data(p, toml);
        check_training(p, toml);
    }
}

enum ctl_exit task_file_parse(struct task_file *out, struct ctl *ctl,
                              const char *path, const char *text)
{
    struct toml_file toml;
    unsigned line;
    char message[256];
    struct parser p = {out, ctl, CTL_DONE};
    *out = (struct task_file){.path = pot_strdup(path)};
    set_usual(out);
    if (toml_parse(&toml, text, &line, message, sizeof(message)) != POT_OK) {
        fault(&p, line, "", "%s", message);
        return p.rc;
    }
    for (size_t i = 0; i < toml.count; i++) {
        take_value(&p, &toml.values[i]);
    }
    check_whole(&p, &toml);
    toml_free(&toml);
    return p.rc;
}

enum ctl_exit task_file_load(struct task_file *out, struct ctl *ctl,
                             const char *path)
{
    char *text;
    size_t size;
    *out = (struct task_file){0};
    enum pot_err err = file_read(&text, &size, path, TASK_FILE_BYTES_MAX);
    if (err != POT_OK) {
        return ctl_fail(ctl, CTL_CONFIG, "cannot read the task file %s: %s",
                        path, err_text(err));
    }
    enum ctl_exit rc =
        strlen(text) == size
            ? task_file_parse(out, ctl, path, text)
            : ctl_fail(ctl, CTL_REJECTED,
                       "the task file %s holds a zero byte: it is no text",
                       path);
    free(text);
    return rc;
}

void task_file_fini(struct task_file *file)
{
    free(file->path);
    free(file->name);
    free(file->train);
    free(file->test);
    free(file->hash);
    free(file->test_hash);
    free(file->label);
    free(file->train_labels);
    free(file->test_labels);
    *file = (struct task_file){0};
}

void task_file_fill(Pot__TaskSpec *spec, Pot__ModelSpec *model,
                    Pot__OptimizerSpec *optimizer, struct task_file *file)
{
    pot__model_spec__init(model);
    model->n_layers = file->layer_count;
    model->layers = file->layers;
    model->activation = (Pot__Activation)file->activation;
    model->loss = (Pot__Loss)file->loss;
    model->seed = file->seed;
    pot__optimizer_spec__init(optimizer);
    optimizer->learning_rate = file->learning_rate;
    optimizer->momentum = file->momentum;
    optimizer->weight_decay = file->weight_decay;
    optimizer->schedule = (Pot__Schedule)(file->schedule - 1);
    optimizer->step_rounds = file->step_rounds;
    optimizer->step_factor = file->step_factor;
    pot__task_spec__init(spec);
    spec->name = file->name;
    spec->model = model;
    spec->optimizer = optimizer;
    spec->rounds = file->rounds;
    spec->rows_per_miner = file->rows_per_miner;
    spec->local_steps = file->local_steps;
    spec->min_submissions = file->min_submissions;
    spec->aggregation = (Pot__Aggregation)file->aggregation;
    spec->numerics = (Pot__Numerics)file->numerics;
    spec->compression = (Pot__Compression)file->compression;
    spec->audit_rate_ppm = file->audit_rate_ppm;
    spec->eval_every = file->eval_every;
    spec->target_accuracy_ppm = file->target_accuracy_ppm;
    spec->round_timeout_ms = file->round_timeout_ms;
    spec->miner_stake = file->miner_stake;
}

enum ctl_exit task_file_check_version(struct ctl *ctl,
                                      const struct task_file *file)
{
    const char *what = NULL;
    if (file->aggregation != POT__AGGREGATION__AGGREGATION_MEAN) {
        what = "training.aggregation: this version has \"mean\" only";
    } else if (file->numerics != POT__NUMERICS__NUMERICS_BLAS) {
        what = "training.numerics: this version has \"blas\" only";
    } else if (file->compression == POT__COMPRESSION__COMPRESSION_TOPK) {
        what = "training.compression: this version has \"int8\" and"
               " \"int16\" only";
    }
    return what == NULL
               ? CTL_DONE
               : ctl_fail(ctl, CTL_REJECTED, "%s: %s", file->path, what);
}

enum ctl_exit task_file_check_stake(struct ctl *ctl,
                                    const struct task_file *file,
                                    const Pot__GenesisParams *params)
{
    uint32_t bps = params->attesting_bps + params->proposing_bps;
    struct amount pool = {file->budget / file->rounds};
    struct amount most = amount_part(pool, bps < 10000 ? 10000 - bps : 0,
                                     (uint64_t)10000 * file->min_submissions);
    double p = file->audit_rate_ppm / (double)PPM;
    uint64_t stake = file->miner_stake > params->min_miner_stake
                         ? file->miner_stake
                         : params->min_miner_stake;
    if (most.units == 0 ||
        (p > 0 && (double)stake >= (double)most.units * (1 - p) / p)) {
        return CTL_DONE;
    }
    char reward[AMOUNT_TEXT_SIZE];
    char held[AMOUNT_TEXT_SIZE];
    (void)amount_format(most, reward);
    (void)amount_format((struct amount){stake}, held);
    if (file->numerics != POT__NUMERICS__NUMERICS_EXACT) {
        ctl_note(ctl,
                 "note: with audit_rate %g a stake of %s POT does not outweigh"
                 " a round's reward of up to %s POT, and blas numerics never"
                 " slash",
                 p, held, reward);
        return CTL_DONE;
    }
    return ctl_fail(ctl, CTL_REJECTED,
                    "%s: cheating would pay: a miner's stake of %s POT is below"
                    " R (1 - p) / p with R = %s POT a round and p = audit_rate"
                    " = %g; raise reward.miner_stake or training.audit_rate",
                    file->path, held, reward, p);
}
