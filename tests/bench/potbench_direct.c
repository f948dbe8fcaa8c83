#include "config.h"

#include "tests/bench/potbench_direct.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/fixed.h"
#include "tests/worker_driver.h"
#include "training/assign.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

struct driven {
    pthread_t thread;
    struct worker_driver driver;
    struct worker_task task;
    uint64_t until_us;
    uint64_t rows;
    bool is_failed;
};

static void *drive(void *context)
{
    struct driven *d = context;
    int64_t *sums = pot_calloc(d->task.shape->parameter_count, sizeof(*sums));
    while (!d->is_failed && clock_steady_us() < d->until_us) {
        struct worker_done done;
        d->is_failed = !worker_driver_sums(sums, &done, &d->driver, &d->task, 0,
                                           d->task.row_count);
        d->rows += d->is_failed ? 0 : done.rows;
    }
    free(sums);
    return NULL;
}

static double children_seconds(void)
{
    struct rusage usage;
    int rc = getrusage(RUSAGE_CHILDREN, &usage);
    POT_ASSERT(rc == 0);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Runs all of them; returns how long that took. */
static double drive_all(struct driven *all, size_t count, uint64_t seconds)
{
    uint64_t start_us = clock_steady_us();
    for (size_t i = 0; i < count; i++) {
        all[i].until_us = start_us + seconds * 1000000;
        int rc = pthread_create(&all[i].thread, NULL, drive, &all[i]);
        POT_ASSERT(rc == 0);
    }
    for (size_t i = 0; i < count; i++) {
        int rc = pthread_join(all[i].thread, NULL);
        POT_ASSERT(rc == 0);
    }
    return (double)(clock_steady_us() - start_us) / 1e6;
}

static enum exit_code open_all(struct driven *all, size_t count,
                               struct potbench *bench)
{
    char *program = file_join(bench->programs, "pot-worker");
    enum exit_code rc = EXIT_CODE_DONE;
    for (size_t i = 0; rc == EXIT_CODE_DONE && i < count; i++) {
        if (!worker_driver_open(&all[i].driver, program, NULL)) {
            rc = ctl_fail(&bench->ctl, EXIT_CODE_FAILED, "%s does not start",
                          program);
        }
    }
    free(program);
    return rc;
}

enum exit_code potbench_direct_run(struct potbench_direct *out,
                                   struct potbench *bench,
                                   const struct potbench_model *model,
                                   const char *path, size_t workers,
                                   size_t rows)
{
    struct model_shape shape;
    double wall = 0.0;
    uint64_t done = 0;
    bool is_failed = false;
    const struct hash seed = {{1}};
    const struct public_key miner = {{2}};
    enum pot_err err =
        model_shape_init(&shape, model->widths, model->width_count);
    POT_ASSERT(err == POT_OK);
    int32_t *theta = pot_calloc(shape.parameter_count, sizeof(*theta));
    uint64_t *list = pot_calloc(rows, sizeof(*list));
    struct driven *all = pot_calloc(workers, sizeof(*all));
    for (size_t i = 0; i < shape.parameter_count; i++) {
        theta[i] =
            (int32_t)(i * 2654435761U % (FIXED_ONE / 8)) - FIXED_ONE / 16;
    }
    assign_rows(list, rows, &(struct assign_from){.rows = model->rows}, &seed,
                &miner);
    for (size_t i = 0; i < workers; i++) {
        all[i].driver = (struct worker_driver){.to = -1, .from = -1};
        all[i].driver.shm.fd = -1;
        all[i].task = (struct worker_task){
            .shape = &shape,
            .activation = POT__ACTIVATION__ACTIVATION_RELU,
            .loss = POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY,
            .numerics = model->numerics,
            .path = path,
            .theta = theta,
            .rows = list,
            .row_count = rows,
            .local_steps = model->local_steps,
            .local_rate = (uint32_t)(model->local_rate * RATE_ONE)};
    }
    double before = children_seconds();
    enum exit_code rc = open_all(all, workers, bench);
    if (rc == EXIT_CODE_DONE) {
        (void)snprintf(out->core, sizeof(out->core), "%s",
                       all[0].driver.hello.core);
        wall = drive_all(all, workers, bench->seconds);
    }
    for (size_t i = 0; i < workers; i++) {
        done += all[i].rows;
        is_failed = is_failed || all[i].is_failed;
        (void)worker_driver_close(&all[i].driver);
    }
    if (rc == EXIT_CODE_DONE && is_failed) {
        rc = ctl_fail(&bench->ctl, EXIT_CODE_FAILED, "a pot-worker gave up");
    }
    if (rc == EXIT_CODE_DONE) {
        out->rows_per_s = (double)done / wall;
        out->cpu_us_per_row =
            1e6 * (children_seconds() - before) / (double)done;
    }
    free(all);
    free(list);
    free(theta);
    return rc;
}
