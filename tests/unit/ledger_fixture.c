#include "config.h"

#include "tests/unit/ledger_fixture.h"

#include "base/alloc.h"
#include "base/check.h"
#include "ledger/draft.h"
#include "proto/blob.h"
#include "proto/codec.h"
#include "proto/draw.h"
#include "proto/gradient.h"
#include "proto/round.h"
#include "proto/signed.h"

#include <stdlib.h>
#include <string.h>

#define ROWS 8

struct key *fixture_validator(const struct fixture *f, size_t i)
{
    POT_ASSERT(i < FIXTURE_VALIDATORS);
    return f->keys[i];
}

struct key *fixture_miner(const struct fixture *f, size_t i)
{
    POT_ASSERT(i < FIXTURE_MINERS);
    return f->keys[FIXTURE_VALIDATORS + i];
}

struct key *fixture_client(const struct fixture *f, size_t i)
{
    POT_ASSERT(i < FIXTURE_CLIENTS);
    return f->keys[FIXTURE_VALIDATORS + FIXTURE_MINERS + i];
}

static void make_dataset(struct fixture *f)
{
    static const char *const names[] = {"no", "yes"};
    size_t header_size;
    uint8_t *header = dataset_header(&header_size, ROWS, FIXTURE_FEATURES,
                                     FIXTURE_CLASSES, DATASET_U8, 255, names);
    f->dataset_size = header_size + ROWS * (FIXTURE_FEATURES + 2);
    f->dataset_bytes = pot_calloc(f->dataset_size, 1);
    memcpy(f->dataset_bytes, header, header_size);
    free(header);
    uint8_t *at = f->dataset_bytes + header_size;
    for (size_t i = 0; i < (size_t)ROWS * FIXTURE_FEATURES; i++) {
        *at++ = (uint8_t)(37 * i * i + 11);
    }
    for (size_t i = 0; i < ROWS; i++, at += 2) {
        at[0] = i % 3 == 0;
    }
    enum pot_err err =
        dataset_view(&f->dataset, f->dataset_bytes, f->dataset_size);
    POT_ASSERT(err == POT_OK);
    dataset_chunk_hash(&f->dataset_chunk, f->dataset_bytes, f->dataset_size);
    dataset_address(&f->dataset_address, &f->dataset_chunk, 1);
    memory_state_add_dataset(&f->memory, &f->dataset_address, &f->dataset);
}

static void make_genesis(struct fixture *f)
{
    static char chain_id[] = "pot-test";
    static char moniker[] = "alice";
    Pot__Genesis genesis = POT__GENESIS__INIT;
    Pot__GenesisAccount accounts[FIXTURE_KEYS];
    Pot__GenesisAccount *account_list[FIXTURE_KEYS];
    Pot__GenesisStake stakes[FIXTURE_VALIDATORS];
    Pot__GenesisStake *stake_list[FIXTURE_VALIDATORS];
    for (size_t i = 0; i < FIXTURE_KEYS; i++) {
        pot__genesis_account__init(&accounts[i]);
        accounts[i].address =
            codec_bytes(key_public(f->keys[i])->b, PUBLIC_KEY_SIZE);
        accounts[i].balance = FIXTURE_BALANCE;
        account_list[i] = &accounts[i];
    }
    for (size_t i = 0; i < FIXTURE_VALIDATORS; i++) {
        pot__genesis_stake__init(&stakes[i]);
        stakes[i].address = accounts[i].address;
        stakes[i].role = POT__STAKE_ROLE__STAKE_VALIDATOR;
        stakes[i].amount = FIXTURE_STAKE;
        stakes[i].moniker = moniker;
        stake_list[i] = &stakes[i];
    }
    genesis.chain_id = chain_id;
    genesis.params = &f->params;
    genesis.n_accounts = FIXTURE_KEYS;
    genesis.accounts = account_list;
    genesis.n_stakes = FIXTURE_VALIDATORS;
    genesis.stakes = stake_list;
    ledger_genesis(&f->env, &genesis);
}

/* All fixtures' keys are the same, and are made once: a fuzz target opens tens
 * of thousands. */
