#include "config.h"

#include "tests/bench/potbench_central.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/fixed.h"
#include "ledger/evaluate.h"
#include "ledger/parameters.h"
#include "tests/worker_driver.h"
#include "training/assign.h"
#include "training/quantise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEST_BYTES_MAX ((size_t)1 << 28)
/* Of sums in theta's units. */
#define THETA_UNIT (1.0 / (double)(INT64_C(1) << (GRID_BITS - FIXED_BITS)))

struct central {
    struct potbench *bench;
    const struct potbench_model *model;
    struct worker_driver driver;
    struct worker_task task;
    struct model_shape shape;
    Pot__ModelSpec spec;
    int32_t *theta;
    int64_t *sums;
    uint64_t *rows;
    char *test_bytes;
    struct dataset test;
    uint64_t jobs;
    double seconds; /* in which the worker worked */
};

static double accuracy_of(const struct central *c)
{
    struct evaluation result;
    enum pot_err err =
        evaluate(&result, &c->shape, &c->spec, c->theta, &c->test);
    POT_ASSERT(err == POT_OK);
    return (double)result.correct / (double)result.rows;
}

/* What theta moves by for a unit of the worker's sums: those are the way that
 * local steps went, or else the gradients of all rows. */
static double factor_of(const struct central *c)
{
    return c->model->local_steps > 1
               ? THETA_UNIT
               : THETA_UNIT * POTBENCH_RATE / (double)c->task.row_count;
}

/* Other rows, from where the last job came to. */
static bool run_job(struct central *c)
{
    struct worker_done done;
    const struct public_key nobody = {{0}};
    struct hash seed = {{0}};
    memcpy(seed.b, &c->jobs, sizeof(c->jobs));
    double factor = factor_of(c);
    uint64_t start_us = clock_steady_us();
    assign_rows(c->rows, c->task.row_count,
                &(struct assign_from){.rows = c->model->rows}, &seed, &nobody);
    if (!worker_driver_sums(c->sums, &done, &c->driver, &c->task, 0,
                            c->task.row_count)) {
        return false;
    }
    for (size_t i = 0; i < c->shape.parameter_count; i++) {
        int64_t way = llrint((double)c->sums[i] * factor);
        c->theta[i] = fixed_saturate(c->theta[i] - way);
    }
    c->seconds += (double)(clock_steady_us() - start_us) / 1e6;
    c->jobs++;
    return true;
}

static bool train(struct potbench_central *out, struct central *c)
{
    double target = (double)c->bench->target / 100.0;
    *out = (struct potbench_central){0};
    while (c->seconds < (double)c->bench->seconds) {
        if (potbench_stopped(c->bench) != EXIT_CODE_DONE || !run_job(c)) {
            return false;
        }
        if (target > 0.0 && out->target_s == 0.0) {
            out->accuracy = accuracy_of(c);
            out->target_s = out->accuracy >= target ? c->seconds : 0.0;
        }
    }
    out->accuracy = accuracy_of(c);
    out->rows_per_s = (double)(c->jobs * c->task.row_count) / c->seconds;
    return true;
}

static enum exit_code open_test(struct central *c, const char *folder)
{
    char *path = file_join(folder, "test.pds");
    size_t size;
    enum exit_code rc = EXIT_CODE_DONE;
    if (file_read(&c->test_bytes, &size, path, TEST_BYTES_MAX) != POT_OK ||
        dataset_view(&c->test, c->test_bytes, size) != POT_OK) {
        rc = ctl_fail(&c->bench->ctl, EXIT_CODE_FAILED, "cannot read %s", path);
    }
    free(path);
    return rc;
}

static enum exit_code open_worker(struct central *c)
{
    char *program = file_join(c->bench->programs, "pot-worker");
    enum exit_code rc = EXIT_CODE_DONE;
    if (!worker_driver_open(&c->driver, program, NULL)) {
        rc = ctl_fail(&c->bench->ctl, EXIT_CODE_FAILED, "%s does not start",
                      program);
    }
    free(program);
    return rc;
}

static void open_model(struct central *c, const struct potbench_model *model,
                       uint32_t layers[LAYERS_MAX], size_t rows)
{
    enum pot_err err =
        model_shape_init(&c->shape, model->widths, model->width_count);
    POT_ASSERT(err == POT_OK);
    pot__model_spec__init(&c->spec);
    memcpy(layers, model->widths, model->width_count * sizeof(*layers));
    c->spec.layers = layers;
    c->spec.n_layers = model->width_count;
    c->spec.activation = POT__ACTIVATION__ACTIVATION_RELU;
    c->spec.loss = POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY;
    c->theta = parameters_start(&c->shape, &c->spec);
    c->sums = pot_calloc(c->shape.parameter_count, sizeof(*c->sums));
    c->rows = pot_calloc(rows, sizeof(*c->rows));
    c->task = (struct worker_task){
        .shape = &c->shape,
        .activation = c->spec.activation,
        .loss = c->spec.loss,
        .numerics = model->numerics,
        .theta = c->theta,
        .rows = c->rows,
        .row_count = rows,
        .local_steps = model->local_steps,
        .local_rate = (uint32_t)(model->local_rate * RATE_ONE),
    };
}

enum exit_code potbench_central_run(struct potbench_central *out,
                                    struct potbench *bench,
                                    const struct potbench_model *model,
                                    const char *folder, size_t rows)
{
    uint32_t layers[LAYERS_MAX];
    struct central c = {
        .bench = bench, .model = model, .driver = {.to = -1, .from = -1}};
    char *path = file_join(folder, "train.pds");
    c.driver.shm.fd = -1;
    open_model(&c, model, layers, rows);
    c.task.path = path;
    enum exit_code rc = open_test(&c, folder);
    if (rc == EXIT_CODE_DONE) {
        rc = open_worker(&c);
    }
    if (rc == EXIT_CODE_DONE && !train(out, &c)) {
        rc = ctl_fail(&bench->ctl, EXIT_CODE_FAILED,
                      "the central pot-worker gave up");
    }
    (void)worker_driver_close(&c.driver);
    free(c.test_bytes);
    free(c.rows);
    free(c.sums);
    free(c.theta);
    free(path);
    return rc;
}
