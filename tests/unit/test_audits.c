/* The queue of audits: who makes room, and who is told.  What they come to is
 * for networks: tests/e2e/test_late_audit.sh. */
#include "config.h"

#include "node/round/audits.h"

#include "base/alloc.h"
#include "node/round/rounds_shared.h"
#include "proto/codec.h"
#include "tests/unit/chain_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct asker {
    unsigned calls;
    enum pot_err err;
};

struct desk {
    struct chain_fixture f;
    struct rounds_shared shared;
    struct audits *audits;
    Pot__Signed *submission;
    struct asker askers[AUDITS_MAX + 2];
};

static void on_news(void *context)
{
    (void)context;
}

static void on_done(void *context, enum pot_err err,
                    const struct audit_result *result)
{
    struct asker *asker = context;
    asker->calls++;
    asker->err = err;
    assert_null(result);
}

static int set_up(void **state)
{
    struct desk *d = pot_calloc(1, sizeof(*d));
    chain_fixture_open(&d->f);
    d->shared = (struct rounds_shared){
        .loop = &d->f.loop,
        .holdings = &d->f.holdings,
        .on_news = on_news,
    };
    d->audits = audits_new(&d->shared, "no program");
    d->submission = chain_fixture_pay(&d->f, 0, 1); /* signed, and no more */
    *state = d;
    return 0;
}

static int tear_down(void **state)
{
    struct desk *d = *state;
    audits_free(d->audits);
    codec_free(d->submission);
    chain_fixture_close(&d->f);
    free(d);
    return 0;
}

/* Of a submission of a task that the chain does not know. */
static enum pot_err ask(struct desk *d, size_t asker)
{
    const struct audits_case asked = {
        .core = "",
        .submission = d->submission,
    };
    return audits_ask(d->audits, &asked, on_done, &d->askers[asker]);
}

static void fill(struct desk *d)
{
    for (size_t i = 0; i < AUDITS_MAX; i++) {
        assert_int_equal(ask(d, i), POT_OK);
    }
}

/* A false submission that was counted is worth more than those that are not
 * yet. */
static void challenges_find_room_where_submissions_find_none(void **state)
{
    struct desk *d = *state;
    const struct audits_case challenged = {.core = ""};
    fill(d);
    for (size_t i = 0; i < AUDITS_MAX; i++) {
        assert_int_equal(audits_ask(d->audits, &challenged, on_done, d),
                         POT_OK);
    }
    assert_int_equal(audits_ask(d->audits, &challenged, on_done, d),
                     POT_ELIMIT);
    audits_forget(d->audits, d);
    assert_int_equal(audits_ask(d->audits, &challenged, on_done, d), POT_OK);
    assert_int_equal(ask(d, AUDITS_MAX), POT_ELIMIT);
}

static void those_of_open_rounds_make_no_room(void **state)
{
    struct desk *d = *state;
    fill(d);
    assert_int_equal(ask(d, AUDITS_MAX), POT_ELIMIT);
    assert_int_equal(d->shared.stats.dropped, 0);
}

static void one_of_a_closed_round_makes_room_and_is_counted(void **state)
{
    struct desk *d = *state;
    fill(d);
    audits_outlive(d->audits, &d->askers[7]);
    audits_outlive(d->audits, &d->askers[5]);
    assert_int_equal(ask(d, AUDITS_MAX), POT_OK);
    assert_int_equal(d->shared.stats.dropped, 1);
    assert_int_equal(ask(d, AUDITS_MAX + 1), POT_OK);
    assert_int_equal(d->shared.stats.dropped, 2);
    assert_int_equal(d->askers[5].calls + d->askers[7].calls, 0);
    assert_int_equal(ask(d, 5), POT_ELIMIT);
}

static void one_that_can_accuse_nobody_any_more_is_counted(void **state)
{
    struct desk *d = *state;
    assert_int_equal(ask(d, 0), POT_OK);
    audits_outlive(d->audits, &d->askers[0]);
    audits_tick(d->audits);
    assert_int_equal(d->shared.stats.dropped, 1);
    assert_int_equal(d->askers[0].calls, 0);
}

static void who_asked_of_a_round_that_is_gone_is_told(void **state)
{
    struct desk *d = *state;
    assert_int_equal(ask(d, 0), POT_OK);
    assert_int_equal(ask(d, 1), POT_OK);
    audits_forget(d->audits, &d->askers[1]);
    assert_int_equal(d->askers[0].calls, 0);
    audits_tick(d->audits);
    assert_int_equal(d->askers[0].calls, 1);
    assert_int_equal(d->askers[0].err, POT_ENOENT);
    assert_int_equal(d->askers[1].calls, 0);
    assert_int_equal(d->shared.stats.dropped, 0);
    audits_tick(d->audits);
    assert_int_equal(d->askers[0].calls, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(challenges_find_room_where_submissions_find_none),
        TEST(those_of_open_rounds_make_no_room),
        TEST(one_of_a_closed_round_makes_room_and_is_counted),
        TEST(one_that_can_accuse_nobody_any_more_is_counted),
        TEST(who_asked_of_a_round_that_is_gone_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
