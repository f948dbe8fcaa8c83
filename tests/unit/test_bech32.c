#include "config.h"

#include "base/bech32.h"

#include "base/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void every_value_survives_a_round_trip(void **state)
{
    (void)state;
    uint8_t data[32];
    for (unsigned seed = 0; seed < 256; seed++) {
        char text[BECH32_TEXT_SIZE];
        uint8_t again[32] = {0};
        for (unsigned i = 0; i < 32; i++) {
            data[i] = (uint8_t)(seed * 7 + i * i * 13);
        }
        bech32_format(text, "pot", data);
        assert_int_equal(strlen(text), 3 + 1 + 52 + 6);
        assert_int_equal(bech32_parse(again, "pot", text), POT_OK);
        assert_memory_equal(data, again, 32);
    }
}

static void every_single_typo_is_caught(void **state)
{
    (void)state;
    static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7lbio1";
    uint8_t data[32] = {1, 2, 3};
    uint8_t out[32];
    char text[BECH32_TEXT_SIZE];
    bech32_format(text, "pot", data);
    for (size_t i = 0; text[i] != '\0'; i++) {
        for (size_t j = 0; alphabet[j] != '\0'; j++) {
            char typo[BECH32_TEXT_SIZE];
            memcpy(typo, text, sizeof(typo));
            typo[i] = alphabet[j];
            if (typo[i] != text[i]) {
                assert_int_equal(bech32_parse(out, "pot", typo), POT_EFORMAT);
            }
        }
    }
}

static void case_prefix_and_length_are_checked(void **state)
{
    (void)state;
    uint8_t data[32] = {9};
    uint8_t out[32];
    char text[BECH32_TEXT_SIZE];
    char upper[BECH32_TEXT_SIZE];
    bech32_format(text, "pot", data);
    for (size_t i = 0; i <= strlen(text); i++) {
        char c = text[i];
        upper[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    assert_int_equal(bech32_parse(out, "pot", upper), POT_OK);
    upper[0] = 'p';
    assert_int_equal(bech32_parse(out, "pot", upper), POT_EFORMAT);
    assert_int_equal(bech32_parse(out, "potsec", text), POT_EFORMAT);
    text[strlen(text) - 1] = '\0';
    assert_int_equal(bech32_parse(out, "pot", text), POT_EFORMAT);
    assert_int_equal(bech32_parse(out, "pot", ""), POT_EFORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_survives_a_round_trip),
        cmocka_unit_test(every_single_typo_is_caught),
        cmocka_unit_test(case_prefix_and_length_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
