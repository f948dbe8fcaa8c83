#include "config.h"

#include "proto/spec.h"

#include "base/amount.h"
#include "base/check.h"
#include "base/fixed.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "proto/aggregation.h"
#include "proto/dataset.h"
#include "proto/model.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is chosen by name */

#define CHOICES(table)                                                         \
    {                                                                          \
        table, sizeof(table) / sizeof(*(table))                                \
    }

static const struct spec_choice activations[] = {
    {"relu", POT__ACTIVATION__ACTIVATION_RELU, true},
    {"tanh", POT__ACTIVATION__ACTIVATION_TANH, true},
    {"sigmoid", POT__ACTIVATION__ACTIVATION_SIGMOID, true},
};
const struct spec_choices spec_activations = CHOICES(activations);

static const struct spec_choice losses[] = {
    {"softmax_cross_entropy", POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY, true},
    {"mse", POT__LOSS__LOSS_MSE, true},
};
const struct spec_choices spec_losses = CHOICES(losses);

static const struct spec_choice optimizers[] = {
    {"momentum", POT__OPTIMIZER__OPTIMIZER_MOMENTUM, true},
    {"sgd", POT__OPTIMIZER__OPTIMIZER_SGD, true},
    {"nesterov", POT__OPTIMIZER__OPTIMIZER_NESTEROV, true},
    {"adam", POT__OPTIMIZER__OPTIMIZER_ADAM, true},
};
const struct spec_choices spec_optimizers = CHOICES(optimizers);

static const struct spec_choice schedules[] = {
    {"constant", POT__SCHEDULE__SCHEDULE_CONSTANT, true},
    {"cosine", POT__SCHEDULE__SCHEDULE_COSINE, true},
    {"step", POT__SCHEDULE__SCHEDULE_STEP, true},
};
const struct spec_choices spec_schedules = CHOICES(schedules);

static const struct spec_choice aggregations[] = {
    {"mean", POT__AGGREGATION__AGGREGATION_MEAN, true},
    {"trimmed_mean", POT__AGGREGATION__AGGREGATION_TRIMMED_MEAN, true},
    {"median", POT__AGGREGATION__AGGREGATION_MEDIAN, true},
    {"krum", POT__AGGREGATION__AGGREGATION_KRUM, true},
    {"multi_krum", POT__AGGREGATION__AGGREGATION_MULTI_KRUM, true},
    {"clipped_mean", POT__AGGREGATION__AGGREGATION_CLIPPED_MEAN, true},
    {"centered_clipping", POT__AGGREGATION__AGGREGATION_CENTERED_CLIPPING,
     true},
};
const struct spec_choices spec_aggregations = CHOICES(aggregations);

static const struct spec_choice numerics[] = {
    {"exact", POT__NUMERICS__NUMERICS_EXACT, true},
    {"blas", POT__NUMERICS__NUMERICS_BLAS, true},
};
const struct spec_choices spec_numerics = CHOICES(numerics);

static const struct spec_choice compressions[] = {
    {"int8", POT__COMPRESSION__COMPRESSION_INT8, true},
    {"int16", POT__COMPRESSION__COMPRESSION_INT16, true},
    {"int4", POT__COMPRESSION__COMPRESSION_INT4, true},
    {"sign", POT__COMPRESSION__COMPRESSION_SIGN, true},
    {"topk", POT__COMPRESSION__COMPRESSION_TOPK, true},
};
const struct spec_choices spec_compressions = CHOICES(compressions);

/* NULL: no such value. */
static const struct spec_choice *find(const struct spec_choices *choices,
                                      uint32_t value)
{
    for (size_t i = 0; i < choices->count; i++) {
        if (choices->all[i].value == value) {
            return &choices->all[i];
        }
    }
    return NULL;
}

bool spec_takes(const struct spec_choices *choices, uint32_t value)
{
    const struct spec_choice *choice = find(choices, value);
    return choice != NULL && choice->is_taken;
}

const char *spec_name(const struct spec_choices *choices, uint32_t value)
{
    const struct spec_choice *choice = find(choices, value);
    return choice != NULL ? choice->name : "";
}

unsigned spec_moments(const Pot__OptimizerSpec *optimizer)
{
    switch (optimizer->kind) {
    case POT__OPTIMIZER__OPTIMIZER_MOMENTUM:
        return optimizer->momentum > 0 ? 1 : 0;
    case POT__OPTIMIZER__OPTIMIZER_NESTEROV:
        return 1;
    case POT__OPTIMIZER__OPTIMIZER_ADAM:
        return 2;
    case POT__OPTIMIZER__OPTIMIZER_SGD:
    case _POT__OPTIMIZER_IS_INT_SIZE:
        break;
    }
    return 0;
}

