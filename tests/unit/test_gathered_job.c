/* A pool of real pot-worker processes on rows that are gathered: the gradient
 * is that of the whole, and who lacks data holds up nobody. */
#include "config.h"

#include "node/round/workers.h"

#include "base/alloc.h"
#include "base/file.h"
#include "node/round/round_input.h"
#include "proto/codec.h"
#include "tests/unit/chunked_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct workers *pool;

static const struct chunked_set_form form = {4000, 1001, 3, DATASET_U8};

struct sums {
    unsigned calls;
    enum pot_err err;
    char why[256];
    int64_t *all;
    int64_t loss;
};

static void on_computed(void *context, enum pot_err err, const char *why,
                        int64_t *all, int64_t loss)
{
    struct sums *sums = context;
    sums->calls++;
    sums->err = err;
    sums->all = all;
    sums->loss = loss;
    (void)snprintf(sums->why, sizeof(sums->why), "%s", why);
}

static void close_pool(void)
{
    workers_free(pool);
    pool = NULL;
}

static int tear_down(void **state)
{
    close_pool();
    return chunked_set_down(state);
}

static void open_pool(struct chunked_set *f, char *program, size_t size)
{
    char folder[2048];
    assert_non_null(getcwd(folder, sizeof(folder)));
    (void)snprintf(program, size, "%s/pot-worker", folder);
    const struct workers_config config = {
        .loop = &f->loop,
        .program = program,
        .core = "auto",
        .exact = "auto",
        .count = 2,
        .deadline_ms = 60000,
        .holdings = &f->holdings,
        .needs = f->needs,
    };
    pool = workers_new(&config);
}

/* As a round is loaded, whose set is held whole or in parts. */
static struct round_input *make_round(struct chunked_set *f, const char *whole)
{
    const uint32_t widths[] = {f->set.features, 4, f->set.classes};
    struct round_input *input = chunked_set_input(f, 300);
    assert_int_equal(model_shape_init(&input->shape, widths, 3), POT_OK);
    size_t count = input->shape.parameter_count;
    input->theta = pot_calloc(count, sizeof(*input->theta));
    for (size_t i = 0; i < count; i++) {
        input->theta[i] = (int32_t)(i * 7919 % 1000) - 500;
    }
    input->activation = POT__ACTIVATION__ACTIVATION_RELU;
    input->loss = POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY;
    input->numerics = POT__NUMERICS__NUMERICS_EXACT;
    input->from.rows = f->set.rows;
    if (whole != NULL) {
        codec_free(input->published);
        input->published = NULL;
        input->dataset = pot_strdup(whole);
    }
    return input;
}

static void submit(struct round_input *input, struct sums *sums)
{
    const struct public_key miner = {{2}};
    assert_int_equal(workers_submit(pool, input,
                                    round_input_rows(input, &miner),
                                    on_computed, sums),
                     POT_OK);
}

static void await(struct chunked_set *f, const struct sums *sums)
{
    while (sums->calls == 0) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    }
}

static void a_gradient_is_that_of_the_whole(void **state)
{
    struct chunked_set *f = *state;
    char program[4096];
    struct sums sums[2] = {{0}};
    chunked_set_make(f, &form);
    chunked_set_spread(f, SIZE_MAX);
    char *whole = file_join(f->folder, "whole.pds");
    assert_int_equal(file_create(whole, 0600, f->bytes, f->size), POT_OK);
    open_pool(f, program, sizeof(program));
    for (size_t i = 0; i < 2; i++) {
        struct round_input *input = make_round(f, i == 0 ? whole : NULL);
        submit(input, &sums[i]);
        await(f, &sums[i]);
        assert_int_equal(sums[i].err, POT_OK);
        if (i == 1) {
            assert_memory_equal(sums[0].all, sums[1].all,
                                input->shape.parameter_count *
                                    sizeof(*sums[0].all));
        }
        assert_int_equal(input->holders, 1);
        round_input_unref(input);
    }
    assert_int_equal(sums[0].loss, sums[1].loss);
    close_pool();
    assert_int_equal(unlink(whole), 0);
    free(whole);
    free(sums[0].all);
    free(sums[1].all);
}

static void who_lacks_a_chunk_holds_up_nobody(void **state)
{
    struct chunked_set *f = *state;
    char program[4096];
    struct sums lacking = {0};
    struct sums forgotten = {0};
    struct sums dropped = {0};
    struct workers_stats stats;
    chunked_set_make(f, &form);
    chunked_set_spread(f, 2);
    open_pool(f, program, sizeof(program));
    struct round_input *input = make_round(f, NULL);
    submit(input, &forgotten);
    submit(input, &lacking);
    workers_forget(pool, &forgotten);
    await(f, &lacking);
    assert_int_equal(lacking.err, POT_ENOENT);
    assert_non_null(strstr(lacking.why, "chunk 2 of data set "));
    workers_stats(pool, &stats);
    assert_int_equal(stats.queued, 0);
    submit(input, &dropped);
    close_pool();
    assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(forgotten.calls + dropped.calls, 0);
    assert_int_equal(input->holders, 1);
    round_input_unref(input);
}

#define WITH(test)                                                             \
    cmocka_unit_test_setup_teardown(test, chunked_set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(a_gradient_is_that_of_the_whole),
        WITH(who_lacks_a_chunk_holds_up_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
