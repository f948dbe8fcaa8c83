/* What an aggregator's miners said, told to validators again: which of it,
 * when, and over real connections to whom. */
#include "config.h"

#include "node/round/reminder.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "proto/codec.h"
#include "tests/unit/hearers.h"

#include <stdlib.h>
#include <string.h>

struct table {
    struct hearers hearers;
    struct reminder *reminder;
    char heard[HEARERS][32]; /* a letter a message */
    unsigned count[HEARERS];
};

/* The letter is all that a message of these says. */
static void on_heard(void *context, enum hearer who, uint8_t type,
                     const uint8_t *data, size_t size)
{
    struct table *t = context;
    Pot__Signed *message = pot__signed__unpack(NULL, size, data);
    assert_non_null(message);
    assert_int_equal(message->body.len, 1);
    char letter = (char)*message->body.data;
    assert_int_equal(type,
                     letter >= 'a' ? MESSAGE_SUBMISSION : MESSAGE_COMMITMENT);
    if (t->count[who] + 1 < sizeof(t->heard[who])) {
        t->heard[who][t->count[who]] = letter;
    }
    t->count[who]++;
    codec_free(message);
}

static int set_up(void **state)
{
    struct table *t = pot_calloc(1, sizeof(*t));
    t->hearers.on_heard = on_heard;
    t->hearers.context = t;
    hearers_open(&t->hearers);
    t->reminder = reminder_new(t->hearers.gossip);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct table *t = *state;
    reminder_free(t->reminder);
    hearers_close(&t->hearers);
    free(t);
    return 0;
}

/* A capital is a commitment. */
static void note(struct table *t, unsigned miner, uint32_t round, char letter,
                 uint64_t now_ms)
{
    uint8_t key[PUBLIC_KEY_SIZE] = {(uint8_t)miner, (uint8_t)(miner >> 8)};
    uint8_t body = (uint8_t)letter;
    uint8_t signature[SIGNATURE_SIZE] = {0};
    Pot__Signed message = POT__SIGNED__INIT;
    message.public_key = codec_bytes(key, sizeof(key));
    message.body = codec_bytes(&body, 1);
    message.signature = codec_bytes(signature, sizeof(signature));
    reminder_note(t->reminder,
                  letter >= 'a' ? REMINDER_SUBMISSION : REMINDER_COMMITMENT,
                  round, &message, now_ms);
}

/* What validators are told in a tick. */
static const char *told_at(struct table *t, uint64_t now_ms)
{
    memset(t->heard, 0, sizeof(t->heard));
    memset(t->count, 0, sizeof(t->count));
    reminder_tick(t->reminder, now_ms);
    hearers_settle(&t->hearers);
    assert_int_equal(t->count[HEARER_FOLLOWER], 0);
    return t->heard[HEARER_FELLOW];
}

/* Who has not heard of the commitment takes no submission. */
static void commitments_are_told_before_their_submissions(void **state)
{
    struct table *t = *state;
    note(t, 1, 0, 's', 0);
    note(t, 1, 0, 'C', 0);
    assert_string_equal(told_at(t, REMINDER_MS), "Cs");
}

static void they_are_told_ever_more_seldom(void **state)
{
    struct table *t = *state;
    note(t, 1, 0, 'C', 500);
    assert_string_equal(told_at(t, 6499), "");
    assert_string_equal(told_at(t, 6500), "C");
    assert_string_equal(told_at(t, 18499), "");
    assert_string_equal(told_at(t, 18500), "C");
    assert_string_equal(told_at(t, 30499), "");
    assert_string_equal(told_at(t, 30500), "C");
}

static void what_is_new_of_a_miner_is_told_soon(void **state)
{
    struct table *t = *state;
    note(t, 1, 0, 'C', 0);
    assert_string_equal(told_at(t, 6000), "C");
    note(t, 1, 0, 's', 7000);
    assert_string_equal(told_at(t, 12999), "");
    assert_string_equal(told_at(t, 13000), "Cs");
}

/* A miner commits, and submits when its commitment is due again. */
static void what_is_new_of_a_miner_puts_nothing_off(void **state)
{
    struct table *t = *state;
    note(t, 1, 0, 'C', 0);
    note(t, 1, 0, 's', 5999);
    assert_string_equal(told_at(t, 5999), "");
    assert_string_equal(told_at(t, 6000), "Cs");
}

static void who_comes_is_told_all_of_it_alone(void **state)
{
    struct table *t = *state;
    note(t, 1, 0, 's', 0);
    note(t, 1, 0, 'C', 0);
    reminder_tell(t->reminder, hearers_id(&t->hearers, HEARER_FOLLOWER));
    hearers_settle(&t->hearers);
    assert_string_equal(t->heard[HEARER_FOLLOWER], "Cs");
    assert_int_equal(t->count[HEARER_FELLOW], 0);
    assert_string_equal(told_at(t, REMINDER_MS), "Cs");
}

static void a_miners_first_words_in_a_round_are_kept(void **state)
{
    struct table *t = *state;
    note(t, 1, 0, 's', 0);
    note(t, 1, 0, 'x', 0);
    assert_string_equal(told_at(t, REMINDER_MS), "s");
}

static void a_miners_last_round_is_kept(void **state)
{
    struct table *t = *state;
    note(t, 1, 4, 'A', 0);
    note(t, 1, 4, 'a', 0);
    note(t, 1, 5, 'B', 0);
    note(t, 1, 4, 'x', 0);
    assert_string_equal(told_at(t, REMINDER_MS), "B");
}

static void rounds_that_are_over_are_forgotten(void **state)
{
    struct table *t = *state;
    note(t, 1, 4, 'a', 0);
    note(t, 2, 5, 'b', 0);
    reminder_open(t->reminder, 5);
    assert_string_equal(told_at(t, REMINDER_MS), "b");
    reminder_open(t->reminder, 6);
    assert_string_equal(told_at(t, 60000), "");
    note(t, 1, 6, 'c', 60000);
    assert_string_equal(told_at(t, 66000), "c");
}

static void no_more_miners_are_kept_than_a_roster_has(void **state)
{
    struct table *t = *state;
    for (unsigned i = 0; i < ROSTER_MAX; i++) {
        note(t, i, 0, 'a', 0);
    }
    note(t, ROSTER_MAX, 0, 'x', 0);
    (void)told_at(t, REMINDER_MS);
    assert_int_equal(t->count[HEARER_FELLOW], ROSTER_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(commitments_are_told_before_their_submissions),
        TEST(they_are_told_ever_more_seldom),
        TEST(what_is_new_of_a_miner_is_told_soon),
        TEST(what_is_new_of_a_miner_puts_nothing_off),
        TEST(who_comes_is_told_all_of_it_alone),
        TEST(a_miners_first_words_in_a_round_are_kept),
        TEST(a_miners_last_round_is_kept),
        TEST(rounds_that_are_over_are_forgotten),
        TEST(no_more_miners_are_kept_than_a_roster_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
