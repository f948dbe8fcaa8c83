/* What comes before its round is open, and how little of it is kept. */
#include "config.h"

#include "node/round/round_early.h"

#include "base/alloc.h"
#include "proto/codec.h"
#include "proto/signed.h"
#include "tests/unit/ledger_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define AUTHOR_MAX 8
#define BLOCKS_MAX 2

struct game {
    struct fixture f;
    struct round_early early;
    size_t taken;
    uint64_t taken_peers[AUTHOR_MAX];
    bool is_kept_again;
};

static int set_up(void **state)
{
    struct game *g = pot_calloc(1, sizeof(*g));
    struct fixture_spec spec;
    struct hash task;
    fixture_open(&g->f);
    fixture_spec(&spec, &g->f);
    fixture_start_task(&g->f, &spec, 6000, 2, &task); /* two put up a stake */
    *state = g;
    return 0;
}

static int tear_down(void **state)
{
    struct game *g = *state;
    round_early_fini(&g->early);
    fixture_close(&g->f);
    free(g);
    return 0;
}

static bool keep(struct game *g, const struct key *author, bool is_submission,
                 uint64_t height)
{
    const Pot__Signed message = POT__SIGNED__INIT;
    const struct arrival arrival = {
        .message = &message,
        .kind = is_submission ? ARRIVAL_SUBMISSION : ARRIVAL_ATTESTATION,
    };
    return round_early_keep(&g->early, &arrival, key_public(author),
                            &g->f.env.state, height);
}

static void only_of_those_who_may_take_part(void **state)
{
    struct game *g = *state;
    const struct key *miner = fixture_miner(&g->f, 0);
    const struct key *validator = fixture_validator(&g->f, 0);
    const struct key *client = fixture_client(&g->f, 0);
    assert_true(keep(g, miner, true, 0));
    assert_false(keep(g, miner, false, 0));
    assert_true(keep(g, validator, false, 0));
    assert_false(keep(g, validator, true, 0));
    assert_false(keep(g, client, true, 0));
    assert_false(keep(g, client, false, 0));
}

static void a_few_of_each_author(void **state)
{
    struct game *g = *state;
    for (int i = 0; i < AUTHOR_MAX; i++) {
        assert_true(keep(g, fixture_miner(&g->f, 0), true, 0));
    }
    assert_false(keep(g, fixture_miner(&g->f, 0), true, 0));
    assert_true(keep(g, fixture_miner(&g->f, 1), true, 0));
}

static void for_a_few_blocks(void **state)
{
    struct game *g = *state;
    assert_true(keep(g, fixture_miner(&g->f, 0), true, BLOCKS_MAX));
    assert_false(keep(g, fixture_miner(&g->f, 0), true, BLOCKS_MAX + 1));
}

static bool take(void *context, const struct arrival *arrival)
{
    struct game *g = context;
    g->taken_peers[g->taken % AUTHOR_MAX] = arrival->peer_id;
    g->taken++;
    assert_non_null(arrival->message);
    return g->is_kept_again &&
           round_early_keep(&g->early, arrival,
                            key_public(fixture_miner(&g->f, 0)),
                            &g->f.env.state, 1);
}

static void each_is_looked_at_once_and_may_stay(void **state)
{
    struct game *g = *state;
    assert_true(keep(g, fixture_miner(&g->f, 0), true, 0));
    assert_true(keep(g, fixture_miner(&g->f, 0), true, 0));
    g->is_kept_again = true;
    round_early_replay(&g->early, take, g);
    assert_int_equal(g->taken, 2);
    g->is_kept_again = false;
    round_early_replay(&g->early, take, g);
    assert_int_equal(g->taken, 4);
    round_early_replay(&g->early, take, g);
    assert_int_equal(g->taken, 4);
}

/* A pledge goes before the words behind it. */
static void in_the_order_in_which_they_came(void **state)
{
    struct game *g = *state;
    const Pot__Signed message = POT__SIGNED__INIT;
    for (uint64_t i = 0; i < 4; i++) {
        const struct arrival arrival = {.message = &message, .peer_id = i};
        assert_true(round_early_keep(&g->early, &arrival,
                                     key_public(fixture_miner(&g->f, i % 2)),
                                     &g->f.env.state, 0));
    }
    round_early_replay(&g->early, take, g);
    for (uint64_t i = 0; i < 4; i++) {
        assert_int_equal(g->taken_peers[i], i);
    }
}

/* A validator's: a pledge, or not, of the task of this number. */
static bool keep_word(struct game *g, uint8_t task, uint32_t sequence,
                      bool is_pledge)
{
    const struct key *validator = fixture_validator(&g->f, 0);
    uint8_t of = 1;
    uint8_t hash[HASH_SIZE] = {task};
    Pot__AttestationBody body = POT__ATTESTATION_BODY__INIT;
    body.task = codec_bytes(hash, HASH_SIZE);
    body.sequence = sequence;
    if (is_pledge) {
        body.pledge = codec_bytes(hash, HASH_SIZE);
        body.covers = codec_bytes(&of, 1);
    }
    Pot__Signed *message =
        signed_make(SIGNED_ATTESTATION, &g->f.chain, validator, &body);
    const struct arrival arrival = {
        .message = message,
        .peer_id = sequence,
        .kind = ARRIVAL_ATTESTATION,
    };
    bool is_kept = round_early_keep(&g->early, &arrival, key_public(validator),
                                    &g->f.env.state, 0);
    codec_free(message);
    return is_kept;
}

/* Or they would leave no room for the words that were pledged. */
static void a_later_pledge_replaces_an_earlier_one(void **state)
{
    struct game *g = *state;
    const uint32_t last = 2 * AUTHOR_MAX;
    assert_true(keep_word(g, 1, 0, false)); /* as one that closes does */
    for (uint32_t i = 1; i <= last; i++) {
        assert_true(keep_word(g, 1, i, true));
    }
    assert_false(keep_word(g, 1, last, true));
    assert_false(keep_word(g, 1, 1, true));
    for (uint32_t i = 0; i < AUTHOR_MAX - 2; i++) {
        assert_true(keep_word(g, 1, last + i, false));
    }
    assert_false(keep_word(g, 1, last + AUTHOR_MAX, false));
    round_early_replay(&g->early, take, g);
    assert_int_equal(g->taken, AUTHOR_MAX);
    for (uint32_t i = 1; i < AUTHOR_MAX; i++) {
        assert_int_equal(g->taken_peers[i], i == 1 ? last : last + i - 2);
    }
}

static void but_not_one_of_another_round(void **state)
{
    struct game *g = *state;
    assert_true(keep_word(g, 1, 1, true));
    assert_true(keep_word(g, 2, 2, true));
    round_early_replay(&g->early, take, g);
    assert_int_equal(g->taken, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(only_of_those_who_may_take_part),
        TEST(a_few_of_each_author),
        TEST(for_a_few_blocks),
        TEST(each_is_looked_at_once_and_may_stay),
        TEST(in_the_order_in_which_they_came),
        TEST(a_later_pledge_replaces_an_earlier_one),
        TEST(but_not_one_of_another_round),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
