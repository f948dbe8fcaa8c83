/* bench_training: rows a second of training, both lanes of pot-worker beside
 * a plain C trainer over the same OpenBLAS, PyTorch, and the largest rate of
 * multiply-adds that sgemm reaches here.
 *
 *   training [LAYERS ROWS [SECONDS [THREADS]]]    all of the table, 1 second
 *
 * Two threads are two workers with half of the rows each, but threads of
 * OpenBLAS, if it has any, and of PyTorch.  All take turns, and the figures are
 * of the busiest thread's processor time, so that other programs disturb them
 * little; ratios are the medians of the turns' own. */
#include "config.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/fixed.h"
#include "tests/bench/bench_util.h"
#include "tests/bench/plain_trainer.h"
#include "tests/bench/torch_trainer.h"
#include "tests/byte_dataset.h"
#include "tests/rng.h"
#include "tests/scratch.h"
#include "tests/worker_driver.h"
#include "training/assign.h"

#include <cblas.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DATA_ROWS   10000
#define TURNS       7
#define PEAK_SIDE   1024
#define THREADS_MAX 2

static uint64_t random_state = 1;

/* Seconds of processor time. */
static double used_s(clockid_t clock)
{
    struct timespec t;
    int rc = clock_gettime(clock, &t);
    POT_ASSERT(rc == 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- workers */

/* One worker and the part of each job that is its own. */
struct share {
    struct worker_driver worker;
    const struct worker_task *task;
    int64_t *sums;
    size_t first;
    size_t count;
    double budget_s;
    double used_s;
    uint64_t rows;
};

static void run_job(struct share *s)
{
    struct worker_done done;
    bool is_done = worker_driver_sums(s->sums, &done, &s->worker, s->task,
                                      s->first, s->count);
    POT_ASSERT(is_done && done.rows == s->count);
}

/* The first job is not counted: it makes room for the model. */
static void *run_share(void *context)
{
    struct share *s = context;
    clockid_t clock;
    int rc = clock_getcpuclockid(s->worker.pid, &clock);
    POT_ASSERT(rc == 0);
    run_job(s);
    double start = used_s(clock);
    double end = start;
    s->rows = 0;
    while (end - start < s->budget_s) {
        run_job(s);
        s->rows += s->count;
        end = used_s(clock);
    }
    s->used_s = end - start;
    return NULL;
}

/* Rows a second of all shares, side by side. */
static double run_workers(struct share *shares, unsigned threads,
                          double seconds)
{
    pthread_t others[THREADS_MAX];
    double rate = 0.0;
    for (unsigned i = 0; i < threads; i++) {
        shares[i].budget_s = seconds;
    }
    for (unsigned i = 1; i < threads; i++) {
        int rc = pthread_create(&others[i], NULL, run_share, &shares[i]);
        POT_ASSERT(rc == 0);
    }
    (void)run_share(&shares[0]);
    for (unsigned i = 1; i < threads; i++) {
        int rc = pthread_join(others[i], NULL);
        POT_ASSERT(rc == 0);
    }
    for (unsigned i = 0; i < threads; i++) {
        rate += (double)shares[i].rows / shares[i].used_s;
    }
    return rate;
}

/* ---- what they are held against */

static double run_plain(struct plain_trainer *plain, const uint64_t *rows,
                        size_t count, double seconds)
{
    (void)plain_trainer_step(plain, rows, count);
    double start = used_s(CLOCK_THREAD_CPUTIME_ID);
    double end = start;
    uint64_t done = 0;
    while (end - start < seconds) {
        (void)plain_trainer_step(plain, rows, count);
        done += count;
        end = used_s(CLOCK_THREAD_CPUTIME_ID);
    }
    return (double)done / (end - start);
}

static float *random_floats(size_t count)
{
    float *out = pot_calloc(count, sizeof(*out));
    for (size_t i = 0; i < count; i++) {
        out[i] = (float)(rng_next(&random_state) >> 40) * 0x1p-24F - 0.5F;
    }
    return out;
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
        double start = used_s(CLOCK_THREAD_CPUTIME_ID);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, PEAK_SIDE,
                    PEAK_SIDE, PEAK_SIDE, 1.0F, a, PEAK_SIDE, b, PEAK_SIDE,
                    0.0F, c, PEAK_SIDE);
        double took = used_s(CLOCK_THREAD_CPUTIME_ID) - start;
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

/* ---- the table */

struct figures {
    double exact[TURNS];
    double blas[TURNS];
    double plain[TURNS];
    double torch[TURNS];
    double peak[TURNS];
};

struct bench {
    const char *layers;
    struct model_shape shape;
    char path[BYTE_DATASET_PATH_SIZE];
    int32_t *theta;
    struct torch_trainer torch;
    unsigned threads;
    double peak;
};

static double median(const double *values)
{
    double sorted[TURNS];
    memcpy(sorted, values, sizeof(sorted));
    bench_sort(sorted, TURNS);
    return sorted[TURNS / 2];
}

/* Behind a bar; a dash for what was not measured. */
static void print_rate(const double *values)
{
    if (values[0] > 0.0) {
        printf(" | %.0f", median(values));
    } else {
        (void)fputs(" | -", stdout);
    }
}

static void print_ratio(const double *a, const double *b)
{
    double ratios[TURNS];
    if (!(a[0] > 0.0 && b[0] > 0.0)) {
        (void)fputs(" | -", stdout);
        return;
    }
    for (size_t i = 0; i < TURNS; i++) {
        ratios[i] = a[i] / b[i];
    }
    printf(" | %.2f", median(ratios));
}

static void print_row(const struct bench *b, size_t rows,
                      const struct figures *f)
{
    printf("| %s | %zu | %u", b->layers, rows, b->threads);
    print_rate(f->exact);
    print_rate(f->blas);
    print_rate(f->plain);
    print_rate(f->torch);
    print_ratio(f->exact, f->plain);
    print_ratio(f->blas, f->plain);
    print_ratio(f->exact, f->torch);
    print_ratio(f->blas, f->torch);
    print_ratio(f->exact, f->peak);
    (void)puts(" |");
    (void)fflush(stdout);
}

static void take_turns(struct figures *f, struct bench *b, struct share *shares,
                       struct worker_task *task, struct plain_trainer *plain,
                       double seconds)
{
    bool has_threads = b->threads == 1 || openblas_get_parallel() != 0;
    for (size_t i = 0; i < TURNS; i++) {
        task->numerics = POT__NUMERICS__NUMERICS_EXACT;
        f->exact[i] = run_workers(shares, b->threads, seconds);
        task->numerics = POT__NUMERICS__NUMERICS_BLAS;
        f->blas[i] = run_workers(shares, b->threads, seconds);
        f->plain[i] =
            has_threads ? run_plain(plain, task->rows, task->row_count, seconds)
                        : 0.0;
        f->torch[i] = torch_trainer_run(&b->torch, task->row_count, seconds);
        f->peak[i] = b->peak * 1e9 / work_of(&b->shape) * b->threads;
    }
}

/* False: the worker does not start. */
static bool shares_open(struct share *shares, const struct bench *b,
                        const struct worker_task *task)
{
    bool is_open = true;
    for (unsigned i = 0; i < b->threads; i++) {
        size_t first = task->row_count * i / b->threads;
        size_t end = task->row_count * (i + 1) / b->threads;
        shares[i] = (struct share){
            .task = task,
            .sums = pot_calloc(b->shape.parameter_count, sizeof(*shares->sums)),
            .first = first,
            .count = end - first,
        };
        is_open = worker_driver_open(&shares[i].worker, "./pot-worker", NULL) &&
                  is_open;
    }
    return is_open;
}

static bool measure(struct bench *b, size_t rows, double seconds)
{
    const struct hash seed = {{1}};
    const struct public_key miner = {{2}};
    struct share shares[THREADS_MAX];
    struct figures figures;
    uint64_t *drawn = pot_calloc(rows, sizeof(*drawn));
    struct worker_task task = {
        .shape = &b->shape,
        .activation = POT__ACTIVATION__ACTIVATION_RELU,
        .loss = POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY,
        .path = b->path,
        .theta = b->theta,
        .rows = drawn,
        .row_count = rows,
    };
    struct plain_trainer *plain = plain_trainer_new(&b->shape, DATA_ROWS, rows);
    assign_rows(drawn, rows, &(struct assign_from){.rows = DATA_ROWS}, &seed,
                &miner);
    bool is_open = shares_open(shares, b, &task);
    if (is_open) {
        take_turns(&figures, b, shares, &task, plain, seconds / TURNS);
        print_row(b, rows, &figures);
    } else {
        (void)fputs("training: ./pot-worker does not start; run this in the "
                    "build folder\n",
                    stderr);
    }
    for (unsigned i = 0; i < b->threads; i++) {
        (void)worker_driver_close(&shares[i].worker);
        free(shares[i].sums);
    }
    plain_trainer_free(plain);
    free(drawn);
    return is_open;
}

/* One model with each number of rows; false: that is none, or the worker does
 * not start. */
static bool bench_model(const char *layers, const size_t *rows, size_t count,
                        unsigned threads, double seconds, double peak)
{
    struct bench b = {.layers = layers, .threads = threads, .peak = peak};
    if (!bench_parse_layers(&b.shape, layers) || rows[0] < threads ||
        b.shape.widths[b.shape.layer_count] > DATASET_CLASSES_MAX) {
        (void)fputs("training: not a model of classes, or no rows\n", stderr);
        return false;
    }
    char *folder = scratch_folder();
    byte_dataset_write(b.path, folder, DATA_ROWS, b.shape.widths[0],
                       b.shape.widths[b.shape.layer_count]);
    b.theta = pot_calloc(b.shape.parameter_count, sizeof(*b.theta));
    for (size_t i = 0; i < b.shape.parameter_count; i++) {
        b.theta[i] = (int32_t)(rng_next(&random_state) % (FIXED_ONE / 8)) -
                     FIXED_ONE / 16;
    }
    openblas_set_num_threads((int)threads);
    torch_trainer_open(&b.torch, layers, threads, DATA_ROWS);
    bool is_done = true;
    for (size_t i = 0; is_done && i < count; i++) {
        is_done = measure(&b, rows[i], seconds);
    }
    torch_trainer_close(&b.torch);
    free(b.theta);
    scratch_remove(folder);
    return is_done;
}

static bool bench_all(double peak)
{
    static const char *const nets[] = {"784,128,10", "784,512,512,10",
                                       "784,1024,1024,1024,10"};
    static const size_t rows[] = {32, 64, 128, 256, 512, 1024};
    bool is_done = true;
    for (unsigned threads = 1; threads <= THREADS_MAX; threads++) {
        for (size_t i = 0; is_done && i < sizeof(nets) / sizeof(*nets); i++) {
            is_done = bench_model(nets[i], rows, sizeof(rows) / sizeof(*rows),
                                  threads, 1.0, peak);
        }
    }
    return is_done;
}

static void print_head(double peak)
{
    struct torch_trainer torch;
    torch_trainer_open(&torch, "1,2", 1, 1);
    torch_trainer_close(&torch);
    printf(
        "OpenBLAS %s, sgemm at most %.1f * 10^9 multiply-adds a second; "
        "PyTorch %s\n\n"
        "| layers | rows | threads | exact, rows/s | blas, rows/s | plain C, "
        "rows/s | PyTorch, rows/s | exact / plain C | blas / plain C | "
        "exact / PyTorch | blas / PyTorch | exact / peak |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | "
        "--- |\n",
        openblas_get_corename(), peak, torch.version);
}

int main(int argc, char **argv)
{
    bench_forget_environment(argv);
    double seconds = argc > 3 ? strtod(argv[3], NULL) : 1.0;
    unsigned long threads = argc > 4 ? strtoul(argv[4], NULL, 10) : 1;
    if (argc == 2 || argc > 5 || threads < 1 || threads > THREADS_MAX) {
        (void)fputs("Usage: training [LAYERS ROWS [SECONDS [1|2]]]\n", stderr);
        return 2;
    }
    openblas_set_num_threads(1);
    double peak = run_peak();
    print_head(peak);
    if (argc > 2) {
        size_t rows = strtoul(argv[2], NULL, 10);
        return bench_model(argv[1], &rows, 1, (unsigned)threads, seconds, peak)
                   ? 0
                   : 1;
    }
    return bench_all(peak) ? 0 : 1;
}
