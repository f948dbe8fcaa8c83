#include "config.h"

#include "tests/bench/town.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/fixed.h"
#include "base/limits.h"
#include "ledger/optimizer_rate.h"
#include "ledger/parameters.h"
#include "ledger/roster.h"
#include "proto/blob.h"
#include "proto/codec.h"
#include "proto/dataset.h"
#include "proto/draw.h"
#include "proto/fee.h"
#include "proto/genesis_params.h"
#include "proto/gradient.h"
#include "proto/plant.h"
#include "proto/round.h"
#include "proto/signed.h"
#include "proto/spec.h"
#include "tests/rng.h"
#include "training/assign.h"
#include "training/compress.h"
#include "training/exact.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define FEATURES     16
#define CLASSES      4
#define DATASET_ROWS 4096
#define ROUND_ROWS   512 /* of a miner, without local steps */
#define STEP_ROWS    5   /* of one local step */
#define BALANCE      (1000000 * AMOUNT_UNITS_PER_POT)
#define POT_A_ROUND  (1 * AMOUNT_UNITS_PER_POT)

static uint32_t layers[] = {FEATURES, 24, CLASSES};
static char task_name[] = "town";

struct key *town_validator(const struct town *t, size_t i)
{
    return t->keys[i];
}

struct key *town_miner(const struct town *t, size_t i)
{
    return t->keys[TOWN_VALIDATORS + i];
}

static struct key *client(const struct town *t)
{
    return t->keys[TOWN_KEYS - 1];
}

/* ---- the chain */

/* Classes that can be learnt: the label is the largest of four sums. */
static uint16_t label_of(const uint8_t *row)
{
    unsigned best = 0;
    uint16_t label = 0;
    for (uint16_t c = 0; c < CLASSES; c++) {
        unsigned sum = 0;
        for (size_t i = c; i < FEATURES; i += CLASSES) {
            sum += row[i];
        }
        label = sum > best ? c : label;
        best = sum > best ? sum : best;
    }
    return label;
}

static void make_dataset(struct town *t)
{
    static const char *const names[CLASSES] = {"a", "b", "c", "d"};
    size_t header_size;
    uint64_t random = 7;
    uint8_t *header = dataset_header(&header_size, DATASET_ROWS, FEATURES,
                                     CLASSES, DATASET_U8, 255, names);
    size_t size = header_size + (size_t)DATASET_ROWS * (FEATURES + 2);
    t->dataset_bytes = pot_calloc(size, 1);
    memcpy(t->dataset_bytes, header, header_size);
    free(header);
    uint8_t *rows = t->dataset_bytes + header_size;
    uint8_t *labels = rows + (size_t)DATASET_ROWS * FEATURES;
    for (size_t i = 0; i < (size_t)DATASET_ROWS * FEATURES; i++) {
        rows[i] = (uint8_t)(rng_next(&random) >> 56);
    }
    for (size_t r = 0; r < DATASET_ROWS; r++) {
        labels[2 * r] = (uint8_t)label_of(rows + r * FEATURES);
    }
    enum pot_err err = dataset_view(&t->dataset, t->dataset_bytes, size);
    POT_ASSERT(err == POT_OK);
    t->dataset_size = size;
}

static void make_genesis(struct town *t)
{
    static char chain_id[] = "pot-town";
    static char moniker[] = "town";
    Pot__Genesis genesis = POT__GENESIS__INIT;
    Pot__GenesisAccount accounts[TOWN_KEYS];
    Pot__GenesisAccount *account_list[TOWN_KEYS];
    Pot__GenesisStake stakes[TOWN_VALIDATORS];
    Pot__GenesisStake *stake_list[TOWN_VALIDATORS];
    for (size_t i = 0; i < TOWN_KEYS; i++) {
        pot__genesis_account__init(&accounts[i]);
        accounts[i].address =
            codec_bytes(key_public(t->keys[i])->b, PUBLIC_KEY_SIZE);
        accounts[i].balance = BALANCE;
        account_list[i] = &accounts[i];
    }
    for (size_t i = 0; i < TOWN_VALIDATORS; i++) {
        pot__genesis_stake__init(&stakes[i]);
        stakes[i].address = accounts[i].address;
        stakes[i].role = POT__STAKE_ROLE__STAKE_VALIDATOR;
        stakes[i].amount = t->params.min_validator_stake;
        stakes[i].moniker = moniker;
        stake_list[i] = &stakes[i];
    }
    genesis.chain_id = chain_id;
    genesis.params = &t->params;
    genesis.n_accounts = TOWN_KEYS;
    genesis.accounts = account_list;
    genesis.n_stakes = TOWN_VALIDATORS;
    genesis.stakes = stake_list;
    ledger_genesis(&t->env, &genesis);
}

