#include "config.h"

#include "p2p/sync.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "proto/codec.h"
#include "proto/wire.pb-c.h"
#include "tests/unit/p2p_nodes.h"

#include <stdlib.h>
#include <string.h>

#define BLOCKS_MAX 400

/* A chain is a count here: block h is h in 8 bytes and filling, its
 * certificate is h again.  A liar's blocks say something else. */
enum manner {
    HONEST,
    SILENT,   /* claims any height and answers nothing */
    EMPTY,    /* answers with no blocks */
    FORGING,  /* answers with blocks that do not hold */
    BABBLING, /* answers with bytes that are no message */
    PAUSED,   /* keeps PAUSED_QUESTIONS, answers them all, is honest then */
    SLOW,     /* sends what is no answer yet, and much of it */
};

/* Two at a time: the third is asked when the first was given up. */
#define PAUSED_QUESTIONS 3
#define SLOW_BYTES       100000

struct follower {
    struct node *node;
    struct sync *sync;
    enum manner manner;
    uint64_t height;
    size_t filling;
    bool is_slow;     /* examines blocks at the next tick only */
    uint64_t pending; /* block under examination, when slow */
    bool pending_good;
    size_t examined;
    uint64_t lowest; /* holds none below */
    struct buf questions[PAUSED_QUESTIONS];
    unsigned question_count;
};

struct scene {
    struct world w;
    struct follower followers[NODES_MAX];
    unsigned count;
    struct sync_config times; /* of all syncs: no more of it is set */
};

static struct scene *scene;

static struct claim status_at(uint64_t height)
{
    struct claim status = {.height = height};
    status.block_hash.b[0] = (uint8_t)height;
    return status;
}

static bool read_block(void *context, uint64_t height, struct buf *block,
                       struct buf *certificate)
{
    struct follower *f = context;
    uint8_t bytes[8];
    struct bytes_writer w;
    if (f->manner == EMPTY || height < f->lowest || height == 0 ||
        height > f->height) {
        return false;
    }
    bytes_writer_init(&w, bytes, sizeof(bytes));
    bytes_write_u64(&w, f->manner == FORGING ? height + 1000 : height);
    buf_append(block, bytes, sizeof(bytes));
    uint8_t *filling = buf_extend(block, f->filling);
    if (filling != NULL) {
        memset(filling, 7, f->filling);
    }
    buf_append(certificate, bytes, sizeof(bytes));
    return true;
}

static void apply(struct follower *f, uint64_t height, bool is_good)
{
    if (is_good) {
        assert_int_equal(height, f->height + 1);
        f->height = height;
        struct claim status = status_at(height);
        sync_set_status(f->sync, &status);
    } else {
        sync_refused(f->sync, height);
    }
}

static void on_block(void *context, uint64_t height, const uint8_t *block,
                     size_t block_size, const uint8_t *certificate,
                     size_t certificate_size)
{
    struct follower *f = context;
    struct bytes_reader r;
    bytes_reader_init(&r, block, block_size);
    bool is_good = bytes_read_u64(&r) == height && certificate_size == 8 &&
                   memcmp(block, certificate, 8) == 0;
    f->examined++;
    assert_int_equal(f->pending, 0);
    if (f->is_slow) {
        f->pending = height;
        f->pending_good = is_good;
    } else {
        apply(f, height, is_good);
    }
}

static void on_peer(struct node *node, struct peer *peer, bool is_up)
{
    struct follower *f = node->user;
    sync_on_peer(f->sync, peer, is_up);
}

/* It was stopped, and goes on: what had come meanwhile is answered. */
static void keep_question(struct follower *f, struct peer *peer,
                          const uint8_t *data, size_t size)
{
    struct buf *q = &f->questions[f->question_count++];
    buf_init(q, size);
    buf_append(q, data, size);
    if (f->question_count < PAUSED_QUESTIONS) {
        return;
    }
    f->manner = HONEST;
    for (unsigned i = 0; i < f->question_count; i++) {
        q = &f->questions[i];
        sync_on_message(f->sync, peer, MESSAGE_GET_BLOCKS, q->data, q->size);
        buf_fini(q);
    }
}

