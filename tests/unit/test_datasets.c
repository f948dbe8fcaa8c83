/* The book of data sets: nobody has to be believed for what is in it. */
#include "config.h"

#include "node/hold/datasets.h"

#include "base/check.h"
#include "proto/codec.h"
#include "tests/unit/chain_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define THREADS  4
#define DATASETS 300

static int open_chain(void **state)
{
    static struct chain_fixture fixture;
    chain_fixture_open(&fixture);
    *state = &fixture;
    return 0;
}

static int close_chain(void **state)
{
    chain_fixture_close(*state);
    return 0;
}

static void who_announces_first_is_not_believed(void **state)
{
    const struct chain_fixture *f = *state;
    struct datasets_book *book = f->holdings.datasets;
    Pot__PublishDataset right;
    struct hash address;
    chain_fixture_describe(&right);
    Pot__PublishDataset wrong = right;
    wrong.rows++;
    wrong.features = 1;
    wrong.classes = 0;
    wrong.size_bytes += 5;
    assert_int_equal(datasets_announce(book, &wrong, false), POT_OK);
    assert_int_equal(datasets_check(book, &right), POT_ENOENT);
    chain_fixture_load(f);
    assert_int_equal(datasets_check(book, &right), POT_OK);
    assert_int_equal(datasets_check(book, &wrong), POT_EFORMAT);
    assert_true(codec_hash(&address, right.dataset));
    assert_int_equal(datasets_find(book, &address)->rows, right.rows);
}

static void only_the_bytes_of_a_chunk_are_taken_for_it(void **state)
{
    const struct chain_fixture *f = *state;
    struct datasets_book *book = f->holdings.datasets;
    const struct hash unknown = {{1}};
    Pot__PublishDataset description;
    struct hash address;
    chain_fixture_describe(&description);
    assert_true(codec_hash(&address, description.dataset));
    assert_int_equal(datasets_announce(book, &description, false), POT_OK);
    assert_int_equal(datasets_put_chunk(book, &unknown, 0, "x", 1), POT_ENOENT);
    assert_int_equal(datasets_put_chunk(book, &address, 1, "x", 1), POT_ERANGE);
    assert_int_equal(datasets_put_chunk(book, &address, 0, "x", 1),
                     POT_EFORMAT);
    assert_int_equal(datasets_put_chunk(book, &address, 0, NULL, 0),
                     POT_EFORMAT);
    assert_int_equal(datasets_load(book, &address), POT_ENOENT);
}

/* A data set of one chunk that nobody has. */
static struct hash address_of(unsigned i, struct hash *chunk)
{
    struct hash address;
    *chunk = (struct hash){{(uint8_t)i, (uint8_t)(i >> 8)}};
    dataset_address(&address, chunk, 1);
    return address;
}

static enum pot_err announce(struct datasets_book *book, unsigned i,
                             bool is_needed)
{
    struct hash chunk;
    struct hash address = address_of(i, &chunk);
    ProtobufCBinaryData chunks[] = {codec_bytes(chunk.b, HASH_SIZE)};
    Pot__PublishDataset description = POT__PUBLISH_DATASET__INIT;
    description.dataset = codec_bytes(address.b, HASH_SIZE);
    description.size_bytes = 1;
    description.n_chunks = 1;
    description.chunks = chunks;
    return datasets_announce(book, &description, is_needed);
}

static bool is_awaited(struct datasets_book *book, unsigned i)
{
    struct hash chunk;
    struct hash missing;
    uint32_t index;
    size_t cursor = 0;
    struct hash address = address_of(i, &chunk);
    return datasets_next_missing(book, &address, &cursor, &index, &missing);
}

/* Whoever announces much and brings nothing keeps out neither others nor what
 * a block needs. */
static void idle_announcements_are_forgotten(void **state)
{
    const struct chain_fixture *f = *state;
    struct datasets_book *book = f->holdings.datasets;
    Pot__PublishDataset loaded;
    struct hash address;
    chain_fixture_describe(&loaded);
    chain_fixture_load(f);
    assert_int_equal(announce(book, 0, false), POT_OK);
    assert_int_equal(announce(book, 1, true), POT_OK);
    assert_int_equal(announce(book, 2, false), POT_OK);
    assert_int_equal(announce(book, 2, true), POT_OK); /* now it is, too */
    for (unsigned i = 3; i < 5000; i++) {
        assert_int_equal(announce(book, i, false), POT_OK);
    }
    assert_false(is_awaited(book, 0));
    assert_true(is_awaited(book, 1));
    assert_true(is_awaited(book, 2));
    assert_false(is_awaited(book, 3));
    assert_true(is_awaited(book, 4999));
    assert_true(codec_hash(&address, loaded.dataset));
    assert_non_null(datasets_find(book, &address));
    for (unsigned i = 5000; i < 7000; i++) {
        assert_int_equal(announce(book, i, true), POT_OK);
    }
    assert_false(is_awaited(book, 1));
    assert_true(is_awaited(book, 6999));
}

struct race {
    struct datasets_book *book;
    uv_barrier_t barrier;
};

static void announce_all(void *context)
{
    struct race *race = context;
    for (unsigned i = 0; i < DATASETS; i++) {
        (void)uv_barrier_wait(&race->barrier);
        enum pot_err err = announce(race->book, i, false);
        POT_ASSERT(err == POT_OK);
    }
}

/* With sanitizers: and each is in the book once. */
static void threads_may_announce_the_same_at_once(void **state)
{
    const struct chain_fixture *f = *state;
    struct race race = {.book = f->holdings.datasets};
    uv_thread_t threads[THREADS];
    assert_int_equal(uv_barrier_init(&race.barrier, THREADS), 0);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(uv_thread_create(&threads[i], announce_all, &race), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(uv_thread_join(&threads[i]), 0);
    }
    uv_barrier_destroy(&race.barrier);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, open_chain, close_chain)
        TEST(who_announces_first_is_not_believed),
        TEST(only_the_bytes_of_a_chunk_are_taken_for_it),
        TEST(idle_announcements_are_forgotten),
        TEST(threads_may_announce_the_same_at_once),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
