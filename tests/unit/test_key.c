#include "config.h"

#include "base/key.h"

#include "base/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct hash chain = {{1, 2, 3}};

/* RFC 8032, section 7.1, test 1: secret seed and public key. */
static void public_key_is_that_of_rfc_8032(void **state)
{
    (void)state;
    uint8_t seed[32];
    char text[65];
    assert_int_equal(hex_parse(seed, 32,
                               "9d61b19deffd5a60ba844af492ec2cc4"
                               "4449c5697b326919703bac031cae7f60"),
                     POT_OK);
    struct key *key = key_from_seed(seed);
    assert_string_equal(hex_format(text, key_public(key)->b, 32),
                        "d75a980182b10ab7d54bfed3c964073a"
                        "0ee172f3daa62325af021a68f707511a");
    key_free(key);
}

static void a_signature_holds_for_its_purpose_chain_and_message(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 255, 256, 257, 5000};
    uint8_t message[5001] = {5};
    struct key *key = key_generate();
    struct hash other = {{9}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        size_t size = sizes[i];
        struct signature s;
        const struct public_key *pk = key_public(key);
        key_sign(&s, key, "vote", &chain, message, size);
        assert_true(key_verify(pk, "vote", &chain, message, size, &s));
        assert_false(key_verify(pk, "tx", &chain, message, size, &s));
        assert_false(key_verify(pk, "vote", &other, message, size, &s));
        assert_false(key_verify(pk, "vote", &chain, message, size + 1, &s));
        s.b[7] ^= 1;
        assert_false(key_verify(pk, "vote", &chain, message, size, &s));
    }
    key_free(key);
}

static void a_long_message_is_not_its_digest(void **state)
{
    (void)state;
    uint8_t message[300] = {5};
    struct hash digest;
    struct signature s;
    struct key *key = key_generate();
    key_sign(&s, key, "vote", &chain, message, sizeof(message));
    hash_bytes(&digest, "signed-long", message, sizeof(message));
    assert_false(key_verify(key_public(key), "vote", &chain, digest.b, 32, &s));
    key_free(key);
}

static void merkle_roots_tell_lists_apart(void **state)
{
    (void)state;
    struct hash roots[9];
    for (size_t count = 0; count < 9; count++) {
        struct hash leaves[9] = {{{0}}};
        for (size_t i = 0; i < count; i++) {
            leaves[i].b[0] = (uint8_t)(i + 1);
        }
        hash_merkle_root(&roots[count], leaves, count);
        for (size_t i = 0; i < count; i++) {
            assert_false(hash_equal(&roots[i], &roots[count]));
        }
    }
    assert_true(hash_is_zero(&roots[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_key_is_that_of_rfc_8032),
        cmocka_unit_test(a_signature_holds_for_its_purpose_chain_and_message),
        cmocka_unit_test(a_long_message_is_not_its_digest),
        cmocka_unit_test(merkle_roots_tell_lists_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
