/* Whole blocks.  A random chain is made on one state; two replicas follow it
 * by executing its blocks, one checking everything, one on the word of a
 * certificate with nothing but the aggregates.  All write the same, in the
 * same order, and the supply stays what it was. */
#include "config.h"

#include "base/alloc.h"
#include "base/check.h"
#include "ledger/ledger.h"
#include "proto/block.h"
#include "proto/codec.h"
#include "proto/signed.h"
#include "tests/unit/evidence_fixture.h"
#include "tests/unit/ledger_fixture.h"
#include "tests/unit/ledger_random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TASKS_MAX 30
#define BLOCKS    120
#define SEEDS     6

struct replica {
    struct memory_state memory;
    struct ledger_env env;
    struct block_parent parent;
};

struct game {
    struct fixture f;
    struct ledger_random random;
    struct hash tasks[TASKS_MAX];
    size_t task_count;
    struct block_parent parent;
    Pot__RoundUpdate *updates[TASKS_MAX];
    size_t update_count;
    Pot__Evidence *evidence[4];
    size_t evidence_count;
    struct replica checking;
    struct replica trusting;
};

static uint64_t below(struct game *g, uint64_t bound)
{
    return ledger_random_below(&g->random, bound);
}

static void open_replica(struct replica *r, const struct game *g)
{
    memory_state_copy(&r->memory, &g->f.memory);
    r->env = memory_state_env(&r->memory, &g->f.chain);
    r->parent = g->parent;
}

static void open_game(struct game *g, uint64_t seed)
{
    *g = (struct game){.random = {seed}};
    fixture_open(&g->f);
    hash_bytes(&g->parent.hash, "genesis", "", 0);
    open_replica(&g->checking, g);
    open_replica(&g->trusting, g);
}

static void close_game(struct game *g)
{
    memory_state_fini(&g->checking.memory);
    memory_state_fini(&g->trusting.memory);
    fixture_close(&g->f);
}

/* ---- random transactions; which are refused is of no matter here */

static struct key *any_key(struct game *g)
{
    return g->f.keys[below(g, FIXTURE_KEYS)];
}

static const struct hash *any_task(struct game *g)
{
    return g->task_count > 0 ? &g->tasks[below(g, g->task_count)] : &g->f.chain;
}

static void random_transfer(struct game *g)
{
    Pot__Transfer transfer = POT__TRANSFER__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    uint64_t bounds[] = {10, FIXTURE_BALANCE / 4, 2 * FIXTURE_BALANCE};
    transfer.to = codec_bytes(key_public(any_key(g))->b, PUBLIC_KEY_SIZE);
    transfer.amount = below(g, bounds[below(g, 3)]);
    body.action_case = POT__TX_BODY__ACTION_TRANSFER;
    body.transfer = &transfer;
    (void)fixture_apply(&g->f, any_key(g), &body);
}

static void random_stake(struct game *g)
{
    Pot__StakeRole role = below(g, 3) == 0 ? POT__STAKE_ROLE__STAKE_VALIDATOR
                                           : POT__STAKE_ROLE__STAKE_MINER;
    /* validator 0 proposes every block */
    struct key *key = g->f.keys[1 + below(g, FIXTURE_KEYS - 1)];
    uint64_t amounts[] = {FIXTURE_STAKE, FIXTURE_STAKE / 2, FIXTURE_STAKE / 4,
                          below(g, 2 * FIXTURE_STAKE)};
    uint64_t amount = amounts[below(g, 4)];
    if (below(g, 3) == 0) {
        (void)fixture_unstake(&g->f, key, role, amount);
    } else {
        (void)fixture_stake(&g->f, key, role, amount);
    }
}

static void random_submit(struct game *g)
{
    struct fixture_spec spec;
    struct hash task;
    if (g->task_count == TASKS_MAX) {
        return;
    }
    fixture_spec(&spec, &g->f);
    spec.model.seed = below(g, 2);
    spec.model.activation = (Pot__Activation)below(g, 5);
    spec.optimizer.kind = (Pot__Optimizer)below(g, 5);
    spec.optimizer.momentum = (uint32_t)below(g, 2) << 27;
    if (spec.optimizer.kind == POT__OPTIMIZER__OPTIMIZER_ADAM) {
        spec.optimizer.beta2 = 1 << 27;
        spec.optimizer.epsilon = 1;
    }
    spec.optimizer.schedule = (Pot__Schedule)below(g, 3);
    spec.optimizer.step_rounds = 2;
    spec.optimizer.step_factor = 1 << 27;
    spec.task.rounds = 1 + (uint32_t)below(g, 12);
    spec.task.min_submissions = 1 + (uint32_t)below(g, 2);
    spec.task.target_accuracy_ppm = below(g, 3) == 0 ? 900000 : 0;
    enum tx_verdict verdict =
        fixture_submit(&g->f, fixture_client(&g->f, below(g, 2)), &spec,
                       below(g, 100000), &task);
    if (verdict == TX_ACCEPTED) {
        g->tasks[g->task_count++] = task;
    }
}

