#include "config.h"

#include "p2p/blob_fetch.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "proto/codec.h"
#include "proto/dataset.h"
#include "proto/wire.pb-c.h"
#include "tests/unit/p2p_nodes.h"

#include <stdlib.h>
#include <string.h>

/* What a node does with requests. */
enum manner {
    HONEST,
    EMPTY,      /* holds nothing */
    SILENT,     /* never answers */
    LYING,      /* right sizes, wrong bytes */
    LYING_LATE, /* only the second half is wrong */
    BOASTING,   /* claims more than anybody wants */
    BABBLING,   /* answers with bytes that are no message */
    LIGHT,      /* honest, but does not follow the chain */
};

struct holder {
    struct blob_fetch *fetch;
    enum manner manner;
    size_t served;
};

struct scene {
    struct world w;
    struct holder holders[NODES_MAX];
    unsigned count;
    uint8_t *blob;
    size_t size;
    struct hash hash;
    bool is_done;
    enum pot_err err;
    struct buf got;
    unsigned verified;
};

static struct scene *scene; /* of the running test */

static bool read_blob(void *context, const struct hash *hash, uint64_t offset,
                      size_t size, struct buf *out, uint64_t *total)
{
    struct holder *holder = context;
    if (holder->manner == EMPTY || !hash_equal(hash, &scene->hash) ||
        offset >= scene->size) {
        return false;
    }
    size_t left = scene->size - (size_t)offset;
    buf_append(out, scene->blob + offset, left < size ? left : size);
    *total = scene->size;
    bool is_wrong = holder->manner == LYING ||
                    (holder->manner == LYING_LATE && offset >= scene->size / 2);
    if (is_wrong) {
        out->data[0] ^= 1;
    }
    if (holder->manner == BOASTING) {
        *total = UINT64_MAX;
    }
    holder->served++;
    return true;
}

static void on_peer(struct node *node, struct peer *peer, bool is_up)
{
    struct holder *holder = node->user;
    if (is_up && holder->manner != LIGHT) {
        (void)net_send(node->net, peer, MESSAGE_STATUS, "", 0);
    }
    blob_fetch_on_peer(holder->fetch, peer, is_up);
}

static void on_message(struct node *node, struct peer *peer, uint8_t type,
                       const uint8_t *data, size_t size)
{
    struct holder *holder = node->user;
    if (type == MESSAGE_STATUS ||
        (holder->manner == SILENT && type == MESSAGE_GET_BLOB)) {
        return;
    }
    if (holder->manner == BABBLING && type == MESSAGE_GET_BLOB) {
        (void)net_send(node->net, peer, MESSAGE_BLOB_PIECE, "\xff\xff", 2);
        return;
    }
    blob_fetch_on_message(holder->fetch, peer, type, data, size);
}

static void on_tick(struct node *node, uint64_t now_ms)
{
    struct holder *holder = node->user;
    blob_fetch_tick(holder->fetch, now_ms);
}

static void node_up(unsigned index, enum manner manner)
{
    struct world *w = &scene->w;
    struct node *node = &w->nodes[index];
    struct holder *holder = &scene->holders[index];
    node->user = holder;
    node->on_peer = on_peer;
    node->on_message = on_message;
    node->on_tick = on_tick;
    holder->manner = manner;
    if (index == 0) {
        node_open(w, 0, NULL);
    } else {
        node_open(w, index, &w->nodes[0], NULL);
    }
    struct blob_fetch_config config = {
        .net = node->net,
        .piece_timeout_ms = 1000,
        .retry_ms = 3600000, /* the first pauses are short */
        .context = holder,
        .read = read_blob,
    };
    holder->fetch = blob_fetch_new(&config);
}

