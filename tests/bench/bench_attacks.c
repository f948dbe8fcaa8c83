/* bench_attacks: the rules of aggregation against published attacks.
 *
 *   attacks [ROUNDS [FOLDER]]
 *
 * Fifteen miners train a small model on the digits of examples/, or on the
 * four IDX files of Fashion-MNIST in FOLDER: the real kernels (exact lane),
 * payloads in int8, the ledger's aggregate, optimizer and evaluation, in one
 * process.  A part of the miners is hostile and knows every honest gradient.
 * Audits, which would refuse all of this in the exact lane, are left out: the
 * table shows what a rule does alone.  Prints the test accuracy after the last
 * round, by rule and attack.
 *
 *   sign flip   -5 times the gradient
 *   little      mean - 1.5 deviations of the honest, by coordinate (Baruch,
 *               Baruch, Goldberg: A Little Is Enough, 2019)
 *   inner .5    -0.5 times the honest mean; inner 5: -5 times (Xie, Koyejo,
 *               Gupta: Fall of Empires, 2020)
 *   noise       normal noise, ten times as long as the gradient
 *   labels      the true gradient, of class k - 1 - c for each class c of k
 */
#include "config.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/file.h"
#include "base/fixed.h"
#include "ledger/aggregate.h"
#include "ledger/evaluate.h"
#include "ledger/optimizer.h"
#include "ledger/optimizer_rate.h"
#include "ledger/parameters.h"
#include "proto/gradient.h"
#include "proto/packed.h"
#include "proto/spec.h"
#include "tests/rng.h"
#include "training/assign.h"
#include "training/compress.h"
#include "training/exact.h"
#include "training/import.h"
#include "training/kernel.h"
#include "training/mlp.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINERS 15
#define ROWS   32 /* a miner and round */
#define ROUNDS 200

enum attack {
    ATTACK_NONE,
    ATTACK_SIGN_FLIP,
    ATTACK_LITTLE,
    ATTACK_INNER_SMALL,
    ATTACK_INNER_LARGE,
    ATTACK_NOISE,
    ATTACK_LABELS,
    ATTACKS,
};

static const char *const attack_names[ATTACKS] = {
    "none", "sign flip", "little", "inner .5", "inner 5", "noise", "labels",
};

/* A data set and the same with its labels turned round. */
struct data {
    struct buf bytes;
    struct buf test_bytes;
    struct buf turned_bytes;
    struct dataset train;
    struct dataset turned;
    struct dataset test;
};

struct run {
    const struct data *data;
    uint32_t layers[3];
    Pot__ModelSpec model;
    Pot__OptimizerSpec optimizer;
    Pot__TaskSpec spec;
    struct model_shape shape;
    struct packed_form form;
    struct mlp *mlp;
    enum attack attack;
    size_t hostile;
    uint64_t random;
    int32_t *theta;
    int32_t *moments[SPEC_MOMENTS_MAX];
    float *gradients[MINERS]; /* means over the rows */
    int64_t *sums;
    uint8_t *payload;
};

/* ---- data */

static void import(struct buf *out, struct import_info *info,
                   const struct import_options *options)
{
    char why[IMPORT_WHY_SIZE];
    if (import_file(out, info, options, why) != POT_OK) {
        (void)fprintf(stderr, "attacks: %s\n", why);
        exit(1);
    }
}

static void view(struct dataset *out, const struct buf *bytes)
{
    enum pot_err err = dataset_view(out, bytes->data, bytes->size);
    POT_ASSERT(err == POT_OK);
}

static void turn_labels(struct data *data)
{
    buf_init(&data->turned_bytes, data->bytes.size);
    buf_append(&data->turned_bytes, data->bytes.data, data->bytes.size);
    size_t labels = (size_t)(data->train.label_data - data->bytes.data);
    for (uint64_t row = 0; row < data->train.rows; row++) {
        uint32_t turned =
            data->train.classes - 1 - dataset_class(&data->train, row);
        uint8_t *at = data->turned_bytes.data + labels + 2 * row;
        at[0] = (uint8_t)turned;
        at[1] = (uint8_t)(turned >> 8);
    }
    view(&data->turned, &data->turned_bytes);
}

static void load_data(struct data *data, const char *folder)
{
    struct import_info info;
    bool is_idx = folder != NULL;
    const char *from = is_idx ? folder : POT_EXAMPLES "/digits";
    char *names[] = {
        file_join(from,
                  is_idx ? "train-images-idx3-ubyte.gz" : "digits-train.csv"),
        file_join(from, "train-labels-idx1-ubyte.gz"),
        file_join(from,
                  is_idx ? "t10k-images-idx3-ubyte.gz" : "digits-test.csv"),
        file_join(from, "t10k-labels-idx1-ubyte.gz"),
    };
    struct import_options options = {.data = names[0],
                                     .labels = is_idx ? names[1] : NULL};
    import(&data->bytes, &info, &options);
    view(&data->train, &data->bytes);
    options = (struct import_options){.data = names[2],
                                      .labels = is_idx ? names[3] : NULL,
                                      .scale = info.scale,
                                      .like = &data->train};
    import(&data->test_bytes, &info, &options);
    view(&data->test, &data->test_bytes);
    turn_labels(data);
    for (size_t i = 0; i < 4; i++) {
        free(names[i]);
    }
}