static void random_tx(struct game *g)
{
    switch (below(g, 12)) {
    case 0:
    case 1:
        random_transfer(g);
        break;
    case 2:
    case 3:
        random_stake(g);
        break;
    case 4:
        (void)fixture_publish(&g->f);
        break;
    case 5:
        random_submit(g);
        break;
    case 6:
        (void)fixture_leave(&g->f, any_key(g), any_task(g));
        break;
    case 7:
        if (below(g, 8) == 0) {
            (void)fixture_cancel(&g->f, fixture_client(&g->f, 0), any_task(g));
        }
        break;
    default:
        (void)fixture_join(&g->f, any_key(g), any_task(g));
        break;
    }
}

/* ---- random evidence */

static void random_evidence(struct game *g)
{
    Pot__Evidence *evidence;
    struct ledger_block block = fixture_block(&g->f, 0);
    uint64_t height = 1 + below(g, g->f.height);
    /* validator 0 proposes every block */
    struct key *accused = g->f.keys[1 + below(g, FIXTURE_KEYS - 1)];
    Pot__Signed *proof = evidence_of(&g->f.chain, accused, height, any_key(g));
    if (ledger_make_evidence(&g->f.env, &block, proof, &evidence) ==
        EVIDENCE_PROVES) {
        g->evidence[g->evidence_count++] = evidence;
    }
    codec_free(proof);
}

/* ---- random rounds */

static void random_attestation(struct game *g, struct fixture_held *held,
                               const struct hash *task, const struct key *key)
{
    Pot__Verdict verdict = below(g, 6) == 0 ? POT__VERDICT__VERDICT_REFUSE
                                            : POT__VERDICT__VERDICT_ACCEPT;
    held->attestations[held->attestation_count++] =
        fixture_attestation(&g->f, key, task, 1, held->submissions,
                            held->submission_count, verdict);
}

static void random_round(struct game *g, const struct hash *task)
{
    struct fixture_held held = {.submission_count = 0};
    struct ledger_block block = fixture_block(&g->f, 0);
    Pot__RoundUpdate *update;
    for (size_t i = 0; i < FIXTURE_KEYS; i++) {
        if (below(g, 4) != 0) {
            held.submissions[held.submission_count++] =
                fixture_submission(&g->f, g->f.keys[i], task, below(g, 1000));
        }
    }
    for (size_t i = 0; i < FIXTURE_KEYS; i++) {
        if (below(g, 8) != 0) {
            random_attestation(g, &held, task, g->f.keys[i]);
        }
    }
    enum round_verdict verdict = ledger_make_round(
        &g->f.env, &block, fixture_candidate(&held, task), SIZE_MAX, &update);
    assert_true(verdict == ROUND_ACCEPTED || verdict == ROUND_NOT_READY);
    if (verdict == ROUND_ACCEPTED) {
        memory_state_take_blobs(&g->checking.memory, &g->f.memory);
        g->updates[g->update_count++] = update;
    }
    fixture_held_clear(&held);
}

static bool is_running(const struct game *g, const struct hash *task)
{
    Pot__TaskRecord *record = ledger_task(&g->f.env.state, task);
    bool is = record->status == POT__TASK_STATUS__TASK_RUNNING;
    codec_free(record);
    return is;
}

/* ---- blocks */

