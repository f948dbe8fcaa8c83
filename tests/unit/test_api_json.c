#include "config.h"

#include "node/api/api_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OUT_MAX 65536

static void expect(json_t *json, const char *text)
{
    struct buf out;
    buf_init(&out, OUT_MAX);
    api_json_write(&out, json);
    assert_string_equal(buf_text(&out), text);
    buf_fini(&out);
}

static void amounts_are_text_and_counts_are_numbers(void **state)
{
    (void)state;
    expect(api_json_amount(UINT64_MAX), "\"18446744073709551615\"");
    expect(api_json_count(7), "7");
    expect(api_json_count(UINT64_MAX), "9223372036854775807");
}

static void losses_and_accuracies_are_numbers(void **state)
{
    Pot__Evaluation e = POT__EVALUATION__INIT;
    (void)state;
    expect(api_json_loss(INT64_C(3) << 23), "1.5");
    expect(api_json_loss(-(INT64_C(1) << 24)), "-1.0");
    expect(api_json_accuracy(NULL), "null");
    expect(api_json_accuracy(&e), "null");
    e.rows = 20;
    e.correct = 19;
    expect(api_json_accuracy(&e), "0.95");
}

static void bytes_are_lower_case_hex(void **state)
{
    struct hash hash = {{0xAB}};
    ProtobufCBinaryData shorter = {4, hash.b};
    ProtobufCBinaryData whole = {HASH_SIZE, hash.b};
    (void)state;
    expect(api_json_hex("\x01\xfe", 2), "\"01fe\"");
    expect(api_json_hex("", 0), "\"\"");
    expect(api_json_hash_field(shorter), "null");
    json_t *json = api_json_hash_field(whole);
    assert_int_equal(json_string_length(json), 2 * HASH_SIZE);
    assert_memory_equal(json_string_value(json), "ab00", 4);
    json_decref(json);
}

static void what_is_no_text_shows_as_question_marks(void **state)
{
    (void)state;
    expect(api_json_text("caf\xc3\xa9 \"x\""), "\"caf\xc3\xa9 \\\"x\\\"\"");
    expect(api_json_text("a\xff\xfe"), "\"a??\"");
}

static void codes_are_names_in_snake_case(void **state)
{
    char text[64];
    (void)state;
    assert_string_equal(api_json_code(text, "TX_FEE_LOW", "TX_"), "fee_low");
    assert_string_equal(api_json_code(text, "MEMPOOL_FULL", "TX_"),
                        "mempool_full");
    assert_string_equal(api_json_reward_for(1), "training");
    assert_string_equal(api_json_reward_for(99), "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts_are_text_and_counts_are_numbers),
        cmocka_unit_test(losses_and_accuracies_are_numbers),
        cmocka_unit_test(bytes_are_lower_case_hex),
        cmocka_unit_test(what_is_no_text_shows_as_question_marks),
        cmocka_unit_test(codes_are_names_in_snake_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
