/* bench_training: rows a second of training, both lanes of pot-worker beside
 * a plain C trainer over the same OpenBLAS, PyTorch, and the largest rate of
 * multiply-adds that sgemm reaches here.
 *
 *   training [--steps N] [LAYERS ROWS [SECONDS [THREADS]]]
 *
 *   LAYERS ROWS   one row of the table instead of all: a model, rows of a step
 *   SECONDS       for each of the four, 1; the seven turns together
 *   THREADS       1 or 2
 *   --steps N     steps of a worker's job, 100, fewer if they were more than
 *                 one pass over the data; of one step: the gradient alone
 *
 * All take the same steps with the same numbers of rows, each updating its own
 * float parameters.  Rows are drawn anew for each step of a job: a worker reads
 * them as bytes from the mapped data set, the others copy floats.  A worker's
 * figure has all that a job is: the message, parameters made floats, and the
 * way of the steps made integers, once a job.
 *
 * Where OpenBLAS does not know the processor and pot-worker has found a faster
 * kernel of it, all have that kernel: what is compared is not OpenBLAS's guess.
 *
 * Two threads are two workers with half of each step's rows, but threads of
 * OpenBLAS, if it has any, and of PyTorch.  All take turns, and the figures are
 * of the busiest thread's processor time, so that other programs disturb them
 * little; ratios are the medians of the turns' own. */
#include "config.h"

#include "base/alloc.h"
#include "base/fixed.h"
#include "base/limits.h"
#include "base/option.h"
#include "tests/bench/bench_util.h"
#include "tests/bench/plain_trainer.h"
#include "tests/bench/torch_trainer.h"
#include "tests/bench/worker_trainer.h"
#include "tests/byte_dataset.h"
#include "tests/rng.h"
#include "tests/scratch.h"
#include "training/assign.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATA_ROWS   10000
#define TURNS       7
#define PEAK_SIDE   1024
#define THREADS_MAX 2
#define STEPS       100
#define LOCAL_RATE  0.01 /* as the others' */
/* Set where this program has begun anew with the worker's kernel. */
#define CORE_VARIABLE "POT_BENCH_CORE"

static uint64_t random_state = 1;

static void run_steps(struct plain_trainer *plain,
                      const struct worker_task *task)
{
    size_t batch = task->row_count / task->local_steps;
    for (size_t i = 0; i < task->local_steps; i++) {
        (void)plain_trainer_step(plain, task->rows + i * batch, batch);
    }
}

static double run_plain(struct plain_trainer *plain,
                        const struct worker_task *task, double seconds)
{
    size_t batch = task->row_count / task->local_steps;
    uint64_t rows = 0;
    double used = 0.0;
    (void)plain_trainer_step(plain, task->rows, batch);
    double start = bench_used_s(CLOCK_THREAD_CPUTIME_ID);
    while (rows == 0 || used < seconds) {
        run_steps(plain, task);
        rows += task->row_count;
        used = bench_used_s(CLOCK_THREAD_CPUTIME_ID) - start;
    }
    return (double)rows / used;
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
        double start = bench_used_s(CLOCK_THREAD_CPUTIME_ID);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, PEAK_SIDE,
                    PEAK_SIDE, PEAK_SIDE, 1.0F, a, PEAK_SIDE, b, PEAK_SIDE,
                    0.0F, c, PEAK_SIDE);
        double took = bench_used_s(CLOCK_THREAD_CPUTIME_ID) - start;
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
    const char *layers; /* NULL: all of the table */
    size_t steps;       /* at most */
    double seconds;
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

