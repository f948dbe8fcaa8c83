/* A key signs one thing for one place, through restarts too. */
#include "config.h"

#include "signer/signer.h"

#include "base/alloc.h"
#include "proto/vote.h"
#include "proto/word.h"
#include "signer/sign_rules.h"
#include "storage/sign_state.h"
#include "tests/rng.h"
#include "tests/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct hash chain = {{7}};
static const struct hash one = {{1}};
static const struct hash two = {{2}};
static const struct hash none;

struct fixture {
    char *folder;
    char *path;
    struct key *key;
    struct signer *signer;
};

static int set_up(void **state)
{
    struct fixture *f = pot_calloc(1, sizeof(*f));
    f->folder = scratch_folder();
    f->path = file_join(f->folder, "signed");
    f->key = key_generate();
    assert_int_equal(sign_state_create(f->path, key_public(f->key), &chain),
                     POT_OK);
    assert_int_equal(signer_open(&f->signer, f->key, f->path, &chain), POT_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    signer_close(f->signer);
    key_free(f->key);
    scratch_remove(f->folder);
    free(f->path);
    free(f);
    return 0;
}

static void restart(struct fixture *f)
{
    signer_close(f->signer);
    assert_int_equal(signer_open(&f->signer, f->key, f->path, &chain), POT_OK);
}

/* What a replica signs at a place, as the real code lays it out: the key is
 * remote, and its signer is asked. */
struct asking {
    struct signer *signer;
    enum sign_verdict verdict;
};

static bool ask(void *context, struct signature *out, const char *what,
                const struct hash *on, const void *message, size_t size)
{
    struct asking *asking = context;
    struct sign_question question = {
        .chain = *on, .message = message, .size = size};
    assert_true(sign_tag_find(&question.tag, what));
    asking->verdict = signer_answer(asking->signer, out, &question);
    return asking->verdict == SIGN_DONE;
}

static enum sign_verdict say(struct fixture *f, struct signature *out,
                             const struct sign_step *step)
{
    static const char *const names[] = {WORD_VIEW_CHANGE, WORD_NEW_VIEW};
    struct asking asking = {f->signer, SIGN_VERDICTS};
    const struct key_signer by = {&asking, ask};
    struct key *key = key_remote(key_public(f->key), &by);
    bool is_signed;
    bool holds;
    if (step->place >= SIGN_PLACE_PRE_PREPARE) {
        struct vote vote = {
            .phase = (Pot__Phase)(step->place - SIGN_PLACE_PRE_PREPARE + 1),
            .height = step->height,
            .view = step->view,
            .digest = step->digest};
        is_signed = vote_sign(out, key, &chain, &vote);
        holds = vote_verify_key(key_public(f->key), &chain, &vote, out);
    } else {
        struct word word = {names[step->place], step->height, step->view,
                            step->digest};
        is_signed = word_sign(out, key, &chain, &word);
        holds = word_verify(key_public(f->key), &chain, &word, out);
    }
    assert_int_equal(is_signed, asking.verdict == SIGN_DONE);
    assert_int_equal(holds, is_signed);
    key_free(key);
    return asking.verdict;
}

static void assert_says(struct fixture *f, enum sign_place place,
                        uint64_t height, uint64_t view,
                        const struct hash *digest, enum sign_verdict verdict)
{
    struct signature signature;
    const struct sign_step step = {place, height, view, *digest};
    assert_int_equal(say(f, &signature, &step), verdict);
}

static void a_view_is_signed_from_its_change_to_its_commit(void **state)
{
    struct fixture *f = *state;
    assert_says(f, SIGN_PLACE_VIEW_CHANGE, 5, 1, &two, SIGN_DONE);
    assert_says(f, SIGN_PLACE_NEW_VIEW, 5, 1, &none, SIGN_DONE);
    assert_says(f, SIGN_PLACE_PRE_PREPARE, 5, 1, &one, SIGN_DONE);
    assert_says(f, SIGN_PLACE_PREPARE, 5, 1, &one, SIGN_DONE);
    assert_says(f, SIGN_PLACE_COMMIT, 5, 1, &one, SIGN_DONE);
    assert_says(f, SIGN_PLACE_PREPARE, 6, 0, &two, SIGN_DONE);
}

/* For each place: the same again is the same signature, another one none; and
 * so it is after a restart. */
static void each_place_is_signed_once(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < SIGN_PLACES; i++) {
        struct signature first;
        struct signature again;
        struct sign_step step = {(enum sign_place)i, 10 + (uint64_t)i, 3, one};
        assert_int_equal(say(f, &first, &step), SIGN_DONE);
        for (int round = 0; round < 2; round++) {
            step.digest = one;
            assert_int_equal(say(f, &again, &step), SIGN_DONE);
            assert_memory_equal(&first, &again, sizeof(first));
            step.digest = two;
            assert_int_equal(say(f, &again, &step), SIGN_CONTRADICTS);
            restart(f);
        }
    }
}

