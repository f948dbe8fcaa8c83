/* bench_compression: how many bytes training takes, and what it then reaches:
 * a model trained by some miners with each form of payload and number of local
 * steps, over the same number of rows; beside it float32 gradients, averaged
 * and applied in double.
 *
 *   compression [options] TRAIN TRAIN_LABELS TEST TEST_LABELS
 *   --layers 784,128,10  --miners 4  --rows 32 (a step)  --epochs 5
 *   --seeds 1  --only FORM:STEPS (of the table)
 *   --rate 0.1  --local-rate 0.2  --outer-rate 0.7
 *
 * Gradients and local steps are pot-worker's, payloads training/compress.h's,
 * the rest the ledger's: what a network does, without the network.  Rates fall
 * as a cosine. */
#include "config.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/file.h"
#include "base/fixed.h"
#include "base/option.h"
#include "ledger/aggregate.h"
#include "ledger/evaluate.h"
#include "ledger/optimizer.h"
#include "ledger/optimizer_rate.h"
#include "ledger/parameters.h"
#include "proto/packed.h"
#include "tests/bench/bench_util.h"
#include "tests/scratch.h"
#include "tests/worker_driver.h"
#include "training/assign.h"
#include "training/compress.h"
#include "training/import.h"
#include "training/quantise.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOMENTUM    0.9
#define TEXT_SIZE   32
#define FLOAT_BYTES 4.0

struct setting {
    const char *form; /* "float32", or a compression's name */
    uint32_t share_ppm;
    uint32_t steps;
};

static const struct setting settings[] = {
    {"float32", 0, 1},    {"int16", 0, 1},     {"int8", 0, 1},  {"int4", 0, 1},
    {"sign", 0, 1},       {"topk", 10000, 1},  {"int8", 0, 8},  {"int4", 0, 8},
    {"sign", 0, 8},       {"int8", 0, 16},     {"int4", 0, 16}, {"sign", 0, 16},
    {"topk", 100000, 16}, {"topk", 10000, 16}, {"int4", 0, 32}, {"sign", 0, 32},
    {"int4", 0, 52},      {"int8", 0, 64},     {"int4", 0, 64},
};

struct bench {
    struct model_shape shape;
    uint32_t miners;
    uint32_t rows; /* a miner and step */
    uint32_t epochs;
    uint32_t seeds;
    const char *only;
    double rate;
    double local_rate;
    double outer_rate;
    struct dataset train;
    struct dataset test;
    char *path; /* of train as a file, for the worker */
    struct worker_driver worker;
};

/* One training. */
struct run {
    struct bench *bench;
    Pot__TaskSpec spec;
    Pot__ModelSpec model;
    Pot__OptimizerSpec optimizer;
    uint32_t layers[LAYERS_MAX];
    struct packed_form form;
    bool is_float;
    uint32_t seed;
    int32_t *theta;
    int32_t *moments[SPEC_MOMENTS_MAX];
    double *x; /* is_float: theta and its momentum */
    double *v;
    uint64_t *rows;
    int64_t *sums;
    size_t up_bytes;   /* a miner's, a round */
    double down_bytes; /* the aggregates', all rounds */
};

static uint32_t of_rate(double rate)
{
    return (uint32_t)lrint(rate * RATE_ONE);
}

static Pot__Compression compression_of(const char *name)
{
    for (size_t i = 0; i < spec_compressions.count; i++) {
        if (strcmp(spec_compressions.all[i].name, name) == 0) {
            return (Pot__Compression)spec_compressions.all[i].value;
        }
    }
    return POT__COMPRESSION__COMPRESSION_INT16; /* float32: not used */
}

