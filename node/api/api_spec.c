#include "config.h"

#include "node/api/api_spec.h"

#include "base/fixed.h"
#include "base/limits.h"
#include "node/api/api_json.h"
#include "proto/aggregation.h"
#include "proto/model.h"
#include "proto/spec.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DIGITS_MAX 17

/* value / unit by the fewest digits that mean it: what the file said. */
static json_t *scaled(uint32_t value, double unit)
{
    char text[32];
    double number = value / unit;
    for (int digits = 1; digits <= DIGITS_MAX; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, number);
        if (llround(strtod(text, NULL) * unit) == (long long)value) {
            break;
        }
    }
    return json_real(strtod(text, NULL));
}

static json_t *ppm(uint32_t value)
{
    return scaled(value, PPM_ONE);
}

static json_t *rate(uint32_t value)
{
    return scaled(value, RATE_ONE);
}

static json_t *choice(const struct spec_choices *choices, int value)
{
    return json_string(spec_name(choices, (uint32_t)value));
}

static void add_model(json_t *json, const Pot__ModelSpec *model)
{
    struct model_shape shape;
    json_t *layers = json_array();
    for (size_t i = 0; i < model->n_layers; i++) {
        api_json_add(layers, json_integer(model->layers[i]));
    }
    api_json_set(json, "layers", layers);
    if (model_shape_from_spec(&shape, model) == POT_OK) {
        api_json_set(json, "parameters", api_json_count(shape.parameter_count));
    }
    api_json_set(json, "activation",
                 choice(&spec_activations, (int)model->activation));
    api_json_set(json, "loss", choice(&spec_losses, (int)model->loss));
    api_json_set(json, "seed", api_json_count(model->seed));
}

static void add_optimizer(json_t *json, const Pot__OptimizerSpec *o)
{
    const double epsilon_one = (double)(UINT64_C(1) << SPEC_EPSILON_BITS);
    api_json_set(json, "optimizer", choice(&spec_optimizers, (int)o->kind));
    api_json_set(json, "learning_rate", rate(o->learning_rate));
    api_json_set(json, "momentum", rate(o->momentum));
    api_json_set(json, "beta2", rate(o->beta2));
    api_json_set(json, "epsilon", scaled(o->epsilon, epsilon_one));
    api_json_set(json, "weight_decay", rate(o->weight_decay));
    api_json_set(json, "schedule", choice(&spec_schedules, (int)o->schedule));
    api_json_set(json, "step_rounds", json_integer(o->step_rounds));
    api_json_set(json, "step_factor", rate(o->step_factor));
    api_json_set(json, "warmup_rounds", json_integer(o->warmup_rounds));
    api_json_set(json, "local_rate", rate(o->local_rate));
}

static void add_aggregation(json_t *json, const Pot__TaskSpec *spec)
{
    const double clip_one = 1 << AGGREGATION_CLIP_BITS;
    api_json_set(json, "aggregation",
                 choice(&spec_aggregations, (int)spec->aggregation));
    api_json_set(json, "trim_share", ppm(spec->trim_share_ppm));
    api_json_set(json, "krum_faulty", json_integer(spec->krum_faulty));
    api_json_set(json, "clip_norm", scaled(spec->clip_norm, clip_one));
    api_json_set(json, "compression",
                 choice(&spec_compressions, (int)spec->compression));
    api_json_set(json, "topk_share", ppm(spec->topk_share_ppm));
}

void api_spec_add(json_t *json, const Pot__TaskSpec *spec)
{
    add_model(json, spec->model);
    add_optimizer(json, spec->optimizer);
    add_aggregation(json, spec);
    api_json_set(json, "train_dataset", api_json_hash_field(spec->train));
    api_json_set(json, "test_dataset", api_json_hash_field(spec->test));
    api_json_set(json, "numerics", choice(&spec_numerics, (int)spec->numerics));
    api_json_set(json, "rows_per_miner", json_integer(spec->rows_per_miner));
    api_json_set(json, "shards_per_round",
                 json_integer(spec->shards_per_round));
    api_json_set(json, "local_steps", json_integer(spec->local_steps));
    api_json_set(json, "min_submissions", json_integer(spec->min_submissions));
    api_json_set(json, "audit_rate", ppm(spec->audit_rate_ppm));
    api_json_set(json, "plant_rate", ppm(spec->plant_rate_ppm));
    api_json_set(json, "eval_every", json_integer(spec->eval_every));
    api_json_set(json, "target_accuracy", ppm(spec->target_accuracy_ppm));
    api_json_set(json, "round_timeout_ms",
                 json_integer(spec->round_timeout_ms));
    api_json_set(json, "miner_stake", api_json_amount(spec->miner_stake));
}
