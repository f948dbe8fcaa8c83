/* bench_audit: how much honest gradients differ, and what an audit says to
 * dishonest ones.
 *
 *   bench_audit [options] TRAIN [LABELS]
 *
 * Trains a model, round by round, as miners would.  Every few rounds workers
 * with each of OpenBLAS's kernels compute one miner's gradient, and each is
 * audited by each other; then gradients are made up as a cheat would.
 *
 *   --layers 784,128,10  --rows 128  --miners 2  --rounds 100  --every 10
 *   --width 1 (bytes an element)  --rate 0.1  --momentum 0.9  --cosine
 *   --tanh  --seed 1  --test FILE  --test-labels FILE  --worker ./pot-worker */
#include "config.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/file.h"
#include "base/fixed.h"
#include "base/option.h"
#include "ledger/parameters.h"
#include "tests/bench/bench_util.h"
#include "tests/rng.h"
#include "tests/scratch.h"
#include "tests/worker_driver.h"
#include "training/assign.h"
#include "training/audit.h"
#include "training/compress.h"
#include "training/import.h"
#include "training/mlp.h"
#include "training/quantise.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SAMPLES_MAX 100000

static const char *const core_names[] = {NULL,          "Prescott", "Nehalem",
                                         "Sandybridge", "Haswell",  "SkylakeX"};
#define CORE_COUNT (sizeof(core_names) / sizeof(*core_names))

enum cheat {
    CHEAT_OTHERS_ROWS,
    CHEAT_STALE_THETA,
    CHEAT_OLD_GRADIENT,
    CHEAT_HALF_OF_ROWS,
    CHEAT_MISSING_ROW,
    CHEAT_NOISE_1,
    CHEAT_NOISE_10,
    CHEAT_ZERO,
    CHEAT_COUNT,
};

static const char *const cheat_names[CHEAT_COUNT] = {"another miner's gradient",
                                                     "previous theta",
                                                     "previous gradient again",
                                                     "half of the rows",
                                                     "one row missing",
                                                     "1 % of noise",
                                                     "10 % of noise",
                                                     "all zeros"};

struct tally {
    uint64_t verdicts[4];
    size_t count;
    double flips[SAMPLES_MAX];
    double others[SAMPLES_MAX];
    double excess_ppm[SAMPLES_MAX];
};

struct bench {
    struct model_shape shape;
    struct dataset data;
    char *folder;
    char *path; /* of the data set in it */
    size_t rows;
    size_t miners;
    size_t rounds;
    size_t every;
    unsigned width;
    struct packed_form form; /* of that width */
    double rate;
    double momentum;
    bool is_cosine;
    Pot__Activation activation;
    int32_t *theta;
    int32_t *theta_before;
    double *velocity;
    struct worker_driver workers[CORE_COUNT];
    uint64_t split_differences;
    struct tally honest;
    struct tally cheats[CHEAT_COUNT];
};

static uint64_t random_state = 1;

static double next_uniform(void)
{
    return (double)(rng_next(&random_state) >> 11) * 0x1p-52 - 1.0;
}

static void init_theta(struct bench *b)
{
    Pot__ModelSpec model = POT__MODEL_SPEC__INIT;
    model.activation = b->activation;
    model.seed = random_state;
    b->theta = parameters_start(&b->shape, &model);
}

static void draw_rows(uint64_t *rows, const struct bench *b, size_t round,
                      size_t miner)
{
    struct hash seed = {{0}};
    struct public_key key = {{(uint8_t)miner}};
    struct bytes_writer w;
    bytes_writer_init(&w, seed.b, sizeof(seed.b));
    bytes_write_u64(&w, round);
    assign_rows(rows, b->rows, &(struct assign_from){.rows = b->data.rows},
                &seed, &key);
}

