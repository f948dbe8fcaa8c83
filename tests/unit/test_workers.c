/* A pool of real pot-worker processes on a loop, and of processes that
 * misbehave in its place: every job ends, with the right sums or with a
 * reason. */
#include "config.h"

#include "node/round/workers.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/fixed.h"
#include "base/limits.h"
#include "base/log.h"
#include "node/round/auditor.h"
#include "node/round/round_input.h"
#include "node/round/worker_process.h"
#include "proto/gradient.h"
#include "tests/byte_dataset.h"
#include "tests/scratch.h"
#include "training/quantise.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define DATA_ROWS   600
#define FEATURES    12
#define CLASSES     3
#define JOB_ROWS    512
#define LOCAL_STEPS 16
#define DEADLINE_MS 20000

struct outcome {
    unsigned calls;
    enum pot_err err;
    char why[256];
    int64_t *sums;
    size_t count;
    int64_t loss_sum;
};

struct fixture {
    uv_loop_t loop;
    char *folder;
    char path[BYTE_DATASET_PATH_SIZE];
    char *marks; /* what the misbehaving tell each other by */
    char real[4096];
    char bad[4096];
    struct round_input *input;
    const char *exact; /* kernel */
    struct workers *pool;
};

static struct round_input *make_input(const char *path)
{
    const uint32_t widths[] = {FEATURES, 8, CLASSES};
    struct round_input *input = pot_calloc(1, sizeof(*input));
    input->holders = 1;
    assert_int_equal(model_shape_init(&input->shape, widths, 3), POT_OK);
    size_t count = input->shape.parameter_count;
    input->theta = pot_calloc(count, sizeof(*input->theta));
    for (size_t i = 0; i < count; i++) {
        input->theta[i] = (int32_t)(i * 7919 % 1000 - 500) * (FIXED_ONE / 1000);
    }
    input->activation = POT__ACTIVATION__ACTIVATION_RELU;
    input->loss = POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY;
    input->numerics = POT__NUMERICS__NUMERICS_EXACT;
    input->dataset = pot_strdup(path);
    input->from.rows = DATA_ROWS;
    input->row_count = JOB_ROWS;
    input->seed.b[0] = 1;
    return input;
}

static int set_up(void **state)
{
    struct fixture *f = pot_calloc(1, sizeof(*f));
    char folder[2048];
    assert_non_null(getcwd(folder, sizeof(folder)));
    (void)snprintf(f->real, sizeof(f->real), "%s/pot-worker", folder);
    (void)snprintf(f->bad, sizeof(f->bad), "%s/tests/e2e/bad_worker", folder);
    f->folder = scratch_folder();
    f->marks = file_join(f->folder, "mark");
    byte_dataset_write(f->path, f->folder, DATA_ROWS, FEATURES, CLASSES);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    f->input = make_input(f->path);
    f->exact = "auto";
    assert_int_equal(setenv("POT_BAD_REAL", f->real, 1), 0);
    assert_int_equal(setenv("POT_BAD_FILE", f->marks, 1), 0);
    *state = f;
    return 0;
}

static void close_pool(struct fixture *f)
{
    workers_free(f->pool);
    f->pool = NULL;
    assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    close_pool(f);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    scratch_remove(f->folder);
    free(f->marks);
    assert_int_equal(f->input->holders, 1);
    round_input_unref(f->input);
    free(f);
    return 0;
}

static void open_pool(struct fixture *f, const char *mode, unsigned count,
                      uint64_t deadline_ms)
{
    const struct workers_config config = {
        .loop = &f->loop,
        .program = mode != NULL ? f->bad : f->real,
        .core = "auto",
        .exact = f->exact,
        .count = count,
        .deadline_ms = deadline_ms,
    };
    if (mode != NULL) {
        assert_int_equal(setenv("POT_BAD_MODE", mode, 1), 0);
    }
    f->pool = workers_new(&config);
}

static void on_done(void *context, enum pot_err err, const char *why,
                    int64_t *sums, int64_t loss_sum)
{
    struct outcome *o = context;
    o->calls++;
    o->err = err;
    (void)snprintf(o->why, sizeof(o->why), "%s", why);
    o->loss_sum = loss_sum;
    assert_int_equal(sums != NULL, err == POT_OK);
    free(o->sums);
    o->sums = sums;
}

