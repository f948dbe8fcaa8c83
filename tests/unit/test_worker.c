/* Real pot-worker processes, as potd would start them. */
#include "config.h"

#include "tests/worker_driver.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/fixed.h"
#include "proto/dataset.h"
#include "tests/byte_dataset.h"
#include "tests/scratch.h"
#include "tests/unit/mlp_gradient.h"
#include "training/assign.h"
#include "training/exact.h"
#include "training/mlp.h"
#include "training/quantise.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define DATA_ROWS 500
#define FEATURES  20
#define CLASSES   3
#define JOB_ROWS  300
/* Of 20 rows each. */
#define LOCAL_STEPS 15
#define LOCAL_RATE  (RATE_ONE / 3)

struct fixture {
    char *folder;
    char path[BYTE_DATASET_PATH_SIZE]; /* of the data set */
    struct model_shape shape;
    int32_t *theta;
    uint64_t rows[JOB_ROWS];
    struct worker_task task;
    struct worker_driver worker;
};

static const char *worker_path(void)
{
    const char *path = getenv("POT_WORKER");
    return path != NULL ? path : "./pot-worker";
}

static int set_up(void **state)
{
    struct fixture *f = pot_calloc(1, sizeof(*f));
    const uint32_t widths[] = {FEATURES, 16, CLASSES};
    const struct hash seed = {{1}};
    const struct public_key miner = {{2}};
    f->folder = scratch_folder();
    byte_dataset_write(f->path, f->folder, DATA_ROWS, FEATURES, CLASSES);
    assert_int_equal(model_shape_init(&f->shape, widths, 3), POT_OK);
    f->theta = pot_calloc(f->shape.parameter_count, sizeof(*f->theta));
    for (size_t i = 0; i < f->shape.parameter_count; i++) {
        f->theta[i] = (int32_t)(i * 7919 % 1000 - 500) * (FIXED_ONE / 1000);
    }
    assign_rows(f->rows, JOB_ROWS, &(struct assign_from){.rows = DATA_ROWS},
                &seed, &miner);
    f->task = (struct worker_task){
        .shape = &f->shape,
        .activation = POT__ACTIVATION__ACTIVATION_RELU,
        .loss = POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY,
        .numerics = POT__NUMERICS__NUMERICS_BLAS,
        .path = f->path,
        .theta = f->theta,
        .rows = f->rows,
        .row_count = JOB_ROWS,
    };
    assert_true(worker_driver_open(&f->worker, worker_path(), NULL));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    (void)worker_driver_close(&f->worker);
    scratch_remove(f->folder);
    free(f->theta);
    free(f);
    return 0;
}

static struct worker_part good_part(struct fixture *f)
{
    struct worker_layout layout;
    assert_int_equal(
        worker_layout_init(&layout, f->shape.parameter_count, JOB_ROWS),
        POT_OK);
    assert_int_equal(worker_shm_grow(&f->worker.shm, (size_t)layout.size),
                     POT_OK);
    char *shared = f->worker.shm.data;
    memcpy(shared + layout.theta_offset, f->theta,
           f->shape.parameter_count * sizeof(int32_t));
    memcpy(shared + layout.rows_offset, f->rows, sizeof(f->rows));
    struct worker_part part = {
        .job = 5,
        .shared_bytes = layout.size,
        .theta_offset = layout.theta_offset,
        .rows_offset = layout.rows_offset,
        .sums_offset = layout.sums_offset,
        .row_count = JOB_ROWS,
        .block_rows = 64,
        .activation = f->task.activation,
        .loss = f->task.loss,
        .numerics = (uint32_t)f->task.numerics,
        .width_count = 3,
    };
    memcpy(part.widths, f->shape.widths, sizeof(part.widths));
    (void)snprintf(part.path, sizeof(part.path), "%s", f->path);
    return part;
}

static void worker_says_which_kernel_it_runs(void **state)
{
    struct fixture *f = *state;
    struct worker_driver d;
    assert_int_equal(f->worker.hello.version, WORKER_VERSION);
    assert_true(strlen(f->worker.hello.core) > 0);
    assert_non_null(strstr(f->worker.hello.config, "OpenBLAS"));
    assert_true(worker_driver_open(&d, worker_path(), "Nehalem"));
    assert_string_equal(d.hello.core, "Nehalem");
    (void)worker_driver_close(&d);
}

