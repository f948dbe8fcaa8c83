/* The rule itself is asked in tests/unit/test_key_batch.c; this is about which
 * keys are kept. */
#include "config.h"

#include "base/key_often.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEYS    (KEY_OFTEN_MAX + 20)
#define THREADS 4

static struct key_claim right[KEYS];
static struct key_claim wrong[KEYS]; /* the signature of the key before */

static int make_claims(void **state)
{
    static const struct hash chain = {{1}};
    (void)state;
    for (size_t i = 0; i < KEYS; i++) {
        struct signature signature;
        uint8_t seed[KEY_SEED_SIZE] = {(uint8_t)i, 1};
        struct key *key = key_from_seed(seed);
        bool is_signed = key_sign(&signature, key, "vote", &chain, "word", 4);
        assert_true(is_signed);
        key_claim_init(&right[i], key_public(key), "vote", &chain, "word", 4,
                       &signature);
        key_free(key);
    }
    for (size_t i = 0; i < KEYS; i++) {
        wrong[i] = right[i];
        wrong[i].signature = right[(i + KEYS - 1) % KEYS].signature;
    }
    return 0;
}

static bool agree(size_t from)
{
    bool do_agree = true;
    for (size_t i = 0; i < KEYS; i++) {
        size_t at = (from + i) % KEYS;
        do_agree = do_agree && key_often_holds(&right[at]) &&
                   !key_often_holds(&wrong[at]);
    }
    return do_agree;
}

static void more_keys_than_are_kept_give_way_to_each_other(void **state)
{
    (void)state;
    assert_true(agree(0));
    assert_true(agree(KEYS / 2));
}

static void *ask(void *context)
{
    const size_t *from = context;
    return agree(*from) ? context : NULL;
}

static void threads_may_ask_at_once(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    size_t from[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        from[i] = i * KEYS / THREADS;
        int rc = pthread_create(&threads[i], NULL, ask, &from[i]);
        assert_int_equal(rc, 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        void *result;
        int rc = pthread_join(threads[i], &result);
        assert_int_equal(rc, 0);
        assert_non_null(result);
    }
}

static void what_is_no_key_holds_nothing(void **state)
{
    (void)state;
    struct key_claim claim = right[0];
    memset(claim.public_key.b, 0xff, PUBLIC_KEY_SIZE);
    assert_false(key_often_holds(&claim));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_keys_than_are_kept_give_way_to_each_other),
        cmocka_unit_test(threads_may_ask_at_once),
        cmocka_unit_test(what_is_no_key_holds_nothing),
    };
    return cmocka_run_group_tests(tests, make_claims, NULL);
}