static enum pot_err try_submit(struct fixture *f, struct outcome *o)
{
    const struct public_key miner = {{2}};
    o->count = f->input->shape.parameter_count;
    return workers_submit(f->pool, f->input, round_input_rows(f->input, &miner),
                          on_done, o);
}

static void submit(struct fixture *f, struct outcome *o)
{
    assert_int_equal(try_submit(f, o), POT_OK);
}

static void await(struct fixture *f, const struct outcome *o)
{
    while (o->calls == 0) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    }
    assert_int_equal(o->calls, 1);
}

/* What an honest worker alone computes. */
static void compute(struct fixture *f, struct outcome *o)
{
    open_pool(f, NULL, 1, DEADLINE_MS);
    submit(f, o);
    await(f, o);
    assert_int_equal(o->err, POT_OK);
    close_pool(f);
}

static void assert_same(const struct outcome *a, const struct outcome *b)
{
    assert_int_equal(b->err, POT_OK);
    assert_memory_equal(a->sums, b->sums, a->count * sizeof(*a->sums));
    assert_int_equal(a->loss_sum, b->loss_sum);
}

static void compare_counts(struct fixture *f)
{
    static const unsigned counts[] = {2, 3, 7};
    struct outcome one = {0};
    compute(f, &one);
    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        struct outcome many = {0};
        struct workers_stats stats;
        open_pool(f, NULL, counts[i], DEADLINE_MS);
        submit(f, &many);
        await(f, &many);
        assert_same(&one, &many);
        workers_stats(f->pool, &stats);
        assert_int_equal(stats.jobs, 1);
        assert_int_equal(stats.queued, 0);
        assert_true(workers_core(f->pool)[0] != '\0');
        close_pool(f);
        free(many.sums);
    }
    free(one.sums);
}

static void any_number_of_workers_gives_the_same_sums(void **state)
{
    compare_counts(*state);
}

static void any_number_of_workers_takes_the_same_steps(void **state)
{
    struct fixture *f = *state;
    f->input->local_steps = LOCAL_STEPS;
    f->input->local_rate = RATE_ONE / 10;
    compare_counts(f);
}

static void a_worker_that_dies_is_replaced_and_its_part_done_again(void **state)
{
    struct fixture *f = *state;
    struct outcome one = {0};
    struct outcome again = {0};
    struct workers_stats stats;
    compute(f, &one);
    open_pool(f, "once", 3, DEADLINE_MS);
    submit(f, &again);
    await(f, &again);
    assert_same(&one, &again);
    workers_stats(f->pool, &stats);
    assert_int_equal(stats.restarts, 1);
    free(one.sums);
    free(again.sums);
}

static void expect_failure(struct fixture *f, const char *mode,
                           uint64_t deadline_ms, enum pot_err err)
{
    struct outcome o = {0};
    open_pool(f, mode, 1, deadline_ms);
    submit(f, &o);
    await(f, &o);
    assert_int_equal(o.err, err);
    assert_true(o.why[0] != '\0');
    close_pool(f);
}

#define LOG_BYTES_MAX (1 << 20)

/* What the log says meanwhile. */
static void expect_logged(struct fixture *f, const char *mode, const char *text)
{
    char *path = file_join(f->folder, "log");
    char *log;
    size_t size;
    assert_int_equal(log_open(LOG_INFO, LOG_FORMAT_TEXT, path), POT_OK);
    expect_failure(f, mode, DEADLINE_MS, POT_EIO);
    assert_int_equal(log_open(LOG_INFO, LOG_FORMAT_TEXT, NULL), POT_OK);
    assert_int_equal(file_read(&log, &size, path, LOG_BYTES_MAX), POT_OK);
    if (strstr(log, text) == NULL) {
        fail_msg("no \"%s\" in:\n%s", text, log);
    }
    assert_int_equal(unlink(path), 0);
    free(log);
    free(path);
}

/* Its output ends before it does. */
static void a_job_that_kills_every_worker_fails(void **state)
{
    expect_logged(*state, "crash", "why=\"ended by signal 6, Aborted\"");
}

static void a_worker_that_talks_nonsense_is_ended(void **state)
{
    expect_failure(*state, "garbage", DEADLINE_MS, POT_EIO);
}