/* What stands behind name in /proc/PID/status; -1: nothing. */
static long process_status(pid_t pid, const char *name)
{
    char path[64];
    char line[256];
    long value = -1;
    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0 &&
            line[strlen(name)] == ':') {
            value = strtol(line + strlen(name) + 1, NULL, 10);
        }
    }
    (void)fclose(file);
    return value;
}

static void whoever_computes_is_fenced_in(void **state)
{
    struct fixture *f = *state;
    struct worker_part part = good_part(f);
    struct worker_message reply;
    assert_int_equal(process_status(f->worker.pid, "Seccomp"), 0);
    assert_true(worker_driver_run(&reply, &f->worker, &part));
    assert_int_equal(reply.type, WORKER_DONE);
    assert_int_equal(process_status(f->worker.pid, "NoNewPrivs"), 1);
#ifdef POT_SANDBOX
    assert_int_equal(process_status(f->worker.pid, "Seccomp"), 2);
    /* A data set elsewhere is none. */
    char *elsewhere = scratch_folder();
    char *copy = file_join(elsewhere, "copy.pds");
    assert_int_equal(link(f->path, copy), 0);
    (void)snprintf(part.path, sizeof(part.path), "%s", copy);
    assert_true(worker_driver_run(&reply, &f->worker, &part));
    assert_int_equal(reply.type, WORKER_ERROR);
    assert_non_null(strstr(reply.error.text, "cannot be opened"));
    free(copy);
    scratch_remove(elsewhere);
#endif
}

static void gradient_is_that_of_the_model(void **state)
{
    struct fixture *f = *state;
    struct worker_done done;
    size_t n = f->shape.parameter_count;
    int64_t *sums = pot_calloc(n, sizeof(*sums));
    assert_true(
        worker_driver_sums(sums, &done, &f->worker, &f->task, 0, JOB_ROWS));
    assert_int_equal(done.rows, JOB_ROWS);
    char *file;
    size_t size;
    struct dataset d;
    assert_int_equal(file_read(&file, &size, f->path, 1 << 20), POT_OK);
    assert_int_equal(dataset_view(&d, file, size), POT_OK);
    struct mlp_config config = {f->shape, POT__ACTIVATION__ACTIVATION_RELU,
                                POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY,
                                &product_blas, JOB_ROWS};
    struct mlp *m = mlp_new(&config);
    double loss;
    mlp_set_parameters(m, f->theta);
    mlp_load(m, &d, f->rows, JOB_ROWS);
    float *gradient = pot_calloc(n, sizeof(*gradient));
    mlp_gradient(gradient, n, m, &loss);
    for (size_t i = 0; i < n; i++) {
        double difference = (double)sums[i] * 0x1p-40 - (double)gradient[i];
        assert_true(difference < 1e-3 && difference > -1e-3);
    }
    double difference = (double)done.loss_sum * 0x1p-24 - loss;
    assert_true(difference < 1e-2 && difference > -1e-2);
    mlp_free(m);
    free(gradient);
    free(file);
    free(sums);
}

/* The promise of the block-wise sums: no trace of the split is left. */
static void gradient_does_not_depend_on_the_split(void **state)
{
    struct fixture *f = *state;
    size_t n = f->shape.parameter_count;
    int64_t *whole = pot_calloc(n, sizeof(*whole));
    int64_t *part = pot_calloc(n, sizeof(*part));
    struct worker_driver other;
    struct worker_done done;
    assert_true(worker_driver_open(&other, worker_path(), NULL));
    assert_true(
        worker_driver_sums(whole, &done, &f->worker, &f->task, 0, JOB_ROWS));
    int64_t loss = done.loss_sum;
    for (size_t parts = 2; parts <= 6; parts++) {
        int64_t *sums = pot_calloc(n, sizeof(*sums));
        int64_t loss_again = 0;
        for (size_t p = parts; p-- > 0;) {
            struct assign_part a = assign_part(JOB_ROWS, parts, p);
            struct worker_driver *d = p % 2 == 0 ? &f->worker : &other;
            if (a.count > 0) {
                assert_true(worker_driver_sums(part, &done, d, &f->task,
                                               a.first, a.count));
                quantise_add(sums, part, n);
                loss_again += done.loss_sum;
            }
        }
        assert_memory_equal(sums, whole, n * sizeof(*sums));
        assert_true(loss_again == loss);
        free(sums);
    }
    (void)worker_driver_close(&other);
    free(part);
    free(whole);
}