/* ---- names */

/* Bytes of the character at text; 0 if it is none, or a control character. */
static size_t character_size(const char *text)
{
    const uint8_t *at = (const uint8_t *)text;
    bool is_control =
        at[0] < 0x20 || at[0] == 0x7f || (at[0] == 0xc2 && at[1] < 0xa0);
    return is_control ? 0 : utf8_size(text);
}

static bool is_name(const char *text)
{
    size_t size = strlen(text);
    if (size == 0 || size > TX_TEXT_MAX) {
        return false;
    }
    while (*text != '\0') {
        size_t step = character_size(text);
        if (step == 0) {
            return false;
        }
        text += step;
    }
    return true;
}

void spec_make_name(char out[static TX_TEXT_MAX + 1], const char *text,
                    const char *suffix)
{
    size_t size = 0;
    size_t room = TX_TEXT_MAX - strlen(suffix);
    POT_ASSERT(strlen(suffix) < TX_TEXT_MAX);
    while (*text != '\0') {
        size_t step = character_size(text);
        const char *from = step > 0 ? text : "_";
        size_t bytes = step > 0 ? step : 1;
        if (size + bytes > room) {
            break;
        }
        memcpy(out + size, from, bytes);
        size += bytes;
        text += bytes;
    }
    if (size == 0) {
        out[size++] = '_';
    }
    memcpy(out + size, suffix, strlen(suffix) + 1);
    POT_ASSERT(is_name(out));
}

/* ---- tasks */

static bool is_model(const Pot__ModelSpec *model)
{
    struct model_shape shape;
    return model != NULL && model_shape_from_spec(&shape, model) == POT_OK;
}

/* What a kind has no use for is zero, so that a task says what it means. */
static bool is_kind(const Pot__OptimizerSpec *o)
{
    bool is_adam = o->kind == POT__OPTIMIZER__OPTIMIZER_ADAM;
    bool is_sgd = o->kind == POT__OPTIMIZER__OPTIMIZER_SGD;
    return spec_takes(&spec_optimizers, (uint32_t)o->kind) &&
           o->momentum < RATE_ONE && o->beta2 < RATE_ONE &&
           (o->beta2 > 0) == is_adam && (o->epsilon > 0) == is_adam &&
           (o->momentum == 0 || !is_sgd);
}

static bool is_optimizer(const Pot__OptimizerSpec *o)
{
    if (o == NULL || !is_kind(o) || o->learning_rate == 0 ||
        o->weight_decay >= RATE_ONE ||
        !spec_takes(&spec_schedules, (uint32_t)o->schedule)) {
        return false;
    }
    return o->schedule != POT__SCHEDULE__SCHEDULE_STEP ||
           (o->step_rounds > 0 && o->step_factor <= RATE_ONE);
}

static enum spec_fault check_model(const Pot__TaskSpec *spec)
{
    if (!is_model(spec->model)) {
        return SPEC_LAYERS;
    }
    if (!spec_takes(&spec_activations, (uint32_t)spec->model->activation)) {
        return SPEC_ACTIVATION;
    }
    if (!spec_takes(&spec_losses, (uint32_t)spec->model->loss)) {
        return SPEC_LOSS;
    }
    return is_optimizer(spec->optimizer) ? SPEC_SOUND : SPEC_OPTIMIZER;
}

static enum spec_fault check_aggregation(const Pot__TaskSpec *spec)
{
    switch (aggregation_check(spec)) {
    case AGGREGATION_SOUND:
        return SPEC_SOUND;
    case AGGREGATION_TRIM_SHARE:
        return SPEC_TRIM_SHARE;
    case AGGREGATION_KRUM_FAULTY:
        return SPEC_KRUM_FAULTY;
    case AGGREGATION_CLIP_NORM:
        return SPEC_CLIP_NORM;
    case AGGREGATION_TOO_LARGE:
        return SPEC_AGGREGATION_SIZE;
    }
    return SPEC_AGGREGATION;
}

/* A step costs about what a row does, and there is a row a step at least. */
static bool is_gradient_size(const Pot__TaskSpec *spec)
{
    struct model_shape shape;
    enum pot_err err = model_shape_from_spec(&shape, spec->model);
    return err == POT_OK && spec->rows_per_miner <=
                                GRADIENT_PRODUCTS_MAX / shape.parameter_count;
}