/* Node 0 fetches; the others are peers of the manners given. */
static void scene_init(size_t size, unsigned count, const enum manner *manners)
{
    scene = pot_calloc(1, sizeof(*scene));
    world_init(&scene->w);
    scene->size = size;
    scene->blob = pot_alloc(size);
    for (size_t i = 0; i < size; i++) {
        scene->blob[i] = (uint8_t)(i ^ (i >> 8) ^ (i >> 16));
    }
    hash_bytes(&scene->hash, "blob", scene->blob, size);
    scene->count = count;
    buf_init(&scene->got, size);
    node_up(0, EMPTY);
    for (unsigned i = 0; i < count; i++) {
        node_up(i + 1, manners[i]);
    }
    for (unsigned i = 0; i < count; i++) {
        while (net_peer_count(scene->w.nodes[0].net) < count ||
               (manners[i] != LIGHT &&
                scene->w.nodes[0].received[MESSAGE_STATUS] == 0)) {
            world_turn(&scene->w, 1);
        }
    }
}

static void scene_fini(void)
{
    for (unsigned i = 0; i <= scene->count; i++) {
        if (scene->w.nodes[i].net != NULL) {
            node_close(&scene->w.nodes[i]);
        }
        blob_fetch_free(scene->holders[i].fetch);
    }
    world_fini(&scene->w);
    buf_fini(&scene->got);
    free(scene->blob);
    free(scene);
}

static void on_done(void *context, const struct hash *hash, enum pot_err err,
                    const uint8_t *data, size_t size)
{
    (void)context;
    assert_false(scene->is_done);
    assert_true(hash_equal(hash, &scene->hash));
    scene->is_done = true;
    scene->err = err;
    buf_append(&scene->got, data, size);
}

static struct blob_request request_make(void)
{
    struct blob_request request = {
        .hash = scene->hash, .size_max = scene->size, .done = on_done};
    return request;
}

static void start(const struct blob_request *request)
{
    assert_int_equal(blob_fetch_start(scene->holders[0].fetch, request),
                     POT_OK);
}

static bool is_done(void *context)
{
    (void)context;
    return scene->is_done;
}

/* What is over is not under way: it can be started again. */
static void expect_over(void)
{
    struct blob_request request = request_make();
    start(&request);
}

static void expect_blob(void)
{
    world_run(&scene->w, is_done, NULL);
    assert_int_equal(scene->err, POT_OK);
    assert_int_equal(scene->got.size, scene->size);
    assert_memory_equal(scene->got.data, scene->blob, scene->size);
    expect_over();
}

static void expect_fetched(size_t size, unsigned count,
                           const enum manner *manners)
{
    scene_init(size, count, manners);
    struct blob_request request = request_make();
    start(&request);
    expect_blob();
    scene_fini();
}

static void blobs_of_every_size_arrive(void **state)
{
    static const size_t sizes[] = {
        1,
        BLOB_PIECE_BYTES - 1,
        BLOB_PIECE_BYTES,
        BLOB_PIECE_BYTES + 1,
        20 * BLOB_PIECE_BYTES + 5,
    };
    static const enum manner honest[] = {HONEST};
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        expect_fetched(sizes[i], 1, honest);
    }
}

static void one_lies_one_is_silent_and_one_is_honest(void **state)
{
    static const enum manner manners[] = {LYING, SILENT, HONEST};
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        expect_fetched(3 * BLOB_PIECE_BYTES, 3, manners);
    }
}

static void every_bad_manner_is_survived(void **state)
{
    static const enum manner bad[] = {EMPTY,    SILENT,   LYING,
                                      BOASTING, BABBLING, LYING_LATE};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        enum manner manners[] = {bad[i], HONEST};
        scene_init(4 * BLOB_PIECE_BYTES, 2, manners);
        struct blob_request request = request_make();
        struct peer *first = node_peer(&scene->w.nodes[0], &scene->w.nodes[1]);
        request.first_peer_id = peer_id(first);
        start(&request);
        expect_blob();
        struct net_stats stats;
        net_stats(scene->w.nodes[0].net, &stats);
        bool is_proven =
            bad[i] == LYING || bad[i] == LYING_LATE || bad[i] == BABBLING;
        assert_int_equal(stats.bans, is_proven ? 1 : 0);
        scene_fini();
    }
}

static bool is_half(void *context)
{
    (void)context;
    return scene->holders[1].served >= 20;
}

/* From node 1, the first to be asked. */
static void fetch_half(void)
{
    struct blob_request request = request_make();
    request.first_peer_id =
        peer_id(node_peer(&scene->w.nodes[0], &scene->w.nodes[1]));
    start(&request);
    world_run(&scene->w, is_half, NULL);
}