enum tx_verdict town_send(struct town *t, const struct key *key,
                          Pot__TxBody *body)
{
    struct account account;
    const struct ledger_block block = {.height = t->height,
                                       .time_ms = t->height,
                                       .proposer =
                                           *key_public(town_validator(t, 1))};
    (void)ledger_account(&t->env.state, key_public(key), &account);
    body->chain_id = codec_bytes(t->chain.b, HASH_SIZE);
    body->nonce = account.nonce;
    body->fee = fee_estimate(&t->params, body).units;
    Pot__Signed *tx = signed_make(SIGNED_TX, &t->chain, key, body);
    enum tx_verdict verdict = ledger_apply_tx(&t->env, &block, tx, true);
    if (verdict == TX_ACCEPTED &&
        body->action_case == POT__TX_BODY__ACTION_SUBMIT_TASK) {
        signed_hash(&t->task, SIGNED_TX, tx);
    }
    codec_free(tx);
    return verdict;
}

static void must_send(struct town *t, const struct key *key, Pot__TxBody *body)
{
    enum tx_verdict verdict = town_send(t, key, body);
    POT_ASSERT(verdict == TX_ACCEPTED);
}

static void publish(struct town *t, struct hash *address)
{
    static char name[] = "town";
    struct hash chunk;
    Pot__PublishDataset dataset = POT__PUBLISH_DATASET__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    size_t size = t->dataset_size;
    POT_ASSERT(size <= DATASET_CHUNK_BYTES);
    dataset_chunk_hash(&chunk, t->dataset_bytes, size);
    dataset_address(address, &chunk, 1);
    memory_state_add_dataset(&t->memory, address, &t->dataset);
    ProtobufCBinaryData chunk_field = codec_bytes(chunk.b, HASH_SIZE);
    dataset.dataset = codec_bytes(address->b, HASH_SIZE);
    dataset.size_bytes = size;
    dataset.n_chunks = 1;
    dataset.chunks = &chunk_field;
    dataset.rows = DATASET_ROWS;
    dataset.features = FEATURES;
    dataset.classes = CLASSES;
    dataset.name = name;
    body.action_case = POT__TX_BODY__ACTION_PUBLISH_DATASET;
    body.publish_dataset = &dataset;
    must_send(t, client(t), &body);
}

/* The stake is the least that the ledger takes the task with: what a cheat
 * risks is as little as it can be. */
static void submit(struct town *t, const struct hash *data, uint32_t rounds,
                   uint32_t audit_rate_ppm, uint32_t plant_rate_ppm)
{
    Pot__ModelSpec model = POT__MODEL_SPEC__INIT;
    Pot__OptimizerSpec optimizer = POT__OPTIMIZER_SPEC__INIT;
    Pot__TaskSpec spec = POT__TASK_SPEC__INIT;
    Pot__SubmitTask submit = POT__SUBMIT_TASK__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    model.n_layers = sizeof(layers) / sizeof(*layers);
    model.layers = layers;
    model.activation = POT__ACTIVATION__ACTIVATION_RELU;
    model.loss = POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY;
    optimizer.learning_rate = RATE_ONE / 8;
    if (t->local_steps > 1) {
        optimizer.learning_rate = RATE_ONE / 2;
        optimizer.local_rate = RATE_ONE / 50;
    }
    spec.name = task_name;
    spec.train = codec_bytes(data->b, HASH_SIZE);
    spec.test = spec.train;
    spec.model = &model;
    spec.optimizer = &optimizer;
    spec.rounds = rounds;
    spec.rows_per_miner = t->rows;
    spec.local_steps = t->local_steps;
    spec.min_submissions = 1;
    spec.aggregation = POT__AGGREGATION__AGGREGATION_MEAN;
    spec.numerics = POT__NUMERICS__NUMERICS_EXACT;
    spec.compression = POT__COMPRESSION__COMPRESSION_INT8;
    spec.audit_rate_ppm = audit_rate_ppm;
    spec.plant_rate_ppm = plant_rate_ppm;
    spec.eval_every = rounds;
    spec.round_timeout_ms = 1000;
    submit.spec = &spec;
    submit.budget = rounds * POT_A_ROUND;
    body.action_case = POT__TX_BODY__ACTION_SUBMIT_TASK;
    body.submit_task = &submit;
    bool is_some =
        spec_stake_enough(&spec.miner_stake, &spec, submit.budget, &t->params);
    POT_ASSERT(is_some);
    t->stake = spec.miner_stake;
    enum pot_err err = model_shape_from_spec(&t->shape, &model);
    POT_ASSERT(err == POT_OK);
    packed_form_init(&t->form, &spec, &t->shape);
    must_send(t, client(t), &body);
}

