/* What a chain says of a round, made out of what a replay says is right; then
 * each part of it spoilt.  That the same comes out of real nodes shows
 * tests/e2e/test_replay.sh. */
#include "config.h"

#include "replay/task_replay.h"

#include "base/alloc.h"
#include "base/fixed.h"
#include "ledger/parameters.h"
#include "proto/codec.h"
#include "proto/round.h"
#include "proto/signed.h"
#include "tests/rng.h"
#include "training/assign.h"
#include "training/exact.h"
#include "training/mlp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS     60
#define FEATURES 6
#define CLASSES  3
#define MINERS   3

struct fixture {
    uint32_t layers[3];
    uint8_t address[HASH_SIZE];
    char name[8];
    Pot__ModelSpec model;
    Pot__OptimizerSpec optimizer;
    Pot__TaskSpec spec;
    uint8_t *data;
    struct dataset train;
    struct hash task;
    struct hash block;
    struct key *miners[MINERS];
    struct task_replay *replay;
    /* the update */
    Pot__SubmissionBody bodies[MINERS];
    struct hash payloads[MINERS];
    struct hash theta;
    struct hash aggregate;
    struct hash parameters;
    Pot__Signed *messages[MINERS];
    Pot__RoundUpdate update;
};

static void make_data(struct fixture *f)
{
    static const char *const names[CLASSES] = {"a", "b", "c"};
    size_t size;
    uint64_t random = 7;
    uint8_t *header =
        dataset_header(&size, ROWS, FEATURES, CLASSES, DATASET_U8, 255, names);
    size_t all = size + (size_t)ROWS * (FEATURES + 2);
    f->data = pot_calloc(1, all);
    memcpy(f->data, header, size);
    free(header);
    for (size_t i = 0; i < (size_t)ROWS * FEATURES; i++) {
        f->data[size + i] = (uint8_t)rng_next(&random);
    }
    for (size_t i = 0; i < ROWS; i++) {
        f->data[size + (size_t)ROWS * FEATURES + 2 * i] =
            (uint8_t)(i % CLASSES);
    }
    assert_int_equal(dataset_view(&f->train, f->data, all), POT_OK);
}

static void make_spec(struct fixture *f)
{
    pot__model_spec__init(&f->model);
    f->model.n_layers = 3;
    f->model.layers = f->layers;
    f->model.activation = POT__ACTIVATION__ACTIVATION_TANH;
    f->model.loss = POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY;
    f->model.seed = 5;
    pot__optimizer_spec__init(&f->optimizer);
    f->optimizer.learning_rate = RATE_ONE / 10;
    f->optimizer.momentum = RATE_ONE / 2;
    pot__task_spec__init(&f->spec);
    f->spec.name = f->name;
    f->spec.model = &f->model;
    f->spec.optimizer = &f->optimizer;
    f->spec.rounds = 4;
    f->spec.rows_per_miner = 20;
    f->spec.local_steps = 1;
    f->spec.min_submissions = 2;
    f->spec.aggregation = POT__AGGREGATION__AGGREGATION_MEDIAN;
    f->spec.numerics = POT__NUMERICS__NUMERICS_EXACT;
    f->spec.compression = POT__COMPRESSION__COMPRESSION_INT8;
    f->spec.eval_every = 1;
}

static void open_fixture(struct fixture *f)
{
    *f = (struct fixture){.layers = {FEATURES, 5, CLASSES}, .name = "replay"};
    make_data(f);
    make_spec(f);
    hash_bytes(&f->task, "test", "task", 4);
    hash_bytes(&f->block, "test", "block", 5);
    for (size_t i = 0; i < MINERS; i++) {
        uint8_t seed[KEY_SEED_SIZE] = {(uint8_t)(i + 1)};
        f->miners[i] = key_from_seed(seed);
    }
    f->replay = task_replay_new(&f->task, &f->spec, &f->train, "auto");
    assert_non_null(f->replay);
}

static void free_messages(struct fixture *f)
{
    for (size_t i = 0; i < MINERS; i++) {
        codec_free(f->messages[i]);
        f->messages[i] = NULL;
    }
}

