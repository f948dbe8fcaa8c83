/* What a chain says of a round, made out of what a replay says is right; then
 * each part of it spoilt.  That the same comes out of real nodes shows
 * tests/e2e/test_replay.sh. */
#include "config.h"

#include "replay/task_replay.h"

#include "base/alloc.h"
#include "base/fixed.h"
#include "ledger/parameters.h"
#include "proto/blob.h"
#include "proto/codec.h"
#include "proto/draw.h"
#include "proto/packed.h"
#include "proto/plant.h"
#include "proto/round.h"
#include "proto/signed.h"
#include "tests/rng.h"
#include "training/assign.h"
#include "training/compress.h"
#include "training/exact.h"
#include "training/mlp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS      60
#define FEATURES  6
#define CLASSES   3
#define MINERS    3
#define PER_MINER 24

/* What submissions are, and what the chain makes of them. */
struct form {
    uint32_t local_steps;
    Pot__Compression compression;
    Pot__Optimizer kind;
};

static const struct form forms[] = {
    {1, POT__COMPRESSION__COMPRESSION_INT8, POT__OPTIMIZER__OPTIMIZER_MOMENTUM},
    {1, POT__COMPRESSION__COMPRESSION_INT16, POT__OPTIMIZER__OPTIMIZER_SGD},
    {1, POT__COMPRESSION__COMPRESSION_SIGN, POT__OPTIMIZER__OPTIMIZER_ADAM},
    {8, POT__COMPRESSION__COMPRESSION_INT4, POT__OPTIMIZER__OPTIMIZER_NESTEROV},
    {8, POT__COMPRESSION__COMPRESSION_TOPK, POT__OPTIMIZER__OPTIMIZER_ADAM},
};
#define FORMS (sizeof(forms) / sizeof(*forms))

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
    bool is_planted; /* all submissions */
    struct hash links[MINERS];
    struct hash secrets[MINERS]; /* behind them */
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

static void make_optimizer(struct fixture *f, const struct form *form)
{
    pot__optimizer_spec__init(&f->optimizer);
    f->optimizer.kind = form->kind;
    f->optimizer.learning_rate = RATE_ONE / 10;
    if (form->kind != POT__OPTIMIZER__OPTIMIZER_SGD) {
        f->optimizer.momentum = RATE_ONE / 2;
    }
    if (form->kind == POT__OPTIMIZER__OPTIMIZER_ADAM) {
        f->optimizer.beta2 = RATE_ONE / 1000 * 999;
        f->optimizer.epsilon = 1 << 12;
    }
    if (form->local_steps > 1) {
        f->optimizer.local_rate = RATE_ONE / 5;
        f->optimizer.warmup_rounds = 2; /* the first round's is half of it */
    }
}

static void make_spec(struct fixture *f, const struct form *form)
{
    make_optimizer(f, form);
    pot__model_spec__init(&f->model);
    f->model.n_layers = 3;
    f->model.layers = f->layers;
    f->model.activation = POT__ACTIVATION__ACTIVATION_TANH;
    f->model.loss = POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY;
    f->model.seed = 5;
    pot__task_spec__init(&f->spec);
    f->spec.name = f->name;
    f->spec.model = &f->model;
    f->spec.optimizer = &f->optimizer;
    f->spec.rounds = 4;
    f->spec.rows_per_miner = PER_MINER;
    f->spec.local_steps = form->local_steps;
    f->spec.min_submissions = 2;
    f->spec.aggregation = POT__AGGREGATION__AGGREGATION_MEDIAN;
    f->spec.numerics = POT__NUMERICS__NUMERICS_EXACT;
    f->spec.compression = form->compression;
    if (form->compression == POT__COMPRESSION__COMPRESSION_TOPK) {
        f->spec.topk_share_ppm = PPM_ONE / 5;
    }
    f->spec.eval_every = 1;
}