void town_enter(struct town *t, const struct key *miner)
{
    struct account account;
    size_t index;
    Pot__TaskRecord *record = ledger_task(&t->env.state, &t->task);
    bool is_in =
        record->status != POT__TASK_STATUS__TASK_RUNNING ||
        roster_find(roster_of_members(record), key_public(miner), &index);
    codec_free(record);
    if (is_in) {
        return;
    }
    (void)ledger_account(&t->env.state, key_public(miner), &account);
    if (account.stake_miner < t->stake) {
        Pot__Stake stake = POT__STAKE__INIT;
        Pot__TxBody body = POT__TX_BODY__INIT;
        stake.role = POT__STAKE_ROLE__STAKE_MINER;
        stake.amount = t->stake - account.stake_miner;
        body.action_case = POT__TX_BODY__ACTION_STAKE;
        body.stake = &stake;
        must_send(t, miner, &body);
    }
    Pot__JoinTask join = POT__JOIN_TASK__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    join.task = codec_bytes(t->task.b, HASH_SIZE);
    body.action_case = POT__TX_BODY__ACTION_JOIN_TASK;
    body.join_task = &join;
    must_send(t, miner, &body);
}

void town_end_block(struct town *t)
{
    const struct ledger_block block = {.height = t->height};
    ledger_end_block(&t->env, &block);
    Pot__SupplyRecord *supply = ledger_supply(&t->env.state);
    POT_ASSERT(memory_state_total(&t->memory) == supply->supply);
    codec_free(supply);
    t->height++;
}

uint64_t town_worth(const struct town *t, const struct key *key)
{
    struct account account;
    (void)ledger_account(&t->env.state, key_public(key), &account);
    return account.balance + account.stake_miner + account.stake_validator;
}

static void open_mlp(struct town *t)
{
    const struct product *variants[EXACT_VARIANTS_MAX];
    (void)exact_variants(variants);
    exact_set_rounding();
    const struct mlp_config config = {
        .shape = t->shape,
        .activation = POT__ACTIVATION__ACTIVATION_RELU,
        .loss = POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY,
        .product = variants[0],
        .block_rows = t->block_rows,
    };
    t->mlp = mlp_new(&config);
}

static void size_rounds(struct town *t, uint32_t local_steps)
{
    bool has_steps = local_steps > 1;
    t->local_steps = local_steps;
    t->rows = has_steps ? local_steps * STEP_ROWS : ROUND_ROWS;
    t->block_rows =
        has_steps ? STEP_ROWS : (uint32_t)assign_block_rows(ROUND_ROWS);
}

void town_open(struct town *t, uint32_t rounds, uint32_t audit_rate_ppm,
               uint32_t plant_rate_ppm, uint32_t local_steps)
{
    struct hash data;
    *t = (struct town){.height = 1};
    size_rounds(t, local_steps);
    hash_bytes(&t->chain, "chain-id", "pot-town", 8);
    t->env = memory_state_env(&t->memory, &t->chain);
    genesis_params_default(&t->params);
    t->params.min_miner_stake = 1;
    for (size_t i = 0; i < TOWN_KEYS; i++) {
        uint8_t seed[32] = {(uint8_t)(i + 1)};
        t->keys[i] = key_from_seed(seed);
    }
    randombytes_buf(t->secrets, sizeof(t->secrets));
    randombytes_buf(t->plant_secrets, sizeof(t->plant_secrets));
    make_dataset(t);
    make_genesis(t);
    publish(t, &data);
    submit(t, &data, rounds, audit_rate_ppm, plant_rate_ppm);
    for (size_t i = 0; i < TOWN_MINERS; i++) {
        town_enter(t, town_miner(t, i));
    }
    town_end_block(t);
    open_mlp(t);
}

static void drop_round(struct town *t)
{
    codec_free(t->record);
    free(t->theta_before);
    t->record = NULL;
    t->theta_before = t->theta;
    t->theta = NULL;
}