/* Every pair of places, the later one first. */
static void nothing_is_signed_behind_the_last(void **state)
{
    struct fixture *f = *state;
    uint64_t height = 10;
    for (int late = 0; late < SIGN_PLACES; late++) {
        for (int early = 0; early < SIGN_PLACES; early++, height++) {
            enum sign_place place = (enum sign_place)early;
            assert_says(f, (enum sign_place)late, height, 4, &one, SIGN_DONE);
            restart(f);
            assert_says(f, place, height, 3, &one, SIGN_BEHIND);
            assert_says(f, place, height - 1, 9, &one, SIGN_BEHIND);
            if (early < late) {
                assert_says(f, place, height, 4, &one, SIGN_BEHIND);
            }
        }
    }
}

static void votes_of_one_view_are_for_one_block(void **state)
{
    struct fixture *f = *state;
    uint64_t height = 1;
    for (int a = SIGN_PLACE_PRE_PREPARE; a < SIGN_PLACES; a++) {
        for (int b = a + 1; b < SIGN_PLACES; b++, height++) {
            assert_says(f, (enum sign_place)a, height, 0, &one, SIGN_DONE);
            assert_says(f, (enum sign_place)b, height, 0, &two,
                        SIGN_CONTRADICTS);
            assert_says(f, (enum sign_place)b, height, 0, &one, SIGN_DONE);
        }
    }
}

static void who_committed_does_not_leave_without_a_certificate(void **state)
{
    struct fixture *f = *state;
    assert_says(f, SIGN_PLACE_COMMIT, 5, 0, &one, SIGN_DONE);
    assert_says(f, SIGN_PLACE_VIEW_CHANGE, 5, 1, &none, SIGN_FORGETS);
    assert_says(f, SIGN_PLACE_VIEW_CHANGE, 5, 1, &two, SIGN_DONE);
    restart(f);
    assert_says(f, SIGN_PLACE_VIEW_CHANGE, 5, 2, &none, SIGN_FORGETS);
    assert_says(f, SIGN_PLACE_VIEW_CHANGE, 6, 1, &none, SIGN_DONE);
}

static enum sign_verdict ask_raw(struct fixture *f, enum sign_tag tag,
                                 const struct hash *on, size_t size,
                                 struct signature *out)
{
    static const uint8_t bytes[64] = {1};
    const struct sign_question question = {tag, *on, bytes, size};
    return signer_answer(f->signer, out, &question);
}