static struct key *shared_key(size_t i)
{
    static struct key *keys[FIXTURE_KEYS];
    const uint8_t seed[32] = {(uint8_t)(i + 1)};
    if (keys[i] == NULL) {
        keys[i] = key_from_seed(seed);
    }
    return keys[i];
}

void fixture_open(struct fixture *f)
{
    *f = (struct fixture){.height = 1};
    hash_bytes(&f->chain, "chain-id", "pot-test", 8);
    f->env = memory_state_env(&f->memory, &f->chain);
    for (size_t i = 0; i < FIXTURE_KEYS; i++) {
        f->keys[i] = shared_key(i);
    }
    pot__genesis_params__init(&f->params);
    f->params.min_validator_stake = FIXTURE_STAKE;
    f->params.min_miner_stake = FIXTURE_STAKE / 10;
    f->params.epoch_blocks = 10;
    f->params.attesting_bps = 1000;
    f->params.proposing_bps = 500;
    f->params.absent_rounds_max = 3;
    f->params.round_blocks_max = 4;
    f->params.empty_rounds_max = 2;
    f->params.fee_base = 100;
    f->params.fee_byte = 1;
    f->params.max_block_bytes = 1 << 20;
    f->params.max_time_ahead_ms = 1000;
    f->params.slash_equivocation_bps = 1000;
    f->params.finder_bps = 1000;
    f->params.evidence_blocks_max = 30;
    f->params.unbonding_blocks = 30;
    f->params.challenge_blocks = 4;
    f->params.challenge_deposit = 1000;
    f->params.slash_fraud_bps = 5000;
    make_dataset(f);
    make_genesis(f);
    POT_ASSERT(memory_state_total(&f->memory) ==
               FIXTURE_KEYS * FIXTURE_BALANCE +
                   FIXTURE_VALIDATORS * FIXTURE_STAKE);
    fixture_check(f);
}

static void forget_accepted(struct fixture *f)
{
    for (size_t i = 0; i < f->accepted_count; i++) {
        codec_free(f->accepted[i]);
    }
    free(f->accepted);
    f->accepted = NULL;
    f->accepted_count = 0;
}

void fixture_close(struct fixture *f)
{
    forget_accepted(f);
    free(f->dataset_bytes);
    memory_state_fini(&f->memory);
}

struct ledger_block fixture_block(const struct fixture *f, size_t proposer)
{
    return (struct ledger_block){
        .height = f->height,
        .time_ms = 1000 * f->height,
        .proposer = *key_public(fixture_validator(f, proposer)),
    };
}

void fixture_check(struct fixture *f)
{
    Pot__SupplyRecord *supply = ledger_supply(&f->env.state);
    POT_ASSERT(memory_state_total(&f->memory) == supply->supply);
    codec_free(supply);
    memory_state_check(&f->memory);
}

void fixture_next_block(struct fixture *f)
{
    fixture_check(f);
    forget_accepted(f);
    f->height++;
}

void fixture_end_block(struct fixture *f)
{
    struct ledger_block block = fixture_block(f, 0);
    ledger_end_block(&f->env, &block);
    fixture_next_block(f);
}

/* ---- transactions */

Pot__Signed *fixture_sign(const struct fixture *f, const struct key *key,
                          Pot__TxBody *body)
{
    struct account account;
    ledger_account(&f->env.state, key_public(key), &account);
    body->chain_id = codec_bytes(f->chain.b, HASH_SIZE);
    body->nonce = account.nonce;
    body->fee = FIXTURE_FEE;
    return signed_make(SIGNED_TX, &f->chain, key, body);
}

static enum tx_verdict apply(struct fixture *f, const Pot__Signed *tx)
{
    struct ledger_block block = fixture_block(f, 0);
    struct hash before;
    struct hash after;
    memory_state_digest(&before, &f->memory);
    enum tx_verdict checked = ledger_check_tx(&f->env, &block, tx, false);
    memory_state_digest(&after, &f->memory);
    POT_ASSERT(hash_equal(&before, &after));
    enum tx_verdict verdict = ledger_apply_tx(&f->env, &block, tx, false);
    POT_ASSERT(verdict == checked);
    memory_state_digest(&after, &f->memory);
    POT_ASSERT(hash_equal(&before, &after) == (verdict != TX_ACCEPTED));
    if (verdict == TX_ACCEPTED) {
        f->accepted = pot_realloc(f->accepted, f->accepted_count + 1,
                                  sizeof(Pot__Signed *));
        f->accepted[f->accepted_count++] = signed_copy(tx);
    }
    return verdict;
}

