#include "config.h"

#include "ledger/spec.h"

#include "base/alloc.h"
#include "base/fixed.h"
#include "base/limits.h"
#include "ledger/activation.h"
#include "ledger/aggregate.h"
#include "proto/codec.h"
#include "proto/dataset.h"
#include "proto/model.h"

#include <stdlib.h>
#include <string.h>

#define PPM_ONE          1000000
#define ROUND_MS_MIN     100
#define ROUND_MS_MAX     86400000
#define DATASET_ROWS_MAX (UINT64_C(1) << 32)

/* Continuation bytes that a UTF-8 lead byte asks for; -1: not a lead byte. */
static int continuation_count(uint8_t lead)
{
    if (lead < 0x80) {
        return 0;
    }
    if (lead >= 0xc2 && lead < 0xe0) {
        return 1;
    }
    if (lead >= 0xe0 && lead < 0xf0) {
        return 2;
    }
    return lead >= 0xf0 && lead < 0xf5 ? 3 : -1;
}

/* One character; 0 if it is malformed, overlong, a surrogate or beyond the
 * last plane.  The NUL at the end stops it. */
static size_t character_size(const uint8_t *at)
{
    int more = continuation_count(at[0]);
    if (more < 0) {
        return 0;
    }
    for (int i = 1; i <= more; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool is_bad =
        (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] >= 0xa0) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] >= 0x90) ||
        (at[0] == 0xc2 && at[1] < 0xa0) || at[0] < 0x20 || at[0] == 0x7f;
    return is_bad ? 0 : (size_t)more + 1;
}

bool spec_is_name(const char *text)
{
    size_t size = strlen(text);
    if (size == 0 || size > TX_TEXT_MAX) {
        return false;
    }
    const uint8_t *at = (const uint8_t *)text;
    while (*at != 0) {
        size_t step = character_size(at);
        if (step == 0) {
            return false;
        }
        at += step;
    }
    return true;
}

static bool chunks_give_address(const Pot__PublishDataset *dataset)
{
    struct hash address;
    struct hash *chunks = pot_calloc(dataset->n_chunks, sizeof(*chunks));
    bool is_right = true;
    for (size_t i = 0; i < dataset->n_chunks && is_right; i++) {
        is_right = codec_hash(&chunks[i], dataset->chunks[i]);
    }
    if (is_right) {
        dataset_address(&address, chunks, dataset->n_chunks);
        is_right = codec_bytes_equal(dataset->dataset, address.b, HASH_SIZE);
    }
    free(chunks);
    return is_right;
}

bool spec_is_dataset(const Pot__PublishDataset *dataset)
{
    uint64_t size_max = (uint64_t)DATASET_CHUNKS_MAX * DATASET_CHUNK_BYTES;
    if (dataset->size_bytes == 0 || dataset->size_bytes > size_max ||
        dataset->rows == 0 || dataset->rows > DATASET_ROWS_MAX ||
        dataset->features == 0 || dataset->features > DATASET_FEATURES_MAX ||
        dataset->classes == 1 || dataset->classes > DATASET_CLASSES_MAX ||
        !spec_is_name(dataset->name)) {
        return false;
    }
    uint64_t chunk_count =
        (dataset->size_bytes + DATASET_CHUNK_BYTES - 1) / DATASET_CHUNK_BYTES;
    return dataset->n_chunks == chunk_count && chunks_give_address(dataset);
}

static bool is_model(const Pot__ModelSpec *model)
{
    struct model_shape shape;
    return model != NULL && model_shape_from_spec(&shape, model) == POT_OK;
}

static bool is_optimizer(const Pot__OptimizerSpec *o)
{
    if (o == NULL || o->learning_rate == 0 || o->momentum >= RATE_ONE ||
        o->weight_decay >= RATE_ONE) {
        return false;
    }
    if (o->schedule == POT__SCHEDULE__SCHEDULE_STEP) {
        return o->step_rounds > 0 && o->step_factor <= RATE_ONE;
    }
    return o->schedule == POT__SCHEDULE__SCHEDULE_CONSTANT ||
           o->schedule == POT__SCHEDULE__SCHEDULE_COSINE;
}