static void fill_spec(struct run *r, const struct setting *s)
{
    const struct bench *b = r->bench;
    uint64_t rows = (uint64_t)b->epochs * b->train.rows;
    bool is_local = s->steps > 1;
    pot__task_spec__init(&r->spec);
    pot__model_spec__init(&r->model);
    pot__optimizer_spec__init(&r->optimizer);
    memcpy(r->layers, b->shape.widths, sizeof(r->layers));
    r->model.layers = r->layers;
    r->model.n_layers = b->shape.width_count;
    r->model.activation = POT__ACTIVATION__ACTIVATION_RELU;
    r->model.loss = POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY;
    r->model.seed = r->seed;
    r->optimizer.kind = is_local ? POT__OPTIMIZER__OPTIMIZER_NESTEROV
                                 : POT__OPTIMIZER__OPTIMIZER_MOMENTUM;
    r->optimizer.learning_rate = of_rate(is_local ? b->outer_rate : b->rate);
    r->optimizer.momentum = of_rate(MOMENTUM);
    r->optimizer.local_rate = is_local ? of_rate(b->local_rate) : 0;
    r->optimizer.schedule = POT__SCHEDULE__SCHEDULE_COSINE;
    r->spec.model = &r->model;
    r->spec.optimizer = &r->optimizer;
    r->spec.local_steps = s->steps;
    r->spec.rows_per_miner = b->rows * s->steps;
    r->spec.rounds =
        (uint32_t)(rows / ((uint64_t)b->miners * r->spec.rows_per_miner));
    r->spec.aggregation = POT__AGGREGATION__AGGREGATION_MEAN;
    r->spec.compression = compression_of(s->form);
    r->spec.topk_share_ppm = s->share_ppm;
}

static void run_open(struct run *r, struct bench *b, const struct setting *s,
                     uint32_t seed)
{
    size_t count = b->shape.parameter_count;
    *r = (struct run){.bench = b, .seed = seed};
    r->is_float = strcmp(s->form, "float32") == 0;
    fill_spec(r, s);
    packed_form_init(&r->form, &r->spec, &b->shape);
    r->theta = parameters_start(&b->shape, &r->model);
    for (unsigned i = 0; i < SPEC_MOMENTS_MAX; i++) {
        r->moments[i] = pot_calloc(count, sizeof(**r->moments));
    }
    r->x = pot_calloc(count, sizeof(*r->x));
    r->v = pot_calloc(count, sizeof(*r->v));
    for (size_t i = 0; i < count; i++) {
        r->x[i] = (double)r->theta[i] / FIXED_ONE;
    }
    r->rows = pot_calloc(r->spec.rows_per_miner, sizeof(*r->rows));
    r->sums = pot_calloc(count, sizeof(*r->sums));
    r->up_bytes = r->is_float ? (size_t)FLOAT_BYTES * count
                              : packed_bytes(&b->shape, &r->form);
}

static void run_close(struct run *r)
{
    free(r->theta);
    for (unsigned i = 0; i < SPEC_MOMENTS_MAX; i++) {
        free(r->moments[i]);
    }
    free(r->x);
    free(r->v);
    free(r->rows);
    free(r->sums);
}

/* What a miner's worker makes of its rows of the round. */
static void compute(struct run *r, uint32_t round, uint32_t miner)
{
    struct bench *b = r->bench;
    struct hash seed = {{0}};
    struct public_key key = {{(uint8_t)(miner + 1)}};
    struct worker_done done;
    memcpy(seed.b, &round, sizeof(round));
    memcpy(seed.b + 8, &r->seed, sizeof(r->seed));
    assign_rows(r->rows, r->spec.rows_per_miner,
                &(struct assign_from){.rows = b->train.rows}, &seed, &key);
    const struct worker_task task = {
        .shape = &b->shape,
        .activation = (uint32_t)r->model.activation,
        .loss = (uint32_t)r->model.loss,
        .numerics = POT__NUMERICS__NUMERICS_EXACT,
        .path = b->path,
        .theta = r->theta,
        .rows = r->rows,
        .row_count = r->spec.rows_per_miner,
        .local_steps = r->spec.local_steps,
        .local_rate =
            optimizer_local_rate(&r->optimizer, round, r->spec.rounds),
    };
    if (!worker_driver_sums(r->sums, &done, &b->worker, &task, 0,
                            task.row_count)) {
        (void)fprintf(stderr, "compression: the worker failed\n");
        exit(1);
    }
}