enum tx_verdict fixture_apply(struct fixture *f, const struct key *key,
                              Pot__TxBody *body)
{
    Pot__Signed *tx = fixture_sign(f, key, body);
    enum tx_verdict verdict = apply(f, tx);
    codec_free(tx);
    return verdict;
}

enum tx_verdict fixture_publish(struct fixture *f)
{
    static char name[] = "eight rows";
    Pot__PublishDataset dataset = POT__PUBLISH_DATASET__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    ProtobufCBinaryData chunk = codec_bytes(f->dataset_chunk.b, HASH_SIZE);
    dataset.dataset = codec_bytes(f->dataset_address.b, HASH_SIZE);
    dataset.size_bytes = f->dataset_size;
    dataset.n_chunks = 1;
    dataset.chunks = &chunk;
    dataset.rows = ROWS;
    dataset.features = FIXTURE_FEATURES;
    dataset.classes = FIXTURE_CLASSES;
    dataset.name = name;
    body.action_case = POT__TX_BODY__ACTION_PUBLISH_DATASET;
    body.publish_dataset = &dataset;
    return fixture_apply(f, fixture_client(f, 0), &body);
}

enum tx_verdict fixture_stake(struct fixture *f, const struct key *key,
                              Pot__StakeRole role, uint64_t amount)
{
    Pot__Stake stake = POT__STAKE__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    stake.role = role;
    stake.amount = amount;
    body.action_case = POT__TX_BODY__ACTION_STAKE;
    body.stake = &stake;
    return fixture_apply(f, key, &body);
}

enum tx_verdict fixture_unstake(struct fixture *f, const struct key *key,
                                Pot__StakeRole role, uint64_t amount)
{
    Pot__Unstake unstake = POT__UNSTAKE__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    unstake.role = role;
    unstake.amount = amount;
    body.action_case = POT__TX_BODY__ACTION_UNSTAKE;
    body.unstake = &unstake;
    return fixture_apply(f, key, &body);
}

enum tx_verdict fixture_join(struct fixture *f, const struct key *key,
                             const struct hash *task)
{
    Pot__JoinTask join = POT__JOIN_TASK__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    join.task = codec_bytes(task->b, HASH_SIZE);
    body.action_case = POT__TX_BODY__ACTION_JOIN_TASK;
    body.join_task = &join;
    return fixture_apply(f, key, &body);
}

enum tx_verdict fixture_leave(struct fixture *f, const struct key *key,
                              const struct hash *task)
{
    Pot__LeaveTask leave = POT__LEAVE_TASK__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    leave.task = codec_bytes(task->b, HASH_SIZE);
    body.action_case = POT__TX_BODY__ACTION_LEAVE_TASK;
    body.leave_task = &leave;
    return fixture_apply(f, key, &body);
}

enum tx_verdict fixture_cancel(struct fixture *f, const struct key *key,
                               const struct hash *task)
{
    Pot__CancelTask cancel = POT__CANCEL_TASK__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    cancel.task = codec_bytes(task->b, HASH_SIZE);
    body.action_case = POT__TX_BODY__ACTION_CANCEL_TASK;
    body.cancel_task = &cancel;
    return fixture_apply(f, key, &body);
}