static void a_worker_that_never_answers_is_ended(void **state)
{
    expect_failure(*state, "hang", 300, POT_EIO);
}

static void a_worker_that_answers_for_another_job_is_ended(void **state)
{
    expect_failure(*state, "other", DEADLINE_MS, POT_EIO);
}

static void a_worker_of_another_version_gets_no_work(void **state)
{
    expect_failure(*state, "dated", DEADLINE_MS, POT_EIO);
}

/* Killed or dead on its own, it leaves no process behind. */
static void no_worker_becomes_a_zombie(void **state)
{
    int status;
    expect_failure(*state, "hang", 100, POT_EIO);
    expect_failure(*state, "crash", DEADLINE_MS, POT_EIO);
    assert_int_equal(waitpid(-1, &status, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void a_worker_that_does_not_start_fails_the_job(void **state)
{
    expect_logged(*state, "no such mode", "why=\"ended with exit code 2\"");
}

static void the_log_has_a_workers_last_words(void **state)
{
    struct fixture *f = *state;
    f->exact = "none";
    expect_logged(f, NULL,
                  "worker says worker=0 text=\"pot-worker: this processor has "
                  "no exact kernel");
}

/* Its words are no more trusted than its sums: the job stays within the
 * grid. */
static void losses_that_nobody_can_have_do_not_overflow(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};
    open_pool(f, "loss", 2, DEADLINE_MS);
    submit(f, &o);
    await(f, &o);
    assert_int_equal(o.err, POT_OK);
    assert_int_equal(o.loss_sum, GRID_MAX);
    free(o.sums);
}

/* Pools are opened while a node runs, with whatever its peers left it. */
static void a_pool_without_descriptors_fails_its_job_and_recovers(void **state)
{
    struct fixture *f = *state;
    struct outcome first = {0};
    struct outcome second = {0};
    struct rlimit before;
    int lowest = dup(STDIN_FILENO);
    assert_true(lowest >= 0 && close(lowest) == 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = {(rlim_t)lowest, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    open_pool(f, NULL, 1, DEADLINE_MS);
    submit(f, &first);
    await(f, &first);
    assert_int_equal(first.err, POT_EIO);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    submit(f, &second);
    await(f, &second);
    assert_int_equal(second.err, POT_OK);
    free(second.sums);
}

static void a_job_that_is_refused_fails_at_once_and_says_why(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};
    open_pool(f, "error", 1, DEADLINE_MS);
    submit(f, &o);
    await(f, &o);
    assert_int_equal(o.err, POT_EFORMAT);
    assert_string_equal(o.why, "no");
}

/* Steps much too long, by the mean square: each is longer than the last. */
static void make_diverge(struct fixture *f)
{
    f->input->loss = POT__LOSS__LOSS_MSE;
    f->input->local_steps = JOB_ROWS;
    f->input->local_rate = UINT32_MAX;
}

static void what_is_not_finite_is_told_whatever_the_kernel(void **state)
{
    struct fixture *f = *state;
    static const char *const kernels[] = {"scalar", NULL};
    make_diverge(f);
    for (size_t i = 0; i < 2; i++) {
        struct outcome o = {0};
        if (kernels[i] != NULL) {
            assert_int_equal(setenv("POT_EXACT_KERNEL", kernels[i], 1), 0);
        } else {
            assert_int_equal(unsetenv("POT_EXACT_KERNEL"), 0);
        }
        open_pool(f, NULL, 1, DEADLINE_MS);
        submit(f, &o);
        await(f, &o);
        assert_int_equal(o.err, POT_ERANGE);
        assert_non_null(strstr(o.why, "not a finite number"));
        close_pool(f);
    }
}

struct judgement {
    unsigned calls;
    enum pot_err err;
    enum audit_verdict verdict;
};

static void on_judged(void *context, enum pot_err err,
                      const struct audit_result *result)
{
    struct judgement *j = context;
    j->calls++;
    j->err = err;
    j->verdict = result->verdict;
}

/* Of a payload that is all zeros. */
static enum audit_verdict judge(struct fixture *f)
{
    const struct public_key miner = {{2}};
    const struct hash none = {{0}};
    struct judgement j = {0};
    size_t size = gradient_bytes(&f->input->shape, 1);
    uint8_t *payload = pot_calloc(size, 1);
    struct auditor *auditor = auditor_new(&f->loop, f->real, NULL, NULL);
    const struct auditor_case judged = {
        .input = f->input,
        .miner = &miner,
        .core = "",
        .payload = payload,
        .payload_size = size,
        .payload_hash = &none,
    };
    assert_int_equal(auditor_judge(auditor, &judged, on_judged, &j), POT_OK);
    while (j.calls == 0) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    }
    auditor_free(auditor);
    free(payload);
    assert_int_equal(j.err, POT_OK);
    return j.verdict;
}

static void an_audit_of_what_is_not_finite_refuses_in_the_exact_lane(
    void **state)
{
    struct fixture *f = *state;
    make_diverge(f);
    assert_int_equal(judge(f), AUDIT_REFUSED);
}

/* One refuses the first job, the other one dies of its part when the second
 * job is at work already: that is none of the second job's concern. */
static void a_death_over_an_old_job_leaves_the_next_one_right(void **state)
{
    struct fixture *f = *state;
    struct outcome one = {0};
    struct outcome first = {0};
    struct outcome second = {0};
    compute(f, &one);
    open_pool(f, "split", 2, DEADLINE_MS);
    submit(f, &first);
    submit(f, &second);
    await(f, &first);
    await(f, &second);
    assert_int_equal(first.err, POT_EFORMAT);
    assert_same(&one, &second);
    free(one.sums);
    free(second.sums);
}

static void what_was_forgotten_is_not_called(void **state)
{
    struct fixture *f = *state;
    struct outcome forgotten = {0};
    struct outcome other = {0};
    open_pool(f, NULL, 1, DEADLINE_MS);
    submit(f, &forgotten);
    submit(f, &other);
    workers_forget(f->pool, &forgotten);
    await(f, &other);
    assert_int_equal(forgotten.calls, 0);
    free(other.sums);
}

static struct workers_stats stats_of(const struct fixture *f)
{
    struct workers_stats stats;
    workers_stats(f->pool, &stats);
    return stats;
}

/* Its process hangs: it does not even begin with the second one. */
static void what_was_forgotten_leaves_the_queue(void **state)
{
    struct fixture *f = *state;
    struct outcome first = {0};
    struct outcome second = {0};
    open_pool(f, "hang", 1, DEADLINE_MS);
    assert_false(workers_is_able(f->pool));
    while (!workers_is_able(f->pool)) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    }
    submit(f, &first);
    submit(f, &second);
    assert_true(workers_is_able(f->pool));
    assert_int_equal(stats_of(f).queued, 2);
    workers_forget(f->pool, &second);
    assert_true(workers_is_able(f->pool));
    assert_int_equal(stats_of(f).queued, 1);
    workers_forget(f->pool, &first);
    assert_false(workers_is_able(f->pool));
    assert_int_equal(stats_of(f).queued, 0);
    close_pool(f);
    assert_int_equal(first.calls + second.calls, 0);
}

/* The same of a job that its process is at: no attempt of the next one. */
static void a_forgotten_job_costs_the_next_one_nothing(void **state)
{
    struct fixture *f = *state;
    struct outcome one = {0};
    struct outcome forgotten = {0};
    struct outcome next = {0};
    compute(f, &one);
    open_pool(f, "once", 1, DEADLINE_MS);
    while (!workers_is_able(f->pool)) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    }
    submit(f, &forgotten);
    submit(f, &next);
    workers_forget(f->pool, &forgotten);
    await(f, &next);
    assert_same(&one, &next);
    assert_int_equal(forgotten.calls, 0);
    free(one.sums);
    free(next.sums);
}