static void close_fixture(struct fixture *f)
{
    free_messages(f);
    task_replay_free(f->replay);
    for (size_t i = 0; i < MINERS; i++) {
        key_free(f->miners[i]);
    }
    free(f->data);
}

/* The loss that a miner has to report of the first round. */
static int64_t loss_of(const struct fixture *f, size_t miner,
                       const int32_t *theta)
{
    uint64_t rows[20];
    int64_t sums[128];
    int64_t loss;
    struct hash seed;
    struct mlp_config config = {
        .activation = f->model.activation,
        .loss = f->model.loss,
        .product = &exact_scalar,
        .block_rows = assign_block_rows(f->spec.rows_per_miner),
    };
    assert_int_equal(model_shape_from_spec(&config.shape, &f->model), POT_OK);
    struct mlp *m = mlp_new(&config);
    mlp_set_parameters(m, theta);
    round_seed(&seed, &f->task, 0, &f->block);
    assign_rows(rows, 20, ROWS, &seed, key_public(f->miners[miner]));
    assert_true(mlp_sum(sums, &loss, m, &f->train, rows, 20));
    mlp_free(m);
    return fixed_divide(loss, 20);
}

static void begin_bodies(struct fixture *f)
{
    static char core[] = "Haswell";
    static const uint8_t salt[HASH_SIZE] = {9};
    int32_t *theta;
    struct model_shape shape;
    assert_int_equal(model_shape_from_spec(&shape, &f->model), POT_OK);
    theta = parameters_start(&shape, &f->model);
    f->theta = task_replay_parameters(f->replay);
    for (size_t i = 0; i < MINERS; i++) {
        Pot__SubmissionBody *body = &f->bodies[i];
        pot__submission_body__init(body);
        body->task = codec_bytes(f->task.b, HASH_SIZE);
        body->parameters_hash = codec_bytes(f->theta.b, HASH_SIZE);
        body->payload_hash = codec_bytes(f->payloads[i].b, HASH_SIZE);
        body->rows = f->spec.rows_per_miner;
        body->payload_bytes = 1;
        body->loss = loss_of(f, i, theta);
        body->blas_core = core;
        body->salt = codec_bytes(salt, sizeof(salt));
        body->workers = 1;
    }
    free(theta);
}

/* The update of what the fixture holds now. */
static const Pot__RoundUpdate *update_of(struct fixture *f)
{
    free_messages(f);
    pot__round_update__init(&f->update);
    for (size_t i = 0; i < MINERS; i++) {
        f->messages[i] = signed_make(SIGNED_SUBMISSION, &f->task, f->miners[i],
                                     &f->bodies[i]);
    }
    f->update.task = codec_bytes(f->task.b, HASH_SIZE);
    f->update.submissions = f->messages;
    f->update.n_submissions = MINERS;
    f->update.aggregate_hash = codec_bytes(f->aggregate.b, HASH_SIZE);
    f->update.parameters_hash = codec_bytes(f->parameters.b, HASH_SIZE);
    return &f->update;
}

static size_t index_of(const struct fixture *f, const struct public_key *miner)
{
    size_t i = 0;
    while (!public_key_equal(key_public(f->miners[i]), miner)) {
        i++;
        assert_in_range(i, 0, MINERS - 1);
    }
    return i;
}

/* Takes over what a replay with the plainest kernel finds missing. */
static void complete(struct fixture *f)
{
    struct task_replay *maker =
        task_replay_new(&f->task, &f->spec, &f->train, "scalar");
    struct task_replay_result result = {.difference = REPLAY_ROUND};
    begin_bodies(f);
    for (int turn = 0; turn < MINERS + 3; turn++) {
        result = task_replay_round(maker, update_of(f), &f->block);
        if (result.difference == REPLAY_PAYLOAD) {
            f->payloads[index_of(f, &result.miner)] = result.made;
        } else if (result.difference == REPLAY_AGGREGATE) {
            f->aggregate = result.made;
        } else if (result.difference == REPLAY_PARAMETERS) {
            f->parameters = result.made;
        }
    }
    assert_int_equal(result.difference, REPLAY_SAME);
    struct hash made = task_replay_parameters(maker);
    assert_true(hash_equal(&made, &f->parameters));
    assert_string_equal(task_replay_kernel(maker), "scalar");
    task_replay_free(maker);
}