static uint8_t *make_block(struct game *g, size_t *size)
{
    struct validator_set set;
    struct hash validators;
    struct hash zero = {{0}};
    Pot__Block body = POT__BLOCK__INIT;
    Pot__BlockHeader header = POT__BLOCK_HEADER__INIT;
    struct public_key proposer = fixture_block(&g->f, 0).proposer;
    ledger_validators(&g->f.env.state, &set);
    validator_set_hash(&validators, &set);
    header.version = PROTOCOL_VERSION;
    header.height = g->f.height;
    header.time_ms = 1000 * g->f.height;
    header.chain_id = codec_copy_bytes(g->f.chain.b, HASH_SIZE);
    header.parent_hash = codec_copy_bytes(g->parent.hash.b, HASH_SIZE);
    header.proposer = codec_copy_bytes(proposer.b, PUBLIC_KEY_SIZE);
    header.validators_hash = codec_copy_bytes(validators.b, HASH_SIZE);
    header.state_root = codec_copy_bytes(zero.b, HASH_SIZE);
    body.n_txs = g->f.accepted_count;
    body.txs = g->f.accepted;
    body.n_evidence = g->evidence_count;
    body.evidence = g->evidence;
    body.n_round_updates = g->update_count;
    body.round_updates = g->updates;
    block_seal(&g->parent.hash, &body, &header);
    g->parent.height = header.height;
    g->parent.time_ms = header.time_ms;
    uint8_t *data = codec_encode(size, &body);
    free(body.header.data);
    ProtobufCBinaryData fields[] = {
        header.chain_id,           header.parent_hash,
        header.proposer,           header.validators_hash,
        header.state_root,         header.txs_root,
        header.last_commit_hash,   header.evidence_root,
        header.round_updates_root,
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        free(fields[i].data);
    }
    return data;
}

static void follow(struct replica *r, const uint8_t *data, size_t size,
                   struct ledger_trust trust)
{
    struct block *block;
    struct ledger_fault fault;
    assert_int_equal(block_decode(&block, data, size), POT_OK);
    assert_int_equal(
        ledger_execute(&r->env, &r->parent, block, size, trust, &fault),
        BLOCK_ACCEPTED);
    r->parent = (struct block_parent){block->header->height,
                                      block->header->time_ms, block->hash};
    block_free(block);
}

static void assert_alike(const struct game *g, const struct replica *r)
{
    struct hash a;
    struct hash b;
    memory_state_digest_map(&a, &g->f.memory);
    memory_state_digest_map(&b, &r->memory);
    assert_true(hash_equal(&a, &b));
    assert_true(hash_equal(&g->f.memory.writes, &r->memory.writes));
}

/* The aggregates of the block's rounds, as block sync would fetch them. */
static void take_aggregates(struct game *g)
{
    struct buf blob;
    buf_init(&blob, 1 << 20);
    for (size_t i = 0; i < g->update_count; i++) {
        struct hash hash;
        if (codec_hash(&hash, g->updates[i]->aggregate_hash)) {
            const struct blobs *from = &g->f.env.blobs;
            const struct blobs *to = &g->trusting.env.blobs;
            assert_true(from->get(from->context, &hash, &blob));
            to->put(to->context, &hash, blob.data, blob.size);
        }
    }
    buf_fini(&blob);
}

static void play_block(struct game *g)
{
    size_t size;
    g->update_count = 0;
    g->evidence_count = 0;
    for (uint64_t i = below(g, 8) == 0 ? 1 + below(g, 3) : 0; i > 0; i--) {
        random_evidence(g);
    }
    qsort(g->tasks, g->task_count, sizeof(*g->tasks), hash_order);
    for (size_t i = 0; i < g->task_count; i++) {
        if (is_running(g, &g->tasks[i]) && below(g, 3) != 0) {
            random_round(g, &g->tasks[i]);
        }
    }
    for (uint64_t i = below(g, 10); i > 0; i--) {
        random_tx(g);
    }
    struct ledger_block block = fixture_block(&g->f, 0);
    ledger_end_block(&g->f.env, &block);
    uint8_t *data = make_block(g, &size);
    take_aggregates(g);
    follow(&g->checking, data, size, (struct ledger_trust){false, false});
    follow(&g->trusting, data, size, (struct ledger_trust){true, true});
    assert_alike(g, &g->checking);
    assert_alike(g, &g->trusting);
    memory_state_check(&g->trusting.memory);
    for (size_t i = 0; i < g->update_count; i++) {
        codec_free(g->updates[i]);
    }
    for (size_t i = 0; i < g->evidence_count; i++) {
        codec_free(g->evidence[i]);
    }
    free(data);
}