static void compute(int64_t *sums, struct bench *b, size_t core,
                    const int32_t *theta, const uint64_t *rows, size_t count,
                    size_t parts)
{
    struct worker_task task = {
        .shape = &b->shape,
        .activation = b->activation,
        .loss = POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY,
        .numerics = POT__NUMERICS__NUMERICS_BLAS,
        .path = b->path,
        .theta = theta,
        .rows = rows,
        .row_count = count,
    };
    size_t n = b->shape.parameter_count;
    int64_t *part_sums = pot_calloc(n, sizeof(*part_sums));
    memset(sums, 0, n * sizeof(*sums));
    for (size_t i = 0; i < parts; i++) {
        struct worker_done done;
        struct assign_part part = assign_part(count, parts, i);
        if (part.count == 0) {
            continue;
        }
        bool is_done = worker_driver_sums(part_sums, &done, &b->workers[core],
                                          &task, part.first, part.count);
        POT_ASSERT(is_done);
        quantise_add(sums, part_sums, n);
    }
    free(part_sums);
}

static void note(struct tally *t, const struct audit_result *result)
{
    t->verdicts[result->verdict]++;
    if (t->count < SAMPLES_MAX) {
        t->flips[t->count] = (double)result->flips;
        t->others[t->count] = (double)result->others;
        t->excess_ppm[t->count++] = (double)result->excess_ppm;
    }
}

static void audit(struct tally *t, const struct bench *b,
                  const int64_t *submitted, size_t submitted_rows,
                  const int64_t *own)
{
    struct audit_result result;
    struct gradient gradient;
    size_t size = gradient_bytes(&b->shape, b->width);
    uint8_t *bytes = pot_alloc(size);
    compress_payload(bytes, &b->shape, &b->form, submitted, submitted_rows);
    enum pot_err err = gradient_view(&gradient, &b->shape, bytes, size);
    POT_ASSERT(err == POT_OK);
    audit_compare(&result, &b->shape, &gradient, own, b->rows);
    note(t, &result);
    free(bytes);
}

/* Relative noise on each element, as large as part of the whole's L2. */
static void add_noise(int64_t *sums, const struct bench *b, double part)
{
    double squares = 0.0;
    size_t n = b->shape.parameter_count;
    for (size_t i = 0; i < n; i++) {
        squares += (double)sums[i] * (double)sums[i];
    }
    double size = part * sqrt(3.0 * squares / (double)n);
    for (size_t i = 0; i < n; i++) {
        sums[i] += (int64_t)(size * next_uniform());
    }
}

static void try_cheats(struct bench *b, size_t round, const int64_t *own,
                       const uint64_t *rows)
{
    size_t n = b->shape.parameter_count;
    int64_t *sums = pot_calloc(n, sizeof(*sums));
    uint64_t *other = pot_calloc(b->rows, sizeof(*other));
    draw_rows(other, b, round, b->miners);
    compute(sums, b, 0, b->theta, other, b->rows, 1);
    audit(&b->cheats[CHEAT_OTHERS_ROWS], b, sums, b->rows, own);
    compute(sums, b, 0, b->theta_before, rows, b->rows, 1);
    audit(&b->cheats[CHEAT_STALE_THETA], b, sums, b->rows, own);
    draw_rows(other, b, round - 1, 0);
    compute(sums, b, 0, b->theta_before, other, b->rows, 1);
    audit(&b->cheats[CHEAT_OLD_GRADIENT], b, sums, b->rows, own);
    compute(sums, b, 0, b->theta, rows, b->rows / 2, 1);
    audit(&b->cheats[CHEAT_HALF_OF_ROWS], b, sums, b->rows / 2, own);
    compute(sums, b, 0, b->theta, rows, b->rows - 1, 1);
    audit(&b->cheats[CHEAT_MISSING_ROW], b, sums, b->rows - 1, own);
    memcpy(sums, own, n * sizeof(*sums));
    add_noise(sums, b, 0.01);
    audit(&b->cheats[CHEAT_NOISE_1], b, sums, b->rows, own);
    add_noise(sums, b, 0.1);
    audit(&b->cheats[CHEAT_NOISE_10], b, sums, b->rows, own);
    memset(sums, 0, n * sizeof(*sums));
    audit(&b->cheats[CHEAT_ZERO], b, sums, b->rows, own);
    free(other);
    free(sums);
}

