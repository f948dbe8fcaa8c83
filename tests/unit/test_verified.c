#include "config.h"

#include "node/hold/verified.h"

#include "base/alloc.h"
#include "base/key.h"
#include "proto/codec.h"
#include "proto/signed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include <cmocka.h>

#define MESSAGES 300
#define THREADS  4

struct world {
    struct hash chain;
    struct key *key;
    struct verified *verified;
    Pot__Signed *messages[MESSAGES];
};

static void world_open(struct world *w)
{
    memset(w, 0, sizeof(*w));
    w->key = key_generate();
    w->verified = verified_new(&w->chain, MESSAGES);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        Pot__TxBody body = POT__TX_BODY__INIT;
        body.nonce = i;
        w->messages[i] = signed_make(SIGNED_TX, &w->chain, w->key, &body);
    }
}

static void world_close(struct world *w)
{
    for (size_t i = 0; i < MESSAGES; i++) {
        codec_free(w->messages[i]);
    }
    verified_free(w->verified);
    key_free(w->key);
}

/* Even threads go forward, odd ones back. */
struct walker {
    uv_thread_t thread;
    struct world *world;
    bool is_backward;
    size_t held;
};

static void walk(void *context)
{
    struct walker *me = context;
    for (size_t i = 0; i < MESSAGES; i++) {
        size_t at = me->is_backward ? MESSAGES - 1 - i : i;
        me->held += verified_check(me->world->verified, SIGNED_TX,
                                   me->world->messages[at], NULL);
    }
}

static void each_is_checked_once_by_all_threads(void **state)
{
    (void)state;
    struct world w;
    struct walker walkers[THREADS] = {0};
    world_open(&w);
    for (size_t i = 0; i < THREADS; i++) {
        walkers[i].world = &w;
        walkers[i].is_backward = i % 2 == 1;
        assert_int_equal(
            uv_thread_create(&walkers[i].thread, walk, &walkers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(uv_thread_join(&walkers[i].thread), 0);
        assert_int_equal(walkers[i].held, MESSAGES);
    }
    assert_int_equal(verified_checks(w.verified), MESSAGES);
    world_close(&w);
}

static void what_does_not_hold_is_checked_again(void **state)
{
    (void)state;
    struct world w;
    struct hash hash;
    world_open(&w);
    w.messages[0]->signature.data[0] ^= 1;
    assert_false(verified_check(w.verified, SIGNED_TX, w.messages[0], &hash));
    assert_false(
        verified_check_hashed(w.verified, SIGNED_TX, w.messages[0], &hash));
    assert_int_equal(verified_checks(w.verified), 2);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_checked_once_by_all_threads),
        cmocka_unit_test(what_does_not_hold_is_checked_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