static int64_t *exact_sums(struct fixture *f, const char *kernel,
                           const char *core, uint32_t steps, int64_t *loss)
{
    struct worker_driver d;
    struct worker_done done;
    struct worker_task task = f->task;
    task.local_steps = steps;
    task.local_rate = LOCAL_RATE;
    int64_t *sums = pot_calloc(f->shape.parameter_count, sizeof(*sums));
    task.numerics = POT__NUMERICS__NUMERICS_EXACT;
    assert_int_equal(setenv("POT_EXACT_KERNEL", kernel, 1), 0);
    assert_true(worker_driver_open(&d, worker_path(), core));
    assert_int_equal(unsetenv("POT_EXACT_KERNEL"), 0);
    assert_string_equal(d.hello.exact, kernel);
    assert_true(worker_driver_sums(sums, &done, &d, &task, 0, JOB_ROWS));
    *loss = done.loss_sum;
    (void)worker_driver_close(&d);
    return sums;
}

/* OpenBLAS's core differs too: nothing of it may be left. */
static void compare_kernels(struct fixture *f, uint32_t steps)
{
    const struct product *variants[EXACT_VARIANTS_MAX];
    size_t count = exact_variants(variants);
    size_t size = f->shape.parameter_count * sizeof(int64_t);
    int64_t loss;
    int64_t *first = exact_sums(f, "scalar", NULL, steps, &loss);
    for (size_t i = 0; i < count; i++) {
        int64_t loss_again;
        int64_t *again =
            exact_sums(f, variants[i]->name, "Nehalem", steps, &loss_again);
        assert_memory_equal(again, first, size);
        assert_true(loss_again == loss);
        free(again);
    }
    free(first);
}

static void every_exact_kernel_gives_the_same_bits(void **state)
{
    compare_kernels(*state, 1);
}

static void every_exact_kernel_takes_the_same_steps(void **state)
{
    compare_kernels(*state, LOCAL_STEPS);
}

/* SGD in double precision, a step a block, by naive steps over the worker's
 * own gradients: theta rounds to Q8.24 between them here. */
static void follow_local_steps(struct fixture *f, Pot__Numerics numerics)
{
    size_t count = f->shape.parameter_count;
    size_t rows = JOB_ROWS / LOCAL_STEPS;
    struct worker_task task = f->task;
    struct worker_done done;
    int64_t *sums = pot_calloc(count, sizeof(*sums));
    int32_t *theta = pot_memdup(f->theta, count * sizeof(*theta));
    int64_t loss = 0;
    task.numerics = numerics;
    task.theta = theta;
    for (size_t step = 0; step < LOCAL_STEPS; step++) {
        assert_true(worker_driver_sums(sums, &done, &f->worker, &task,
                                       step * rows, rows));
        loss += done.loss_sum;
        for (size_t i = 0; i < count; i++) {
            double way = ldexp((double)sums[i], FIXED_BITS - GRID_BITS) *
                         LOCAL_RATE / RATE_ONE / (double)rows;
            theta[i] -= (int32_t)lrint(way);
        }
    }
    task.theta = f->theta;
    task.local_steps = LOCAL_STEPS;
    task.local_rate = LOCAL_RATE;
    assert_true(
        worker_driver_sums(sums, &done, &f->worker, &task, 0, JOB_ROWS));
    double moved = 0;
    for (size_t i = 0; i < count; i++) {
        double way = ldexp((double)sums[i], FIXED_BITS - GRID_BITS);
        assert_true(fabs(f->theta[i] - way - theta[i]) < 64);
        moved += fabs(way);
    }
    assert_true(moved / (double)count > 10000);
    assert_true(fabs((double)(done.loss_sum - loss)) < 1e-5 * (double)loss);
    free(theta);
    free(sums);
}

static void local_steps_are_those_of_sgd(void **state)
{
    follow_local_steps(*state, POT__NUMERICS__NUMERICS_EXACT);
    follow_local_steps(*state, POT__NUMERICS__NUMERICS_BLAS);
}