static void compare_cores(struct bench *b, size_t round)
{
    size_t n = b->shape.parameter_count;
    int64_t *sums[CORE_COUNT];
    int64_t *again = pot_calloc(n, sizeof(*again));
    uint64_t *rows = pot_calloc(b->rows, sizeof(*rows));
    draw_rows(rows, b, round, 0);
    for (size_t c = 0; c < CORE_COUNT; c++) {
        sums[c] = pot_calloc(n, sizeof(*sums[c]));
        compute(sums[c], b, c, b->theta, rows, b->rows, 1);
        for (size_t parts = 2; parts <= 4; parts++) {
            compute(again, b, c, b->theta, rows, b->rows, parts);
            b->split_differences +=
                memcmp(sums[c], again, n * sizeof(*again)) != 0;
        }
    }
    for (size_t a = 0; a < CORE_COUNT; a++) {
        for (size_t v = 0; v < CORE_COUNT; v++) {
            /* "auto" is one of the others. */
            if (a != v && a > 0 && v > 0) {
                audit(&b->honest, b, sums[a], b->rows, sums[v]);
            }
        }
    }
    if (round > 0) {
        try_cheats(b, round, sums[0], rows);
    }
    for (size_t c = 0; c < CORE_COUNT; c++) {
        free(sums[c]);
    }
    free(again);
    free(rows);
}

/* The miners' quantised gradients move theta, as the chain would. */
static void step(struct bench *b, size_t round)
{
    size_t n = b->shape.parameter_count;
    size_t size = gradient_bytes(&b->shape, b->width);
    double rate = b->rate;
    int64_t *sums = pot_calloc(n, sizeof(*sums));
    uint64_t *rows = pot_calloc(b->rows, sizeof(*rows));
    uint8_t *bytes = pot_alloc(size);
    double *mean = pot_calloc(n, sizeof(*mean));
    if (b->is_cosine) {
        rate *=
            (1.0 + cos(3.14159265358979 * (double)round / (double)b->rounds)) /
            2.0;
    }
    for (size_t m = 0; m < b->miners; m++) {
        struct gradient g;
        draw_rows(rows, b, round, m);
        compute(sums, b, 0, b->theta, rows, b->rows, 1);
        compress_payload(bytes, &b->shape, &b->form, sums, b->rows);
        enum pot_err err = gradient_view(&g, &b->shape, bytes, size);
        POT_ASSERT(err == POT_OK);
        for (size_t t = 0; t < b->shape.tensor_count; t++) {
            struct tensor_span span = b->shape.tensors[t];
            for (size_t i = span.offset; i < span.offset + span.count; i++) {
                mean[i] += ldexp(gradient_get(&g, i), g.exponents[t]) /
                           (double)b->miners;
            }
        }
    }
    memcpy(b->theta_before, b->theta, n * sizeof(*b->theta));
    for (size_t i = 0; i < n; i++) {
        b->velocity[i] = b->momentum * b->velocity[i] + mean[i];
        b->theta[i] -= (int32_t)lrint(rate * b->velocity[i] * FIXED_ONE);
    }
    free(mean);
    free(bytes);
    free(rows);
    free(sums);
}

static void print_spread(const char *what, double *values, size_t count)
{
    bench_sort(values, count);
    printf("    %-11s least %.0f, median %.0f, 99 %% %.0f, most %.0f\n", what,
           bench_percentile(values, count, 0.0),
           bench_percentile(values, count, 0.5),
           bench_percentile(values, count, 0.99),
           bench_percentile(values, count, 1.0));
}

static void print_tally(const char *name, struct tally *t)
{
    if (t->count == 0) {
        return;
    }
    printf("%-26s %6" PRIu64 " equal %5" PRIu64 " within %5" PRIu64
           " undecided %5" PRIu64 " refused\n",
           name, t->verdicts[0], t->verdicts[1], t->verdicts[2],
           t->verdicts[3]);
    print_spread("flips", t->flips, t->count);
    print_spread("others", t->others, t->count);
    print_spread("excess ppm", t->excess_ppm, t->count);
}