void town_close(struct town *t)
{
    drop_round(t);
    free(t->theta_before);
    mlp_free(t->mlp);
    for (size_t i = 0; i < TOWN_KEYS; i++) {
        key_free(t->keys[i]);
    }
    free(t->dataset_bytes);
    memory_state_fini(&t->memory);
}

/* ---- rounds */

void town_begin(struct town *t)
{
    struct hash theta;
    struct hash block; /* stands for the one that opened the round */
    drop_round(t);
    t->record = ledger_task(&t->env.state, &t->task);
    bool is_hash = codec_hash(&theta, t->record->parameters_hash);
    POT_ASSERT(is_hash);
    memory_state_digest_map(&block, &t->memory);
    round_seed(&t->seed, &t->task, t->record->round, &block);
    size_t count = t->shape.parameter_count;
    t->theta = parameters_load(&t->env.blobs, &theta, count);
    POT_ASSERT(t->theta != NULL);
    if (t->theta_before == NULL) {
        t->theta_before = pot_memdup(t->theta, count * sizeof(*t->theta));
    }
}

/* As pot-worker does.  False: a number that is not finite. */
static bool sum_up(struct town *t, int64_t *sums, int64_t *loss_sum,
                   const int32_t *theta, const uint64_t *rows, size_t count)
{
    const Pot__TaskSpec *spec = t->record->spec;
    if (t->local_steps > 1) {
        const struct mlp_walk walk = {
            theta,
            optimizer_local_rate(spec->optimizer, t->record->round,
                                 spec->rounds),
            (uint32_t)(count / t->block_rows), t->block_rows};
        return mlp_walk(sums, loss_sum, t->mlp, &walk, &t->dataset, rows);
    }
    mlp_set_parameters(t->mlp, theta);
    return mlp_sum(sums, loss_sum, t->mlp, &t->dataset, rows, count);
}

void town_compute(struct town *t, struct town_gradient *out,
                  const struct public_key *miner, const int32_t *theta,
                  size_t count)
{
    int64_t loss_sum;
    uint64_t *rows = pot_calloc(t->rows, sizeof(*rows));
    out->sums = pot_calloc(t->shape.parameter_count, sizeof(*out->sums));
    assign_rows(rows, t->rows, &(struct assign_from){.rows = DATASET_ROWS},
                &t->seed, miner);
    bool is_finite = sum_up(t, out->sums, &loss_sum, theta, rows, count);
    POT_ASSERT(is_finite);
    free(rows);
    out->divisor = t->local_steps > 1 ? 1 : count;
    out->size = packed_bytes(&t->shape, &t->form);
    out->payload = pot_alloc(out->size);
    compress_payload(out->payload, &t->shape, &t->form, out->sums,
                     out->divisor);
    out->loss = fixed_divide(loss_sum, (int64_t)count);
}

void town_gradient_fini(struct town_gradient *gradient)
{
    free(gradient->payload);
    free(gradient->sums);
    *gradient = (struct town_gradient){.size = 0};
}

bool town_plants(const struct town *t, size_t miner,
                 struct town_gradient *gradient, struct hash *secret)
{
    struct hash link;
    struct hash theta;
    const Pot__TaskSpec *spec = t->record->spec;
    bool is_hash = codec_hash(&theta, t->record->parameters_hash);
    POT_ASSERT(is_hash);
    draw_walk(secret, &t->plant_secrets[miner],
              spec->rounds - t->record->round - 1);
    draw_walk(&link, secret, 1);
    return plant_is_due(secret, &link, &theta, key_public(town_miner(t, miner)),
                        spec->plant_rate_ppm) &&
           plant_payload(gradient->payload, &t->shape, &t->form, secret);
}

Pot__Signed *town_submission(struct town *t, size_t miner,
                             const struct town_gradient *gradient)
{
    static char core[] = "exact";
    struct hash payload;
    struct hash link;
    const Pot__TaskSpec *spec = t->record->spec;
    Pot__SubmissionBody body = POT__SUBMISSION_BODY__INIT;
    blob_hash(&payload, gradient->payload, gradient->size);
    t->env.blobs.put(t->env.blobs.context, &payload, gradient->payload,
                     gradient->size);
    body.task = codec_bytes(t->task.b, HASH_SIZE);
    body.round = t->record->round;
    body.parameters_hash = t->record->parameters_hash;
    body.rows = t->rows;
    body.payload_hash = codec_bytes(payload.b, HASH_SIZE);
    body.payload_bytes = gradient->size;
    body.loss = gradient->loss;
    body.blas_core = core;
    body.workers = 1;
    body.salt = codec_bytes(t->seed.b, HASH_SIZE);
    if (spec->plant_rate_ppm > 0) {
        draw_walk(&link, &t->plant_secrets[miner],
                  spec->rounds - t->record->round);
        body.link = codec_bytes(link.b, HASH_SIZE);
    }
    return signed_make(SIGNED_SUBMISSION, &t->chain, town_miner(t, miner),
                       &body);
}