/* What it says is in the log file that is its stderr. */
static void an_exact_kernel_that_is_not_there_ends_it(void **state)
{
    (void)state;
    struct worker_driver d;
    char said[512] = "";
    FILE *log = tmpfile();
    assert_non_null(log);
    int before = dup(STDERR_FILENO);
    assert_true(dup2(fileno(log), STDERR_FILENO) >= 0);
    assert_int_equal(setenv("POT_EXACT_KERNEL", "vax", 1), 0);
    bool is_open = worker_driver_open(&d, worker_path(), NULL);
    assert_int_equal(unsetenv("POT_EXACT_KERNEL"), 0);
    int status = worker_driver_close(&d);
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    assert_int_equal(close(before), 0);
    assert_false(is_open);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 2);
    assert_true(pread(fileno(log), said, sizeof(said) - 1, 0) > 0);
    assert_non_null(strstr(said, "no exact kernel \"vax\""));
    assert_non_null(strstr(said, "miner.exact_kernel"));
    assert_int_equal(fclose(log), 0);
}

/* Each makes one thing in a good part wrong. */
typedef void (*spoiler)(struct worker_part *part, struct fixture *f);

static void no_dataset(struct worker_part *part, struct fixture *f)
{
    (void)f;
    (void)snprintf(part->path, sizeof(part->path), "/no/such.pds");
}

static void not_a_dataset(struct worker_part *part, struct fixture *f)
{
    (void)f;
    (void)snprintf(part->path, sizeof(part->path), "/etc/passwd");
}

static void folder_as_dataset(struct worker_part *part, struct fixture *f)
{
    (void)f;
    (void)snprintf(part->path, sizeof(part->path), "/tmp");
}

static void no_activation(struct worker_part *part, struct fixture *f)
{
    (void)f;
    part->activation = 0;
}

static void unknown_loss(struct worker_part *part, struct fixture *f)
{
    (void)f;
    part->loss = 77;
}

static void unknown_lane(struct worker_part *part, struct fixture *f)
{
    (void)f;
    part->numerics = 77;
}

static void zero_width(struct worker_part *part, struct fixture *f)
{
    (void)f;
    part->widths[1] = 0;
}

static void one_width(struct worker_part *part, struct fixture *f)
{
    (void)f;
    part->width_count = 1;
}

static void huge_model(struct worker_part *part, struct fixture *f)
{
    (void)f;
    part->widths[1] = UINT32_MAX;
}

static void other_inputs(struct worker_part *part, struct fixture *f)
{
    (void)f;
    part->widths[0] = FEATURES + 1;
}

static void no_rows(struct worker_part *part, struct fixture *f)
{
    (void)f;
    part->row_count = 0;
}

static void endless_rows(struct worker_part *part, struct fixture *f)
{
    (void)f;
    part->row_count = UINT64_MAX;
}

static void no_block(struct worker_part *part, struct fixture *f)
{
    (void)f;
    part->block_rows = 0;
}

static void huge_block(struct worker_part *part, struct fixture *f)
{
    (void)f;
    part->block_rows = UINT32_MAX;
}

static void more_shared_memory(struct worker_part *part, struct fixture *f)
{
    (void)f;
    part->shared_bytes = UINT64_C(1) << 40;
}

static void no_shared_memory(struct worker_part *part, struct fixture *f)
{
    (void)f;
    part->shared_bytes = 0;
}

static void theta_beyond_the_end(struct worker_part *part, struct fixture *f)
{
    (void)f;
    part->theta_offset = part->shared_bytes - 8;
}

static void rows_wrap_around(struct worker_part *part, struct fixture *f)
{
    (void)f;
    part->rows_offset = UINT64_MAX - 7;
}

static void sums_unaligned(struct worker_part *part, struct fixture *f)
{
    (void)f;
    part->sums_offset += 4;
}

static void row_beyond_the_data(struct worker_part *part, struct fixture *f)
{
    uint8_t *at = (uint8_t *)f->worker.shm.data + part->rows_offset;
    at[8] = 0xff;
    at[9] = 0xff;
}

static void uneven_steps(struct worker_part *part, struct fixture *f)
{
    (void)f;
    part->local_steps = LOCAL_STEPS + 1;
    part->block_rows = JOB_ROWS / (LOCAL_STEPS + 1);
    part->numerics = POT__NUMERICS__NUMERICS_EXACT;
}

