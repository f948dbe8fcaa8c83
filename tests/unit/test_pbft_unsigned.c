/* A key that does not sign: nothing is said, and it is said once it does. */
#include "config.h"

#include "tests/unit/pbft_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct {
    struct key *key;
    bool is_down;
    unsigned asked;
} elsewhere;

static bool sign(void *context, struct signature *out, const char *what,
                 const struct hash *chain, const void *message, size_t size)
{
    (void)context;
    elsewhere.asked++;
    return !elsewhere.is_down &&
           key_sign(out, elsewhere.key, what, chain, message, size);
}

/* The replica's key is remote from here on. */
static void move_key(void)
{
    const struct key_signer by = {NULL, sign};
    elsewhere.key = bench.keys[bench.self];
    elsewhere.is_down = false;
    elsewhere.asked = 0;
    bench.keys[bench.self] = key_remote(key_public(elsewhere.key), &by);
    bench_restart(&bench);
}

static int open_backup_elsewhere(void **state)
{
    (void)open_backup(state);
    move_key();
    return 0;
}

static int open_next_primary_elsewhere(void **state)
{
    (void)open_next_primary(state);
    move_key();
    return 0;
}

static int close_elsewhere(void **state)
{
    (void)close_bench(state);
    key_free(elsewhere.key);
    return 0;
}

static bool says_nothing(void)
{
    return bench_find(&bench, PBFT_PERSIST) == NULL &&
           bench_find(&bench, PBFT_BROADCAST) == NULL;
}

static void resend_and_persist(void)
{
    bench_timer(&bench, PBFT_TIMER_RESEND);
    assert_non_null(bench_find(&bench, PBFT_PERSIST));
    bench_persist(&bench);
}

static void a_prepare_is_cast_once_the_key_signs(void **state)
{
    (void)state;
    assert_true(bench_pre_prepare(&bench, 0, &block));
    elsewhere.is_down = true;
    bench_checked(&bench, &block, true);
    assert_true(says_nothing());
    bench_timer(&bench, PBFT_TIMER_RESEND);
    assert_true(says_nothing());
    assert_int_equal(elsewhere.asked, 2);
    elsewhere.is_down = false;
    resend_and_persist();
    assert_true(bench_has_sent(&bench, SENT(PREPARE)));
}

static void a_commit_is_cast_once_the_key_signs(void **state)
{
    (void)state;
    backup_prepares();
    elsewhere.is_down = true;
    assert_true(bench_vote(&bench, prepare, 2, 1, 0, &block.digest));
    assert_true(says_nothing());
    assert_true(bench_vote(&bench, prepare, 1, 1, 0, &block.digest));
    assert_true(says_nothing());
    elsewhere.is_down = false;
    resend_and_persist();
    assert_true(bench_has_sent(&bench, SENT(COMMIT)));
}

/* What was prepared is not forgotten for it. */
static void a_view_change_is_said_once_the_key_signs(void **state)
{
    (void)state;
    backup_prepares();
    elsewhere.is_down = true;
    assert_true(bench_vote(&bench, prepare, 2, 1, 0, &block.digest));
    bench_timer(&bench, PBFT_TIMER_VIEW);
    assert_true(pbft_status(bench.pbft).is_changing);
    assert_true(says_nothing());
    elsewhere.is_down = false;
    resend_and_persist();
    Pot__ConsensusMessage *sent = bench_sent(&bench, SENT(VIEW_CHANGE));
    assert_non_null(sent);
    assert_non_null(sent->view_change->prepared);
    assert_int_equal(sent->view_change->view, 1);
    codec_free(sent);
    bench_restart(&bench);
    assert_int_equal(pbft_status(bench.pbft).view, 1);
}

static void a_new_view_is_said_once_the_key_signs(void **state)
{
    (void)state;
    time_out();
    assert_true(bench_send_view_change(&bench, 2, 1, NULL));
    elsewhere.is_down = true;
    assert_true(bench_send_view_change(&bench, 3, 1, NULL));
    assert_false(bench_has_sent(&bench, SENT(NEW_VIEW)));
    assert_true(pbft_status(bench.pbft).is_changing);
    elsewhere.is_down = false;
    bench_timer(&bench, PBFT_TIMER_RESEND);
    assert_true(bench_has_sent(&bench, SENT(NEW_VIEW)));
    assert_false(pbft_status(bench.pbft).is_changing);
}

/* The chain goes on without it, and it follows. */
static void who_cannot_sign_still_sees_the_decision(void **state)
{
    (void)state;
    elsewhere.is_down = true;
    assert_true(bench_pre_prepare(&bench, 0, &block));
    bench_checked(&bench, &block, true);
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(bench_vote(&bench, commit, i, 1, 0, &block.digest));
    }
    assert_non_null(bench_find(&bench, PBFT_COMMIT));
    unsigned asked = elsewhere.asked;
    bench_timer(&bench, PBFT_TIMER_RESEND);
    assert_int_equal(elsewhere.asked, asked);
}

#define AWAY(name, setup)                                                      \
    cmocka_unit_test_setup_teardown(name, setup, close_elsewhere)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AWAY(a_prepare_is_cast_once_the_key_signs, open_backup_elsewhere),
        AWAY(a_commit_is_cast_once_the_key_signs, open_backup_elsewhere),
        AWAY(a_view_change_is_said_once_the_key_signs, open_backup_elsewhere),
        AWAY(a_new_view_is_said_once_the_key_signs,
             open_next_primary_elsewhere),
        AWAY(who_cannot_sign_still_sees_the_decision, open_backup_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