static void open_fixture(struct fixture *f, const struct form *form)
{
    *f = (struct fixture){.layers = {FEATURES, 5, CLASSES}, .name = "replay"};
    make_data(f);
    make_spec(f, form);
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

/* What a miner has to submit in the first round, theta being where it begins:
 * the payload's hash and the loss. */
static void compute(struct fixture *f, size_t miner, const int32_t *theta)
{
    uint64_t rows[PER_MINER];
    int64_t sums[128];
    int64_t loss;
    uint8_t payload[512];
    struct hash seed;
    struct packed_form form;
    uint32_t steps = f->spec.local_steps;
    struct mlp_config config = {
        .activation = f->model.activation,
        .loss = f->model.loss,
        .product = &exact_scalar,
        .block_rows = PER_MINER / steps,
    };
    assert_int_equal(model_shape_from_spec(&config.shape, &f->model), POT_OK);
    packed_form_init(&form, &f->spec, &config.shape);
    struct mlp *m = mlp_new(&config);
    round_seed(&seed, &f->task, 0, &f->block);
    assign_rows(rows, PER_MINER, &(struct assign_from){.rows = ROWS}, &seed,
                key_public(f->miners[miner]));
    if (steps > 1) {
        const struct mlp_walk walk = {theta, f->optimizer.local_rate / 2, steps,
                                      PER_MINER / steps};
        assert_true(mlp_walk(sums, &loss, m, &walk, &f->train, rows));
        compress_payload(payload, &config.shape, &form, sums, 1);
    } else {
        mlp_set_parameters(m, theta);
        assert_true(mlp_sum(sums, &loss, m, &f->train, rows, PER_MINER));
        compress_payload(payload, &config.shape, &form, sums, PER_MINER);
    }
    if (f->is_planted) {
        assert_true(
            plant_payload(payload, &config.shape, &form, &f->secrets[miner]));
    }
    mlp_free(m);
    blob_hash(&f->payloads[miner], payload, packed_bytes(&config.shape, &form));
    f->bodies[miner].loss = fixed_divide(loss, PER_MINER);
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
        body->blas_core = core;
        body->salt = codec_bytes(salt, sizeof(salt));
        if (f->is_planted) {
            f->secrets[i] = (struct hash){{(uint8_t)(i + 1)}};
            draw_walk(&f->links[i], &f->secrets[i], 1);
            body->link = codec_bytes(f->links[i].b, HASH_SIZE);
        }
        body->workers = 1;
        compute(f, i, theta);
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

/* Of the round of that number: so many hashes from the secrets. */
static void tell_links(const struct fixture *f, struct task_replay *replay,
                       uint32_t round)
{
    for (size_t i = 0; f->is_planted && i < MINERS; i++) {
        struct hash link = f->secrets[i];
        task_replay_link(replay, key_public(f->miners[i]), round, &link);
    }
}

/* Takes over what a replay with the plainest kernel makes of the payloads. */
static void complete(struct fixture *f)
{
    struct task_replay *maker =
        task_replay_new(&f->task, &f->spec, &f->train, "scalar");
    struct task_replay_result result = {.difference = REPLAY_ROUND};
    begin_bodies(f);
    tell_links(f, maker, 1);
    for (int turn = 0; turn < 3; turn++) {
        result = task_replay_round(maker, update_of(f), &f->block);
        if (result.difference == REPLAY_AGGREGATE) {
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

static void find_every_difference(const struct form *form)
{
    static const enum task_replay_difference all[] = {
        REPLAY_FORM, REPLAY_THETA,     REPLAY_PAYLOAD,
        REPLAY_LOSS, REPLAY_AGGREGATE, REPLAY_PARAMETERS,
    };
    struct fixture f;
    open_fixture(&f, form);
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

static void every_difference_is_found_in_every_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < FORMS; i++) {
        find_every_difference(&forms[i]);
    }
}

static void what_was_planted_is_no_difference(void **state)
{
    (void)state;
    struct fixture f;
    struct task_replay_result result;
    open_fixture(&f, &forms[0]);
    f.spec.plant_rate_ppm = 1000000;
    f.is_planted = true;
    complete(&f);
    const Pot__RoundUpdate *update = update_of(&f);
    assert_true(task_replay_lacks_links(f.replay, update));
    result = task_replay_round(f.replay, update, &f.block);
    assert_int_equal(result.difference, REPLAY_PAYLOAD);
    /* its own link says nothing of a round */
    tell_links(&f, f.replay, 0);
    assert_true(task_replay_lacks_links(f.replay, update));
    tell_links(&f, f.replay, 2);
    assert_false(task_replay_lacks_links(f.replay, update));
    result = task_replay_round(f.replay, update, &f.block);
    assert_int_equal(result.difference, REPLAY_PAYLOAD); /* one too many */
    close_fixture(&f);
    open_fixture(&f, &forms[0]);
    f.spec.plant_rate_ppm = 1000000;
    f.is_planted = true;
    complete(&f);
    tell_links(&f, f.replay, 1);
    tell_links(&f, f.replay, 600); /* too far to walk from; not needed */
    result = task_replay_round(f.replay, update_of(&f), &f.block);
    assert_int_equal(result.difference, REPLAY_SAME);
    assert_int_equal(result.plants, MINERS);
    close_fixture(&f);
}

static void a_round_is_known_by_the_block_that_opened_it(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, &forms[0]);
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
    open_fixture(&f, &forms[0]);
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
    open_fixture(&f, &forms[0]);
    assert_null(task_replay_new(&f.task, &f.spec, &f.train, "sse"));
    f.layers[0]++;
    assert_null(task_replay_new(&f.task, &f.spec, &f.train, "auto"));
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_difference_is_found_in_every_form),
        cmocka_unit_test(what_was_planted_is_no_difference),
        cmocka_unit_test(a_round_is_known_by_the_block_that_opened_it),
        cmocka_unit_test(rounds_come_in_their_order_and_size),
        cmocka_unit_test(what_cannot_be_replayed_is_not_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
