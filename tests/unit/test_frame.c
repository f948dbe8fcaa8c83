#include "config.h"

#include "p2p/frame.h"

#include "base/alloc.h"
#include "base/hex.h"
#include "p2p/message.h"
#include "p2p/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WHOLE (FRAME_BYTES_MAX + FRAME_OVERHEAD)

static const uint8_t key[FRAME_KEY_SIZE] = {1, 2, 3};

/* Both ends of one direction, and what goes over the wire. */
static struct {
    struct frame_cipher out;
    struct frame_reader in;
    struct buf wire;
} p;

static int set_up(void **state)
{
    (void)state;
    frame_cipher_init(&p.out, key);
    frame_reader_init(&p.in, key, WHOLE);
    buf_init(&p.wire, (size_t)16 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    frame_cipher_fini(&p.out);
    frame_reader_fini(&p.in);
    buf_fini(&p.wire);
    return 0;
}

static void seal_text(const char *text)
{
    frame_seal(&p.out, &p.wire, MESSAGE_TX, text, strlen(text));
}

/* A part of the wire arrives. */
static void feed(size_t from, size_t to)
{
    frame_reader_feed(&p.in, p.wire.data + from, to - from);
}

static void expect_text(const char *text)
{
    struct frame frame;
    assert_int_equal(frame_reader_next(&p.in, &frame), REASON_NONE);
    assert_non_null(frame.body);
    assert_int_equal(frame.type, MESSAGE_TX);
    assert_int_equal(frame.size, strlen(text));
    assert_memory_equal(frame.body, text, frame.size);
}

/* Neither a frame nor an accusation but this one. */
static void expect_no_frame(enum reason reason)
{
    struct frame frame;
    assert_int_equal(frame_reader_next(&p.in, &frame), reason);
    assert_null(frame.body);
}

static void frames_come_out_as_they_went_in(void **state)
{
    (void)state;
    seal_text("one");
    seal_text("");
    seal_text("three");
    feed(0, p.wire.size);
    expect_text("one");
    expect_text("");
    expect_text("three");
    expect_no_frame(REASON_NONE);
}

static void frames_come_out_of_single_bytes(void **state)
{
    struct frame frame;
    size_t seen = 0;
    (void)state;
    seal_text("one");
    seal_text("two");
    for (size_t i = 0; i < p.wire.size; i++) {
        frame_reader_feed(&p.in, p.wire.data + i, 1);
        assert_int_equal(frame_reader_next(&p.in, &frame), REASON_NONE);
        seen += frame.body != NULL;
    }
    assert_int_equal(seen, 2);
}

/* Computed apart from this code, with another implementation of RFC 8439:
 * key 010203 and zeros, zero nonce, additional data 12000000, text 1161. */
static void a_frame_has_the_bytes_of_the_format(void **state)
{
    char text[2 * 64 + 1];
    (void)state;
    seal_text("a");
    hex_format(text, p.wire.data, p.wire.size);
    assert_string_equal(text, "120000006e2e845a82de5d"
                              "707ff9d196a8861046b89b");
}

static void every_changed_byte_is_refused(void **state)
{
    for (size_t i = 0; i < FRAME_OVERHEAD + 5; i++) {
        struct frame frame;
        (void)tear_down(state);
        (void)set_up(state);
        seal_text("hello");
        p.wire.data[i] ^= 0x80;
        feed(0, p.wire.size);
        enum reason reason = frame_reader_next(&p.in, &frame);
        assert_null(frame.body);
        if (i < FRAME_HEADER_SIZE) {
            /* Too large, or still waiting for what will not come. */
            assert_true(reason == REASON_FRAME_SIZE || reason == REASON_NONE);
        } else {
            assert_int_equal(reason, REASON_FORGED);
        }
    }
}

static void a_shorter_size_is_refused(void **state)
{
    (void)state;
    seal_text("hello");
    p.wire.data[0]--;
    feed(0, p.wire.size);
    expect_no_frame(REASON_FORGED);
}

static void a_repeated_frame_is_refused(void **state)
{
    (void)state;
    seal_text("pay");
    feed(0, p.wire.size);
    expect_text("pay");
    feed(0, p.wire.size);
    expect_no_frame(REASON_FORGED);
}

static void frames_out_of_order_are_refused(void **state)
{
    (void)state;
    seal_text("first");
    size_t first = p.wire.size;
    seal_text("second");
    feed(first, p.wire.size);
    expect_no_frame(REASON_FORGED);
}

static void a_missing_frame_is_noticed(void **state)
{
    (void)state;
    seal_text("first");
    size_t first = p.wire.size;
    seal_text("second");
    size_t second = p.wire.size;
    seal_text("third");
    feed(0, first);
    expect_text("first");
    feed(second, p.wire.size);
    expect_no_frame(REASON_FORGED);
}

static void keys_change_and_both_sides_follow(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * FRAME_REKEY_COUNT + 10; i++) {
        buf_clear(&p.wire);
        seal_text("tick");
        feed(0, p.wire.size);
        expect_text("tick");
        bool is_first_key = i + 1 < FRAME_REKEY_COUNT;
        assert_int_equal(memcmp(p.out.key, key, sizeof(key)) == 0,
                         is_first_key);
    }
    assert_int_equal(p.out.counter, 10);
}