static void random_chains_are_followed_write_for_write(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct game g;
        uint64_t rounds = 0;
        uint64_t faults = 0;
        print_message("seed %u\n", (unsigned)seed);
        open_game(&g, seed);
        for (int i = 0; i < BLOCKS; i++) {
            play_block(&g);
            rounds += g.update_count;
            faults += g.evidence_count;
            fixture_next_block(&g.f);
        }
        assert_true(rounds > 0);
        assert_true(faults > 0);
        close_game(&g);
    }
}

/* ---- refused blocks */

static void restore(struct block *block, const uint8_t *data, size_t size)
{
    struct block *again;
    assert_int_equal(block_decode(&again, data, size), POT_OK);
    codec_free(block->header);
    codec_free(block->body);
    free(block->txs);
    *block = *again;
    free(again);
}

/* A block with two transfers and two rounds; *data and *size hold it. */
static struct block *make_busy_block(struct game *g, uint8_t **data,
                                     size_t *size)
{
    struct block *block;
    struct fixture_spec spec;
    fixture_spec(&spec, &g->f);
    fixture_start_task(&g->f, &spec, 6000, 3, &g->tasks[0]);
    struct ledger_block now = fixture_block(&g->f, 0);
    assert_int_equal(fixture_submit(&g->f, fixture_client(&g->f, 1), &spec,
                                    6000, &g->tasks[1]),
                     TX_ACCEPTED);
    fixture_end_block(&g->f);
    now = fixture_block(&g->f, 0);
    now.height += 4;
    g->f.height += 4;
    g->task_count = 2;
    g->parent.height = g->f.height - 1;
    qsort(g->tasks, 2, sizeof(*g->tasks), hash_order);
    memory_state_fini(&g->checking.memory);
    open_replica(&g->checking, g);
    for (size_t i = 0; i < 2; i++) {
        struct round_candidate none = {.task = g->tasks[i]};
        Pot__RoundUpdate *update;
        assert_int_equal(
            ledger_make_round(&g->f.env, &now, &none, SIZE_MAX, &update),
            ROUND_ACCEPTED);
        g->updates[g->update_count++] = update;
    }
    while (g->f.accepted_count < 2) {
        random_transfer(g);
    }
    ledger_end_block(&g->f.env, &now);
    *data = make_block(g, size);
    assert_int_equal(block_decode(&block, *data, *size), POT_OK);
    return block;
}

static void close_busy_game(struct game *g)
{
    for (size_t i = 0; i < g->update_count; i++) {
        codec_free(g->updates[i]);
    }
    close_game(g);
}

static void a_block_that_is_made_is_the_one_that_is_decoded(void **state)
{
    (void)state;
    struct game g;
    struct block *parts;
    uint8_t *data;
    size_t size;
    size_t again_size;
    open_game(&g, 1);
    struct block *b = make_busy_block(&g, &data, &size);
    assert_int_equal(block_decode(&parts, data, size), POT_OK);
    parts->header->txs_root.data[0] ^= 1; /* it is sealed anew */
    struct block *made = block_make(parts->body, parts->header);
    free(parts->txs);
    free(parts);
    assert_true(hash_equal(&made->hash, &b->hash));
    assert_true(made->body->n_txs > 0);
    assert_memory_equal(made->txs, b->txs, b->body->n_txs * sizeof(*b->txs));
    uint8_t *again = codec_encode(&again_size, made->body);
    assert_int_equal(again_size, size);
    assert_memory_equal(again, data, size);
    free(again);
    free(data);
    block_free(made);
    block_free(b);
    close_busy_game(&g);
}

static enum block_verdict execute(struct game *g, const struct block *block,
                                  size_t size, struct ledger_fault *fault)
{
    struct memory_state copy;
    memory_state_copy(&copy, &g->checking.memory);
    struct ledger_env env = memory_state_env(&copy, &g->f.chain);
    enum block_verdict verdict =
        ledger_execute(&env, &g->checking.parent, block, size,
                       (struct ledger_trust){false, false}, fault);
    memory_state_fini(&copy);
    return verdict;
}

