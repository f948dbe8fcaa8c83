/* Rows that are put together of chunks: the same rows as those of the whole,
 * whatever they are and wherever a chunk ends; or a reason why not. */
#include "config.h"

#include "node/round/row_gather.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "node/block/needs.h"
#include "node/hold/chunk_cache.h"
#include "node/hold/holdings.h"
#include "node/round/round_input.h"
#include "proto/codec.h"
#include "proto/dataset.h"
#include "storage/store.h"
#include "tests/rng.h"
#include "tests/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ROWS_MAX  6000
#define ASKED_MAX 64
#define CHUNKS    5

/* Features and labels of both kinds; rows that no chunk's end is a row's. */
static const struct form {
    uint64_t rows;
    uint32_t features;
    uint32_t classes;
    enum dataset_type type;
} forms[] = {
    {4000, 1001, 3, DATASET_U8},
    {1000, 1001, 0, DATASET_Q24},
    {6000, 173, 2, DATASET_Q24},
    {40, 65536, 2, DATASET_U8},
};

struct outcome {
    unsigned calls;
    enum pot_err err;
    char *path;
    char why[256];
};

struct fixture {
    char *folder;
    uv_loop_t loop;
    struct holdings holdings;
    struct needs *needs; /* gets nothing from anybody */
    uint64_t random;
    struct hash address;
    struct hash chunks[CHUNKS];
    uint8_t *bytes;
    size_t size;
    struct dataset set;
    struct outcome outcome;
};

static int set_up(void **state)
{
    char why[256];
    struct fixture *f = pot_calloc(1, sizeof(*f));
    f->folder = scratch_folder();
    f->random = 1;
    char *store = file_join(f->folder, "store");
    assert_int_equal(uv_loop_init(&f->loop), 0);
    assert_int_equal(store_open(&f->holdings.store, store, (size_t)16 << 20,
                                why, sizeof(why)),
                     POT_OK);
    assert_int_equal(chunk_cache_open(&f->holdings.chunks, f->folder, 8 << 20),
                     POT_OK);
    const struct needs_config needs = {
        .loop = &f->loop, .holdings = &f->holdings, .timeout_ms = 1};
    f->needs = needs_new(&needs);
    needs_stop(f->needs);
    free(store);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    needs_free(f->needs);
    chunk_cache_close(f->holdings.chunks);
    store_close(f->holdings.store);
    const char *folders[] = {"store", "chunks"};
    for (size_t i = 0; i < 2; i++) {
        char *path = file_join(f->folder, folders[i]);
        assert_int_equal(file_remove_folder(path), POT_OK);
        free(path);
    }
    scratch_remove(f->folder);
    free(f->bytes);
    free(f);
    return 0;
}

static void make_set(struct fixture *f, const struct form *form)
{
    static const char *const names[] = {"one", "two", "three"};
    size_t head;
    size_t width = form->type == DATASET_U8 ? 1 : 4;
    uint8_t *header =
        dataset_header(&head, form->rows, form->features, form->classes,
                       form->type, form->type == DATASET_U8 ? 255 : 1, names);
    size_t features = form->rows * form->features * width;
    f->size = head + features + form->rows * (form->classes > 0 ? 2 : 4);
    free(f->bytes);
    f->bytes = pot_calloc(1, f->size);
    memcpy(f->bytes, header, head);
    free(header);
    for (size_t i = 0; i < features; i++) {
        f->bytes[head + i] = (uint8_t)(rng_next(&f->random) >> 24);
    }
    for (uint64_t row = 0; row < form->rows; row++) {
        size_t at = head + features + row * (form->classes > 0 ? 2 : 4);
        f->bytes[at] =
            (uint8_t)(row % (form->classes > 0 ? form->classes : 251));
    }
    assert_int_equal(dataset_view(&f->set, f->bytes, f->size), POT_OK);
    assert_true(dataset_chunk_count(f->size) <= CHUNKS);
}

static void put_chunk(struct fixture *f, size_t i, bool is_stored)
{
    const uint8_t *at = f->bytes + i * DATASET_CHUNK_BYTES;
    size_t size = dataset_chunk_size(f->size, i);
    assert_int_equal(
        is_stored
            ? store_blob_put(f->holdings.store, &f->chunks[i], at, size)
            : chunk_cache_put(f->holdings.chunks, &f->chunks[i], at, size),
        POT_OK);
}

/* Each in the cache, in the store, or, if it is the lacking one, nowhere. */
static void spread(struct fixture *f, size_t lacking)
{
    for (size_t i = 0; i < dataset_chunk_count(f->size); i++) {
        dataset_chunk_hash(&f->chunks[i], f->bytes + i * DATASET_CHUNK_BYTES,
                           dataset_chunk_size(f->size, i));
        if (i != lacking) {
            put_chunk(f, i, i % 3 == 1);
        }
    }
}

static Pot__DatasetRecord *publish(struct fixture *f)
{
    Pot__DatasetRecord *record = pot_alloc(sizeof(*record));
    Pot__PublishDataset *set = pot_alloc(sizeof(*set));
    size_t count = (size_t)dataset_chunk_count(f->size);
    pot__dataset_record__init(record);
    pot__publish_dataset__init(set);
    dataset_address(&f->address, f->chunks, count);
    set->dataset = codec_copy_bytes(f->address.b, HASH_SIZE);
    set->size_bytes = f->size;
    set->rows = f->set.rows;
    set->features = f->set.features;
    set->classes = f->set.classes;
    set->n_chunks = count;
    set->chunks = pot_calloc(count, sizeof(*set->chunks));
    for (size_t i = 0; i < count; i++) {
        set->chunks[i] = codec_copy_bytes(f->chunks[i].b, HASH_SIZE);
    }
    record->dataset = set;
    return record;
}

