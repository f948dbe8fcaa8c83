#include "config.h"

#include "ctl/task_warn.h"

#include "base/amount.h"
#include "base/fixed.h"
#include "ctl/client.h"
#include "proto/codec.h"
#include "proto/fee.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_SIZE 512

/* What momentum makes of a rate at last is rate / (1 - momentum).  Beyond
 * these nothing converges, or nothing moves. */
#define RATE_HIGH      10.0
#define RATE_LOW       1e-5
#define ADAM_RATE_HIGH 0.1
#define LOCAL_HIGH     10.0

/* How often all rounds together go through the training set. */
#define PASSES_LOW  0.1
#define PASSES_HIGH 10000.0

struct task_view {
    const struct task_file *file;
    const struct task_data *data;
    const Pot__GenesisParams *params;
    json_t *list;
};

__attribute__((format(printf, 3, 4))) static void warn(
    const struct task_view *v, const char *key, const char *format, ...)
{
    char what[TEXT_SIZE];
    struct buf text;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    buf_init(&text, SIZE_MAX);
    task_file_place(&text, v->file, task_file_line(v->file, key), key);
    buf_printf(&text, "%s", what);
    json_t *said = json_string(buf_text(&text));
    (void)json_array_append_new(v->list,
                                said != NULL ? said : json_string(what));
    buf_fini(&text);
}

/* ---- data */

static void warn_of_test_set(const struct task_view *v)
{
    const struct task_part *train = &v->data->train;
    const struct task_part *test = &v->data->test;
    const char *key = v->file->test_hash != NULL ? "data.test_hash"
                      : v->file->test != NULL    ? "data.test"
                                                 : "data.test_split";
    if (hash_equal(&train->address, &test->address)) {
        warn(v, key,
             "the test set is the training set, so the accuracy says nothing"
             " of rows that the model has not seen; name another file, or"
             " test_split = 0.2");
    } else if (test->facts.rows < test->facts.classes) {
        warn(v, key,
             "%" PRIu64 " test rows for %" PRIu32
             " classes: the accuracy will say little",
             test->facts.rows, test->facts.classes);
    }
}

static void warn_of_passes(const struct task_view *v)
{
    const struct task_file *f = v->file;
    double rows = (double)f->rounds * f->rows_per_miner * f->min_submissions;
    double passes = rows / (double)v->data->train.facts.rows;
    if (passes < PASSES_LOW) {
        warn(v, "training.rounds",
             "%" PRIu32 " rounds of %" PRIu32 " rows a miner look at %.2g %% of"
             " the training set's %" PRIu64 " rows, if min_submissions take"
             " part; raise rounds or rows_per_miner",
             f->rounds, f->rows_per_miner, 100 * passes,
             v->data->train.facts.rows);
    } else if (passes > PASSES_HIGH && f->target_accuracy_ppm == 0) {
        warn(v, "training.rounds",
             "%" PRIu32 " rounds look at each row %.0f times; lower them, or"
             " set target_accuracy, at which the task ends",
             f->rounds, passes);
    }
}

/* ---- rates */

#define RATE_TEXT_SIZE 32
#define RATE_DECIMALS  9

/* As a decimal, not as 1e-06.  Small ones to two digits: they are multiples of
 * 1 / RATE_ONE, and not quite what the file says. */
static const char *rate_text(char text[static RATE_TEXT_SIZE], double rate)
{
    int decimals = rate < 1e-3 ? 2 : 3;
    for (double at = rate; at < 0.1 && decimals < RATE_DECIMALS; at *= 10) {
        decimals++;
    }
    (void)snprintf(text, RATE_TEXT_SIZE, "%.*f", decimals, rate);
    size_t size = strlen(text);
    while (text[size - 1] == '0') { /* none before the point: it stops there */
        size--;
    }
    text[text[size - 1] == '.' ? size - 1 : size] = '\0';
    return text;
}

static void warn_of_rates(const struct task_view *v)
{
    const struct task_file *f = v->file;
    bool is_adam = f->kind == POT__OPTIMIZER__OPTIMIZER_ADAM;
    double rate = f->learning_rate / (double)RATE_ONE;
    double momentum = f->momentum / (double)RATE_ONE;
    double lasting = is_adam ? rate : rate / (1 - momentum);
    double local = f->local_rate / (double)RATE_ONE;
    char text[RATE_TEXT_SIZE];
    (void)rate_text(text, rate);
    if (is_adam && rate > ADAM_RATE_HIGH) {
        warn(v, "optimizer.learning_rate",
             "%s is much for adam, which takes steps of that size; 0.001 is"
             " usual",
             text);
    } else if (lasting > RATE_HIGH) {
        warn(v, "optimizer.learning_rate",
             "%s with momentum %g is a rate of %.3g in the end, with which"
             " hardly any model converges; 0.1 is usual",
             text, momentum, lasting);
    } else if (lasting < RATE_LOW) {
        warn(v, "optimizer.learning_rate",
             "%s changes next to nothing in %" PRIu32 " rounds; 0.1 is usual,"
             " 0.001 for adam",
             text, f->rounds);
    }
    if (local > LOCAL_HIGH) {
        warn(v, "optimizer.local_rate",
             "%g is a rate with which hardly any model converges; 0.1 is"
             " usual",
             local);
    }
}