/* A part of a large answer, as far as the other side can tell. */
static void send_something(struct node *node, struct peer *peer)
{
    uint8_t *data = pot_calloc(1, SLOW_BYTES);
    Pot__SyncBlock block = POT__SYNC_BLOCK__INIT;
    Pot__SyncBlock *blocks[] = {&block};
    Pot__Blocks message = POT__BLOCKS__INIT;
    struct buf out;
    block.block = codec_bytes(data, SLOW_BYTES);
    block.certificate = codec_bytes(data, 8);
    message.from = UINT64_MAX;
    message.n_blocks = 1;
    message.blocks = blocks;
    buf_init(&out, 2 * SLOW_BYTES);
    codec_append(&out, &message);
    (void)net_send(node->net, peer, MESSAGE_BLOCKS, out.data, out.size);
    buf_fini(&out);
    free(data);
}

static void on_message(struct node *node, struct peer *peer, uint8_t type,
                       const uint8_t *data, size_t size)
{
    struct follower *f = node->user;
    if (type == MESSAGE_GET_BLOCKS && f->manner == PAUSED) {
        keep_question(f, peer, data, size);
        return;
    }
    if (type == MESSAGE_GET_BLOCKS && f->manner == SLOW) {
        send_something(node, peer);
        return;
    }
    if (type == MESSAGE_GET_BLOCKS && f->manner == SILENT) {
        return;
    }
    if (type == MESSAGE_GET_BLOCKS && f->manner == BABBLING) {
        (void)net_send(node->net, peer, MESSAGE_BLOCKS, "\xff", 1);
        return;
    }
    sync_on_message(f->sync, peer, type, data, size);
}

static void on_tick(struct node *node, uint64_t now_ms)
{
    struct follower *f = node->user;
    if (f->pending != 0) {
        uint64_t height = f->pending;
        f->pending = 0;
        apply(f, height, f->pending_good);
    }
    sync_tick(f->sync, now_ms);
}

static void follower_up(unsigned index, enum manner manner, uint64_t height,
                        size_t filling)
{
    struct world *w = &scene->w;
    struct node *node = &w->nodes[index];
    struct follower *f = &scene->followers[index];
    f->node = node;
    f->manner = manner;
    f->height = height;
    f->filling = filling;
    node->user = f;
    node->on_peer = on_peer;
    node->on_message = on_message;
    node->on_tick = on_tick;
    if (index == 0) {
        node_open(w, 0, NULL);
    } else {
        node_open(w, index, &w->nodes[0], NULL);
    }
    struct sync_config config = scene->times;
    config.net = node->net;
    config.status = status_at(height);
    config.context = f;
    config.read = read_block;
    config.on_block = on_block;
    f->sync = sync_new(&config);
    scene->count = index + 1;
}

static void scene_init_with(const struct sync_config *times)
{
    scene = pot_calloc(1, sizeof(*scene));
    world_init(&scene->w);
    scene->times = *times;
    follower_up(0, HONEST, 0, 0);
}

static void scene_init(void)
{
    const struct sync_config times = {.timeout_ms = 1000};
    scene_init_with(&times);
}

static void scene_fini(void)
{
    for (unsigned i = 0; i < scene->count; i++) {
        if (scene->w.nodes[i].net != NULL) {
            node_close(&scene->w.nodes[i]);
        }
        sync_free(scene->followers[i].sync);
    }
    world_fini(&scene->w);
    free(scene);
}

static bool is_there(void *context)
{
    const uint64_t *height = context;
    return scene->followers[0].height >= *height;
}

static void expect_height(uint64_t height)
{
    world_run(&scene->w, is_there, &height);
    assert_int_equal(scene->followers[0].height, height);
}

static void a_new_node_gets_the_whole_chain(void **state)
{
    (void)state;
    scene_init();
    follower_up(1, HONEST, BLOCKS_MAX, 100);
    expect_height(BLOCKS_MAX);
    assert_false(sync_is_behind(scene->followers[0].sync));
    assert_int_equal(sync_target(scene->followers[0].sync), BLOCKS_MAX);
    assert_int_equal(scene->followers[0].examined, BLOCKS_MAX);
    scene_fini();
}