static void a_transfer_goes_on_elsewhere_when_its_source_goes(void **state)
{
    static const enum manner manners[] = {HONEST, HONEST};
    (void)state;
    scene_init(60 * BLOB_PIECE_BYTES, 2, manners);
    fetch_half();
    node_close(&scene->w.nodes[1]);
    expect_blob();
    assert_true(scene->holders[2].served <= 60 - 20 + 2 * BLOB_WINDOW);
    scene_fini();
}

/* The first half is a liar's, the second an honest peer's: the whole is wrong
 * and nobody is proven wrong, until the honest one sends it all. */
static void a_mixed_blob_that_is_wrong_is_fetched_from_one(void **state)
{
    static const enum manner manners[] = {LYING, HONEST};
    (void)state;
    scene_init(60 * BLOB_PIECE_BYTES, 2, manners);
    fetch_half();
    scene->holders[1].manner = SILENT;
    expect_blob();
    struct net_stats stats;
    net_stats(scene->w.nodes[0].net, &stats);
    assert_int_equal(stats.bans, 0);
    scene_fini();
}

static void a_blob_that_appears_later_is_found(void **state)
{
    static const enum manner manners[] = {EMPTY};
    (void)state;
    scene_init(100, 1, manners);
    struct blob_request request = request_make();
    start(&request);
    world_turn(&scene->w, 10);
    assert_false(scene->is_done);
    scene->holders[1].manner = HONEST;
    expect_blob();
    scene_fini();
}

/* Somebody named the same blob with a size that is not its own. */
static void a_fetch_takes_the_largest_size_that_was_named(void **state)
{
    static const enum manner manners[] = {HONEST, EMPTY};
    (void)state;
    scene_init(3 * BLOB_PIECE_BYTES, 2, manners);
    struct blob_fetch *fetch = scene->holders[0].fetch;
    struct blob_request request = request_make();
    request.size_max = 100;
    start(&request);
    while (scene->holders[1].served == 0) {
        world_turn(&scene->w, 1);
    }
    world_turn(&scene->w, 50);
    assert_false(scene->is_done);
    blob_fetch_join(fetch, &scene->hash, 99, 0);
    blob_fetch_join(fetch, &scene->hash, scene->size, 0);
    expect_blob();
    request.hash.b[0] ^= 1;
    blob_fetch_join(fetch, &request.hash, scene->size, 0); /* there is none */
    scene_fini();
}

/* Who does not follow the chain is asked for nothing but what it brought. */
static void who_brings_a_blob_later_is_asked_for_it(void **state)
{
    static const enum manner manners[] = {SILENT, LIGHT};
    (void)state;
    scene_init(100, 2, manners);
    struct node *self = &scene->w.nodes[0];
    struct blob_request request = request_make();
    request.first_peer_id = peer_id(node_peer(self, &scene->w.nodes[1]));
    start(&request);
    world_turn(&scene->w, 10);
    blob_fetch_join(scene->holders[0].fetch, &scene->hash, 1,
                    peer_id(node_peer(self, &scene->w.nodes[2])));
    expect_blob();
    scene_fini();
}

static void a_blob_nobody_has_ends_at_its_time(void **state)
{
    static const enum manner manners[] = {EMPTY, SILENT};
    (void)state;
    scene_init(100, 2, manners);
    struct blob_request request = request_make();
    request.timeout_ms = 500;
    start(&request);
    world_run(&scene->w, is_done, NULL);
    assert_int_equal(scene->err, POT_ETIMEOUT);
    expect_over();
    scene_fini();
}

static void a_light_peer_is_asked_for_what_it_brought_alone(void **state)
{
    static const enum manner manners[] = {LIGHT};
    (void)state;
    scene_init(100, 1, manners);
    struct blob_request request = request_make();
    request.timeout_ms = 500;
    start(&request);
    world_run(&scene->w, is_done, NULL);
    assert_int_equal(scene->err, POT_ETIMEOUT);
    assert_int_equal(scene->holders[1].served, 0);
    scene->is_done = false;
    request.first_peer_id = peer_id(net_peer_at(scene->w.nodes[0].net, 0));
    start(&request);
    expect_blob();
    scene_fini();
}