static void float_round(struct run *r, uint32_t round)
{
    const struct bench *b = r->bench;
    size_t count = b->shape.parameter_count;
    double rate =
        (double)optimizer_rate(&r->optimizer, round, r->spec.rounds) / RATE_ONE;
    double *mean = pot_calloc(count, sizeof(*mean));
    double scale = ldexp(1.0, -GRID_BITS) / r->spec.rows_per_miner / b->miners;
    for (uint32_t m = 0; m < b->miners; m++) {
        compute(r, round, m);
        for (size_t i = 0; i < count; i++) {
            mean[i] += (double)r->sums[i] * scale;
        }
    }
    for (size_t i = 0; i < count; i++) {
        r->v[i] = MOMENTUM * r->v[i] + (double)(float)mean[i];
        r->x[i] -= rate * r->v[i];
        r->theta[i] = (int32_t)lrint(r->x[i] * FIXED_ONE);
    }
    r->down_bytes += FLOAT_BYTES * (double)count;
    free(mean);
}

static void chain_round(struct run *r, uint32_t round)
{
    const struct bench *b = r->bench;
    struct gradient gradient;
    struct buf bytes;
    uint8_t *payload = pot_alloc(r->up_bytes);
    int8_t *room = pot_alloc(b->shape.parameter_count);
    struct aggregate *aggregate = aggregate_new(&r->spec, &b->shape);
    buf_init(&bytes, gradient_bytes(&b->shape, 4));
    for (uint32_t m = 0; m < b->miners; m++) {
        compute(r, round, m);
        compress_payload(payload, &b->shape, &r->form, r->sums,
                         r->spec.local_steps > 1 ? 1 : r->spec.rows_per_miner);
        enum pot_err err = packed_open(&gradient, room, &b->shape, &r->form,
                                       payload, r->up_bytes);
        POT_ASSERT(err == POT_OK);
        aggregate_add(aggregate, &gradient);
    }
    aggregate_encode(aggregate, &bytes);
    enum pot_err err =
        gradient_view(&gradient, &b->shape, bytes.data, bytes.size);
    POT_ASSERT(err == POT_OK);
    optimizer_step(r->theta, r->moments, &b->shape, &gradient, &r->optimizer,
                   optimizer_rate(&r->optimizer, round, r->spec.rounds), round);
    r->down_bytes += (double)bytes.size;
    buf_fini(&bytes);
    aggregate_free(aggregate);
    free(room);
    free(payload);
}

static double accuracy_of(const struct run *r)
{
    struct evaluation e;
    enum pot_err err =
        evaluate(&e, &r->bench->shape, &r->model, r->theta, &r->bench->test);
    POT_ASSERT(err == POT_OK);
    return (double)e.correct / (double)e.rows;
}

static void print_setting(struct bench *b, const struct setting *s)
{
    double accuracy = 0;
    double least = 1;
    double down = 0;
    size_t up = 0;
    uint32_t rounds = 0;
    char share[TEXT_SIZE] = "";
    for (uint32_t seed = 1; seed <= b->seeds; seed++) {
        struct run r;
        run_open(&r, b, s, seed);
        rounds = r.spec.rounds;
        up = r.up_bytes;
        for (uint32_t round = 0; round < rounds; round++) {
            if (r.is_float) {
                float_round(&r, round);
            } else {
                chain_round(&r, round);
            }
        }
        double reached = accuracy_of(&r);
        accuracy += reached / b->seeds;
        least = reached < least ? reached : least;
        down += r.down_bytes / rounds / b->seeds;
        run_close(&r);
    }
    double row_bytes = (double)up / ((double)b->rows * s->steps);
    double dense = FLOAT_BYTES * (double)b->shape.parameter_count / b->rows;
    if (s->share_ppm > 0) {
        (void)snprintf(share, sizeof(share), " %g %%", s->share_ppm / 1e4);
    }
    printf("| %s%s | %u | %u | %zu | %.0f | %.1f | %.0f | %.4f | %.4f |\n",
           s->form, share, s->steps, rounds, up, down, row_bytes,
           dense / row_bytes, accuracy, least);
    (void)fflush(stdout);
}

static bool is_wanted(const struct bench *b, const struct setting *s)
{
    char name[TEXT_SIZE];
    (void)snprintf(name, sizeof(name), "%s:%u", s->form, s->steps);
    return b->only == NULL || strcmp(b->only, name) == 0;
}