static int compare_judgements(const void *a, const void *b)
{
    const Pot__Judgement *x = a;
    const Pot__Judgement *y = b;
    return memcmp(x->submission.data, y->submission.data, HASH_SIZE);
}

static void link_of(struct hash *out, const struct town *t, size_t validator,
                    uint32_t round)
{
    POT_ASSERT(validator < TOWN_VALIDATORS);
    draw_walk(out, &t->secrets[validator], t->record->spec->rounds - round);
}

bool town_draws(const struct town *t, size_t validator,
                const struct public_key *miner)
{
    struct hash link;
    struct hash theta;
    bool is_hash = codec_hash(&theta, t->record->parameters_hash);
    POT_ASSERT(is_hash);
    link_of(&link, t, validator, t->record->round);
    return draw_names(&link, &theta, miner, t->record->draw_rate_ppm);
}

Pot__Signed *town_attestation(struct town *t, size_t validator, uint32_t round,
                              Pot__Judgement *judgements, size_t count)
{
    Pot__Judgement **list = pot_calloc(count, sizeof(*list));
    struct hash link;
    Pot__AttestationBody body = POT__ATTESTATION_BODY__INIT;
    link_of(&link, t, validator, round);
    qsort(judgements, count, sizeof(*judgements), compare_judgements);
    for (size_t i = 0; i < count; i++) {
        list[i] = &judgements[i];
    }
    body.task = codec_bytes(t->task.b, HASH_SIZE);
    body.round = round;
    body.sequence = 1;
    body.draw = codec_bytes(link.b, HASH_SIZE);
    body.n_judgements = count;
    body.judgements = list;
    Pot__Signed *message = signed_make(SIGNED_ATTESTATION, &t->chain,
                                       town_validator(t, validator), &body);
    free(list);
    return message;
}

void town_close_round(struct town *t, const struct round_candidate *candidate)
{
    Pot__RoundUpdate *update;
    const struct ledger_block block = {.height = t->height,
                                       .time_ms = t->height,
                                       .proposer =
                                           *key_public(town_validator(t, 1))};
    enum round_verdict verdict =
        ledger_make_round(&t->env, &block, candidate, SIZE_MAX, &update);
    POT_ASSERT(verdict == ROUND_ACCEPTED);
    codec_free(update);
}

bool town_challenge(struct town *t, const struct key *by,
                    Pot__Signed *submission, const struct hash *secret)
{
    struct hash shown;
    Pot__Challenge challenge = POT__CHALLENGE__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    challenge.submission = submission;
    if (secret != NULL) {
        shown = *secret;
        challenge.plant = codec_bytes(shown.b, HASH_SIZE);
    }
    body.action_case = POT__TX_BODY__ACTION_CHALLENGE;
    body.challenge = &challenge;
    return town_send(t, by, &body) == TX_ACCEPTED;
}

void town_expose(struct town *t, const struct key *by,
                 const struct hash *submission, const struct hash *secret)
{
    struct hash named = *submission;
    struct hash shown = *secret;
    Pot__ExposePlant expose = POT__EXPOSE_PLANT__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    expose.submission = codec_bytes(named.b, HASH_SIZE);
    expose.plant = codec_bytes(shown.b, HASH_SIZE);
    body.action_case = POT__TX_BODY__ACTION_EXPOSE_PLANT;
    body.expose_plant = &expose;
    must_send(t, by, &body);
}

void town_settle(struct town *t, const struct key *by,
                 const struct hash *submission, Pot__Signed **words,
                 size_t count)
{
    Pot__SettleChallenge settle = POT__SETTLE_CHALLENGE__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    settle.submission = codec_bytes(submission->b, HASH_SIZE);
    settle.n_attestations = count;
    settle.attestations = words;
    body.action_case = POT__TX_BODY__ACTION_SETTLE_CHALLENGE;
    body.settle_challenge = &settle;
    must_send(t, by, &body);
}
