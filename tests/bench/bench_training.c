/* bench_training: rows a second of one pot-worker in both lanes, beside a
 * plain loop of the same sgemm calls over all rows at once, without biases,
 * activations, losses or integers; and the largest rate of multiply-adds that
 * sgemm reaches here.
 *
 *   training [LAYERS ROWS [SECONDS]]     all of the table below, 1 second
 *
 * The three take turns, and the figures are of processor time, so that other
 * programs disturb them little; ratios are the medians of the turns' own. */
#include "config.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/file.h"
#include "base/fixed.h"
#include "tests/bench/bench_util.h"
#include "tests/byte_dataset.h"
#include "tests/rng.h"
#include "tests/scratch.h"
#include "tests/worker_driver.h"
#include "training/assign.h"

#include <cblas.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DATA_ROWS 10000
#define TURNS     7
#define PEAK_SIDE 1024

static uint64_t random_state = 1;

/* Seconds of processor time. */
static double used_s(clockid_t clock)
{
    struct timespec t;
    int rc = clock_gettime(clock, &t);
    POT_ASSERT(rc == 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run_job(int64_t *sums, struct worker_driver *d,
                    const struct worker_task *task)
{
    struct worker_done done;
    bool is_done = worker_driver_sums(sums, &done, d, task, 0, task->row_count);
    POT_ASSERT(is_done && done.rows == task->row_count);
}

/* Rows a second of jobs of all the task's rows.  The first is not counted: it
 * makes room for the model. */
static double run_worker(struct worker_driver *d,
                         const struct worker_task *task, double seconds)
{
    clockid_t clock;
    int64_t *sums = pot_calloc(task->shape->parameter_count, sizeof(*sums));
    int rc = clock_getcpuclockid(d->pid, &clock);
    POT_ASSERT(rc == 0);
    run_job(sums, d, task);
    double start = used_s(clock);
    double end = start;
    uint64_t rows = 0;
    while (end - start < seconds) {
        run_job(sums, d, task);
        rows += task->row_count;
        end = used_s(clock);
    }
    free(sums);
    return (double)rows / (end - start);
}

static float *random_floats(size_t count)
{
    float *out = pot_calloc(count, sizeof(*out));
    for (size_t i = 0; i < count; i++) {
        out[i] = (float)(rng_next(&random_state) >> 40) * 0x1p-24F - 0.5F;
    }
    return out;
}

struct plain {
    float *w[LAYERS_MAX];
    float *dw[LAYERS_MAX];
    float *x[LAYERS_MAX];
    float *dx[LAYERS_MAX];
};

static void plain_block(const struct plain *p, const struct model_shape *shape,
                        int n)
{
    for (size_t l = 0; l < shape->layer_count; l++) {
        int in = (int)shape->widths[l];
        int out = (int)shape->widths[l + 1];
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, out, in, 1.0F,
                    p->x[l], in, p->w[l], in, 1.0F, p->x[l + 1], out);
    }
    for (size_t l = shape->layer_count; l-- > 0;) {
        int in = (int)shape->widths[l];
        int out = (int)shape->widths[l + 1];
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, out, in, n, 1.0F,
                    p->dx[l + 1], out, p->x[l], in, 0.0F, p->dw[l], in);
        if (l > 0) {
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, in, out,
                        1.0F, p->dx[l + 1], out, p->w[l], in, 0.0F, p->dx[l],
                        in);
        }
    }
}

static double run_plain(const struct plain *p, const struct model_shape *shape,
                        size_t n, double seconds)
{
    double start = used_s(CLOCK_PROCESS_CPUTIME_ID);
    double end = start;
    uint64_t rows = 0;
    while (end - start < seconds) {
        /* Outputs grow from call to call: begun anew they stay small. */
        for (size_t l = 1; l <= shape->layer_count; l++) {
            memset(p->x[l], 0, n * shape->widths[l] * sizeof(float));
        }
        plain_block(p, shape, (int)n);
        rows += n;
        end = used_s(CLOCK_PROCESS_CPUTIME_ID);
    }
    return (double)rows / (end - start);
}

