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

struct pair {
    struct frame_cipher out;
    struct frame_reader in;
    struct buf wire;
};

static void pair_init(struct pair *p)
{
    frame_cipher_init(&p->out, key);
    frame_reader_init(&p->in, key, WHOLE);
    buf_init(&p->wire, (size_t)16 << 20);
}

static void pair_fini(struct pair *p)
{
    frame_cipher_fini(&p->out);
    frame_reader_fini(&p->in);
    buf_fini(&p->wire);
}

static void seal_text(struct pair *p, const char *text)
{
    frame_seal(&p->out, &p->wire, MESSAGE_TX, text, strlen(text));
}

static void expect_text(struct pair *p, const char *text)
{
    struct frame frame;
    assert_int_equal(frame_reader_next(&p->in, &frame), REASON_NONE);
    assert_non_null(frame.body);
    assert_int_equal(frame.type, MESSAGE_TX);
    assert_int_equal(frame.size, strlen(text));
    assert_memory_equal(frame.body, text, frame.size);
}

static void frames_come_out_as_they_went_in(void **state)
{
    struct pair p;
    struct frame frame;
    (void)state;
    pair_init(&p);
    seal_text(&p, "one");
    seal_text(&p, "");
    seal_text(&p, "three");
    frame_reader_feed(&p.in, p.wire.data, p.wire.size);
    expect_text(&p, "one");
    expect_text(&p, "");
    expect_text(&p, "three");
    assert_int_equal(frame_reader_next(&p.in, &frame), REASON_NONE);
    assert_null(frame.body);
    pair_fini(&p);
}

static void frames_come_out_of_single_bytes(void **state)
{
    struct pair p;
    struct frame frame;
    size_t seen = 0;
    (void)state;
    pair_init(&p);
    seal_text(&p, "one");
    seal_text(&p, "two");
    for (size_t i = 0; i < p.wire.size; i++) {
        frame_reader_feed(&p.in, p.wire.data + i, 1);
        assert_int_equal(frame_reader_next(&p.in, &frame), REASON_NONE);
        seen += frame.body != NULL;
    }
    assert_int_equal(seen, 2);
    pair_fini(&p);
}

/* Computed apart from this code, with another implementation of RFC 8439:
 * key 010203 and zeros, zero nonce, additional data 12000000, text 1161. */
static void a_frame_has_the_bytes_of_the_format(void **state)
{
    struct pair p;
    char text[2 * 64 + 1];
    (void)state;
    pair_init(&p);
    seal_text(&p, "a");
    hex_format(text, p.wire.data, p.wire.size);
    assert_string_equal(text, "120000006e2e845a82de5d"
                              "707ff9d196a8861046b89b");
    pair_fini(&p);
}

static void every_changed_byte_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < FRAME_OVERHEAD + 5; i++) {
        struct pair p;
        struct frame frame;
        pair_init(&p);
        seal_text(&p, "hello");
        p.wire.data[i] ^= 0x80;
        frame_reader_feed(&p.in, p.wire.data, p.wire.size);
        enum reason reason = frame_reader_next(&p.in, &frame);
        assert_null(frame.body);
        if (i < FRAME_HEADER_SIZE) {
            /* Too large, or still waiting for what will not come. */
            assert_true(reason == REASON_FRAME_SIZE || reason == REASON_NONE);
        } else {
            assert_int_equal(reason, REASON_FORGED);
        }
        pair_fini(&p);
    }
}

static void a_shorter_size_is_refused(void **state)
{
    struct pair p;
    struct frame frame;
    (void)state;
    pair_init(&p);
    seal_text(&p, "hello");
    p.wire.data[0]--;
    frame_reader_feed(&p.in, p.wire.data, p.wire.size);
    assert_int_equal(frame_reader_next(&p.in, &frame), REASON_FORGED);
    pair_fini(&p);
}

