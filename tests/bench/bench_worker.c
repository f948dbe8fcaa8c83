/* bench_worker: rows a second of one pot-worker, beside a plain loop of the
 * same sgemm calls on the same kernel: what is left is what moving rows,
 * losses, biases and integers costs.
 *
 *   bench_worker [LAYERS [ROWS [SECONDS]]]     784,128,10  128  2 */
#include "config.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/clock.h"
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
#include <unistd.h>

#define DATA_ROWS 10000
#define TURNS     5

static uint64_t random_state = 1;

static double now_s(void)
{
    return (double)clock_steady_us() / 1e6;
}

static double run_worker(struct worker_driver *d,
                         const struct worker_task *task, double seconds)
{
    int64_t *sums = pot_calloc(task->shape->parameter_count, sizeof(*sums));
    double start = now_s();
    double end = start;
    uint64_t rows = 0;
    while (end - start < seconds) {
        struct worker_done done;
        bool is_done =
            worker_driver_sums(sums, &done, d, task, 0, task->row_count);
        POT_ASSERT(is_done);
        rows += done.rows;
        end = now_s();
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
                        size_t rows_wanted, size_t block, double seconds)
{
    double start = now_s();
    double end = start;
    uint64_t rows = 0;
    while (end - start < seconds) {
        for (size_t first = 0; first < rows_wanted; first += block) {
            size_t left = rows_wanted - first;
            size_t n = left < block ? left : block;
            /* Outputs grow from call to call: begun anew they stay small. */
            for (size_t l = 1; l <= shape->layer_count; l++) {
                memset(p->x[l], 0, n * shape->widths[l] * sizeof(float));
            }
            plain_block(p, shape, (int)n);
            rows += n;
        }
        end = now_s();
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

static void bench(const struct model_shape *shape, const char *path,
                  size_t row_count, double seconds)
{
    struct worker_driver d;
    struct plain p = {0};
    const struct hash seed = {{1}};
    const struct public_key miner = {{2}};
    double worker[TURNS];
    double plain[TURNS];
    size_t block = assign_block_rows(row_count);
    int32_t *theta = pot_calloc(shape->parameter_count, sizeof(*theta));
    uint64_t *rows = pot_calloc(row_count, sizeof(*rows));
    for (size_t i = 0; i < shape->parameter_count; i++) {
        theta[i] = (int32_t)(rng_next(&random_state) % (FIXED_ONE / 8)) -
                   FIXED_ONE / 16;
    }
    assign_rows(rows, row_count, DATA_ROWS, &seed, &miner);
    struct worker_task task = {
        .shape = shape,
        .activation = POT__ACTIVATION__ACTIVATION_RELU,
        .loss = POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY,
        .path = path,
        .theta = theta,
        .rows = rows,
        .row_count = row_count,
    };
    if (!worker_driver_open(&d, "./pot-worker", NULL)) {
        (void)fprintf(stderr, "bench_worker: ./pot-worker does not start; run "
                              "this in the build folder\n");
        exit(1);
    }
    plain_init(&p, shape, block);
    openblas_set_num_threads(1);
    printf("worker runs %s, this loop %s; %zu rows a job, %zu a block\n",
           d.hello.core, openblas_get_corename(), row_count, block);
    for (size_t i = 0; i < TURNS; i++) {
        worker[i] = run_worker(&d, &task, seconds / TURNS);
        plain[i] = run_plain(&p, shape, row_count, block, seconds / TURNS);
    }
    bench_sort(worker, TURNS);
    bench_sort(plain, TURNS);
    printf("pot-worker  %10.0f rows/s\nplain sgemm %10.0f rows/s\n"
           "ratio       %10.3f\n",
           worker[TURNS / 2], plain[TURNS / 2],
           worker[TURNS / 2] / plain[TURNS / 2]);
    (void)worker_driver_close(&d);
    plain_fini(&p);
    free(theta);
    free(rows);
}

int main(int argc, char **argv)
{
    struct model_shape shape;
    char path[BYTE_DATASET_PATH_SIZE];
    size_t rows = argc > 2 ? strtoul(argv[2], NULL, 10) : 128;
    double seconds = argc > 3 ? strtod(argv[3], NULL) : 2.0;
    /* OpenBLAS has read it before main(): begin anew without it. */
    if (getenv("OPENBLAS_CORETYPE") != NULL) {
        (void)unsetenv("OPENBLAS_CORETYPE");
        (void)execv("/proc/self/exe", argv);
        return 1;
    }
    if (!bench_parse_layers(&shape, argc > 1 ? argv[1] : "784,128,10") ||
        rows == 0 || shape.widths[shape.layer_count] > DATASET_CLASSES_MAX) {
        (void)fprintf(stderr,
                      "Usage: bench_worker [LAYERS [ROWS [SECONDS]]]\n");
        return 2;
    }
    char *folder = scratch_folder();
    byte_dataset_write(path, folder, DATA_ROWS, shape.widths[0],
                       shape.widths[shape.layer_count]);
    bench(&shape, path, rows, seconds);
    scratch_remove(folder);
    return 0;
}