/* Whatever comes of it, workers are why. */
static void jobs_at_which_workers_fail_are_counted(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};
    struct outcome forgotten = {0};
    open_pool(f, "error", 1, DEADLINE_MS);
    submit(f, &o);
    await(f, &o);
    assert_int_equal(stats_of(f).failed, 1);
    close_pool(f);
    open_pool(f, "crash", 1, DEADLINE_MS);
    o.calls = 0;
    submit(f, &o);
    await(f, &o);
    assert_int_equal(stats_of(f).failed, 1);
    uint64_t restarts = stats_of(f).restarts;
    submit(f, &forgotten);
    while (stats_of(f).restarts == restarts) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    }
    workers_forget(f->pool, &forgotten);
    assert_int_equal(stats_of(f).failed, 2);
    close_pool(f);
    open_pool(f, "hang", 1, 300); /* at one that is over */
    while (!workers_is_able(f->pool)) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    }
    submit(f, &forgotten);
    workers_forget(f->pool, &forgotten);
    while (stats_of(f).restarts == 0) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    }
    assert_int_equal(stats_of(f).failed, 1);
}

static void what_fails_at_nothing_is_not_counted(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};
    open_pool(f, "once", 3, DEADLINE_MS);
    submit(f, &o);
    await(f, &o);
    assert_int_equal(o.err, POT_OK);
    submit(f, &o);
    workers_forget(f->pool, &o);
    assert_int_equal(stats_of(f).failed, 0);
    free(o.sums);
}