static void spoil(struct fixture *f, enum task_replay_difference what)
{
    switch (what) {
    case REPLAY_FORM:
        f->bodies[1].rows++;
        break;
    case REPLAY_THETA:
        f->theta.b[3]++;
        break;
    case REPLAY_PAYLOAD:
        f->payloads[2].b[0]++;
        break;
    case REPLAY_LOSS:
        f->bodies[0].loss++;
        break;
    case REPLAY_AGGREGATE:
        f->aggregate.b[31]++;
        break;
    case REPLAY_PARAMETERS:
        f->parameters.b[31]++;
        break;
    case REPLAY_SAME:
    case REPLAY_ROUND:
    case REPLAY_NUMBER:
        break;
    }
}

static void every_difference_is_found(void **state)
{
    (void)state;
    static const enum task_replay_difference all[] = {
        REPLAY_FORM, REPLAY_THETA,     REPLAY_PAYLOAD,
        REPLAY_LOSS, REPLAY_AGGREGATE, REPLAY_PARAMETERS,
    };
    struct fixture f;
    open_fixture(&f);
    complete(&f);
    struct hash before = task_replay_parameters(f.replay);
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        struct fixture whole = f;
        spoil(&f, all[i]);
        assert_int_equal(
            task_replay_round(f.replay, update_of(&f), &f.block).difference,
            all[i]);
        struct hash after = task_replay_parameters(f.replay);
        assert_true(hash_equal(&before, &after));
        memcpy(whole.messages, f.messages, sizeof(f.messages));
        f = whole;
        assert_true(strlen(task_replay_text(all[i])) > 0);
    }
    assert_int_equal(
        task_replay_round(f.replay, update_of(&f), &f.block).difference,
        REPLAY_SAME);
    struct hash after = task_replay_parameters(f.replay);
    assert_true(hash_equal(&after, &f.parameters));
    close_fixture(&f);
}

static void a_round_is_known_by_the_block_that_opened_it(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    complete(&f);
    struct hash other = f.block;
    other.b[0]++;
    assert_true(task_replay_opens(f.replay, update_of(&f), &f.block));
    assert_false(task_replay_opens(f.replay, update_of(&f), &other));
    assert_int_equal(
        task_replay_round(f.replay, update_of(&f), &other).difference,
        REPLAY_PAYLOAD);
    close_fixture(&f);
}

static void rounds_come_in_their_order_and_size(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    complete(&f);
    (void)update_of(&f);
    f.update.n_submissions = 1; /* below min_submissions */
    assert_int_equal(
        task_replay_round(f.replay, &f.update, &f.block).difference,
        REPLAY_ROUND);
    f.update.n_submissions = 0; /* closed empty: nothing changes */
    assert_int_equal(
        task_replay_round(f.replay, &f.update, &f.block).difference,
        REPLAY_SAME);
    f.update.n_submissions = MINERS; /* of round 0, which is over */
    assert_int_equal(
        task_replay_round(f.replay, &f.update, &f.block).difference,
        REPLAY_ROUND);
    f.update.round = 1; /* whose submissions are of round 0 */
    assert_int_equal(
        task_replay_round(f.replay, &f.update, &f.block).difference,
        REPLAY_FORM);
    close_fixture(&f);
}

static void what_cannot_be_replayed_is_not_begun(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    assert_null(task_replay_new(&f.task, &f.spec, &f.train, "sse"));
    f.layers[0]++;
    assert_null(task_replay_new(&f.task, &f.spec, &f.train, "auto"));
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_difference_is_found),
        cmocka_unit_test(a_round_is_known_by_the_block_that_opened_it),
        cmocka_unit_test(rounds_come_in_their_order_and_size),
        cmocka_unit_test(what_cannot_be_replayed_is_not_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