static void large_blocks_come_as_few_as_fit_a_frame(void **state)
{
    (void)state;
    scene_init();
    follower_up(1, HONEST, 3, BLOCK_BYTES_MAX - 8);
    expect_height(3);
    scene_fini();
}

static void a_slow_owner_gets_one_block_at_a_time(void **state)
{
    (void)state;
    scene_init();
    scene->followers[0].is_slow = true;
    follower_up(1, HONEST, 20, 100);
    expect_height(20);
    assert_int_equal(scene->followers[0].examined, 20);
    scene_fini();
}

static void a_claim_of_a_huge_height_stalls_nobody(void **state)
{
    (void)state;
    scene_init();
    follower_up(1, SILENT, UINT64_MAX - 1, 0);
    follower_up(2, HONEST, 150, 10);
    follower_up(3, HONEST, 100, 10);
    expect_height(150);
    scene_fini();
}

static void every_bad_manner_is_survived(void **state)
{
    static const enum manner bad[] = {SILENT, EMPTY, FORGING, BABBLING};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        scene_init();
        follower_up(1, bad[i], 1000000, 10);
        /* Asked first: nobody else is there yet. */
        while (scene->w.nodes[1].received[MESSAGE_GET_BLOCKS] == 0) {
            world_turn(&scene->w, 1);
        }
        follower_up(2, HONEST, 150, 10);
        expect_height(150);
        struct net_stats stats;
        net_stats(scene->w.nodes[0].net, &stats);
        bool is_proven = bad[i] != SILENT;
        assert_int_equal(stats.bans, is_proven ? 1 : 0);
        scene_fini();
    }
}

static bool is_banned(void *context)
{
    struct net_stats stats;
    (void)context;
    net_stats(scene->w.nodes[0].net, &stats);
    return stats.bans > 0;
}

static void who_claims_less_than_before_is_dropped(void **state)
{
    (void)state;
    scene_init();
    follower_up(1, HONEST, 10, 10);
    expect_height(10);
    struct claim status = status_at(9);
    Pot__PeerStatus message = POT__PEER_STATUS__INIT;
    struct buf out;
    message.height = 9;
    message.block_hash = codec_bytes(status.block_hash.b, HASH_SIZE);
    buf_init(&out, 128);
    codec_append(&out, &message);
    struct peer *peer = node_peer(&scene->w.nodes[1], &scene->w.nodes[0]);
    assert_true(net_send(scene->w.nodes[1].net, peer, MESSAGE_STATUS, out.data,
                         out.size));
    buf_fini(&out);
    world_run(&scene->w, is_banned, NULL);
    scene_fini();
}

/* It says other things while it leaves every question open; not so many that
 * they could be a large answer. */
static void who_never_answers_is_dropped_in_the_end(void **state)
{
    const struct sync_config times = {.timeout_ms = 60, .distrust_ms = 1};
    uint64_t said_ms = 0;
    (void)state;
    scene_init_with(&times);
    follower_up(1, SILENT, 1000, 10);
    while (!is_banned(NULL)) {
        struct net *net = scene->w.nodes[1].net;
        uint64_t now = uv_now(&scene->w.loop);
        if (now >= said_ms + 5) {
            (void)net_broadcast(net, MESSAGE_GET_BLOCKS, "", 0, NULL);
            said_ms = now;
        }
        world_turn(&scene->w, 1);
    }
    scene_fini();
}

static void a_late_answer_is_no_breach(void **state)
{
    const struct sync_config times = {.timeout_ms = 200, .distrust_ms = 1};
    (void)state;
    scene_init_with(&times);
    follower_up(1, PAUSED, 60, 10);
    expect_height(60);
    assert_int_equal(scene->followers[1].question_count, PAUSED_QUESTIONS);
    assert_false(is_banned(NULL));
    scene_fini();
}

/* What comes may be the answer. */
static void who_answers_slowly_is_not_dropped(void **state)
{
    const struct sync_config times = {.timeout_ms = 200, .distrust_ms = 1};
    struct sync_progress progress = {0};
    (void)state;
    scene_init_with(&times);
    follower_up(1, SLOW, 60, 10);
    while (progress.timeouts < 7) { /* five are too many of who only talks */
        world_turn(&scene->w, 1);
        sync_progress(scene->followers[0].sync, &progress);
        assert_false(is_banned(NULL));
    }
    scene->followers[1].manner = HONEST;
    expect_height(60);
    scene_fini();
}