static void run_all(struct bench *b)
{
    printf("| payload | local steps | rounds | bytes up | bytes down"
           " | up, a row | factor | accuracy | least |\n"
           "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
        if (is_wanted(b, &settings[i])) {
            print_setting(b, &settings[i]);
        }
    }
}

/* ---- data and options */

static void load(struct buf *out, struct dataset *d, const char *data,
                 const char *labels, const struct dataset *like, double *scale)
{
    char why[IMPORT_WHY_SIZE];
    struct import_info info;
    const struct import_options options = {
        .data = data, .labels = labels, .like = like, .scale = *scale};
    if (import_file(out, &info, &options, why) != POT_OK ||
        dataset_view(d, out->data, out->size) != POT_OK) {
        (void)fprintf(stderr, "compression: %s\n", why);
        exit(1);
    }
    *scale = info.scale;
}

static bool take_option(struct bench *b, int c)
{
    switch (c) {
    case 'l':
        return bench_parse_layers(&b->shape, optarg);
    case 'm':
        b->miners = (uint32_t)strtoul(optarg, NULL, 10);
        return b->miners > 0 && b->miners < UINT8_MAX;
    case 'r':
        b->rows = (uint32_t)strtoul(optarg, NULL, 10);
        return b->rows > 0 && b->rows <= LOCAL_ROWS_MAX;
    case 'e':
        b->epochs = (uint32_t)strtoul(optarg, NULL, 10);
        return b->epochs > 0;
    case 's':
        b->seeds = (uint32_t)strtoul(optarg, NULL, 10);
        return b->seeds > 0;
    case 'o':
        b->only = optarg;
        return true;
    case 'R':
        b->rate = strtod(optarg, NULL);
        return b->rate > 0 && b->rate < 16;
    case 'L':
        b->local_rate = strtod(optarg, NULL);
        return b->local_rate > 0 && b->local_rate < 16;
    case 'O':
        b->outer_rate = strtod(optarg, NULL);
        return b->outer_rate > 0 && b->outer_rate < 16;
    default:
        return false;
    }
}

static bool parse_arguments(struct bench *b, int argc, char **argv)
{
    static const struct option longs[] = {
        {"layers", required_argument, NULL, 'l'},
        {"miners", required_argument, NULL, 'm'},
        {"rows", required_argument, NULL, 'r'},
        {"epochs", required_argument, NULL, 'e'},
        {"seeds", required_argument, NULL, 's'},
        {"only", required_argument, NULL, 'o'},
        {"rate", required_argument, NULL, 'R'},
        {"local-rate", required_argument, NULL, 'L'},
        {"outer-rate", required_argument, NULL, 'O'},
        {NULL, 0, NULL, 0},
    };
    for (int c; (c = option_next(argc, argv, "", longs, NULL)) != -1;) {
        if (!take_option(b, c)) {
            return false;
        }
    }
    return argc - optind == 4;
}

int main(int argc, char **argv)
{
    struct buf train = {0};
    struct buf test = {0};
    double scale = 0;
    struct bench b = {
        .miners = 4,
        .rows = 32,
        .epochs = 5,
        .seeds = 1,
        .rate = 0.1,
        .local_rate = 0.2,
        .outer_rate = 0.7,
    };
    bool is_model = bench_parse_layers(&b.shape, "784,128,10");
    POT_ASSERT(is_model);
    if (!parse_arguments(&b, argc, argv)) {
        (void)fprintf(stderr, "Usage: compression [options] TRAIN TRAIN_LABELS"
                              " TEST TEST_LABELS\n");
        return 2;
    }
    load(&train, &b.train, argv[optind], argv[optind + 1], NULL, &scale);
    load(&test, &b.test, argv[optind + 2], argv[optind + 3], &b.train, &scale);
    char *folder = scratch_folder();
    b.path = file_join(folder, "train.pds");
    if (file_create(b.path, 0600, train.data, train.size) != POT_OK ||
        !worker_driver_open(&b.worker, "./pot-worker", NULL)) {
        (void)fprintf(stderr, "compression: no data set, or no ./pot-worker\n");
        return 1;
    }
    run_all(&b);
    (void)worker_driver_close(&b.worker);
    scratch_remove(folder);
    free(b.path);
    buf_fini(&train);
    buf_fini(&test);
    return 0;
}
