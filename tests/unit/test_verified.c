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

static void ask_for(struct verified_ask *ask, const struct world *w, size_t i)
{
    ask->what = SIGNED_TX;
    ask->message = w->messages[i];
    signed_hash(&ask->hash, SIGNED_TX, w->messages[i]);
}

/* Even threads go forward, odd ones back, in steps of another size. */
struct walker {
    uv_thread_t thread;
    struct world *world;
    bool is_backward;
    size_t step;
    size_t held;
};

static void walk(void *context)
{
    struct walker *me = context;
    struct verified_ask *asks = pot_calloc(MESSAGES, sizeof(*asks));
    for (size_t from = 0; from < MESSAGES; from += me->step) {
        size_t left = MESSAGES - from;
        size_t count = left < me->step ? left : me->step;
        for (size_t i = 0; i < count; i++) {
            size_t at = from + i;
            ask_for(&asks[i], me->world,
                    me->is_backward ? MESSAGES - 1 - at : at);
        }
        verified_check(me->world->verified, asks, count);
        for (size_t i = 0; i < count; i++) {
            me->held += asks[i].holds;
        }
    }
    free(asks);
}

static void each_is_checked_once_by_all_threads(void **state)
{
    (void)state;
    struct world w;
    static const size_t steps[THREADS] = {1, 7, 40, MESSAGES};
    struct walker walkers[THREADS] = {0};
    world_open(&w);
    for (size_t i = 0; i < THREADS; i++) {
        walkers[i].world = &w;
        walkers[i].is_backward = i % 2 == 1;
        walkers[i].step = steps[i];
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
    struct verified_ask ask;
    world_open(&w);
    w.messages[0]->signature.data[0] ^= 1;
    ask_for(&ask, &w, 0);
    for (uint64_t checks = 1; checks <= 2; checks++) {
        verified_check(w.verified, &ask, 1);
        assert_false(ask.holds);
        assert_int_equal(verified_checks(w.verified), checks);
    }
    world_close(&w);
}

/* Known ones, new ones, the same one twice, wrong and malformed ones. */
static void each_of_many_has_its_own_answer(void **state)
{
    (void)state;
    struct world w;
    struct verified_ask *asks = pot_calloc(MESSAGES + 2, sizeof(*asks));
    world_open(&w);
    for (size_t i = 0; i < MESSAGES; i++) {
        if (i % 50 == 3) {
            w.messages[i]->signature.data[40] ^= 1;
        } else if (i % 50 == 4) {
            w.messages[i]->signature.len--;
        }
        ask_for(&asks[i], &w, i);
    }
    verified_check(w.verified, asks, 3);
    assert_int_equal(verified_checks(w.verified), 3);
    ask_for(&asks[MESSAGES], &w, 7);     /* right */
    ask_for(&asks[MESSAGES + 1], &w, 3); /* wrong: asked for each time */
    for (size_t i = 0; i < MESSAGES + 2; i++) {
        asks[i].holds = i % 2 == 0;
    }
    verified_check(w.verified, asks, MESSAGES + 2);
    for (size_t i = 0; i < MESSAGES; i++) {
        assert_int_equal(asks[i].holds, i % 50 != 3 && i % 50 != 4);
    }
    assert_true(asks[MESSAGES].holds);
    assert_false(asks[MESSAGES + 1].holds);
    assert_int_equal(verified_checks(w.verified), MESSAGES + 1);
    verified_check(w.verified, asks, 0);
    world_close(&w);
    free(asks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_checked_once_by_all_threads),
        cmocka_unit_test(what_does_not_hold_is_checked_again),
        cmocka_unit_test(each_of_many_has_its_own_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
