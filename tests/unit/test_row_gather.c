/* Rows that are put together of chunks: the same rows as those of the whole,
 * whatever they are and wherever a chunk ends; or a reason why not. */
#include "config.h"

#include "node/round/row_gather.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "node/round/round_input.h"
#include "tests/rng.h"
#include "tests/unit/chunked_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ASKED_MAX 64

/* Features and labels of both kinds; rows that no chunk's end is a row's. */
static const struct chunked_set_form forms[] = {
    {4000, 1001, 3, DATASET_U8},
    {1000, 1001, 0, DATASET_Q24},
    {6000, 173, 2, DATASET_Q24},
    {40, 65536, 2, DATASET_U8},
};

static struct outcome {
    unsigned calls;
    enum pot_err err;
    char *path;
    char why[256];
} outcome; /* of the last gather */

static void on_done(void *context, enum pot_err err, char *path,
                    const char *why)
{
    struct outcome *o = context;
    o->calls++;
    o->err = err;
    o->path = path;
    (void)snprintf(o->why, sizeof(o->why), "%s", why);
}

static struct row_gather *begin(struct chunked_set *f,
                                struct round_input *input, const uint64_t *rows)
{
    const struct row_gather_config config = {&f->loop, &f->holdings, f->needs};
    outcome = (struct outcome){0};
    return row_gather_start(&config, input,
                            pot_memdup(rows, input->row_count * sizeof(*rows)),
                            on_done, &outcome);
}

static enum pot_err gather(struct chunked_set *f, struct round_input *input,
                           const uint64_t *rows)
{
    (void)begin(f, input, rows);
    assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(outcome.calls, 1);
    assert_int_equal(input->holders, 1);
    assert_int_equal(outcome.path != NULL, outcome.err == POT_OK);
    return outcome.err;
}

static void assert_same_row(const struct dataset *made, uint64_t place,
                            const struct dataset *whole, uint64_t row)
{
    int32_t *a = pot_calloc(whole->features, sizeof(*a));
    int32_t *b = pot_calloc(whole->features, sizeof(*b));
    dataset_row(a, made, place);
    dataset_row(b, whole, row);
    assert_memory_equal(a, b, whole->features * sizeof(*a));
    if (whole->classes > 0) {
        assert_int_equal(dataset_class(made, place), dataset_class(whole, row));
    } else {
        assert_int_equal(dataset_target(made, place),
                         dataset_target(whole, row));
    }
    free(a);
    free(b);
}

static void assert_rows(const struct chunked_set *f, const uint64_t *rows,
                        size_t count)
{
    char *bytes;
    size_t size;
    struct dataset made;
    assert_int_equal(file_read(&bytes, &size, outcome.path, (size_t)64 << 20),
                     POT_OK);
    assert_int_equal(dataset_view(&made, bytes, size), POT_OK);
    assert_int_equal(made.rows, count);
    assert_int_equal(made.classes, f->set.classes);
    assert_int_equal(made.divisor, f->set.divisor);
    for (size_t i = 0; i < count; i++) {
        assert_same_row(&made, i, &f->set, rows[i]);
    }
    free(bytes);
}

static void drop_outcome(void)
{
    assert_int_equal(unlink(outcome.path), 0);
    free(outcome.path);
}

static void rows_are_those_of_the_whole(void **state)
{
    struct chunked_set *f = *state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        chunked_set_make(f, &forms[i]);
        chunked_set_spread(f, SIZE_MAX);
        for (size_t count = 1; count <= ASKED_MAX; count = 2 * count + 1) {
            uint64_t rows[ASKED_MAX];
            struct round_input *input = chunked_set_input(f, count);
            for (size_t r = 0; r < count; r++) {
                /* The last one, and some more than once. */
                rows[r] = r == 0 ? f->set.rows - 1
                                 : rng_next(&f->random) % f->set.rows;
                rows[r] = r % 7 == 6 ? rows[r - 1] : rows[r];
            }
            if (gather(f, input, rows) != POT_OK) {
                fail_msg("%zu: %s", i, outcome.why);
            }
            assert_rows(f, rows, count);
            drop_outcome();
            round_input_unref(input);
        }
    }
}

static void a_chunk_that_nobody_has_is_named(void **state)
{
    struct chunked_set *f = *state;
    chunked_set_make(f, &forms[0]);
    chunked_set_spread(f, 2);
    struct round_input *input = chunked_set_input(f, 1);
    /* A row of another chunk does not need it. */
    assert_int_equal(gather(f, input, &(uint64_t){10}), POT_OK);
    drop_outcome();
    uint64_t row = (2 * DATASET_CHUNK_BYTES + 5000) / 1001;
    assert_int_equal(gather(f, input, &row), POT_ENOENT);
    assert_non_null(strstr(outcome.why, "chunk 2 of data set "));
    assert_non_null(strstr(outcome.why, "cannot be had from any peer"));
    chunked_set_put(f, 2, false);
    assert_int_equal(gather(f, input, &row), POT_OK);
    assert_rows(f, &row, 1);
    drop_outcome();
    round_input_unref(input);
}

static void more_than_the_cache_holds_is_refused(void **state)
{
    struct chunked_set *f = *state;
    size_t count = (8 << 20) / 1003 + 1;
    chunked_set_make(f, &forms[0]);
    chunked_set_spread(f, SIZE_MAX);
    uint64_t *rows = pot_calloc(count, sizeof(*rows));
    struct round_input *input = chunked_set_input(f, count);
    assert_int_equal(gather(f, input, rows), POT_ELIMIT);
    assert_non_null(strstr(outcome.why, "data.cache_mb = 8: raise it"));
    free(rows);
    round_input_unref(input);
}

static void what_is_forgotten_tells_nobody(void **state)
{
    struct chunked_set *f = *state;
    chunked_set_make(f, &forms[0]);
    chunked_set_spread(f, 2);
    struct round_input *input = chunked_set_input(f, 1);
    row_gather_forget(begin(f, input, &(uint64_t){10}));
    assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(outcome.calls, 0);
    assert_int_equal(input->holders, 1);
    round_input_unref(input);
}

/* Sizes that do not fit the rows: what a publication cannot say, unless the
 * state is another's. */
static void a_header_that_does_not_fit_is_refused(void **state)
{
    struct chunked_set *f = *state;
    chunked_set_make(f, &forms[0]);
    f->bytes[8] ^= 1; /* rows */
    chunked_set_spread(f, SIZE_MAX);
    struct round_input *input = chunked_set_input(f, 1);
    assert_int_equal(gather(f, input, &(uint64_t){10}), POT_EFORMAT);
    round_input_unref(input);
}

#define WITH(test)                                                             \
    cmocka_unit_test_setup_teardown(test, chunked_set_up, chunked_set_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(rows_are_those_of_the_whole),
        WITH(a_chunk_that_nobody_has_is_named),
        WITH(more_than_the_cache_holds_is_refused),
        WITH(what_is_forgotten_tells_nobody),
        WITH(a_header_that_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