/* Beyond one step no bound tells an honest gradient of another kernel from a
 * false one. */
static enum spec_fault check_local_steps(const Pot__TaskSpec *spec)
{
    uint32_t steps = spec->local_steps;
    if (steps == 0 || steps > LOCAL_STEPS_MAX) {
        return SPEC_LOCAL_STEPS;
    }
    if ((steps > 1) != (spec->optimizer->local_rate > 0)) {
        return SPEC_LOCAL_RATE;
    }
    if (steps == 1) {
        return SPEC_SOUND;
    }
    if (spec->numerics != POT__NUMERICS__NUMERICS_EXACT) {
        return SPEC_LOCAL_EXACT;
    }
    return spec->rows_per_miner % steps == 0 &&
                   spec->rows_per_miner / steps <= LOCAL_ROWS_MAX
               ? SPEC_SOUND
               : SPEC_LOCAL_ROWS;
}

static enum spec_fault check_compression(const Pot__TaskSpec *spec)
{
    bool is_topk = spec->compression == POT__COMPRESSION__COMPRESSION_TOPK;
    bool is_wide = spec->compression == POT__COMPRESSION__COMPRESSION_INT8 ||
                   spec->compression == POT__COMPRESSION__COMPRESSION_INT16;
    if (!spec_takes(&spec_compressions, (uint32_t)spec->compression)) {
        return SPEC_COMPRESSION;
    }
    if ((spec->topk_share_ppm > 0) != is_topk ||
        spec->topk_share_ppm > TOPK_SHARE_PPM_MAX) {
        return SPEC_TOPK_SHARE;
    }
    return is_wide || spec->numerics == POT__NUMERICS__NUMERICS_EXACT
               ? SPEC_SOUND
               : SPEC_COMPRESSION_EXACT;
}

static enum spec_fault check_training(const Pot__TaskSpec *spec)
{
    if (spec->rounds == 0 || spec->rounds > ROUNDS_MAX) {
        return SPEC_ROUNDS;
    }
    if (spec->optimizer->warmup_rounds > spec->rounds) {
        return SPEC_WARMUP;
    }
    if (spec->rows_per_miner == 0 ||
        spec->rows_per_miner > ROWS_PER_MINER_MAX) {
        return SPEC_ROWS_PER_MINER;
    }
    if (spec->shards_per_round > SHARDS_PER_ROUND_MAX) {
        return SPEC_SHARDS;
    }
    enum spec_fault local = check_local_steps(spec);
    if (local != SPEC_SOUND) {
        return local;
    }
    if (!is_gradient_size(spec)) {
        return SPEC_GRADIENT_SIZE;
    }
    if (spec->min_submissions == 0 || spec->min_submissions > ROSTER_MAX) {
        return SPEC_MIN_SUBMISSIONS;
    }
    if (!spec_takes(&spec_aggregations, (uint32_t)spec->aggregation)) {
        return SPEC_AGGREGATION;
    }
    if (!spec_takes(&spec_numerics, (uint32_t)spec->numerics)) {
        return SPEC_NUMERICS;
    }
    enum spec_fault fault = check_compression(spec);
    return fault == SPEC_SOUND ? check_aggregation(spec) : fault;
}

/* Nobody is paid for a plant that f + 1 validators refuse, and that needs one
 * honest audit at least: so the product is the most that an honest miner loses.
 */
static bool is_plant_rate(const Pot__TaskSpec *spec)
{
    uint64_t lost = (uint64_t)spec->plant_rate_ppm * spec->audit_rate_ppm;
    return spec->plant_rate_ppm == 0 ||
           (spec->numerics == POT__NUMERICS__NUMERICS_EXACT &&
            spec->plant_rate_ppm <= PPM_ONE &&
            lost <= (uint64_t)SPEC_PLANTS_LOST_PPM_MAX * PPM_ONE);
}

static enum spec_fault check_judging(const Pot__TaskSpec *spec)
{
    if (spec->audit_rate_ppm > PPM_ONE) {
        return SPEC_AUDIT_RATE;
    }
    if (!is_plant_rate(spec)) {
        return SPEC_PLANT_RATE;
    }
    if (spec->eval_every == 0) {
        return SPEC_EVAL_EVERY;
    }
    if (spec->target_accuracy_ppm > PPM_ONE) {
        return SPEC_TARGET_ACCURACY;
    }
    bool is_timeout = spec->round_timeout_ms >= ROUND_TIMEOUT_MS_MIN &&
                      spec->round_timeout_ms <= ROUND_TIMEOUT_MS_MAX;
    return is_timeout ? SPEC_SOUND : SPEC_ROUND_TIMEOUT;
}

