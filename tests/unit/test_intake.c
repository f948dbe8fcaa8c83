/* How much the intake lets wait, and whose. */
#include "config.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "node/tx/intake.h"
#include "proto/batch.h"
#include "tests/unit/chain_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PEER 7

static struct {
    struct chain_fixture chain;
    struct intake *intake;
    struct buf batch; /* the most that a client may send at once */
    uint64_t answered;
} f;

static int open_intake(void **state)
{
    static const uint8_t item[BATCH_ITEM_MIN] = {0};
    (void)state;
    memset(&f, 0, sizeof(f));
    chain_fixture_open(&f.chain);
    const struct intake_config config = {
        .loop = &f.chain.loop,
        .holdings = &f.chain.holdings,
        .chain = f.chain.chain,
    };
    f.intake = intake_new(&config);
    buf_init(&f.batch, TX_BATCH_BYTES_MAX);
    for (unsigned i = 0; i < TX_BATCH_MAX; i++) {
        batch_add(&f.batch, item, sizeof(item));
    }
    return 0;
}

static int close_intake(void **state)
{
    (void)state;
    intake_stop(f.intake);
    (void)uv_run(&f.chain.loop, UV_RUN_DEFAULT);
    intake_free(f.intake);
    buf_fini(&f.batch);
    chain_fixture_close(&f.chain);
    return 0;
}

static void on_receipt(void *context, const struct intake_receipt *receipt)
{
    (void)context;
    assert_false(intake_is_taken(receipt));
    f.answered++;
}

static bool submit(void)
{
    return intake_submit_batch(f.intake, f.batch.data, f.batch.size, on_receipt,
                               &f);
}

static uint64_t dropped(void)
{
    struct intake_stats stats;
    intake_stats(f.intake, &stats);
    return stats.dropped;
}

static void clients_leave_room_for_peers(void **state)
{
    (void)state;
    unsigned batches = 0;
    while (submit()) {
        batches++;
    }
    assert_true(batches > 0);
    assert_int_equal(dropped(), TX_BATCH_MAX);
    for (unsigned i = 0; i < TX_BATCH_MAX; i++) {
        intake_receive(f.intake, MESSAGE_TX, f.batch.data, BATCH_ITEM_MIN,
                       PEER);
    }
    assert_int_equal(dropped(), TX_BATCH_MAX);
}

static void a_client_may_go_on_when_it_was_answered(void **state)
{
    (void)state;
    assert_true(submit());
    (void)uv_run(&f.chain.loop, UV_RUN_DEFAULT);
    assert_int_equal(f.answered, TX_BATCH_MAX);
    for (unsigned i = 0; i < 4; i++) {
        assert_true(submit());
        (void)uv_run(&f.chain.loop, UV_RUN_DEFAULT);
    }
    assert_int_equal(f.answered, 5 * TX_BATCH_MAX);
    assert_int_equal(dropped(), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_intake, close_intake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(clients_leave_room_for_peers),
        CASE(a_client_may_go_on_when_it_was_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
