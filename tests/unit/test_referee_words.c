/* Words on a challenge: which of them settle it, and that they fit. */
#include "config.h"

#include "node/round/referee_words.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "proto/codec.h"
#include "proto/round.h"
#include "proto/signed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VALIDATORS 31
#define QUORUM     21

static const Pot__Verdict refused = POT__VERDICT__VERDICT_REFUSE;
static const Pot__Verdict audited = POT__VERDICT__VERDICT_ACCEPT_AUDITED;

struct jury {
    struct key *keys[VALIDATORS];
    struct validator_set set;
    struct referee_words words;
};

static void open_jury(struct jury *j)
{
    *j = (struct jury){.set.count = VALIDATORS};
    for (size_t i = 0; i < VALIDATORS; i++) {
        uint8_t seed[32] = {(uint8_t)(i + 1)};
        j->keys[i] = key_from_seed(seed);
        j->set.keys[i] = *key_public(j->keys[i]);
    }
}

static void close_jury(struct jury *j)
{
    referee_words_fini(&j->words);
    for (size_t i = 0; i < VALIDATORS; i++) {
        key_free(j->keys[i]);
    }
}

/* Verdicts on so many submissions, the first of which is in question. */
static bool say(struct jury *j, size_t validator, Pot__Verdict verdict,
                uint32_t count)
{
    static const struct hash chain;
    uint8_t task[HASH_SIZE] = {0};
    Pot__AttestationBody body = POT__ATTESTATION_BODY__INIT;
    uint8_t(*names)[HASH_SIZE] = pot_calloc(count, sizeof(*names));
    Pot__Judgement *judgements = pot_calloc(count, sizeof(*judgements));
    Pot__Judgement **list = pot_calloc(count, sizeof(*list));
    for (uint32_t i = 0; i < count; i++) {
        names[i][0] = (uint8_t)(i >> 8);
        names[i][1] = (uint8_t)i;
        pot__judgement__init(&judgements[i]);
        judgements[i].submission = codec_bytes(names[i], HASH_SIZE);
        judgements[i].verdict = verdict;
        list[i] = &judgements[i];
    }
    body.task = codec_bytes(task, HASH_SIZE);
    body.n_judgements = count;
    body.judgements = list;
    Pot__Signed *message =
        signed_make(SIGNED_ATTESTATION, &chain, j->keys[validator], &body);
    bool is_news = referee_words_take(&j->words, &j->set.keys[validator],
                                      verdict, message);
    codec_free(message);
    free(list);
    free(judgements);
    free(names);
    return is_news;
}

/* Bytes of a settlement; 0: there is no quorum. */
static size_t size_of(const struct jury *j, Pot__Verdict verdict)
{
    Pot__Signed *words[VALIDATORS_MAX];
    uint8_t submission[HASH_SIZE] = {0};
    Pot__SettleChallenge settle = POT__SETTLE_CHALLENGE__INIT;
    settle.submission = codec_bytes(submission, HASH_SIZE);
    settle.attestations = words;
    settle.n_attestations =
        referee_words_quorum(words, &j->words, &j->set, verdict);
    assert_true(settle.n_attestations == 0 || settle.n_attestations == QUORUM);
    for (size_t i = 1; i < settle.n_attestations; i++) {
        assert_true(memcmp(words[i - 1]->public_key.data,
                           words[i]->public_key.data, PUBLIC_KEY_SIZE) < 0);
    }
    return settle.n_attestations == 0
               ? 0
               : pot__settle_challenge__get_packed_size(&settle);
}

static void padded_words_do_not_keep_a_quorum_from_settling(void **state)
{
    (void)state;
    struct jury j;
    open_jury(&j);
    for (size_t i = 0; i < VALIDATORS - QUORUM; i++) {
        assert_true(say(&j, i, refused, ROSTER_MAX));
    }
    for (size_t i = VALIDATORS - QUORUM; i + 1 < VALIDATORS; i++) {
        assert_true(say(&j, i, refused, 1));
    }
    assert_in_range(size_of(&j, refused), 1 << 17, 1 << 20);
    assert_true(say(&j, VALIDATORS - 1, refused, 1));
    assert_in_range(size_of(&j, refused), QUORUM * 150, QUORUM * 300);
    close_jury(&j);
}

/* Who attested to a whole round while it was open says it again in short. */
static void a_shorter_word_takes_the_place_of_a_longer_one(void **state)
{
    (void)state;
    struct jury j;
    open_jury(&j);
    for (size_t i = 0; i < QUORUM; i++) {
        assert_true(say(&j, i, refused, ROSTER_MAX));
    }
    assert_in_range(size_of(&j, refused), TX_BYTES_MAX, 4 * TX_BYTES_MAX);
    for (size_t i = 0; i < QUORUM; i++) {
        assert_true(say(&j, i, refused, 1));
        assert_false(say(&j, i, refused, 1));
        assert_false(say(&j, i, refused, 2));
    }
    assert_in_range(size_of(&j, refused), QUORUM * 150, QUORUM * 300);
    close_jury(&j);
}

static void the_first_word_counts(void **state)
{
    (void)state;
    struct jury j;
    open_jury(&j);
    for (size_t i = 0; i < QUORUM; i++) {
        assert_int_equal(size_of(&j, audited), 0);
        assert_true(say(&j, i, audited, 2));
        assert_false(say(&j, i, refused, 1));
    }
    assert_int_equal(size_of(&j, refused), 0);
    assert_int_not_equal(size_of(&j, audited), 0);
    close_jury(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(padded_words_do_not_keep_a_quorum_from_settling),
        cmocka_unit_test(a_shorter_word_takes_the_place_of_a_longer_one),
        cmocka_unit_test(the_first_word_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