static void plain_init(struct plain *p, const struct model_shape *shape,
                       size_t block)
{
    for (size_t l = 0; l < shape->width_count; l++) {
        p->x[l] = random_floats(block * shape->widths[l]);
        p->dx[l] = random_floats(block * shape->widths[l]);
        if (l < shape->layer_count) {
            size_t weights = (size_t)shape->widths[l] * shape->widths[l + 1];
            p->w[l] = random_floats(weights);
            p->dw[l] = random_floats(weights);
        }
    }
}

static void plain_fini(struct plain *p)
{
    for (size_t l = 0; l < LAYERS_MAX; l++) {
        free(p->x[l]);
        free(p->dx[l]);
        free(p->w[l]);
        free(p->dw[l]);
    }
}

/* 10^9 multiply-adds a second. */
static double run_peak(void)
{
    size_t count = (size_t)PEAK_SIDE * PEAK_SIDE;
    float *a = random_floats(count);
    float *b = random_floats(count);
    float *c = random_floats(count);
    double best = 0.0;
    for (size_t i = 0; i < 9; i++) {
        double start = used_s(CLOCK_PROCESS_CPUTIME_ID);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, PEAK_SIDE,
                    PEAK_SIDE, PEAK_SIDE, 1.0F, a, PEAK_SIDE, b, PEAK_SIDE,
                    0.0F, c, PEAK_SIDE);
        double took = used_s(CLOCK_PROCESS_CPUTIME_ID) - start;
        double rate = (double)count * PEAK_SIDE / took / 1e9;
        best = rate > best ? rate : best;
    }
    free(a);
    free(b);
    free(c);
    return best;
}

/* Multiply-adds that a row takes: forward, weights' gradients, and inputs'
 * gradients of all layers but the first. */
static double work_of(const struct model_shape *shape)
{
    double work = 0.0;
    for (size_t l = 0; l < shape->layer_count; l++) {
        double weights = (double)shape->widths[l] * shape->widths[l + 1];
        work += weights * (l > 0 ? 3 : 2);
    }
    return work;
}

static double median_ratio(const double *a, const double *b)
{
    double ratios[TURNS];
    for (size_t i = 0; i < TURNS; i++) {
        ratios[i] = a[i] / b[i];
    }
    bench_sort(ratios, TURNS);
    return ratios[TURNS / 2];
}

static double median(const double *values)
{
    double sorted[TURNS];
    memcpy(sorted, values, sizeof(sorted));
    bench_sort(sorted, TURNS);
    return sorted[TURNS / 2];
}

struct bench {
    struct worker_driver worker;
    struct worker_task task;
    int32_t *theta;
    uint64_t *rows;
    struct plain plain;
    double peak;
};

static void measure(struct bench *b, const char *name, double seconds)
{
    double exact[TURNS];
    double blas[TURNS];
    double plain[TURNS];
    double peak[TURNS];
    const struct model_shape *shape = b->task.shape;
    for (size_t i = 0; i < TURNS; i++) {
        b->task.numerics = POT__NUMERICS__NUMERICS_EXACT;
        exact[i] = run_worker(&b->worker, &b->task, seconds / TURNS);
        b->task.numerics = POT__NUMERICS__NUMERICS_BLAS;
        blas[i] = run_worker(&b->worker, &b->task, seconds / TURNS);
        plain[i] =
            run_plain(&b->plain, shape, b->task.row_count, seconds / TURNS);
        peak[i] = b->peak * 1e9 / work_of(shape);
    }
    printf("| %s | %zu | %.0f | %.0f | %.0f | %.2f | %.2f | %.2f |\n", name,
           b->task.row_count, median(exact), median(blas), median(plain),
           median_ratio(exact, blas), median_ratio(exact, plain),
           median_ratio(exact, peak));
    (void)fflush(stdout);
}

