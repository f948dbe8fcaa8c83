/* Updates as large as they come, and how many miners' one fits a block. */
#include "config.h"

#include "proto/round_room.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "proto/chain.pb-c.h"
#include "proto/codec.h"
#include "proto/round.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static ProtobufCBinaryData filled(size_t size)
{
    uint8_t bytes[64];
    memset(bytes, 0xff, sizeof(bytes));
    return codec_copy_bytes(bytes, size);
}

static Pot__Signed *wrap(void *body)
{
    size_t size;
    Pot__Signed *message = pot_alloc(sizeof(*message));
    pot__signed__init(message);
    message->body.data = codec_encode(&size, body);
    message->body.len = size;
    message->public_key = filled(PUBLIC_KEY_SIZE);
    message->signature = filled(SIGNATURE_SIZE);
    codec_free(body);
    return message;
}

static Pot__Signed *submission(void)
{
    Pot__SubmissionBody *body = pot_alloc(sizeof(*body));
    pot__submission_body__init(body);
    body->task = filled(HASH_SIZE);
    body->round = UINT32_MAX;
    body->parameters_hash = filled(HASH_SIZE);
    body->rows = UINT32_MAX;
    body->payload_hash = filled(HASH_SIZE);
    body->payload_bytes = UINT64_MAX;
    body->loss = 1 - ROUND_LOSS_BOUND;
    body->blas_core = pot_calloc(1, ROUND_BLAS_CORE_MAX + 1);
    memset(body->blas_core, 'x', ROUND_BLAS_CORE_MAX);
    body->workers = ROUND_WORKERS_MAX;
    body->salt = filled(HASH_SIZE);
    body->link = filled(HASH_SIZE);
    return wrap(body);
}

static Pot__Signed *attestation(uint32_t miners)
{
    Pot__AttestationBody *body = pot_alloc(sizeof(*body));
    pot__attestation_body__init(body);
    body->task = filled(HASH_SIZE);
    body->round = UINT32_MAX;
    body->sequence = UINT32_MAX;
    body->draw = filled(HASH_SIZE);
    body->n_judgements = miners;
    body->judgements = pot_calloc(miners, sizeof(*body->judgements));
    for (uint32_t i = 0; i < miners; i++) {
        body->judgements[i] = pot_alloc(sizeof(**body->judgements));
        pot__judgement__init(body->judgements[i]);
        body->judgements[i]->submission = filled(HASH_SIZE);
        body->judgements[i]->verdict = POT__VERDICT__VERDICT_REFUSE;
    }
    return wrap(body);
}

static Pot__Reward *reward(void)
{
    Pot__Reward *reward = pot_alloc(sizeof(*reward));
    pot__reward__init(reward);
    reward->to = filled(PUBLIC_KEY_SIZE);
    reward->amount = UINT64_MAX;
    reward->reason = POT__REWARD_FOR__REWARD_TRAINING;
    return reward;
}

static Pot__Evaluation *evaluation(void)
{
    Pot__Evaluation *evaluation = pot_alloc(sizeof(*evaluation));
    pot__evaluation__init(evaluation);
    evaluation->rows = UINT64_MAX;
    evaluation->correct = UINT64_MAX;
    evaluation->loss = INT64_MIN;
    return evaluation;
}

static uint64_t largest(uint32_t miners, uint32_t validators)
{
    Pot__RoundUpdate *update = pot_alloc(sizeof(*update));
    pot__round_update__init(update);
    update->task = filled(HASH_SIZE);
    update->round = UINT32_MAX;
    update->aggregate_hash = filled(HASH_SIZE);
    update->aggregate_bytes = UINT64_MAX;
    update->parameters_hash = filled(HASH_SIZE);
    update->train_loss = INT64_MIN;
    update->evaluation = evaluation();
    update->n_submissions = miners;
    update->submissions = pot_calloc(miners, sizeof(Pot__Signed *));
    for (uint32_t i = 0; i < miners; i++) {
        update->submissions[i] = submission();
    }
    update->n_attestations = validators;
    update->attestations = pot_calloc(validators, sizeof(Pot__Signed *));
    for (uint32_t i = 0; i < validators; i++) {
        update->attestations[i] = attestation(miners);
    }
    update->n_rewards = miners + validators + 1;
    update->rewards = pot_calloc(update->n_rewards, sizeof(Pot__Reward *));
    for (size_t i = 0; i < update->n_rewards; i++) {
        update->rewards[i] = reward();
    }
    uint64_t bytes = pot__round_update__get_packed_size(update);
    codec_free(update);
    return bytes;
}

static void no_update_is_larger_than_it_says(void **state)
{
    (void)state;
    static const uint32_t miners[] = {0, 1, 2, 100, 3000};
    static const uint32_t validators[] = {1, 4, VALIDATORS_MAX};
    for (size_t i = 0; i < sizeof(miners) / sizeof(*miners); i++) {
        for (size_t k = 0; k < sizeof(validators) / sizeof(*validators); k++) {
            uint64_t most = round_bytes_max(miners[i], validators[k]);
            uint64_t bytes = largest(miners[i], validators[k]);
            assert_in_range(bytes, most - most / 10 - 256, most);
        }
    }
}

static void the_most_miners_fit_and_one_more_does_not(void **state)
{
    (void)state;
    for (uint64_t block = 64 << 10; block <= BLOCK_BYTES_MAX; block *= 2) {
        for (uint32_t validators = 1; validators <= VALIDATORS_MAX;
             validators++) {
            uint32_t most = round_miners_max(block, validators);
            assert_in_range(most, 1, ROSTER_MAX);
            assert_true(round_fits(round_bytes_max(most, validators), block));
            assert_true(
                most == ROSTER_MAX ||
                !round_fits(round_bytes_max(most + 1, validators), block));
        }
    }
    assert_int_equal(round_miners_max(BLOCK_BYTES_MAX, 4), ROSTER_MAX);
}

static void a_block_too_small_for_anything_takes_nobody(void **state)
{
    (void)state;
    assert_int_equal(round_miners_max(0, 1), 0);
    assert_int_equal(round_miners_max(1000, VALIDATORS_MAX), 0);
    assert_false(round_fits(0, 1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_update_is_larger_than_it_says),
        cmocka_unit_test(the_most_miners_fit_and_one_more_does_not),
        cmocka_unit_test(a_block_too_small_for_anything_takes_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