static enum tx_verdict check_model(const Pot__TaskSpec *spec)
{
    if (!is_model(spec->model)) {
        return TX_SPEC_MODEL;
    }
    if (activation_find(spec->model->activation) == NULL) {
        return TX_SPEC_ACTIVATION;
    }
    if (spec->model->loss != POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY &&
        spec->model->loss != POT__LOSS__LOSS_MSE) {
        return TX_SPEC_LOSS;
    }
    return is_optimizer(spec->optimizer) ? TX_ACCEPTED : TX_SPEC_OPTIMIZER;
}

static enum tx_verdict check_training(const Pot__TaskSpec *spec)
{
    if (spec->rounds == 0 || spec->rounds > ROUNDS_MAX) {
        return TX_SPEC_ROUNDS;
    }
    if (spec->rows_per_miner == 0 ||
        spec->rows_per_miner > ROWS_PER_MINER_MAX) {
        return TX_SPEC_ROWS;
    }
    if (spec->local_steps != 1) {
        return TX_SPEC_LOCAL_STEPS;
    }
    if (spec->min_submissions == 0 || spec->min_submissions > ROSTER_MAX) {
        return TX_SPEC_MIN_SUBMISSIONS;
    }
    if (aggregate_rule_find(spec->aggregation) == NULL) {
        return TX_SPEC_AGGREGATION;
    }
    if (spec->numerics != POT__NUMERICS__NUMERICS_BLAS) {
        return TX_SPEC_NUMERICS;
    }
    if (aggregate_width(spec->compression) == 0) {
        return TX_SPEC_COMPRESSION;
    }
    return TX_ACCEPTED;
}

static enum tx_verdict check_judging(const Pot__TaskSpec *spec)
{
    if (spec->audit_rate_ppm > PPM_ONE) {
        return TX_SPEC_AUDIT_RATE;
    }
    if (spec->eval_every == 0) {
        return TX_SPEC_EVALUATION;
    }
    if (spec->target_accuracy_ppm > PPM_ONE) {
        return TX_SPEC_TARGET;
    }
    if (spec->round_timeout_ms < ROUND_MS_MIN ||
        spec->round_timeout_ms > ROUND_MS_MAX) {
        return TX_SPEC_TIMEOUT;
    }
    return TX_ACCEPTED;
}

enum tx_verdict ledger_check_spec(const Pot__TaskSpec *spec, uint64_t budget)
{
    if (!spec_is_name(spec->name)) {
        return TX_SPEC_NAME;
    }
    if (spec->train.len != HASH_SIZE || spec->test.len != HASH_SIZE) {
        return TX_MALFORMED;
    }
    enum tx_verdict verdict = check_model(spec);
    if (verdict == TX_ACCEPTED) {
        verdict = check_training(spec);
    }
    if (verdict == TX_ACCEPTED) {
        verdict = check_judging(spec);
    }
    if (verdict == TX_ACCEPTED && budget < spec->rounds) {
        verdict = TX_SPEC_BUDGET;
    }
    return verdict;
}

enum tx_verdict spec_fits_data(const Pot__TaskSpec *spec,
                               const Pot__PublishDataset *train,
                               const Pot__PublishDataset *test)
{
    struct model_shape shape;
    enum pot_err err = model_shape_from_spec(&shape, spec->model);
    if (err != POT_OK) {
        return TX_SPEC_MODEL;
    }
    uint32_t outputs = shape.widths[shape.width_count - 1];
    uint32_t expected = train->classes > 0 ? train->classes : 1;
    if (train->features != shape.widths[0] || outputs != expected ||
        test->features != train->features || test->classes != train->classes) {
        return TX_SPEC_DATA;
    }
    if (spec->model->loss == POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY &&
        train->classes == 0) {
        return TX_SPEC_LOSS;
    }
    if (spec->target_accuracy_ppm > 0 && train->classes == 0) {
        return TX_SPEC_TARGET;
    }
    if (test->rows > EVALUATION_PRODUCTS_MAX / shape.parameter_count) {
        return TX_SPEC_EVALUATION;
    }
    return TX_ACCEPTED;
}