static bool bench_open(struct bench *b, const struct model_shape *shape,
                       const char *path, size_t row_count)
{
    const struct hash seed = {{1}};
    const struct public_key miner = {{2}};
    b->theta = pot_calloc(shape->parameter_count, sizeof(*b->theta));
    b->rows = pot_calloc(row_count, sizeof(*b->rows));
    for (size_t i = 0; i < shape->parameter_count; i++) {
        b->theta[i] = (int32_t)(rng_next(&random_state) % (FIXED_ONE / 8)) -
                      FIXED_ONE / 16;
    }
    assign_rows(b->rows, row_count, DATA_ROWS, &seed, &miner);
    b->task = (struct worker_task){
        .shape = shape,
        .activation = POT__ACTIVATION__ACTIVATION_RELU,
        .loss = POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY,
        .path = path,
        .theta = b->theta,
        .rows = b->rows,
        .row_count = row_count,
    };
    plain_init(&b->plain, shape, row_count);
    return worker_driver_open(&b->worker, "./pot-worker", NULL);
}

static void bench_close(struct bench *b)
{
    (void)worker_driver_close(&b->worker);
    plain_fini(&b->plain);
    free(b->theta);
    free(b->rows);
}

/* False: that is no model, or the worker does not start. */
static bool bench_one(const char *layers, size_t rows, double seconds,
                      double peak)
{
    struct model_shape shape;
    struct bench b = {.peak = peak};
    char path[BYTE_DATASET_PATH_SIZE];
    if (!bench_parse_layers(&shape, layers) || rows == 0 ||
        shape.widths[shape.layer_count] > DATASET_CLASSES_MAX) {
        (void)fputs("training: not a model of classes, or no rows\n", stderr);
        return false;
    }
    char *folder = scratch_folder();
    byte_dataset_write(path, folder, DATA_ROWS, shape.widths[0],
                       shape.widths[shape.layer_count]);
    bool is_open = bench_open(&b, &shape, path, rows);
    if (is_open) {
        measure(&b, layers, seconds);
    } else {
        (void)fputs("training: ./pot-worker does not start; run this in the "
                    "build folder\n",
                    stderr);
    }
    bench_close(&b);
    scratch_remove(folder);
    return is_open;
}

/* OpenBLAS has read OPENBLAS_* before main(): begin anew without them. */
static void forget_openblas_environment(char **argv)
{
    static const char *const names[] = {
        "OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "OPENBLAS_L2_SIZE"};
    bool is_there = false;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        is_there = is_there || getenv(names[i]) != NULL;
        (void)unsetenv(names[i]);
    }
    if (is_there) {
        (void)execv("/proc/self/exe", argv);
    }
}

int main(int argc, char **argv)
{
    static const char *const nets[] = {"784,128,10", "784,512,512,10",
                                       "784,1024,1024,1024,10"};
    static const size_t rows[] = {32, 64, 128, 256, 512, 1024};
    bool is_done = true;
    forget_openblas_environment(argv);
    if (argc == 2 || argc > 4) {
        (void)fputs("Usage: training [LAYERS ROWS [SECONDS]]\n", stderr);
        return 2;
    }
    openblas_set_num_threads(1);
    double peak = run_peak();
    printf("OpenBLAS %s, sgemm at most %.1f * 10^9 multiply-adds a second\n\n"
           "| layers | rows | exact, rows/s | blas, rows/s | plain sgemm loop, "
           "rows/s | exact / blas | exact / plain | exact / peak |\n"
           "| --- | --- | --- | --- | --- | --- | --- | --- |\n",
           openblas_get_corename(), peak);
    if (argc > 2) {
        double seconds = argc > 3 ? strtod(argv[3], NULL) : 1.0;
        return bench_one(argv[1], strtoul(argv[2], NULL, 10), seconds, peak)
                   ? 0
                   : 1;
    }
    for (size_t i = 0; is_done && i < sizeof(nets) / sizeof(*nets); i++) {
        for (size_t k = 0; is_done && k < sizeof(rows) / sizeof(*rows); k++) {
            is_done = bench_one(nets[i], rows[k], 1.0, peak);
        }
    }
    return is_done ? 0 : 1;
}
