#include "config.h"

#include "training/worker_protocol.h"

#include "training/worker_shm.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct worker_message make_part(void)
{
    struct worker_message m = {.type = WORKER_PART};
    m.part = (struct worker_part){
        .job = 7,
        .shared_bytes = 1 << 20,
        .theta_offset = 64,
        .rows_offset = 128,
        .sums_offset = 256,
        .row_count = 99,
        .block_rows = 64,
        .activation = POT__ACTIVATION__ACTIVATION_TANH,
        .loss = POT__LOSS__LOSS_MSE,
        .numerics = POT__NUMERICS__NUMERICS_EXACT,
        .local_steps = 3,
        .local_rate = 1 << 24,
        .width_count = 3,
        .widths = {784, 128, 10},
        .path = "/tmp/a folder/d.pds",
    };
    return m;
}

static struct worker_message make_of(enum worker_type type)
{
    struct worker_message m = {.type = type};
    if (type == WORKER_PART) {
        return make_part();
    }
    if (type == WORKER_HELLO) {
        m.hello = (struct worker_hello){.version = 3,
                                        .core = "Haswell",
                                        .exact = "avx2",
                                        .config = "OpenBLAS 0.3.21"};
    } else if (type == WORKER_DONE) {
        m.done = (struct worker_done){
            .job = 7, .rows = 99, .loss_sum = -5, .elapsed_us = 12};
    } else if (type == WORKER_DIVERGED) {
        m.diverged.job = 7;
    } else {
        m.error = (struct worker_error){.job = 7, .text = "no such file"};
    }
    return m;
}

static void messages_survive_a_round_trip_byte_by_byte(void **state)
{
    (void)state;
    struct buf in;
    buf_init(&in, 2 * WORKER_MESSAGE_BYTES_MAX);
    for (int type = WORKER_HELLO; type <= WORKER_DIVERGED; type++) {
        uint8_t bytes[WORKER_MESSAGE_BYTES_MAX];
        struct worker_message m = make_of((enum worker_type)type);
        struct worker_message again;
        size_t size = worker_encode(bytes, &m);
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(worker_take(&again, &in), WORKER_TAKE_MORE);
            buf_append(&in, bytes + i, 1);
        }
        assert_int_equal(worker_take(&again, &in), WORKER_TAKE_MESSAGE);
        assert_int_equal(in.size, 0);
        assert_memory_equal(&m, &again, sizeof(m));
    }
    buf_fini(&in);
}

static void messages_come_out_one_by_one(void **state)
{
    (void)state;
    struct buf in;
    uint8_t bytes[WORKER_MESSAGE_BYTES_MAX];
    struct worker_message out;
    buf_init(&in, 1 << 16);
    for (int type = WORKER_HELLO; type <= WORKER_ERROR; type++) {
        struct worker_message m = make_of((enum worker_type)type);
        buf_append(&in, bytes, worker_encode(bytes, &m));
    }
    for (int type = WORKER_HELLO; type <= WORKER_ERROR; type++) {
        assert_int_equal(worker_take(&out, &in), WORKER_TAKE_MESSAGE);
        assert_int_equal(out.type, type);
    }
    assert_int_equal(worker_take(&out, &in), WORKER_TAKE_MORE);
    buf_fini(&in);
}

static void damaged_messages_are_noticed(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        size_t at;
        uint8_t value;
    } cases[] = {
        {"another magic", 0, 'X'},
        {"an unknown type", 4, 9},
        {"a body larger than any", 10, 0xff},
        {"a reserved field", 12, 1},
        {"too many widths", WORKER_HEADER_BYTES + 72, 17},
        {"fewer widths than there are", WORKER_HEADER_BYTES + 72, 2},
        {"a longer path", WORKER_HEADER_BYTES + 88, 200},
        {"a NUL in the path", WORKER_HEADER_BYTES + 94, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct buf in;
        struct worker_message out;
        uint8_t bytes[WORKER_MESSAGE_BYTES_MAX];
        struct worker_message m = make_part();
        size_t size = worker_encode(bytes, &m);
        bytes[cases[i].at] = cases[i].value;
        buf_init(&in, 1 << 16);
        buf_append(&in, bytes, size);
        if (worker_take(&out, &in) != WORKER_TAKE_BROKEN) {
            fail_msg("%s is not noticed", cases[i].what);
        }
        buf_fini(&in);
    }
}

static void texts_of_a_worker_are_made_printable(void **state)
{
    (void)state;
    struct buf in;
    struct worker_message out;
    uint8_t bytes[WORKER_MESSAGE_BYTES_MAX];
    struct worker_message m = {.type = WORKER_ERROR};
    memcpy(m.error.text, "a\x1b[31m\nb\xff", 9);
    size_t size = worker_encode(bytes, &m);
    buf_init(&in, 1 << 16);
    buf_append(&in, bytes, size);
    assert_int_equal(worker_take(&out, &in), WORKER_TAKE_MESSAGE);
    assert_string_equal(out.error.text, "a?[31m?b?");
    buf_fini(&in);
}

static void arrays_of_a_layout_do_not_overlap(void **state)
{
    (void)state;
    struct worker_layout layout;
    assert_int_equal(worker_layout_init(&layout, 101770, 129), POT_OK);
    assert_true(layout.rows_offset >= layout.theta_offset + 101770 * 4);
    assert_true(layout.sums_offset >= layout.rows_offset + 129 * 8);
    assert_true(layout.size >= layout.sums_offset + 101770 * 8);
    assert_int_equal(layout.rows_offset % 64 + layout.sums_offset % 64, 0);
    assert_int_equal(worker_layout_init(&layout, PARAMETERS_MAX, 1), POT_OK);
    assert_int_equal(worker_layout_init(&layout, UINT64_MAX, 1), POT_ELIMIT);
    assert_int_equal(worker_layout_init(&layout, 1, UINT64_MAX), POT_ELIMIT);
}

static void shared_memory_is_seen_by_both_sides_and_grows(void **state)
{
    (void)state;
    struct worker_shm ours;
    struct worker_shm theirs;
    assert_int_equal(worker_shm_open(&ours, 100), POT_OK);
    worker_shm_attach(&theirs, dup(ours.fd));
    assert_int_equal(worker_shm_map(&theirs, 100), POT_OK);
    memcpy(ours.data, "hello", 6);
    assert_string_equal(theirs.data, "hello");
    assert_int_equal(worker_shm_map(&theirs, 1 << 20), POT_ERANGE);
    assert_int_equal(worker_shm_grow(&ours, 1 << 20), POT_OK);
    assert_int_equal(worker_shm_map(&theirs, 1 << 20), POT_OK);
    ((char *)theirs.data)[(1 << 20) - 1] = 'x';
    assert_int_equal(((char *)ours.data)[(1 << 20) - 1], 'x');
    assert_string_equal(ours.data, "hello");
    /* It cannot be cut short under the other side. */
    assert_int_not_equal(ftruncate(ours.fd, 10), 0);
    worker_shm_close(&theirs);
    worker_shm_close(&ours);
    assert_int_equal(ours.fd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_survive_a_round_trip_byte_by_byte),
        cmocka_unit_test(messages_come_out_one_by_one),
        cmocka_unit_test(damaged_messages_are_noticed),
        cmocka_unit_test(texts_of_a_worker_are_made_printable),
        cmocka_unit_test(arrays_of_a_layout_do_not_overlap),
        cmocka_unit_test(shared_memory_is_seen_by_both_sides_and_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