static void a_worker_that_hangs_is_told_of_before_its_deadline(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};
    open_pool(f, "hang", 1, DEADLINE_MS);
    while (!workers_is_able(f->pool)) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    }
    f->loop.time += DEADLINE_MS;
    assert_int_equal(stats_of(f).silent, 0);
    submit(f, &o);
    f->loop.time += DEADLINE_MS / 4 - 1;
    assert_int_equal(stats_of(f).silent, 0);
    f->loop.time++;
    assert_int_equal(stats_of(f).silent, 1);
    assert_int_equal(stats_of(f).failing, 0);
}

static void one_that_never_starts_is_told_of(void **state)
{
    struct fixture *f = *state;
    open_pool(f, "dated", 1, DEADLINE_MS);
    while (stats_of(f).restarts < 3) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    }
    assert_int_equal(stats_of(f).failing, 0);
    while (stats_of(f).restarts < 4) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    }
    assert_int_equal(stats_of(f).failing, 1);
}

static void the_queue_is_bounded(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};
    unsigned taken = 0;
    open_pool(f, "hang", 1, DEADLINE_MS);
    while (try_submit(f, &o) == POT_OK) {
        taken++;
        assert_true(taken < 100000);
    }
    assert_true(taken > 0);
    close_pool(f);
    assert_int_equal(o.calls, 0);
}

static void the_largest_gradient_has_time_in_plain_c(void **state)
{
    (void)state;
    uint64_t rows = GRADIENT_PRODUCTS_MAX / PARAMETERS_MAX;
    uint64_t takes_ms = GRADIENT_PRODUCTS_MAX / 139000; /* as measured */
    assert_true(worker_process_deadline_ms(WORKERS_DEADLINE_MS, PARAMETERS_MAX,
                                           rows) > takes_ms + 60000);
    assert_int_equal(worker_process_deadline_ms(5, 6, 7), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(any_number_of_workers_gives_the_same_sums),
        TEST(any_number_of_workers_takes_the_same_steps),
        TEST(a_worker_that_dies_is_replaced_and_its_part_done_again),
        TEST(a_job_that_kills_every_worker_fails),
        TEST(a_worker_that_talks_nonsense_is_ended),
        TEST(a_worker_that_never_answers_is_ended),
        TEST(a_worker_that_answers_for_another_job_is_ended),
        TEST(a_worker_of_another_version_gets_no_work),
        TEST(no_worker_becomes_a_zombie),
        TEST(a_worker_that_does_not_start_fails_the_job),
        TEST(the_log_has_a_workers_last_words),
        TEST(losses_that_nobody_can_have_do_not_overflow),
        TEST(a_pool_without_descriptors_fails_its_job_and_recovers),
        TEST(a_job_that_is_refused_fails_at_once_and_says_why),
        TEST(what_is_not_finite_is_told_whatever_the_kernel),
        TEST(an_audit_of_what_is_not_finite_refuses_in_the_exact_lane),
        TEST(a_death_over_an_old_job_leaves_the_next_one_right),
        TEST(what_was_forgotten_is_not_called),
        TEST(what_was_forgotten_leaves_the_queue),
        TEST(jobs_at_which_workers_fail_are_counted),
        TEST(what_fails_at_nothing_is_not_counted),
        TEST(a_worker_that_hangs_is_told_of_before_its_deadline),
        TEST(one_that_never_starts_is_told_of),
        TEST(a_forgotten_job_costs_the_next_one_nothing),
        TEST(the_queue_is_bounded),
        cmocka_unit_test(the_largest_gradient_has_time_in_plain_c),
#undef TEST
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