void fixture_spec(struct fixture_spec *out, const struct fixture *f)
{
    memcpy(out->name, "digits", 7);
    out->layers[0] = FIXTURE_FEATURES;
    out->layers[1] = FIXTURE_HIDDEN;
    out->layers[2] = FIXTURE_CLASSES;
    pot__model_spec__init(&out->model);
    out->model.n_layers = 3;
    out->model.layers = out->layers;
    out->model.activation = POT__ACTIVATION__ACTIVATION_RELU;
    out->model.loss = POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY;
    out->model.seed = 1;
    pot__optimizer_spec__init(&out->optimizer);
    out->optimizer.learning_rate = 1 << 25;
    out->optimizer.momentum = 1 << 27;
    out->optimizer.schedule = POT__SCHEDULE__SCHEDULE_CONSTANT;
    pot__task_spec__init(&out->task);
    out->task.name = out->name;
    out->task.train = codec_bytes(f->dataset_address.b, HASH_SIZE);
    out->task.test = out->task.train;
    out->task.model = &out->model;
    out->task.optimizer = &out->optimizer;
    out->task.rounds = 6;
    out->task.rows_per_miner = 4;
    out->task.local_steps = 1;
    out->task.min_submissions = 1;
    out->task.aggregation = POT__AGGREGATION__AGGREGATION_MEAN;
    out->task.numerics = POT__NUMERICS__NUMERICS_BLAS;
    out->task.compression = POT__COMPRESSION__COMPRESSION_INT8;
    out->task.audit_rate_ppm = 100000;
    out->task.eval_every = 2;
    out->task.round_timeout_ms = 1000;
    out->task.miner_stake = FIXTURE_STAKE / 5;
}

enum tx_verdict fixture_submit(struct fixture *f, const struct key *key,
                               struct fixture_spec *spec, uint64_t budget,
                               struct hash *task)
{
    Pot__SubmitTask submit = POT__SUBMIT_TASK__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    submit.spec = &spec->task;
    submit.budget = budget;
    body.action_case = POT__TX_BODY__ACTION_SUBMIT_TASK;
    body.submit_task = &submit;
    Pot__Signed *tx = fixture_sign(f, key, &body);
    signed_hash(task, SIGNED_TX, tx);
    enum tx_verdict verdict = apply(f, tx);
    codec_free(tx);
    return verdict;
}

/* ---- rounds */

static void put_payload(struct fixture *f, Pot__SubmissionBody *body,
                        struct hash *hash, const Pot__TaskSpec *spec,
                        uint64_t salt)
{
    struct model_shape shape;
    int8_t exponents[TENSORS_MAX];
    int32_t values[FIXTURE_PARAMETERS];
    enum pot_err err = model_shape_from_spec(&shape, spec->model);
    POT_ASSERT(err == POT_OK && shape.parameter_count == FIXTURE_PARAMETERS);
    for (size_t t = 0; t < shape.tensor_count; t++) {
        exponents[t] = (int8_t)(-10 - (int)((salt + t) % 5));
    }
    for (size_t i = 0; i < FIXTURE_PARAMETERS; i++) {
        values[i] = (int32_t)((salt * 31 + i * 17) % 255) - 127;
    }
    size_t size = gradient_bytes(&shape, 1);
    uint8_t *payload = pot_alloc(size);
    gradient_encode(payload, &shape, 1, 1, exponents, values);
    blob_hash(hash, payload, size);
    f->env.blobs.put(f->env.blobs.context, hash, payload, size);
    body->payload_hash = codec_bytes(hash->b, HASH_SIZE);
    body->payload_bytes = size;
    free(payload);
}

void fixture_link(struct hash *out, const struct key *key,
                  const Pot__TaskRecord *record)
{
    hash_bytes(out, "fixture-secret", key_public(key)->b, PUBLIC_KEY_SIZE);
    draw_walk(out, out, record->spec->rounds - record->round);
}

void fixture_secret(struct hash *out, const struct key *key,
                    const Pot__TaskRecord *record)
{
    hash_bytes(out, "fixture-secret", key_public(key)->b, PUBLIC_KEY_SIZE);
    draw_walk(out, out, record->spec->rounds - record->round - 1);
}

Pot__Signed *fixture_submission(struct fixture *f, const struct key *miner,
                                const struct hash *task, uint64_t salt)
{
    static char core[] = "Haswell";
    struct hash payload;
    struct hash link;
    Pot__SubmissionBody body = POT__SUBMISSION_BODY__INIT;
    Pot__TaskRecord *record = ledger_task(&f->env.state, task);
    POT_ASSERT(record != NULL);
    body.task = codec_bytes(task->b, HASH_SIZE);
    body.round = record->round;
    body.parameters_hash = record->parameters_hash;
    body.rows = record->spec->rows_per_miner;
    body.loss = (int64_t)(salt % 1000) << 12;
    body.blas_core = core;
    body.workers = 1;
    body.salt = codec_bytes(task->b, HASH_SIZE);
    put_payload(f, &body, &payload, record->spec, salt);
    if (record->spec->plant_rate_ppm > 0) {
        fixture_link(&link, miner, record);
        body.link = codec_bytes(link.b, HASH_SIZE);
    }
    Pot__Signed *signed_body =
        signed_make(SIGNED_SUBMISSION, &f->chain, miner, &body);
    codec_free(record);
    return signed_body;
}