static void who_has_pruned_is_not_asked_for_it(void **state)
{
    (void)state;
    scene_init();
    follower_up(1, HONEST, 60, 10);
    struct claim status = status_at(60);
    scene->followers[1].lowest = status.lowest = 41;
    sync_set_status(scene->followers[1].sync, &status);
    while (sync_target(scene->followers[0].sync) == 0) {
        world_turn(&scene->w, 1);
    }
    struct sync_progress progress;
    sync_progress(scene->followers[0].sync, &progress);
    assert_true(progress.is_unserved);
    follower_up(2, HONEST, 50, 10);
    expect_height(60);
    sync_progress(scene->followers[0].sync, &progress);
    assert_false(progress.is_unserved);
    assert_false(is_banned(NULL));
    scene_fini();
}

/* Peers have just heard of something else when it prunes, with a question on
 * its way. */
static void who_prunes_before_it_answers_is_no_liar(void **state)
{
    (void)state;
    scene_init();
    follower_up(1, HONEST, 60, 10);
    const struct node *node = &scene->w.nodes[0];
    struct follower *f = &scene->followers[1];
    struct claim status = status_at(60);
    while (sync_target(scene->followers[0].sync) == 0) {
        world_turn(&scene->w, 1);
    }
    assert_int_equal(node->received[MESSAGE_BLOCKS], 0);
    status.view = 1;
    sync_set_status(f->sync, &status);
    f->lowest = status.lowest = 41;
    sync_set_status(f->sync, &status);
    while (node->received[MESSAGE_BLOCKS] == 0) {
        world_turn(&scene->w, 1);
    }
    assert_false(is_banned(NULL));
    follower_up(2, HONEST, 50, 10);
    expect_height(60);
    assert_false(is_banned(NULL));
    scene_fini();
}

static void several_are_asked_at_once(void **state)
{
    (void)state;
    scene_init();
    scene->followers[0].is_slow = true;
    for (unsigned i = 1; i <= 3; i++) {
        follower_up(i, HONEST, BLOCKS_MAX, 1000);
    }
    expect_height(20);
    scene->followers[0].is_slow = false;
    expect_height(BLOCKS_MAX);
    for (unsigned i = 1; i <= 3; i++) {
        assert_true(scene->w.nodes[i].received[MESSAGE_GET_BLOCKS] > 0);
    }
    assert_int_equal(scene->followers[0].examined, BLOCKS_MAX);
    scene_fini();
}

static void new_blocks_are_announced_and_followed(void **state)
{
    (void)state;
    scene_init();
    follower_up(1, HONEST, 5, 10);
    expect_height(5);
    for (uint64_t height = 6; height < 12; height++) {
        struct claim status = status_at(height);
        scene->followers[1].height = height;
        sync_set_status(scene->followers[1].sync, &status);
        expect_height(height);
    }
    struct claim seen;
    struct peer *peer = node_peer(&scene->w.nodes[0], &scene->w.nodes[1]);
    assert_true(sync_peer_claim(scene->followers[0].sync, peer, &seen));
    assert_int_equal(seen.height, 11);
    assert_int_equal(seen.block_hash.b[0], 11);
    scene_fini();
}

/* Consensus commits the block that sync has under examination. */
static void a_block_that_comes_another_way_is_not_in_the_way(void **state)
{
    (void)state;
    scene_init();
    struct follower *f = &scene->followers[0];
    f->is_slow = true;
    follower_up(1, HONEST, 30, 10);
    while (f->pending != 3) {
        world_turn(&scene->w, 1);
    }
    f->pending = 0;
    f->height = 5;
    struct claim status = status_at(5);
    sync_set_status(f->sync, &status);
    sync_refused(f->sync, 3); /* too late, and ignored */
    expect_height(30);
    struct net_stats stats;
    net_stats(f->node->net, &stats);
    assert_int_equal(stats.bans, 0);
    scene_fini();
}