static void print_accuracy(const struct bench *b, const struct dataset *test)
{
    struct mlp_config config = {.shape = b->shape,
                                .activation = b->activation,
                                .loss = POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY,
                                .product = &product_blas,
                                .block_rows = 1};
    struct mlp *m = mlp_new(&config);
    uint64_t correct = 0;
    size_t outputs = test->classes;
    mlp_set_parameters(m, b->theta);
    for (uint64_t row = 0; row < test->rows; row++) {
        mlp_load(m, test, &row, 1);
        const float *y = mlp_forward(m);
        size_t best = 0;
        for (size_t j = 1; j < outputs; j++) {
            best = y[j] > y[best] ? j : best;
        }
        correct += best == dataset_class(test, row);
    }
    printf("test accuracy %.4f\n", (double)correct / (double)test->rows);
    mlp_free(m);
}

static void load(struct buf *out, struct dataset *d, const char *data,
                 const char *labels, const struct dataset *like, double *scale)
{
    char why[IMPORT_WHY_SIZE];
    struct import_info info;
    struct import_options options = {
        .data = data, .labels = labels, .like = like, .scale = *scale};
    if (import_file(out, &info, &options, why) != POT_OK ||
        dataset_view(d, out->data, out->size) != POT_OK) {
        (void)fprintf(stderr, "bench_audit: %s\n", why);
        exit(1);
    }
    *scale = info.scale;
}

static void write_pds(struct bench *b, const struct buf *bytes)
{
    b->folder = scratch_folder();
    b->path = file_join(b->folder, "train.pds");
    if (file_create(b->path, 0600, bytes->data, bytes->size) != POT_OK) {
        (void)fprintf(stderr, "bench_audit: cannot write %s\n", b->path);
        exit(1);
    }
}

static void parse_layers(struct model_shape *shape, const char *text)
{
    if (!bench_parse_layers(shape, text)) {
        (void)fprintf(stderr, "bench_audit: --layers 784,128,10\n");
        exit(2);
    }
}

static void run(struct bench *b, const char *worker, const struct dataset *test)
{
    size_t n = b->shape.parameter_count;
    b->theta_before = pot_calloc(n, sizeof(*b->theta_before));
    b->velocity = pot_calloc(n, sizeof(*b->velocity));
    for (size_t c = 0; c < CORE_COUNT; c++) {
        bool is_open =
            worker_driver_open(&b->workers[c], worker, core_names[c]);
        POT_ASSERT(is_open);
        printf("%-12s runs %s\n", core_names[c] ? core_names[c] : "auto",
               b->workers[c].hello.core);
    }
    init_theta(b);
    for (size_t round = 0; round < b->rounds; round++) {
        if (b->every > 0 && round % b->every == 0) {
            compare_cores(b, round);
        }
        step(b, round);
    }
    printf("%zu parameters, %zu rows, %u bytes an element: %" PRIu64
           " flips allowed\n",
           n, b->rows, b->width, audit_flips_allowed(n, b->width));
    printf("gradients changed by splitting the rows: %" PRIu64 "\n",
           b->split_differences);
    print_tally("honest, another kernel", &b->honest);
    for (size_t i = 0; i < CHEAT_COUNT; i++) {
        print_tally(cheat_names[i], &b->cheats[i]);
    }
    if (test != NULL) {
        print_accuracy(b, test);
    }
    for (size_t c = 0; c < CORE_COUNT; c++) {
        (void)worker_driver_close(&b->workers[c]);
    }
    free(b->theta);
    free(b->theta_before);
    free(b->velocity);
}

struct arguments {
    const char *worker;
    const char *train;
    const char *train_labels;
    const char *test;
    const char *test_labels;
};