static void warn_of_target(const struct task_view *v)
{
    const struct task_file *f = v->file;
    if (f->target_accuracy_ppm > 0 && f->eval_every >= f->rounds) {
        warn(v, "training.target_accuracy",
             "is looked at every eval_every = %" PRIu32 " rounds, and the task"
             " ends after %" PRIu32 " anyway; lower eval_every",
             f->eval_every, f->rounds);
    }
}

/* ---- money */

/* What a miner can earn in all, against the fee of taking part. */
static void warn_of_budget(const struct task_view *v)
{
    struct hash any = {{0}};
    char texts[2][AMOUNT_TEXT_SIZE];
    Pot__TaskSpec spec = POT__TASK_SPEC__INIT;
    Pot__JoinTask join = POT__JOIN_TASK__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    spec.rounds = v->file->rounds;
    spec.min_submissions = v->file->min_submissions;
    join.task = codec_bytes(any.b, HASH_SIZE);
    body.action_case = POT__TX_BODY__ACTION_JOIN_TASK;
    body.join_task = &join;
    struct amount fee = fee_estimate(v->params, &body);
    struct amount most;
    struct amount round = {spec_reward_max(&spec, v->file->budget, v->params)};
    if (amount_mul(&most, round, spec.rounds) && most.units < fee.units) {
        warn(v, "reward.budget",
             "a miner earns %s POT at most in all rounds, less than the fee of"
             " joining, %s POT; raise it",
             amount_format(most, texts[0]), amount_format(fee, texts[1]));
    }
}

/* The larger of the two is asked for. */
static void warn_of_low_stake(const struct task_view *v)
{
    char texts[2][AMOUNT_TEXT_SIZE];
    struct amount asked = {v->file->miner_stake};
    struct amount least = {v->params->min_miner_stake};
    if (asked.units > 0 && asked.units < least.units) {
        warn(v, "reward.miner_stake",
             "is %s POT, but min_miner_stake of the chain, %s POT, is what"
             " miners must hold; leave it away or raise it",
             amount_format(asked, texts[0]), amount_format(least, texts[1]));
    }
}

void task_warn_alone(json_t *list, const struct task_file *file,
                     const struct task_data *data,
                     const Pot__GenesisParams *params)
{
    static void (*const rules[])(const struct task_view *v) = {
        warn_of_test_set, warn_of_rates,  warn_of_passes,
        warn_of_target,   warn_of_budget, warn_of_low_stake,
    };
    const struct task_view v = {file, data, params, list};
    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
        rules[i](&v);
    }
}

/* ---- with a node */

/* Too few have the stake: by what the task asks for, or on the chain at all. */
static void warn_of_stake(const struct task_view *v, uint64_t able,
                          uint64_t all, struct amount stake)
{
    char text[AMOUNT_TEXT_SIZE];
    uint32_t wanted = v->file->min_submissions;
    (void)amount_format(stake, text);
    if (all >= wanted) {
        warn(v, "reward.miner_stake",
             "%" PRIu64 " of %" PRIu64 " miners have a stake of %s POT or more,"
             " and training.min_submissions is %" PRIu32 ": the task will wait"
             " for others; lower one of the two",
             able, all, text, wanted);
    } else {
        warn(v, "training.min_submissions",
             "is %" PRIu32 ", but only %" PRIu64 " with a stake of %s POT or"
             " more can join: the task will wait for others",
             wanted, able, text);
    }
}

enum exit_code task_warn_miners(json_t *list, struct ctl *ctl,
                                const struct task_file *file,
                                const Pot__GenesisParams *params)
{
    json_t *json;
    const json_t *miner;
    size_t i;
    uint64_t able = 0;
    uint64_t all = 0;
    Pot__TaskSpec spec = POT__TASK_SPEC__INIT;
    const struct task_view v = {file, NULL, params, list};
    enum exit_code rc = client_get(&json, ctl, "/v1/miners");
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    uint64_t least = spec_miner_stake(&spec, params);
    spec.miner_stake = file->miner_stake;
    struct amount stake = {spec_miner_stake(&spec, params)};
    json_array_foreach(json_object_get(json, "miners"), i, miner)
    {
        able += client_units(miner, "stake") >= stake.units ? 1 : 0;
        all += client_units(miner, "stake") >= least ? 1 : 0;
    }
    json_decref(json);
    if (able < file->min_submissions) {
        warn_of_stake(&v, able, all, stake);
    }
    return EXIT_CODE_DONE;
}
