/* What is told validators later, if at all: when, how often, to whom. */
#include "config.h"

#include "node/round/held_back.h"

#include "base/alloc.h"
#include "proto/codec.h"
#include "tests/unit/hearers.h"

#include <stdlib.h>

struct table {
    struct hearers hearers;
    struct held_back held;
    unsigned heard[HEARERS];
    uint8_t last; /* type */
};

static void on_heard(void *context, enum hearer who, uint8_t type,
                     const uint8_t *data, size_t size)
{
    struct table *t = context;
    (void)data;
    (void)size;
    t->heard[who]++;
    t->last = type;
}

static int set_up(void **state)
{
    struct table *t = pot_calloc(1, sizeof(*t));
    t->hearers.on_heard = on_heard;
    t->hearers.context = t;
    hearers_open(&t->hearers);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct table *t = *state;
    held_back_fini(&t->held);
    hearers_close(&t->hearers);
    free(t);
    return 0;
}

static void add(struct table *t, uint8_t type, uint64_t now_ms)
{
    uint8_t bytes[64] = {type};
    Pot__Signed message = POT__SIGNED__INIT;
    message.public_key = codec_bytes(bytes, 32);
    message.body = codec_bytes(bytes, 1);
    message.signature = codec_bytes(bytes, 64);
    held_back_add(&t->held, t->hearers.gossip, type, &message, now_ms);
}

static unsigned told_at(struct table *t, uint64_t now_ms)
{
    t->heard[HEARER_FELLOW] = 0;
    held_back_tick(&t->held, t->hearers.gossip, now_ms);
    hearers_settle(&t->hearers);
    assert_int_equal(t->heard[HEARER_FOLLOWER], 0);
    return t->heard[HEARER_FELLOW];
}

static void each_is_told_once_in_its_time(void **state)
{
    struct table *t = *state;
    add(t, MESSAGE_COMMITMENT, 100);
    add(t, MESSAGE_SUBMISSION, 200);
    assert_int_equal(told_at(t, 99 + HELD_BACK_MS), 0);
    assert_int_equal(told_at(t, 100 + HELD_BACK_MS), 1);
    assert_int_equal(t->last, MESSAGE_COMMITMENT);
    assert_int_equal(told_at(t, 200 + HELD_BACK_MS), 1);
    assert_int_equal(t->last, MESSAGE_SUBMISSION);
    assert_int_equal(told_at(t, 100 * HELD_BACK_MS), 0);
}

static void what_is_not_due_by_the_end_is_not_told(void **state)
{
    struct table *t = *state;
    add(t, MESSAGE_COMMITMENT, 0);
    add(t, MESSAGE_COMMITMENT, 1);
    assert_int_equal(told_at(t, HELD_BACK_MS), 1);
    held_back_fini(&t->held);
    assert_int_equal(told_at(t, 2 * HELD_BACK_MS), 0);
}

static void what_finds_no_room_is_told_at_once(void **state)
{
    struct table *t = *state;
    for (unsigned i = 0; i < HELD_BACK_MAX; i++) {
        add(t, MESSAGE_COMMITMENT, 0);
    }
    assert_int_equal(told_at(t, 0), 0);
    add(t, MESSAGE_SUBMISSION, 0);
    hearers_settle(&t->hearers);
    assert_int_equal(t->heard[HEARER_FELLOW], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_is_told_once_in_its_time),
        TEST(what_is_not_due_by_the_end_is_not_told),
        TEST(what_finds_no_room_is_told_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