static const struct option longs[] = {
    {"layers", required_argument, NULL, 'l'},
    {"rows", required_argument, NULL, 'r'},
    {"miners", required_argument, NULL, 'm'},
    {"rounds", required_argument, NULL, 'n'},
    {"every", required_argument, NULL, 'e'},
    {"width", required_argument, NULL, 'w'},
    {"rate", required_argument, NULL, 'a'},
    {"momentum", required_argument, NULL, 'u'},
    {"cosine", no_argument, NULL, 'c'},
    {"tanh", no_argument, NULL, 'h'},
    {"seed", required_argument, NULL, 's'},
    {"test", required_argument, NULL, 't'},
    {"test-labels", required_argument, NULL, 'T'},
    {"worker", required_argument, NULL, 'W'},
    {0}};

/* The training's own options; false: c is none of them. */
static bool take_number(struct bench *b, int c)
{
    switch (c) {
    case 'r':
        b->rows = strtoul(optarg, NULL, 10);
        return true;
    case 'm':
        b->miners = strtoul(optarg, NULL, 10);
        return true;
    case 'n':
        b->rounds = strtoul(optarg, NULL, 10);
        return true;
    case 'e':
        b->every = strtoul(optarg, NULL, 10);
        return true;
    case 'w':
        b->width = (unsigned)strtoul(optarg, NULL, 10);
        return true;
    case 'a':
        b->rate = strtod(optarg, NULL);
        return true;
    case 'u':
        b->momentum = strtod(optarg, NULL);
        return true;
    case 's':
        random_state = strtoull(optarg, NULL, 10);
        return true;
    default:
        return false;
    }
}

static bool take_option(struct bench *b, struct arguments *a, int c)
{
    switch (c) {
    case 'l':
        parse_layers(&b->shape, optarg);
        return true;
    case 'c':
        b->is_cosine = true;
        return true;
    case 'h':
        b->activation = POT__ACTIVATION__ACTIVATION_TANH;
        return true;
    case 't':
        a->test = optarg;
        return true;
    case 'T':
        a->test_labels = optarg;
        return true;
    case 'W':
        a->worker = optarg;
        return true;
    default:
        return take_number(b, c);
    }
}

static bool parse_arguments(struct bench *b, struct arguments *a, int argc,
                            char **argv)
{
    for (int c; (c = option_next(argc, argv, "", longs, NULL)) != -1;) {
        if (!take_option(b, a, c)) {
            return false;
        }
    }
    if (optind >= argc) {
        return false;
    }
    a->train = argv[optind];
    a->train_labels = argv[optind + 1];
    b->form.compression = b->width == 1 ? POT__COMPRESSION__COMPRESSION_INT8
                                        : POT__COMPRESSION__COMPRESSION_INT16;
    return b->rows >= 2 && b->miners > 0 && (b->width == 1 || b->width == 2);
}

int main(int argc, char **argv)
{
    struct arguments a = {.worker = "./pot-worker"};
    struct buf bytes = {0};
    struct buf test_bytes = {0};
    struct dataset test;
    double scale = 0.0;
    struct bench *b = pot_calloc(1, sizeof(*b));
    b->rows = 128;
    b->miners = 2;
    b->rounds = 100;
    b->every = 10;
    b->width = 1;
    b->rate = 0.1;
    b->momentum = 0.9;
    b->activation = POT__ACTIVATION__ACTIVATION_RELU;
    parse_layers(&b->shape, "784,128,10");
    if (!parse_arguments(b, &a, argc, argv)) {
        (void)fprintf(stderr, "Usage: bench_audit [options] TRAIN [LABELS]\n");
        free(b);
        return 2;
    }
    load(&bytes, &b->data, a.train, a.train_labels, NULL, &scale);
    if (a.test != NULL) {
        load(&test_bytes, &test, a.test, a.test_labels, &b->data, &scale);
    }
    write_pds(b, &bytes);
    run(b, a.worker, a.test != NULL ? &test : NULL);
    scratch_remove(b->folder);
    free(b->path);
    buf_fini(&bytes);
    buf_fini(&test_bytes);
    free(b);
    return 0;
}