enum spec_fault spec_check(const Pot__TaskSpec *spec, uint64_t budget)
{
    if (!is_name(spec->name)) {
        return SPEC_NAME;
    }
    if (spec->train.len != HASH_SIZE || spec->test.len != HASH_SIZE) {
        return SPEC_ADDRESS;
    }
    enum spec_fault fault = check_model(spec);
    if (fault == SPEC_SOUND) {
        fault = check_training(spec);
    }
    if (fault == SPEC_SOUND) {
        fault = check_judging(spec);
    }
    if (fault == SPEC_SOUND && budget < spec->rounds) {
        fault = SPEC_BUDGET;
    }
    return fault;
}

enum spec_fault spec_fits_data(const Pot__TaskSpec *spec,
                               const struct spec_data *train,
                               const struct spec_data *test)
{
    struct model_shape shape;
    if (model_shape_from_spec(&shape, spec->model) != POT_OK) {
        return SPEC_LAYERS;
    }
    enum model_fit fit =
        model_fits(&shape, spec->model->loss, train->features, train->classes);
    if (fit == MODEL_INPUTS || fit == MODEL_OUTPUTS) {
        return fit == MODEL_INPUTS ? SPEC_INPUTS : SPEC_OUTPUTS;
    }
    if (test->features != train->features || test->classes != train->classes) {
        return SPEC_TEST_SET;
    }
    if (fit == MODEL_LOSS) {
        return SPEC_NUMBERS_LOSS;
    }
    if (spec->target_accuracy_ppm > 0 && train->classes == 0) {
        return SPEC_NUMBERS_TARGET;
    }
    return test->rows > EVALUATION_PRODUCTS_MAX / shape.parameter_count
               ? SPEC_EVALUATION_SIZE
               : SPEC_SOUND;
}

/* ---- stakes */

uint64_t spec_miner_stake(const Pot__TaskSpec *spec,
                          const Pot__GenesisParams *params)
{
    uint64_t stake = spec->miner_stake > params->min_miner_stake
                         ? spec->miner_stake
                         : params->min_miner_stake;
    return stake > 0 ? stake : 1;
}

uint64_t spec_reward_max(const Pot__TaskSpec *spec, uint64_t budget,
                         const Pot__GenesisParams *params)
{
    uint32_t others = params->attesting_bps + params->proposing_bps;
    uint32_t training = others < BPS_ONE ? BPS_ONE - others : 0;
    struct amount pool = {budget / spec->rounds};
    return amount_part(pool, training,
                       (uint64_t)BPS_ONE * spec->min_submissions)
        .units;
}

static bool outweighs(uint64_t stake, const Pot__TaskSpec *spec,
                      uint64_t budget, const Pot__GenesisParams *params)
{
    uint32_t p = spec->audit_rate_ppm;
    struct amount taken =
        amount_part((struct amount){stake}, params->slash_fraud_bps, BPS_ONE);
    struct amount gain = {spec_reward_max(spec, budget, params)};
    return amount_part(taken, p, PPM_ONE).units >=
           amount_part(gain, PPM_ONE - p, PPM_ONE).units;
}

bool spec_stake_outweighs(const Pot__TaskSpec *spec, uint64_t budget,
                          const Pot__GenesisParams *params)
{
    return outweighs(spec_miner_stake(spec, params), spec, budget, params);
}

/* By halving: so it cannot differ from the rule itself. */
bool spec_stake_enough(uint64_t *out, const Pot__TaskSpec *spec,
                       uint64_t budget, const Pot__GenesisParams *params)
{
    uint64_t low = 0;
    uint64_t high = UINT64_MAX;
    if (!outweighs(high, spec, budget, params)) {
        return false;
    }
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (outweighs(middle, spec, budget, params)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    *out = low;
    return true;
}

/* ---- data sets */

bool spec_is_dataset(const Pot__PublishDataset *dataset)
{
    if (dataset->rows == 0 || dataset->rows > DATASET_ROWS_MAX ||
        dataset->features == 0 || dataset->features > DATASET_FEATURES_MAX ||
        dataset->classes == 1 || dataset->classes > DATASET_CLASSES_MAX ||
        !is_name(dataset->name)) {
        return false;
    }
    struct hash *chunks = dataset_description_chunks(dataset);
    free(chunks);
    return chunks != NULL;
}
