/* Headers ahead of the tip: the right ones are stored, and the first wrong one
 * ends it, whatever is wrong with it. */
#include "config.h"

#include "node/block/headers.h"

#include "base/alloc.h"
#include "node/hold/stored.h"
#include "p2p/message.h"
#include "p2p/net.h"
#include "proto/block.h"
#include "proto/codec.h"
#include "storage/store.h"
#include "storage/store_install.h"
#include "tests/unit/chain_fixture.h"
#include "tests/unit/fetch_node.h"

#include <stdlib.h>
#include <string.h>

#define BLOCKS 70 /* more than a batch */

struct scene {
    struct world w;
    struct chain_fixture source;
    struct chain_fixture other; /* at the genesis */
    struct blob_fetch *fetches[2];
    struct headers *headers;
    uint64_t height; /* as done said last */
    uint64_t awaited;
    unsigned refused;
    enum pot_err err;
};

static struct scene *scene; /* of the running test */

static bool read_blob(void *context, const struct hash *hash, uint64_t offset,
                      size_t size, struct buf *out, uint64_t *total)
{
    const struct chain_fixture *f = context;
    return holdings_read_blob(&f->holdings, hash, offset, size, out, total);
}

static void on_done(void *context, uint64_t height, enum pot_err err)
{
    struct scene *s = context;
    s->height = height;
    s->err = err;
    s->refused += err != POT_OK;
}

static void open_node(unsigned index, struct chain_fixture *f)
{
    const struct blob_fetch_config config = {.context = f, .read = read_blob};
    scene->fetches[index] = fetch_node_open(&scene->w, index, config);
}

static int set_up(void **state)
{
    (void)state;
    scene = pot_calloc(1, sizeof(*scene));
    chain_fixture_open(&scene->source);
    chain_fixture_open(&scene->other);
    for (unsigned i = 0; i < BLOCKS; i++) {
        struct shared_block *block =
            chain_fixture_propose(&scene->source, NULL);
        assert_int_equal(chain_fixture_apply(&scene->source, block), POT_OK);
    }
    world_init(&scene->w);
    open_node(0, &scene->source);
    open_node(1, &scene->other);
    const struct headers_config config = {
        .loop = &scene->w.loop,
        .holdings = &scene->other.holdings,
        .fetch = scene->fetches[1],
        .genesis_time_ms = scene->other.genesis.time_ms,
        .context = scene,
        .done = on_done,
    };
    scene->headers = headers_new(&config);
    assert_int_equal(headers_begin(scene->headers), POT_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    headers_stop(scene->headers);
    world_fini(&scene->w);
    headers_free(scene->headers);
    blob_fetch_free(scene->fetches[0]);
    blob_fetch_free(scene->fetches[1]);
    chain_fixture_close(&scene->source);
    chain_fixture_close(&scene->other);
    free(scene);
    return 0;
}

/* What may be wrong with a header on its way. */
enum wrong { NOTHING, HEADER, CERTIFICATE, OTHER_HEIGHT, NO_MESSAGE };

static void give(uint64_t height, enum wrong wrong)
{
    struct buf header;
    struct buf certificate;
    struct store *store = scene->source.holdings.store;
    uint64_t of = wrong == OTHER_HEIGHT ? height - 1 : height;
    buf_init(&header, 4096);
    buf_init(&certificate, 4096);
    assert_int_equal(stored_header_bytes(&header, store, of), POT_OK);
    assert_int_equal(store_get_certificate(store, of, &certificate), POT_OK);
    if (wrong == HEADER) { /* its last byte is the state root's */
        header.data[header.size - 1] ^= 1;
    } else if (wrong == CERTIFICATE) { /* and this one a signature's */
        certificate.data[certificate.size - 1] ^= 1;
    } else if (wrong == NO_MESSAGE) {
        buf_clear(&certificate);
        buf_append(&certificate, "\xff", 1);
    }
    headers_take(scene->headers, height, header.data, header.size,
                 certificate.data, certificate.size);
    buf_fini(&header);
    buf_fini(&certificate);
}

static bool is_there(void *context)
{
    (void)context;
    return headers_height(scene->headers) >= scene->awaited;
}

static bool is_refused(void *context)
{
    (void)context;
    return scene->refused > 0;
}

static void await_height(uint64_t height)
{
    scene->awaited = height;
    world_run(&scene->w, is_there, NULL);
}

static void they_are_stored_with_the_sets_that_they_name(void **state)
{
    struct store_report report;
    struct hash hash;
    struct hash named;
    Pot__BlockHeader *header;
    struct store *store = scene->other.holdings.store;
    (void)state;
    for (uint64_t h = 1; h <= BLOCKS; h++) {
        give(h, NOTHING);
    }
    await_height(BLOCKS);
    assert_int_equal(scene->height, BLOCKS);
    assert_int_equal(scene->refused, 0);
    assert_int_equal(store_last_header(store), BLOCKS);
    assert_int_equal(stored_header(&header, &hash, store, BLOCKS), POT_OK);
    assert_true(hash_equal(&hash, &chain_tip(scene->source.chain)->hash));
    assert_true(codec_hash(&named, header->validators_hash));
    assert_true(store_blob_has(store, &named, NULL));
    codec_free(header);
    assert_int_equal(store_verify(store, &report, NULL, NULL), POT_OK);
    /* And the next life goes on there. */
    assert_int_equal(headers_begin(scene->headers), POT_OK);
    assert_int_equal(headers_height(scene->headers), BLOCKS);
}

static void expect_refused(enum wrong wrong)
{
    for (uint64_t h = 1; h <= 20; h++) {
        give(h, h == 7 ? wrong : NOTHING);
    }
    world_run(&scene->w, is_refused, NULL);
    assert_int_equal(scene->err, POT_EFORMAT);
    assert_int_equal(scene->height, 7);
    assert_int_equal(headers_height(scene->headers), 6);
    assert_int_equal(store_last_header(scene->other.holdings.store), 6);
    scene->refused = 0;
    for (uint64_t h = 7; h <= 20; h++) { /* from somebody else */
        give(h, NOTHING);
    }
    await_height(20);
    assert_int_equal(scene->refused, 0);
}

static void a_changed_header_is_refused(void **state)
{
    (void)state;
    expect_refused(HEADER);
}

static void a_forged_certificate_is_refused(void **state)
{
    (void)state;
    expect_refused(CERTIFICATE);
}

static void a_header_of_another_height_is_refused(void **state)
{
    (void)state;
    expect_refused(OTHER_HEIGHT);
}

static void what_is_no_certificate_is_refused(void **state)
{
    (void)state;
    expect_refused(NO_MESSAGE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(they_are_stored_with_the_sets_that_they_name),
        TEST(a_changed_header_is_refused),
        TEST(a_forged_certificate_is_refused),
        TEST(a_header_of_another_height_is_refused),
        TEST(what_is_no_certificate_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
