#include "config.h"

#include "node/round/own_links.h"

#include "base/key.h"
#include "proto/draw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct hash chain = {{1}};
static const struct hash task = {{2}};

static struct key *make_key(uint8_t seed)
{
    uint8_t bytes[32] = {seed};
    return key_from_seed(bytes);
}

static void links_follow_from_one_another(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {1, 2, 999, 1000, 1001, 2500};
    struct key *key = make_key(1);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        struct own_links *links = own_links_new(key, &chain, "draws");
        struct hash first;
        assert_true(own_links_get(links, &task, lengths[i], 0, &first));
        for (uint32_t r = 1; r < lengths[i]; r += 1 + r / 8) {
            struct hash link;
            struct hash walked;
            assert_true(own_links_get(links, &task, lengths[i], r, &link));
            draw_walk(&walked, &link, r);
            assert_true(hash_equal(&walked, &first));
        }
        own_links_free(links);
    }
    key_free(key);
}

/* Also after a restart, and whatever was asked before. */
static void a_key_has_the_same_links_again(void **state)
{
    (void)state;
    struct key *key = make_key(1);
    struct key *other = make_key(2);
    const struct hash next_task = {{3}};
    struct hash once;
    struct hash again;
    struct own_links *links = own_links_new(key, &chain, "draws");
    assert_true(own_links_get(links, &task, 100, 7, &once));
    for (uint32_t i = 0; i < 1000; i++) { /* more than are held */
        const struct hash other_task = {{4, (uint8_t)i, (uint8_t)(i >> 8)}};
        assert_true(own_links_get(links, &other_task, 10, 7, &again));
        assert_false(hash_equal(&once, &again));
    }
    assert_true(own_links_get(links, &task, 100, 7, &again));
    assert_true(hash_equal(&once, &again));
    assert_true(own_links_get(links, &next_task, 100, 7, &again));
    assert_false(hash_equal(&once, &again));
    own_links_free(links);
    links = own_links_new(key, &chain, "draws");
    assert_true(own_links_get(links, &task, 100, 7, &again));
    assert_true(hash_equal(&once, &again));
    own_links_free(links);
    links = own_links_new(key, &chain, "plants");
    assert_true(own_links_get(links, &task, 100, 7, &again));
    assert_false(hash_equal(&once, &again));
    own_links_free(links);
    links = own_links_new(other, &chain, "draws");
    assert_true(own_links_get(links, &task, 100, 7, &again));
    assert_false(hash_equal(&once, &again));
    own_links_free(links);
    key_free(key);
    key_free(other);
}

static bool refuse(void *context, struct signature *out, const char *what,
                   const struct hash *on, const void *message, size_t size)
{
    (void)context;
    (void)out;
    (void)what;
    (void)on;
    (void)message;
    (void)size;
    return false;
}

static void a_key_that_does_not_sign_has_none_yet(void **state)
{
    (void)state;
    struct key *near = make_key(1);
    const struct key_signer nobody = {.sign = refuse};
    struct key *far = key_remote(key_public(near), &nobody);
    struct own_links *links = own_links_new(far, &chain, "draws");
    struct hash link;
    assert_false(own_links_get(links, &task, 100, 7, &link));
    own_links_free(links);
    key_free(far);
    key_free(near);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_follow_from_one_another),
        cmocka_unit_test(a_key_has_the_same_links_again),
        cmocka_unit_test(a_key_that_does_not_sign_has_none_yet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
