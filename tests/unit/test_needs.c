/* Blobs that several wait for, between two nodes over real connections. */
#include "config.h"

#include "node/block/needs.h"

#include "node/hold/holdings.h"
#include "proto/blob.h"
#include "proto/dataset.h"
#include "tests/unit/chain_fixture.h"
#include "tests/unit/fetch_node.h"

#include <string.h>

#define SIZE 1000

static struct {
    struct world w;
    struct chain_fixture chain; /* node 0's */
    struct blob_fetch *fetches[2];
    struct needs *needs;
    uint8_t blob[SIZE]; /* node 1 has it */
    struct hash hash;
    unsigned asked;
    unsigned told;
    unsigned held;
} t;

static bool read_blob(void *context, const struct hash *hash, uint64_t offset,
                      size_t size, struct buf *out, uint64_t *total)
{
    (void)context;
    if (!hash_equal(hash, &t.hash)) {
        return false;
    }
    assert_true(offset == 0 && size >= SIZE);
    buf_append(out, t.blob, SIZE);
    *total = SIZE;
    t.asked++;
    return true;
}

static void node_up(unsigned index)
{
    const struct blob_fetch_config config = {
        .retry_ms = 3600000, /* the first pauses are short */
        .read = index == 1 ? read_blob : NULL,
    };
    t.fetches[index] = fetch_node_open(&t.w, index, config);
}

static bool is_followed(void *context)
{
    (void)context;
    return t.w.nodes[0].received[MESSAGE_STATUS] > 0;
}

static int set_up(void **state)
{
    (void)state;
    memset(&t, 0, sizeof(t));
    world_init(&t.w);
    chain_fixture_open(&t.chain);
    blob_hash(&t.hash, t.blob, SIZE);
    node_up(0);
    node_up(1);
    world_run(&t.w, is_followed, NULL);
    const struct needs_config config = {
        .loop = &t.chain.loop,
        .fetch = t.fetches[0],
        .holdings = &t.chain.holdings,
    };
    t.needs = needs_new(&config);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    needs_stop(t.needs);
    for (unsigned i = 0; i < 2; i++) {
        node_close(&t.w.nodes[i]);
        blob_fetch_free(t.fetches[i]);
    }
    needs_free(t.needs);
    chain_fixture_close(&t.chain);
    world_fini(&t.w);
    return 0;
}

static void on_done(void *context, bool is_held)
{
    (void)context;
    t.told++;
    t.held += is_held ? 1 : 0;
}

static void want(size_t size)
{
    needs_blob(t.needs, &t.hash, size, 0, on_done, NULL);
}

static bool are_both_told(void *context)
{
    (void)context;
    return t.told == 2;
}

static bool was_asked(void *context)
{
    (void)context;
    return t.asked > 0;
}

/* Of two submissions that name one payload the first may lie about its size. */
static void a_wrong_size_does_not_keep_a_blob_from_others(void **state)
{
    (void)state;
    want(SIZE / 10);
    world_run(&t.w, was_asked, NULL);
    world_turn(&t.w, 50);
    assert_int_equal(t.told, 0);
    want(SIZE);
    world_run(&t.w, are_both_told, NULL);
    assert_int_equal(t.held, 2);
    size_t size;
    assert_true(holdings_has_blob(&t.chain.holdings, &t.hash, &size));
    assert_int_equal(size, SIZE);
}

static void what_is_waited_for_twice_is_fetched_once(void **state)
{
    (void)state;
    want(SIZE);
    want(SIZE / 10);
    world_run(&t.w, are_both_told, NULL);
    assert_int_equal(t.held, 2);
    assert_int_equal(t.asked, 1);
}

static bool is_told(void *context)
{
    (void)context;
    return t.told == 1;
}

/* A submission may name a chunk of a data set as its payload. */
static void what_is_no_blob_is_fetched_once(void **state)
{
    (void)state;
    dataset_chunk_hash(&t.hash, t.blob, SIZE);
    assert_false(needs_is_strange(t.needs, &t.hash));
    want(SIZE);
    world_run(&t.w, is_told, NULL);
    assert_true(needs_is_strange(t.needs, &t.hash));
    want(SIZE); /* told at once */
    assert_int_equal(t.told, 2);
    assert_int_equal(t.held, 0);
    assert_int_equal(t.asked, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_wrong_size_does_not_keep_a_blob_from_others),
        TEST(what_is_waited_for_twice_is_fetched_once),
        TEST(what_is_no_blob_is_fetched_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