static void print_row(const struct bench *b, const struct worker_task *task,
                      const struct figures *f)
{
    printf("| %s | %zu | %u | %u", b->layers,
           task->row_count / task->local_steps, task->local_steps, b->threads);
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

static void take_turns(struct figures *f, struct bench *b,
                       struct worker_task *task, struct worker_trainer *workers,
                       struct plain_trainer *plain)
{
    bool has_threads = b->threads == 1 || openblas_get_parallel() != 0;
    double seconds = b->seconds / TURNS;
    for (size_t i = 0; i < TURNS; i++) {
        task->numerics = POT__NUMERICS__NUMERICS_EXACT;
        f->exact[i] = worker_trainer_run(workers, seconds);
        task->numerics = POT__NUMERICS__NUMERICS_BLAS;
        f->blas[i] = worker_trainer_run(workers, seconds);
        f->plain[i] = has_threads ? run_plain(plain, task, seconds) : 0.0;
        f->torch[i] =
            torch_trainer_run(&b->torch, task->row_count / task->local_steps,
                              task->local_steps, seconds);
        f->peak[i] = b->peak * 1e9 / work_of(&b->shape) * b->threads;
    }
}

/* Steps of a job: at most one pass over the data, one at least. */
static size_t job_steps(const struct bench *b, size_t rows)
{
    size_t most = rows < DATA_ROWS ? DATA_ROWS / rows : 1;
    return b->steps < most ? b->steps : most;
}

static bool measure(struct bench *b, size_t rows)
{
    const struct hash seed = {{1}};
    const struct public_key miner = {{2}};
    struct figures figures;
    size_t steps = job_steps(b, rows);
    uint64_t *drawn = pot_calloc(rows * steps, sizeof(*drawn));
    struct worker_task task = {
        .shape = &b->shape,
        .activation = POT__ACTIVATION__ACTIVATION_RELU,
        .loss = POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY,
        .path = b->path,
        .theta = b->theta,
        .rows = drawn,
        .row_count = rows * steps,
        .local_steps = (uint32_t)steps,
        .local_rate = (uint32_t)(LOCAL_RATE * RATE_ONE),
    };
    struct plain_trainer *plain = plain_trainer_new(&b->shape, DATA_ROWS, rows);
    struct worker_trainer *workers = worker_trainer_new(&task, b->threads);
    assign_rows(drawn, rows * steps, &(struct assign_from){.rows = DATA_ROWS},
                &seed, &miner);
    if (workers != NULL) {
        take_turns(&figures, b, &task, workers, plain);
        print_row(b, &task, &figures);
    } else {
        (void)fputs("training: ./pot-worker does not start; run this in the "
                    "build folder\n",
                    stderr);
    }
    worker_trainer_free(workers);
    plain_trainer_free(plain);
    free(drawn);
    return workers != NULL;
}

/* One model with each number of rows; false: that is none, or the worker does
 * not start. */
static bool bench_model(struct bench *b, const size_t *rows, size_t count)
{
    if (!bench_parse_layers(&b->shape, b->layers) || rows[0] < b->threads ||
        rows[0] > LOCAL_ROWS_MAX ||
        b->shape.widths[b->shape.layer_count] > DATASET_CLASSES_MAX) {
        (void)fputs("training: not a model of classes, or not 1 to " LIMIT_TEXT(
                        LOCAL_ROWS_MAX) " rows a step\n",
                    stderr);
        return false;
    }
    char *folder = scratch_folder();
    byte_dataset_write(b->path, folder, DATA_ROWS, b->shape.widths[0],
                       b->shape.widths[b->shape.layer_count]);
    b->theta = pot_calloc(b->shape.parameter_count, sizeof(*b->theta));
    for (size_t i = 0; i < b->shape.parameter_count; i++) {
        b->theta[i] = (int32_t)(rng_next(&random_state) % (FIXED_ONE / 8)) -
                      FIXED_ONE / 16;
    }
    openblas_set_num_threads((int)b->threads);
    torch_trainer_open(&b->torch, b->layers, b->threads, DATA_ROWS);
    bool is_done = true;
    for (size_t i = 0; is_done && i < count; i++) {
        is_done = measure(b, rows[i]);
    }
    torch_trainer_close(&b->torch);
    free(b->theta);
    scratch_remove(folder);
    return is_done;
}

static bool bench_all(struct bench *b)
{
    static const char *const nets[] = {"784,128,10", "784,512,512,10",
                                       "784,1024,1024,1024,10"};
    static const size_t rows[] = {32, 64, 128, 256, 512, 1024};
    bool is_done = true;
    for (b->threads = 1; b->threads <= THREADS_MAX; b->threads++) {
        for (size_t i = 0; is_done && i < sizeof(nets) / sizeof(*nets); i++) {
            b->layers = nets[i];
            is_done = bench_model(b, rows, sizeof(rows) / sizeof(*rows));
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
        "| layers | rows | steps | threads | exact, rows/s | blas, rows/s | "
        "plain C, rows/s | PyTorch, rows/s | exact / plain C | "
        "blas / plain C | exact / PyTorch | blas / PyTorch | exact / peak |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | "
        "--- | --- |\n",
        openblas_get_corename(), peak, torch.version);
}

/* False: that is not how it is called. */
static bool read_arguments(struct bench *b, size_t *rows, int argc, char **argv)
{
    static const struct option options[] = {
        {"steps", required_argument, NULL, 's'}, {0}};
    int option;
    *b = (struct bench){.steps = STEPS, .seconds = 1.0, .threads = 1};
    while ((option = option_next(argc, argv, "", options, NULL)) != -1) {
        if (option != 's') {
            return false;
        }
        b->steps = strtoul(optarg, NULL, 10);
    }
    int count = argc - optind;
    argv += optind;
    if (count > 1) {
        b->layers = argv[0];
        *rows = strtoul(argv[1], NULL, 10);
    }
    b->seconds = count > 2 ? strtod(argv[2], NULL) : b->seconds;
    b->threads = count > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : b->threads;
    return count != 1 && count < 5 && b->steps > 0 && b->threads > 0 &&
           b->threads <= THREADS_MAX;
}

/* Begins the program anew with the kernel that a worker has settled on, if it
 * is another one: OpenBLAS chooses before main(). */
static void take_core(char **argv)
{
    struct worker_driver driver;
    if (worker_driver_open(&driver, "./pot-worker", NULL) &&
        strcmp(driver.hello.core, openblas_get_corename()) != 0) {
        (void)setenv(CORE_VARIABLE, "1", 1);
        (void)setenv("OPENBLAS_CORETYPE", driver.hello.core, 1);
        (void)worker_driver_close(&driver);
        (void)execv("/proc/self/exe", argv);
    }
    (void)worker_driver_close(&driver);
}

int main(int argc, char **argv)
{
    struct bench b;
    size_t rows = 0;
    if (getenv(CORE_VARIABLE) == NULL) {
        bench_forget_environment(argv);
        take_core(argv);
    }
    if (!read_arguments(&b, &rows, argc, argv)) {
        (void)fputs("Usage: training [--steps N] "
                    "[LAYERS ROWS [SECONDS [1|2]]]\n",
                    stderr);
        return 2;
    }
    openblas_set_num_threads(1);
    b.peak = run_peak();
    print_head(b.peak);
    bool is_done = b.layers != NULL ? bench_model(&b, &rows, 1) : bench_all(&b);
    return is_done ? 0 : 1;
}