static void quick_blocks_are_announced_together(void **state)
{
    (void)state;
    scene_init();
    follower_up(1, HONEST, 0, 10);
    const struct node *node = &scene->w.nodes[0];
    while (node->received[MESSAGE_STATUS] == 0) {
        world_turn(&scene->w, 1);
    }
    size_t before = node->received[MESSAGE_STATUS];
    struct follower *f = &scene->followers[1];
    for (f->height = 1; f->height < 50; f->height++) {
        struct claim status = status_at(f->height);
        sync_set_status(f->sync, &status);
    }
    f->height = 49;
    expect_height(49);
    /* One at once, if none was before, and one for all behind it. */
    assert_in_range(node->received[MESSAGE_STATUS] - before, 1, 4);
    scene_fini();
}

static void a_source_that_goes_is_replaced(void **state)
{
    (void)state;
    scene_init();
    scene->followers[0].is_slow = true;
    follower_up(1, HONEST, 60, 10);
    while (scene->followers[0].height < 5) {
        world_turn(&scene->w, 1);
    }
    node_close(&scene->w.nodes[1]);
    scene->followers[0].is_slow = false;
    follower_up(2, HONEST, 60, 10);
    expect_height(60);
    scene_fini();
}

static bool is_asked(void *context)
{
    const size_t *count = context;
    return scene->w.nodes[1].received[MESSAGE_GET_BLOCKS] >= *count;
}

/* Distrust that only grew would be longer than the test may take. */
static void who_fails_now_and_then_is_believed_again(void **state)
{
    const struct sync_config times = {.timeout_ms = 100, .distrust_ms = 500};
    (void)state;
    scene_init_with(&times);
    follower_up(1, HONEST, 0, 10);
    struct follower *peer = &scene->followers[1];
    for (uint64_t height = 1; height <= 9; height++) {
        struct claim status = status_at(height);
        size_t asked = scene->w.nodes[1].received[MESSAGE_GET_BLOCKS] + 1;
        peer->manner = SILENT;
        peer->height = height;
        sync_set_status(peer->sync, &status);
        world_run(&scene->w, is_asked, &asked);
        peer->manner = HONEST;
        expect_height(height);
    }
    scene_fini();
}

static void one_block_behind_waits_and_two_do_not(void **state)
{
    const struct sync_config times = {.timeout_ms = 1000,
                                      .grace_ms = UINT32_MAX};
    (void)state;
    scene_init_with(&times);
    follower_up(1, HONEST, 1, 10);
    while (sync_target(scene->followers[0].sync) == 0) {
        world_turn(&scene->w, 1);
    }
    world_turn(&scene->w, 4);
    assert_int_equal(scene->w.nodes[1].received[MESSAGE_GET_BLOCKS], 0);
    assert_false(sync_is_behind(scene->followers[0].sync));
    struct claim status = status_at(2);
    scene->followers[1].height = 2;
    sync_set_status(scene->followers[1].sync, &status);
    expect_height(2);
    scene_fini();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_node_gets_the_whole_chain),
        cmocka_unit_test(large_blocks_come_as_few_as_fit_a_frame),
        cmocka_unit_test(a_slow_owner_gets_one_block_at_a_time),
        cmocka_unit_test(a_claim_of_a_huge_height_stalls_nobody),
        cmocka_unit_test(every_bad_manner_is_survived),
        cmocka_unit_test(who_claims_less_than_before_is_dropped),
        cmocka_unit_test(who_never_answers_is_dropped_in_the_end),
        cmocka_unit_test(a_late_answer_is_no_breach),
        cmocka_unit_test(who_answers_slowly_is_not_dropped),
        cmocka_unit_test(who_has_pruned_is_not_asked_for_it),
        cmocka_unit_test(who_prunes_before_it_answers_is_no_liar),
        cmocka_unit_test(several_are_asked_at_once),
        cmocka_unit_test(new_blocks_are_announced_and_followed),
        cmocka_unit_test(quick_blocks_are_announced_together),
        cmocka_unit_test(a_block_that_comes_another_way_is_not_in_the_way),
        cmocka_unit_test(a_source_that_goes_is_replaced),
        cmocka_unit_test(who_fails_now_and_then_is_believed_again),
        cmocka_unit_test(one_block_behind_waits_and_two_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