static void the_largest_frame_passes(void **state)
{
    struct frame frame = {0};
    (void)state;
    uint8_t *body = pot_calloc(1, FRAME_BYTES_MAX);
    frame_seal(&p.out, &p.wire, MESSAGE_BLOCKS, body, FRAME_BYTES_MAX);
    for (size_t at = 0; at < p.wire.size; at += 65536) {
        size_t left = p.wire.size - at;
        frame_reader_feed(&p.in, p.wire.data + at, left < 65536 ? left : 65536);
        assert_int_equal(frame_reader_next(&p.in, &frame), REASON_NONE);
    }
    assert_non_null(frame.body);
    assert_int_equal(frame.size, FRAME_BYTES_MAX);
    free(body);
}

static void sizes_beyond_the_limit_are_refused_at_once(void **state)
{
    (void)state;
    static const uint8_t heads[][4] = {
        {0, 0, 0, 0}, {16, 0, 0, 0}, {255, 255, 255, 255}, {253, 3, 0, 0}};
    for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
        struct frame_reader in;
        struct frame frame;
        frame_reader_init(&in, key, FRAME_PRE_AUTH_MAX);
        frame_reader_feed(&in, heads[i], 4);
        assert_int_equal(frame_reader_next(&in, &frame), REASON_FRAME_SIZE);
        frame_reader_fini(&in);
    }
}

static void push(struct queue *queue, uint8_t type, uint8_t mark, bool is_taken)
{
    struct parcel *parcel = parcel_new(type, &mark, 1);
    assert_int_equal(queue_push(queue, parcel), is_taken);
    parcel_unref(parcel);
}

static void expect_pop(struct queue *queue, uint8_t mark)
{
    struct parcel *parcel = queue_pop(queue);
    assert_non_null(parcel);
    assert_int_equal(parcel->data[0], mark);
    parcel_unref(parcel);
}

static void a_queue_gives_by_priority_then_by_age(void **state)
{
    static const size_t caps[PRIORITY_COUNT] = {1000, 1000, 1000};
    struct queue queue;
    (void)state;
    queue_init(&queue, caps);
    push(&queue, MESSAGE_BLOB_PIECE, 1, true);
    push(&queue, MESSAGE_TX, 2, true);
    push(&queue, MESSAGE_TX, 3, true);
    push(&queue, MESSAGE_CONSENSUS, 4, true);
    push(&queue, MESSAGE_CONSENSUS, 5, true);
    static const uint8_t order[] = {4, 5, 2, 3, 1};
    for (size_t i = 0; i < sizeof(order); i++) {
        expect_pop(&queue, order[i]);
    }
    assert_null(queue_pop(&queue));
    assert_int_equal(queue_bytes(&queue), 0);
    queue_fini(&queue);
}

static void a_full_line_refuses_and_the_others_do_not(void **state)
{
    size_t caps[PRIORITY_COUNT] = {1000, 0, 1000};
    struct queue queue;
    (void)state;
    caps[PRIORITY_GOSSIP] = 2 * queue_cost(1);
    queue_init(&queue, caps);
    push(&queue, MESSAGE_TX, 1, true);
    push(&queue, MESSAGE_TX, 2, true);
    push(&queue, MESSAGE_TX, 3, false);
    push(&queue, MESSAGE_CONSENSUS, 4, true);
    expect_pop(&queue, 4);
    expect_pop(&queue, 1);
    push(&queue, MESSAGE_TX, 5, true);
    queue_fini(&queue);
}

static void only_listed_types_have_a_rule(void **state)
{
    static const char *const names[] = {
#define X(type, number, name, priority, size_max) [number] = name,
        MESSAGE_MAP(X)
#undef X
    };
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        const struct message_rule *rule = message_rule((uint8_t)type);
        bool is_listed =
            type < sizeof(names) / sizeof(*names) && names[type] != NULL;
        assert_int_equal(rule != NULL, is_listed);
        if (rule != NULL) {
            assert_string_equal(rule->name, names[type]);
            assert_true(rule->size_max <= FRAME_BYTES_MAX);
        }
    }
    for (unsigned i = 0; i < REASON_COUNT; i++) {
        assert_true(strlen(reason_text((enum reason)i)) > 0);
        assert_true(strlen(reason_name((enum reason)i)) > 0);
    }
}

#define FRAME_TEST(name)                                                       \
    cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRAME_TEST(frames_come_out_as_they_went_in),
        FRAME_TEST(frames_come_out_of_single_bytes),
        FRAME_TEST(a_frame_has_the_bytes_of_the_format),
        FRAME_TEST(every_changed_byte_is_refused),
        FRAME_TEST(a_shorter_size_is_refused),
        FRAME_TEST(a_repeated_frame_is_refused),
        FRAME_TEST(frames_out_of_order_are_refused),
        FRAME_TEST(a_missing_frame_is_noticed),
        FRAME_TEST(keys_change_and_both_sides_follow),
        FRAME_TEST(the_largest_frame_passes),
        cmocka_unit_test(sizes_beyond_the_limit_are_refused_at_once),
        cmocka_unit_test(a_queue_gives_by_priority_then_by_age),
        cmocka_unit_test(a_full_line_refuses_and_the_others_do_not),
        cmocka_unit_test(only_listed_types_have_a_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