static void only_what_it_knows_is_signed(void **state)
{
    struct fixture *f = *state;
    enum sign_tag tag;
    struct signature s;
    assert_false(sign_tag_find(&tag, "tx"));
    assert_false(sign_tag_find(&tag, "submission"));
    assert_false(sign_tag_find(&tag, "hello"));
    assert_int_equal(ask_raw(f, SIGN_VOTE, &chain, 48, &s), SIGN_MALFORMED);
    assert_int_equal(ask_raw(f, SIGN_VOTE, &chain, 50, &s), SIGN_MALFORMED);
    assert_int_equal(ask_raw(f, SIGN_VIEW_CHANGE, &chain, 49, &s),
                     SIGN_MALFORMED);
    assert_int_equal(ask_raw(f, SIGN_NEW_VIEW, &chain, 0, &s), SIGN_MALFORMED);
    assert_int_equal(ask_raw(f, SIGN_SUSPICION, &chain, 47, &s),
                     SIGN_MALFORMED);
    assert_int_equal(ask_raw(f, SIGN_VOTE, &one, 49, &s), SIGN_OTHER_CHAIN);
    assert_int_equal(ask_raw(f, SIGN_HELLO, &one, 0, &s), SIGN_OTHER_CHAIN);
    assert_memory_equal(&s, &(struct signature){{0}}, sizeof(s));
    assert_int_equal(ask_raw(f, SIGN_SUSPICION, &chain, 48, &s), SIGN_DONE);
    assert_int_equal(ask_raw(f, SIGN_PEER_AUTH, &chain, 64, &s), SIGN_DONE);
    assert_int_equal(ask_raw(f, SIGN_DRAWS, &chain, HASH_SIZE, &s), SIGN_DONE);
    assert_int_equal(ask_raw(f, SIGN_HELLO, &chain, 0, &s), SIGN_DONE);
    assert_memory_equal(s.b, key_public(f->key)->b, PUBLIC_KEY_SIZE);
}

/* Whatever is asked: of what was signed no two contradict each other. */
static void no_questions_make_it_contradict_itself(void **state)
{
    struct fixture *f = *state;
    static struct sign_step said[4096];
    size_t count = 0;
    uint64_t rng = 5;
    for (int i = 0; i < 3000; i++) {
        struct signature s;
        uint64_t r = rng_next(&rng);
        struct sign_step step = {(enum sign_place)(r % SIGN_PLACES),
                                 1 + (uint64_t)i / 300 + (r >> 8) % 2,
                                 (r >> 16) % 3, (r >> 24) % 2 ? one : two};
        if (say(f, &s, &step) != SIGN_DONE) {
            continue;
        }
        for (size_t k = 0; k < count; k++) {
            bool is_one_view =
                said[k].height == step.height && said[k].view == step.view;
            bool are_votes = said[k].place >= SIGN_PLACE_PRE_PREPARE &&
                             step.place >= SIGN_PLACE_PRE_PREPARE;
            if (is_one_view && (said[k].place == step.place || are_votes)) {
                assert_true(hash_equal(&said[k].digest, &step.digest));
            }
        }
        said[count++] = step;
        if (r >> 32 & 1) {
            restart(f);
        }
    }
    assert_true(count > 100);
}

static void a_damaged_record_is_not_read(void **state)
{
    (void)state;
    uint8_t bytes[SIGN_RULES_SIZE] = {0};
    struct sign_rules rules;
    assert_int_equal(sign_rules_decode(&rules, NULL, 0), POT_OK);
    assert_int_equal(sign_rules_decode(&rules, bytes, sizeof(bytes)),
                     POT_ECORRUPT);
    bytes[17] = 1;
    assert_int_equal(sign_rules_decode(&rules, bytes, sizeof(bytes)), POT_OK);
    assert_int_equal(sign_rules_decode(&rules, bytes, sizeof(bytes) - 1),
                     POT_ECORRUPT);
    bytes[17] = 1 << SIGN_PLACES;
    assert_int_equal(sign_rules_decode(&rules, bytes, sizeof(bytes)),
                     POT_ECORRUPT);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_view_is_signed_from_its_change_to_its_commit),
        CASE(each_place_is_signed_once),
        CASE(nothing_is_signed_behind_the_last),
        CASE(votes_of_one_view_are_for_one_block),
        CASE(who_committed_does_not_leave_without_a_certificate),
        CASE(only_what_it_knows_is_signed),
        CASE(no_questions_make_it_contradict_itself),
        cmocka_unit_test(a_damaged_record_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