static int compare_judgements(const void *a, const void *b)
{
    const Pot__Judgement *const *x = a;
    const Pot__Judgement *const *y = b;
    return memcmp((*x)->submission.data, (*y)->submission.data, HASH_SIZE);
}

/* As an honest validator: what it has drawn it has audited. */
static Pot__Verdict says(const Pot__TaskRecord *record, const struct hash *link,
                         const Pot__Signed *submission, Pot__Verdict verdict)
{
    struct hash theta;
    struct public_key miner;
    bool is_sound = codec_hash(&theta, record->parameters_hash) &&
                    codec_key(&miner, submission->public_key);
    POT_ASSERT(is_sound);
    return verdict == POT__VERDICT__VERDICT_ACCEPT &&
                   draw_names(link, &theta, &miner, record->draw_rate_ppm)
               ? POT__VERDICT__VERDICT_ACCEPT_AUDITED
               : verdict;
}

Pot__Signed *fixture_words(const struct fixture *f, const struct key *validator,
                           const Pot__TaskRecord *record, uint32_t sequence,
                           const struct hash *link,
                           const Pot__Signed *const *submissions, size_t count,
                           const Pot__Verdict *verdicts)
{
    struct hash hashes[FIXTURE_MESSAGES_MAX];
    Pot__Judgement judgements[FIXTURE_MESSAGES_MAX];
    Pot__Judgement *list[FIXTURE_MESSAGES_MAX];
    Pot__AttestationBody body = POT__ATTESTATION_BODY__INIT;
    POT_ASSERT(count <= FIXTURE_MESSAGES_MAX);
    for (size_t i = 0; i < count; i++) {
        if (verdicts[i] != POT__VERDICT__VERDICT_NONE) {
            size_t at = body.n_judgements++;
            signed_hash(&hashes[at], SIGNED_SUBMISSION, submissions[i]);
            pot__judgement__init(&judgements[at]);
            judgements[at].submission = codec_bytes(hashes[at].b, HASH_SIZE);
            judgements[at].verdict = verdicts[i];
            list[at] = &judgements[at];
        }
    }
    qsort(list, body.n_judgements, sizeof(*list), compare_judgements);
    body.task = record->task;
    body.round = record->round;
    body.sequence = sequence;
    body.judgements = list;
    body.draw = codec_bytes(link->b, HASH_SIZE);
    return signed_make(SIGNED_ATTESTATION, &f->chain, validator, &body);
}

Pot__Signed *fixture_attestation(const struct fixture *f,
                                 const struct key *validator,
                                 const struct hash *task, uint32_t sequence,
                                 const Pot__Signed *const *submissions,
                                 size_t count, Pot__Verdict verdict)
{
    struct hash link;
    Pot__Verdict verdicts[FIXTURE_MESSAGES_MAX];
    Pot__TaskRecord *record = ledger_task(&f->env.state, task);
    POT_ASSERT(record != NULL && count <= FIXTURE_MESSAGES_MAX);
    fixture_link(&link, validator, record);
    for (size_t i = 0; i < count; i++) {
        verdicts[i] = says(record, &link, submissions[i], verdict);
    }
    Pot__Signed *message = fixture_words(f, validator, record, sequence, &link,
                                         submissions, count, verdicts);
    codec_free(record);
    return message;
}

/* codec_free and struct round_candidate want what nobody else may change. */
static Pot__Signed *owned(const Pot__Signed *message)
{
    Pot__Signed *same;
    memcpy(&same, &message, sizeof(same));
    return same;
}

static void free_messages(const Pot__Signed **messages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        codec_free(owned(messages[i]));
    }
}

void fixture_held_clear(struct fixture_held *held)
{
    round_candidate_fini(&held->candidate);
    free_messages(held->submissions, held->submission_count);
    free_messages(held->attestations, held->attestation_count);
    *held = (struct fixture_held){.submission_count = 0};
}