static void each_wrong_part_of_a_block_has_its_verdict(void **state)
{
    (void)state;
    struct game g;
    struct ledger_fault fault;
    uint8_t *data;
    size_t size;
    open_game(&g, 1);
    struct block *b = make_busy_block(&g, &data, &size);
    assert_int_equal(execute(&g, b, size, &fault), BLOCK_ACCEPTED);
    assert_int_equal(execute(&g, b, size, NULL), BLOCK_ACCEPTED);
    assert_int_equal(execute(&g, b, (1 << 20) + 1, &fault), BLOCK_TOO_LARGE);
    b->header->chain_id.data[0] ^= 1;
    assert_int_equal(execute(&g, b, size, &fault), BLOCK_WRONG_CHAIN);
    restore(b, data, size);
    b->header->height++;
    assert_int_equal(execute(&g, b, size, &fault), BLOCK_NOT_NEXT);
    restore(b, data, size);
    b->header->parent_hash.data[0] ^= 1;
    assert_int_equal(execute(&g, b, size, &fault), BLOCK_NOT_NEXT);
    restore(b, data, size);
    b->header->time_ms = g.checking.parent.time_ms;
    assert_int_equal(execute(&g, b, size, &fault), BLOCK_TIME);
    restore(b, data, size);
    b->header->proposer.data[0] ^= 1;
    assert_int_equal(execute(&g, b, size, &fault), BLOCK_PROPOSER);
    restore(b, data, size);
    b->header->validators_hash.data[0] ^= 1;
    assert_int_equal(execute(&g, b, size, &fault), BLOCK_VALIDATORS);
    restore(b, data, size);
    b->body->txs[1]->signature.data[0] ^= 1;
    assert_int_equal(execute(&g, b, size, &fault), BLOCK_TX);
    assert_int_equal(fault.tx, TX_BAD_SIGNATURE);
    assert_int_equal(fault.index, 1);
    restore(b, data, size);
    b->body->round_updates[1]->train_loss = 1;
    assert_int_equal(execute(&g, b, size, &fault), BLOCK_ROUND);
    assert_int_equal(fault.round, ROUND_LOSS);
    restore(b, data, size);
    Pot__RoundUpdate *first = b->body->round_updates[0];
    b->body->round_updates[0] = b->body->round_updates[1];
    b->body->round_updates[1] = first;
    assert_int_equal(execute(&g, b, size, &fault), BLOCK_ROUND_ORDER);
    b->body->evidence = pot_calloc(1, sizeof(Pot__Evidence *));
    b->body->evidence[0] = pot_alloc(sizeof(Pot__Evidence));
    pot__evidence__init(b->body->evidence[0]);
    b->body->n_evidence = 1;
    assert_int_equal(execute(&g, b, size, &fault), BLOCK_EVIDENCE);
    assert_int_equal(fault.evidence, EVIDENCE_MALFORMED);
    block_free(b);
    free(data);
    close_busy_game(&g);
}

/* ---- a store that falls silent */

static unsigned reads_left;
static bool (*read_for_real)(void *context, const void *key, size_t key_size,
                             struct buf *value);

static bool read_some(void *context, const void *key, size_t key_size,
                      struct buf *value)
{
    bool is_answered = reads_left > 0;
    reads_left -= is_answered;
    buf_clear(value);
    return is_answered && read_for_real(context, key, key_size, value);
}

/* The reads that it takes, or as many as there are answers to. */
static unsigned execute_with(struct game *g, const struct block *block,
                             size_t size, unsigned answers)
{
    struct memory_state copy;
    memory_state_copy(&copy, &g->checking.memory);
    struct ledger_env env = memory_state_env(&copy, &g->f.chain);
    read_for_real = env.state.get;
    reads_left = answers;
    env.state.get = read_some;
    enum block_verdict verdict =
        ledger_execute(&env, &g->checking.parent, block, size,
                       (struct ledger_trust){true, true}, NULL);
    (void)verdict; /* it may be any */
    memory_state_fini(&copy);
    return answers - reads_left;
}

/* A damaged store answers that nothing is there: the ledger's words are
 * worthless then, but it must come to an end. */
static void a_state_that_cannot_be_read_ends_no_node(void **state)
{
    (void)state;
    struct game g;
    uint8_t *data;
    size_t size;
    open_game(&g, 1);
    struct block *b = make_busy_block(&g, &data, &size);
    unsigned all = execute_with(&g, b, size, UINT32_MAX);
    assert_in_range(all, 20, 100000);
    for (unsigned answers = 0; answers < all; answers++) {
        assert_true(execute_with(&g, b, size, answers) <= answers);
    }
    block_free(b);
    free(data);
    close_busy_game(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_chains_are_followed_write_for_write),
        cmocka_unit_test(a_block_that_is_made_is_the_one_that_is_decoded),
        cmocka_unit_test(each_wrong_part_of_a_block_has_its_verdict),
        cmocka_unit_test(a_state_that_cannot_be_read_ends_no_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