/* What waits for a peer is counted when it is written. */
static bool are_all_asked_for(void *context)
{
    struct net_stats stats;
    (void)context;
    net_stats(scene->w.nodes[0].net, &stats);
    return stats.types[MESSAGE_GET_BLOB].out_count == 100;
}

static void small_blobs_do_not_wait_for_each_other(void **state)
{
    static const enum manner manners[] = {SILENT};
    (void)state;
    scene_init(100, 1, manners);
    struct blob_request request = request_make();
    for (unsigned i = 0; i < 100; i++) {
        request.hash.b[0] = (uint8_t)i;
        start(&request);
    }
    world_run(&scene->w, are_all_asked_for, NULL);
    scene_fini();
}

static bool verify_chunk(const struct hash *hash, const void *data, size_t size)
{
    struct hash found;
    scene->verified++;
    hash_bytes(&found, "other-domain", data, size);
    return hash_equal(&found, hash);
}

static void another_hash_domain_is_checked_by_the_caller(void **state)
{
    static const enum manner manners[] = {LYING, HONEST};
    (void)state;
    scene_init(2 * BLOB_PIECE_BYTES, 2, manners);
    hash_bytes(&scene->hash, "other-domain", scene->blob, scene->size);
    struct blob_request request = request_make();
    request.verify = verify_chunk;
    request.first_peer_id =
        peer_id(node_peer(&scene->w.nodes[0], &scene->w.nodes[1]));
    start(&request);
    expect_blob();
    assert_int_equal(scene->verified, 2);
    scene_fini();
}

/* A submission may name a chunk of a data set for its payload. */
static void who_sends_what_has_the_hash_in_another_way_is_no_liar(void **state)
{
    static const enum manner manners[] = {HONEST};
    struct net_stats stats;
    (void)state;
    scene_init(2 * BLOB_PIECE_BYTES, 1, manners);
    dataset_chunk_hash(&scene->hash, scene->blob, scene->size);
    struct blob_request request = request_make();
    start(&request);
    world_run(&scene->w, is_done, NULL);
    assert_int_equal(scene->err, POT_EFORMAT);
    assert_int_equal(scene->got.size, 0);
    net_stats(scene->w.nodes[0].net, &stats);
    assert_int_equal(stats.bans, 0);
    scene_fini();
}

static void requests_are_limited_and_not_doubled(void **state)
{
    static const enum manner manners[] = {SILENT};
    (void)state;
    scene_init(100, 1, manners);
    struct blob_fetch *fetch = scene->holders[0].fetch;
    struct blob_request request = request_make();
    start(&request);
    assert_int_equal(blob_fetch_start(fetch, &request), POT_EEXIST);
    for (unsigned i = 1; i < BLOB_FETCHES_MAX; i++) {
        request.hash.b[0]++;
        request.hash.b[1] = (uint8_t)(i >> 4);
        start(&request);
    }
    request.hash.b[2]++;
    assert_int_equal(blob_fetch_start(fetch, &request), POT_ELIMIT);
    scene_fini();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blobs_of_every_size_arrive),
        cmocka_unit_test(one_lies_one_is_silent_and_one_is_honest),
        cmocka_unit_test(every_bad_manner_is_survived),
        cmocka_unit_test(a_transfer_goes_on_elsewhere_when_its_source_goes),
        cmocka_unit_test(a_mixed_blob_that_is_wrong_is_fetched_from_one),
        cmocka_unit_test(a_blob_that_appears_later_is_found),
        cmocka_unit_test(a_fetch_takes_the_largest_size_that_was_named),
        cmocka_unit_test(who_brings_a_blob_later_is_asked_for_it),
        cmocka_unit_test(a_blob_nobody_has_ends_at_its_time),
        cmocka_unit_test(a_light_peer_is_asked_for_what_it_brought_alone),
        cmocka_unit_test(small_blobs_do_not_wait_for_each_other),
        cmocka_unit_test(another_hash_domain_is_checked_by_the_caller),
        cmocka_unit_test(who_sends_what_has_the_hash_in_another_way_is_no_liar),
        cmocka_unit_test(requests_are_limited_and_not_doubled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