static struct round_input *make_input(struct fixture *f, size_t count)
{
    struct round_input *input = pot_calloc(1, sizeof(*input));
    input->holders = 1;
    input->row_count = count;
    input->published = publish(f);
    return input;
}

static void on_done(void *context, enum pot_err err, char *path,
                    const char *why)
{
    struct outcome *outcome = context;
    outcome->calls++;
    outcome->err = err;
    outcome->path = path;
    (void)snprintf(outcome->why, sizeof(outcome->why), "%s", why);
}

static struct row_gather *begin(struct fixture *f, struct round_input *input,
                                const uint64_t *rows)
{
    const struct row_gather_config config = {&f->loop, &f->holdings, f->needs};
    f->outcome = (struct outcome){0};
    return row_gather_start(&config, input,
                            pot_memdup(rows, input->row_count * sizeof(*rows)),
                            on_done, &f->outcome);
}

static enum pot_err gather(struct fixture *f, struct round_input *input,
                           const uint64_t *rows)
{
    (void)begin(f, input, rows);
    assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(f->outcome.calls, 1);
    assert_int_equal(input->holders, 1);
    assert_int_equal(f->outcome.path != NULL, f->outcome.err == POT_OK);
    return f->outcome.err;
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

static void assert_rows(const struct fixture *f, const uint64_t *rows,
                        size_t count)
{
    char *bytes;
    size_t size;
    struct dataset made;
    assert_int_equal(
        file_read(&bytes, &size, f->outcome.path, (size_t)64 << 20), POT_OK);
    assert_int_equal(dataset_view(&made, bytes, size), POT_OK);
    assert_int_equal(made.rows, count);
    assert_int_equal(made.classes, f->set.classes);
    assert_int_equal(made.divisor, f->set.divisor);
    for (size_t i = 0; i < count; i++) {
        assert_same_row(&made, i, &f->set, rows[i]);
    }
    free(bytes);
}

static void drop_outcome(struct fixture *f)
{
    assert_int_equal(unlink(f->outcome.path), 0);
    free(f->outcome.path);
}

static void rows_are_those_of_the_whole(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        make_set(f, &forms[i]);
        spread(f, SIZE_MAX);
        for (size_t count = 1; count <= ASKED_MAX; count = 2 * count + 1) {
            uint64_t rows[ASKED_MAX];
            struct round_input *input = make_input(f, count);
            for (size_t r = 0; r < count; r++) {
                /* The last one, and some more than once. */
                rows[r] = r == 0 ? f->set.rows - 1
                                 : rng_next(&f->random) % f->set.rows;
                rows[r] = r % 7 == 6 ? rows[r - 1] : rows[r];
            }
            if (gather(f, input, rows) != POT_OK) {
                fail_msg("%zu: %s", i, f->outcome.why);
            }
            assert_rows(f, rows, count);
            drop_outcome(f);
            round_input_unref(input);
        }
    }
}

static void a_chunk_that_nobody_has_is_named(void **state)
{
    struct fixture *f = *state;
    make_set(f, &forms[0]);
    spread(f, 2);
    struct round_input *input = make_input(f, 1);
    /* A row of another chunk does not need it. */
    assert_int_equal(gather(f, input, &(uint64_t){10}), POT_OK);
    drop_outcome(f);
    uint64_t row = (2 * DATASET_CHUNK_BYTES + 5000) / 1001;
    assert_int_equal(gather(f, input, &row), POT_ENOENT);
    assert_non_null(strstr(f->outcome.why, "chunk 2 of data set "));
    assert_non_null(strstr(f->outcome.why, "cannot be had from any peer"));
    put_chunk(f, 2, false);
    assert_int_equal(gather(f, input, &row), POT_OK);
    assert_rows(f, &row, 1);
    drop_outcome(f);
    round_input_unref(input);
}

static void more_than_the_cache_holds_is_refused(void **state)
{
    struct fixture *f = *state;
    size_t count = (8 << 20) / 1003 + 1;
    make_set(f, &forms[0]);
    spread(f, SIZE_MAX);
    uint64_t *rows = pot_calloc(count, sizeof(*rows));
    struct round_input *input = make_input(f, count);
    assert_int_equal(gather(f, input, rows), POT_ELIMIT);
    assert_non_null(strstr(f->outcome.why, "data.cache_mb = 8: raise it"));
    free(rows);
    round_input_unref(input);
}

static void what_is_forgotten_tells_nobody(void **state)
{
    struct fixture *f = *state;
    make_set(f, &forms[0]);
    spread(f, 2);
    struct round_input *input = make_input(f, 1);
    row_gather_forget(begin(f, input, &(uint64_t){10}));
    assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(f->outcome.calls, 0);
    assert_int_equal(input->holders, 1);
    round_input_unref(input);
}

/* Sizes that do not fit the rows: what a publication cannot say, unless the
 * state is another's. */
static void a_header_that_does_not_fit_is_refused(void **state)
{
    struct fixture *f = *state;
    make_set(f, &forms[0]);
    f->bytes[8] ^= 1; /* rows */
    spread(f, SIZE_MAX);
    struct round_input *input = make_input(f, 1);
    assert_int_equal(gather(f, input, &(uint64_t){10}), POT_EFORMAT);
    round_input_unref(input);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

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