/* ---- gradients */

static double uniform(struct run *run)
{
    return ((double)(rng_next(&run->random) >> 11) + 0.5) * 0x1p-53;
}

static double normal(struct run *run)
{
    return sqrt(-2 * log(uniform(run))) * cos(2 * acos(-1) * uniform(run));
}

/* Into the miner's gradient, the mean over its rows. */
static bool take_mean(void *context, const struct product_piece *piece)
{
    float *gradient = context;
    for (size_t i = 0; i < piece->rows; i++) {
        const float *values = piece->values + i * piece->values_stride;
        for (size_t j = 0; j < piece->columns; j++) {
            gradient[piece->first + i * piece->stride + j] = values[j] / ROWS;
        }
    }
    return true;
}

static void train(struct run *run, size_t miner, uint32_t round,
                  const struct dataset *d)
{
    uint64_t rows[ROWS];
    struct hash seed;
    struct public_key key = {{(uint8_t)miner}};
    double loss;
    hash_bytes(&seed, "bench", &round, sizeof(round));
    assign_rows(rows, ROWS, &(struct assign_from){.rows = d->rows}, &seed,
                &key);
    mlp_load(run->mlp, d, rows, ROWS);
    (void)mlp_backward(
        run->mlp, &loss,
        (struct product_taker){take_mean, run->gradients[miner], 0});
}

/* Of coordinate i, over the honest miners, who come first. */
static void describe(const struct run *run, size_t i, double *mean,
                     double *deviation)
{
    size_t honest = MINERS - run->hostile;
    double sum = 0;
    double squares = 0;
    for (size_t m = 0; m < honest; m++) {
        double g = (double)run->gradients[m][i];
        sum += g;
        squares += g * g;
    }
    *mean = sum / (double)honest;
    *deviation = sqrt(fmax(0, squares / (double)honest - *mean * *mean));
}

/* What the miner says of coordinate i instead of g. */
static double lie(struct run *run, size_t i, double g, double noise)
{
    double mean;
    double deviation;
    describe(run, i, &mean, &deviation);
    switch (run->attack) {
    case ATTACK_SIGN_FLIP:
        return -5 * g;
    case ATTACK_LITTLE:
        return mean - 1.5 * deviation;
    case ATTACK_INNER_SMALL:
        return -0.5 * mean;
    case ATTACK_INNER_LARGE:
        return -5 * mean;
    case ATTACK_NOISE:
        return noise * normal(run);
    case ATTACK_NONE:
    case ATTACK_LABELS:
    case ATTACKS:
        break;
    }
    return g;
}

static void attack(struct run *run, size_t miner)
{
    size_t count = run->shape.parameter_count;
    float *g = run->gradients[miner];
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        squares += (double)g[i] * (double)g[i];
    }
    double noise = 10 * sqrt(squares / (double)count);
    for (size_t i = 0; i < count; i++) {
        g[i] = (float)lie(run, i, (double)g[i], noise);
    }
}

/* ---- a round */

static void add(struct run *run, struct aggregate *aggregate, size_t miner)
{
    struct gradient gradient;
    size_t size = gradient_bytes(&run->shape, 1);
    struct product_piece all =
        kernel_row(run->gradients[miner], 0, run->shape.parameter_count, true);
    bool is_finite = kernel_to_grid(run->sums, &all);
    POT_ASSERT(is_finite);
    compress_payload(run->payload, &run->shape, &run->form, run->sums, 1);
    enum pot_err err =
        gradient_view(&gradient, &run->shape, run->payload, size);
    POT_ASSERT(err == POT_OK);
    aggregate_add(aggregate, &gradient);
}

static void step(struct run *run, struct aggregate *aggregate, uint32_t round)
{
    struct buf out;
    struct gradient gradient;
    buf_init(&out, gradient_bytes(&run->shape, 4));
    aggregate_encode(aggregate, &out);
    enum pot_err err =
        gradient_view(&gradient, &run->shape, out.data, out.size);
    POT_ASSERT(err == POT_OK);
    optimizer_step(
        run->theta, run->moments, &run->shape, &gradient, &run->optimizer,
        optimizer_rate(&run->optimizer, round, run->spec.rounds), round);
    buf_fini(&out);
}

static void run_round(struct run *run, uint32_t round)
{
    size_t honest = MINERS - run->hostile;
    struct aggregate *aggregate = aggregate_new(&run->spec, &run->shape);
    mlp_set_parameters(run->mlp, run->theta);
    for (size_t m = 0; m < MINERS; m++) {
        bool is_turned = m >= honest && run->attack == ATTACK_LABELS;
        train(run, m, round,
              is_turned ? &run->data->turned : &run->data->train);
    }
    for (size_t m = 0; m < MINERS; m++) {
        if (m >= honest) {
            attack(run, m);
        }
        add(run, aggregate, m);
    }
    step(run, aggregate, round);
    aggregate_free(aggregate);
}