static void a_repeated_frame_is_refused(void **state)
{
    struct pair p;
    struct frame frame;
    (void)state;
    pair_init(&p);
    seal_text(&p, "pay");
    frame_reader_feed(&p.in, p.wire.data, p.wire.size);
    expect_text(&p, "pay");
    frame_reader_feed(&p.in, p.wire.data, p.wire.size);
    assert_int_equal(frame_reader_next(&p.in, &frame), REASON_FORGED);
    pair_fini(&p);
}

static void frames_out_of_order_are_refused(void **state)
{
    struct pair p;
    struct frame frame;
    (void)state;
    pair_init(&p);
    seal_text(&p, "first");
    size_t first = p.wire.size;
    seal_text(&p, "second");
    frame_reader_feed(&p.in, p.wire.data + first, p.wire.size - first);
    assert_int_equal(frame_reader_next(&p.in, &frame), REASON_FORGED);
    pair_fini(&p);
}

static void a_missing_frame_is_noticed(void **state)
{
    struct pair p;
    struct frame frame;
    (void)state;
    pair_init(&p);
    seal_text(&p, "first");
    size_t first = p.wire.size;
    seal_text(&p, "second");
    size_t second = p.wire.size;
    seal_text(&p, "third");
    frame_reader_feed(&p.in, p.wire.data, first);
    expect_text(&p, "first");
    frame_reader_feed(&p.in, p.wire.data + second, p.wire.size - second);
    assert_int_equal(frame_reader_next(&p.in, &frame), REASON_FORGED);
    pair_fini(&p);
}

static void keys_change_and_both_sides_follow(void **state)
{
    struct pair p;
    (void)state;
    pair_init(&p);
    for (unsigned i = 0; i < 2 * FRAME_REKEY_COUNT + 10; i++) {
        buf_clear(&p.wire);
        seal_text(&p, "tick");
        frame_reader_feed(&p.in, p.wire.data, p.wire.size);
        expect_text(&p, "tick");
        bool is_first_key = i + 1 < FRAME_REKEY_COUNT;
        assert_int_equal(memcmp(p.out.key, key, sizeof(key)) == 0,
                         is_first_key);
    }
    assert_int_equal(p.out.counter, 10);
    pair_fini(&p);
}

static void the_largest_frame_passes(void **state)
{
    struct pair p;
    struct frame frame = {0};
    (void)state;
    pair_init(&p);
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
    pair_fini(&p);
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
    static const size_t caps[MESSAGE_PRIORITY_COUNT] = {1000, 1000, 1000};
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
    size_t caps[MESSAGE_PRIORITY_COUNT] = {1000, 0, 1000};
    struct queue queue;
    (void)state;
    caps[P2P_GOSSIP] = 2 * queue_cost(1);
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
    size_t count = 0;
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        const struct message_rule *rule = message_rule((uint8_t)type);
        if (rule != NULL) {
            assert_true(rule->size_max <= FRAME_BYTES_MAX);
            count++;
        }
    }
    assert_int_equal(count, 13);
    for (unsigned i = 0; i < REASON_COUNT; i++) {
        assert_true(strlen(reason_text((enum reason)i)) > 0);
        assert_true(strlen(reason_name((enum reason)i)) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_out_as_they_went_in),
        cmocka_unit_test(frames_come_out_of_single_bytes),
        cmocka_unit_test(a_frame_has_the_bytes_of_the_format),
        cmocka_unit_test(every_changed_byte_is_refused),
        cmocka_unit_test(a_shorter_size_is_refused),
        cmocka_unit_test(a_repeated_frame_is_refused),
        cmocka_unit_test(frames_out_of_order_are_refused),
        cmocka_unit_test(a_missing_frame_is_noticed),
        cmocka_unit_test(keys_change_and_both_sides_follow),
        cmocka_unit_test(the_largest_frame_passes),
        cmocka_unit_test(sizes_beyond_the_limit_are_refused_at_once),
        cmocka_unit_test(a_queue_gives_by_priority_then_by_age),
        cmocka_unit_test(a_full_line_refuses_and_the_others_do_not),
        cmocka_unit_test(only_listed_types_have_a_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
