/* When a miner asks to join a task; the intake and the ledger that judge what
 * it sends are the real ones, as is its worker, which computes nothing here. */
#include "config.h"

#include "node/round/miner.h"

#include "node/tx/mempool.h"
#include "p2p/sync.h"
#include "proto/codec.h"
#include "tests/unit/plant_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NEWCOMER 2
#define AGAIN_MS 5000

static struct {
    struct plant_scene scene;
    uv_loop_t loop; /* the miner's: its time passes as a test wants it */
    struct sync *sync;
    char wanted[HASH_TEXT_SIZE];
    char *tasks[1]; /* wanted */
    struct miner *miner;
} t;

/* Nobody is there to send one. */
static void on_block(void *context, uint64_t height, const uint8_t *block,
                     size_t block_size, const uint8_t *certificate,
                     size_t certificate_size)
{
    (void)context;
    (void)height;
    (void)block;
    (void)block_size;
    (void)certificate;
    (void)certificate_size;
    fail();
}

static void open_miner_with(const char *worker, const char *wanted)
{
    struct intake_fixture *node = &t.scene.node;
    const struct miner_config config = {
        .loop = &t.loop,
        .holdings = &node->chain.holdings,
        .chain = node->chain.chain,
        .needs = node->needs,
        .mempool = node->mempool,
        .intake = node->intake,
        .gossip = node->net.gossip,
        .sync = t.sync,
        .key = fixture_miner(&t.scene.f, NEWCOMER),
        .worker_program = worker,
        .blas_core = "auto",
        .exact_kernel = "auto",
        .workers = 1,
        .tasks = t.tasks,
        .task_count = 1,
    };
    (void)snprintf(t.wanted, sizeof(t.wanted), "%s", wanted);
    t.tasks[0] = t.wanted;
    t.miner = miner_new(&config);
}

static void open_miner(const char *wanted)
{
    struct miner_stats stats = {0};
    char folder[2048];
    char worker[4096];
    assert_non_null(getcwd(folder, sizeof(folder)));
    (void)snprintf(worker, sizeof(worker), "%s/pot-worker", folder);
    open_miner_with(worker, wanted);
    while (stats.workers.running == 0) {
        (void)uv_run(&t.loop, UV_RUN_ONCE);
        miner_stats(t.miner, &stats);
    }
    miner_refresh(t.miner);
}

static int set_up(void **state)
{
    (void)state;
    memset(&t, 0, sizeof(t));
    plant_scene_open(&t.scene, 0);
    assert_int_equal(fixture_stake(&t.scene.f,
                                   fixture_miner(&t.scene.f, NEWCOMER),
                                   POT__STAKE_ROLE__STAKE_MINER, FIXTURE_STAKE),
                     TX_ACCEPTED);
    fixture_end_block(&t.scene.f);
    plant_scene_store(&t.scene);
    assert_int_equal(uv_loop_init(&t.loop), 0);
    const struct sync_config sync = {.net = t.scene.node.net.net,
                                     .on_block = on_block};
    t.sync = sync_new(&sync);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    miner_stop(t.miner);
    assert_int_equal(uv_run(&t.loop, UV_RUN_DEFAULT), 0);
    miner_free(t.miner);
    assert_int_equal(uv_loop_close(&t.loop), 0);
    sync_free(t.sync);
    plant_scene_close(&t.scene);
    return 0;
}

static void pass(uint64_t time_ms)
{
    t.loop.time += time_ms;
    miner_refresh(t.miner);
}

/* Whether a join of the task waits; nothing else does. */
static bool asks(void)
{
    Pot__TxBody *body = plant_scene_pending(&t.scene);
    bool is = body != NULL;
    assert_true(!is || (body->action_case == POT__TX_BODY__ACTION_JOIN_TASK &&
                        codec_bytes_equal(body->join_task->task, t.scene.task.b,
                                          HASH_SIZE)));
    codec_free(body);
    return is;
}

static void drop_join(void)
{
    const struct mempool_entry *first = mempool_first(t.scene.node.mempool);
    mempool_remove(t.scene.node.mempool, &first->hash);
}

static void a_join_that_waits_is_not_sent_again(void **state)
{
    (void)state;
    open_miner("any");
    assert_true(asks());
    pass(100 * AGAIN_MS);
    assert_true(asks()); /* one */
}

static void one_that_is_lost_is_sent_again_but_not_at_once(void **state)
{
    (void)state;
    open_miner("any");
    assert_true(asks());
    drop_join();
    pass(AGAIN_MS - 1);
    assert_false(asks());
    pass(1);
    assert_true(asks());
}

static void who_cannot_compute_does_not_join(void **state)
{
    struct miner_stats stats = {0};
    (void)state;
    open_miner_with("/bin/true", "any");
    while (stats.workers.restarts < 2) {
        (void)uv_run(&t.loop, UV_RUN_ONCE);
        miner_stats(t.miner, &stats);
    }
    miner_refresh(t.miner);
    pass(AGAIN_MS);
    assert_false(asks());
}

static void a_task_that_the_config_does_not_name_is_not_joined(void **state)
{
    char text[HASH_TEXT_SIZE];
    (void)state;
    open_miner("none");
    assert_false(asks());
    miner_stop(t.miner);
    (void)uv_run(&t.loop, UV_RUN_DEFAULT);
    miner_free(t.miner);
    (void)hash_format(&t.scene.task, text);
    open_miner(text);
    assert_true(asks());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_join_that_waits_is_not_sent_again),
        TEST(one_that_is_lost_is_sent_again_but_not_at_once),
        TEST(who_cannot_compute_does_not_join),
        TEST(a_task_that_the_config_does_not_name_is_not_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