/* ---- a run */

static void describe_task(struct run *run, uint32_t rule, uint32_t rounds)
{
    pot__model_spec__init(&run->model);
    run->layers[0] = run->data->train.features;
    run->layers[1] = 32;
    run->layers[2] = run->data->train.classes;
    run->model.layers = run->layers;
    run->model.n_layers = 3;
    run->model.activation = POT__ACTIVATION__ACTIVATION_RELU;
    run->model.loss = POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY;
    run->model.seed = 1;
    pot__optimizer_spec__init(&run->optimizer);
    run->optimizer.learning_rate = RATE_ONE / 10;
    run->optimizer.momentum = RATE_ONE / 10 * 9;
    run->optimizer.schedule = POT__SCHEDULE__SCHEDULE_COSINE;
    pot__task_spec__init(&run->spec);
    run->spec.rounds = rounds;
    run->spec.compression = POT__COMPRESSION__COMPRESSION_INT8;
    run->spec.aggregation = (Pot__Aggregation)rule;
    run->spec.trim_share_ppm = (uint32_t)(run->hostile * PPM_ONE / MINERS);
    run->spec.krum_faulty = (uint32_t)run->hostile;
}

static void open_run(struct run *run)
{
    enum pot_err err = model_shape_from_spec(&run->shape, &run->model);
    POT_ASSERT(err == POT_OK);
    packed_form_init(&run->form, &run->spec, &run->shape);
    size_t count = run->shape.parameter_count;
    const struct product *products[EXACT_VARIANTS_MAX];
    size_t variants = exact_variants(products);
    POT_ASSERT(variants > 0);
    struct mlp_config config = {run->shape, run->model.activation,
                                run->model.loss, products[0], ROWS};
    run->mlp = mlp_new(&config);
    POT_ASSERT(mlp_fits(run->mlp, &run->data->train));
    run->theta = parameters_start(&run->shape, &run->model);
    run->moments[0] = pot_calloc(count, sizeof(int32_t));
    run->sums = pot_calloc(count, sizeof(*run->sums));
    run->payload = pot_alloc(gradient_bytes(&run->shape, 1));
    for (size_t m = 0; m < MINERS; m++) {
        run->gradients[m] = pot_calloc(count, sizeof(float));
    }
}

static void close_run(struct run *run)
{
    for (size_t m = 0; m < MINERS; m++) {
        free(run->gradients[m]);
    }
    free(run->payload);
    free(run->sums);
    free(run->moments[0]);
    free(run->theta);
    mlp_free(run->mlp);
}

static double accuracy_of(const struct data *data, uint32_t rule,
                          enum attack kind, size_t hostile, uint32_t rounds)
{
    struct evaluation evaluation;
    struct run run = {.data = data, .attack = kind, .hostile = hostile};
    describe_task(&run, rule, rounds);
    open_run(&run);
    for (uint32_t round = 0; round < rounds; round++) {
        run_round(&run, round);
    }
    enum pot_err err =
        evaluate(&evaluation, &run.shape, &run.model, run.theta, &data->test);
    POT_ASSERT(err == POT_OK);
    close_run(&run);
    return 100.0 * (double)evaluation.correct / (double)evaluation.rows;
}

static void print_table(const struct data *data, size_t hostile,
                        uint32_t rounds)
{
    (void)printf("\n%zu of %d miners hostile\n\n| rule |", hostile, MINERS);
    for (size_t a = 0; a < ATTACKS; a++) {
        (void)printf(" %s |", attack_names[a]);
    }
    (void)printf("\n|%s\n", " --- | --- | --- | --- | --- | --- | --- | --- |");
    for (size_t r = 0; r < spec_aggregations.count; r++) {
        const struct spec_choice *rule = &spec_aggregations.all[r];
        (void)printf("| %s |", rule->name);
        for (size_t a = 0; a < ATTACKS; a++) {
            (void)printf(" %.1f |",
                         accuracy_of(data, rule->value, (enum attack)a, hostile,
                                     rounds));
            (void)fflush(stdout);
        }
        (void)printf("\n");
    }
}

int main(int argc, char **argv)
{
    static struct data data;
    char *end = NULL;
    unsigned long rounds = argc > 1 ? strtoul(argv[1], &end, 10) : ROUNDS;
    if (argc > 3 || (end != NULL && *end != '\0') || rounds == 0 ||
        rounds > ROUNDS_MAX) {
        (void)fputs("usage: attacks [ROUNDS [FOLDER of Fashion-MNIST]]\n",
                    stderr);
        return 2;
    }
    load_data(&data, argc > 2 ? argv[2] : NULL);
    exact_set_rounding();
    print_table(&data, MINERS / 5, (uint32_t)rounds);
    print_table(&data, MINERS * 2 / 5, (uint32_t)rounds);
    buf_fini(&data.bytes);
    buf_fini(&data.test_bytes);
    buf_fini(&data.turned_bytes);
    return 0;
}