const struct round_candidate *fixture_candidate(struct fixture_held *held,
                                                const struct hash *task)
{
    struct candidate_submission submissions[FIXTURE_MESSAGES_MAX];
    struct candidate_attestation attestations[FIXTURE_MESSAGES_MAX];
    const struct round_candidate borrowed = {
        .task = *task,
        .submissions = submissions,
        .submission_count = held->submission_count,
        .attestations = attestations,
        .attestation_count = held->attestation_count,
    };
    for (size_t i = 0; i < held->submission_count; i++) {
        submissions[i].message = owned(held->submissions[i]);
    }
    for (size_t i = 0; i < held->attestation_count; i++) {
        attestations[i].message = owned(held->attestations[i]);
    }
    round_candidate_fini(&held->candidate);
    round_candidate_copy(&held->candidate, &borrowed);
    return &held->candidate;
}

void fixture_hold(struct fixture *f, struct fixture_held *held,
                  const struct hash *task, size_t miner_count,
                  size_t validator_count, uint64_t salt)
{
    *held = (struct fixture_held){.submission_count = 0};
    for (size_t i = 0; i < miner_count; i++) {
        held->submissions[held->submission_count++] =
            fixture_submission(f, fixture_miner(f, i), task, salt + i);
    }
    for (size_t i = 0; i < validator_count; i++) {
        held->attestations[held->attestation_count++] = fixture_attestation(
            f, fixture_validator(f, i), task, 1, held->submissions, miner_count,
            POT__VERDICT__VERDICT_ACCEPT);
    }
}

enum round_verdict fixture_make_round(struct fixture *f,
                                      const struct ledger_block *block,
                                      const struct round_candidate *candidate,
                                      Pot__RoundUpdate **update)
{
    struct draft *draft = draft_new(&f->env);
    const struct ledger_env *env = draft_env(draft);
    enum round_verdict verdict =
        ledger_make_round(env, block, candidate, SIZE_MAX, update);
    struct hash hash;
    if (verdict == ROUND_ACCEPTED &&
        codec_hash(&hash, (*update)->aggregate_hash)) {
        struct buf aggregate;
        buf_init(&aggregate, (*update)->aggregate_bytes);
        bool is_there = env->blobs.get(env->blobs.context, &hash, &aggregate);
        POT_ASSERT(is_there);
        f->env.blobs.put(f->env.blobs.context, &hash, aggregate.data,
                         aggregate.size);
        buf_fini(&aggregate);
    }
    draft_free(draft);
    return verdict;
}

enum round_verdict fixture_play_round(struct fixture *f,
                                      const struct hash *task,
                                      size_t miner_count, uint64_t salt)
{
    struct fixture_held held;
    struct ledger_block block = fixture_block(f, 1);
    Pot__RoundUpdate *update;
    fixture_hold(f, &held, task, miner_count, 3, salt);
    enum round_verdict verdict =
        fixture_make_round(f, &block, fixture_candidate(&held, task), &update);
    if (verdict == ROUND_ACCEPTED) {
        verdict = ledger_apply_round(&f->env, &block, update,
                                     (struct ledger_trust){false, false});
        codec_free(update);
    }
    fixture_held_clear(&held);
    fixture_end_block(f);
    return verdict;
}

void fixture_start_task(struct fixture *f, struct fixture_spec *spec,
                        uint64_t budget, size_t miner_count, struct hash *task)
{
    enum tx_verdict verdict = fixture_publish(f);
    POT_ASSERT(verdict == TX_ACCEPTED || verdict == TX_DATASET_KNOWN);
    verdict = fixture_submit(f, fixture_client(f, 0), spec, budget, task);
    POT_ASSERT(verdict == TX_ACCEPTED);
    for (size_t i = 0; i < miner_count; i++) {
        verdict = fixture_stake(f, fixture_miner(f, i),
                                POT__STAKE_ROLE__STAKE_MINER, FIXTURE_STAKE);
        POT_ASSERT(verdict == TX_ACCEPTED);
        verdict = fixture_join(f, fixture_miner(f, i), task);
        POT_ASSERT(verdict == TX_ACCEPTED);
    }
    fixture_end_block(f);
}