static void steps_of_several_blocks(struct worker_part *part, struct fixture *f)
{
    (void)f;
    part->local_steps = LOCAL_STEPS;
    part->block_rows = JOB_ROWS / LOCAL_STEPS - 1;
    part->numerics = POT__NUMERICS__NUMERICS_EXACT;
}

static void nonsense_is_answered_with_an_error(void **state)
{
    struct fixture *f = *state;
    static const spoiler spoilers[] = {no_dataset,
                                       not_a_dataset,
                                       folder_as_dataset,
                                       no_activation,
                                       unknown_loss,
                                       unknown_lane,
                                       zero_width,
                                       one_width,
                                       huge_model,
                                       other_inputs,
                                       no_rows,
                                       endless_rows,
                                       no_block,
                                       huge_block,
                                       more_shared_memory,
                                       no_shared_memory,
                                       theta_beyond_the_end,
                                       rows_wrap_around,
                                       sums_unaligned,
                                       row_beyond_the_data,
                                       uneven_steps,
                                       steps_of_several_blocks};
    /* The first part of all says where data sets are. */
    struct worker_message first;
    struct worker_part good = good_part(f);
    assert_true(worker_driver_run(&first, &f->worker, &good));
    for (size_t i = 0; i < sizeof(spoilers) / sizeof(*spoilers); i++) {
        struct worker_message reply;
        struct worker_part part = good_part(f);
        spoilers[i](&part, f);
        assert_true(worker_driver_run(&reply, &f->worker, &part));
        if (reply.type != WORKER_ERROR) {
            fail_msg("spoiler %zu passed", i);
        }
        assert_int_equal(reply.error.job, 5);
        assert_true(strlen(reply.error.text) > 0);
        /* It goes on working. */
        part = good_part(f);
        assert_true(worker_driver_run(&reply, &f->worker, &part));
        assert_int_equal(reply.type, WORKER_DONE);
    }
}

/* Q8.24 parameters of 127 through layers of 1000: beyond a float's range. */
static void overflow_is_answered_with_an_error(void **state)
{
    struct fixture *f = *state;
    const uint32_t widths[] = {FEATURES, 400, 400, 400, 400, 400,    400,
                               400,      400, 400, 400, 400, CLASSES};
    struct model_shape shape;
    struct worker_done done;
    assert_int_equal(model_shape_init(&shape, widths, 13), POT_OK);
    int32_t *theta = pot_calloc(shape.parameter_count, sizeof(*theta));
    int64_t *sums = pot_calloc(shape.parameter_count, sizeof(*sums));
    for (size_t i = 0; i < shape.parameter_count; i++) {
        theta[i] = INT32_MAX;
    }
    struct worker_task task = f->task;
    task.shape = &shape;
    task.theta = theta;
    assert_false(
        worker_driver_sums(sums, &done, &f->worker, &task, 0, JOB_ROWS));
    assert_true(
        worker_driver_sums(sums, &done, &f->worker, &f->task, 0, JOB_ROWS));
    free(theta);
    free(sums);
}

static void worker_ends_when_its_input_closes(void **state)
{
    (void)state;
    struct worker_driver d;
    assert_true(worker_driver_open(&d, worker_path(), NULL));
    int status = worker_driver_close(&d);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void worker_ends_at_what_is_no_part(void **state)
{
    (void)state;
    struct worker_driver d;
    uint8_t noise[64];
    memset(noise, 'x', sizeof(noise));
    assert_true(worker_driver_open(&d, worker_path(), NULL));
    /* What it says of it on standard error is not the test's. */
    assert_int_equal(file_write_all(d.to, noise, sizeof(noise)), POT_OK);
    int status = worker_driver_close(&d);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH(worker_says_which_kernel_it_runs),
        WITH(whoever_computes_is_fenced_in),
        WITH(gradient_is_that_of_the_model),
        WITH(every_exact_kernel_gives_the_same_bits),
        WITH(every_exact_kernel_takes_the_same_steps),
        WITH(local_steps_are_those_of_sgd),
        WITH(an_exact_kernel_that_is_not_there_ends_it),
        WITH(gradient_does_not_depend_on_the_split),
        WITH(nonsense_is_answered_with_an_error),
        WITH(overflow_is_answered_with_an_error),
        cmocka_unit_test(worker_ends_when_its_input_closes),
        cmocka_unit_test(worker_ends_at_what_is_no_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
