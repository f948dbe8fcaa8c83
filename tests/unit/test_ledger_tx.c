/* Transactions: what each does, and that a refused one does nothing: the
 * fixture compares the state before and after every one of them. */
#include "config.h"

#include "ledger/tx.h"

#include "ledger/keys.h"
#include "ledger/record.h"
#include "ledger/roster.h"
#include "ledger/task.h"
#include "proto/aggregation.h"
#include "proto/codec.h"
#include "proto/fee.h"
#include "proto/round_room.h"
#include "proto/signed.h"
#include "proto/spec.h"
#include "tests/unit/ledger_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct account account_of(const struct fixture *f, const struct key *key)
{
    struct account account;
    ledger_account(&f->env.state, key_public(key), &account);
    return account;
}

/* A transfer of 5 from client 0 to client 1. */
struct transfer {
    Pot__Transfer transfer;
    Pot__TxBody body;
};

static void make_transfer(struct transfer *t, const struct fixture *f,
                          uint64_t amount)
{
    pot__transfer__init(&t->transfer);
    pot__tx_body__init(&t->body);
    t->transfer.to = codec_bytes(key_public(fixture_client(f, 1))->b, 32);
    t->transfer.amount = amount;
    t->body.action_case = POT__TX_BODY__ACTION_TRANSFER;
    t->body.transfer = &t->transfer;
}

static void a_transfer_moves_the_amount_and_pays_the_proposer(void **state)
{
    (void)state;
    struct fixture f;
    struct transfer t;
    fixture_open(&f);
    make_transfer(&t, &f, 5);
    assert_int_equal(fixture_apply(&f, fixture_client(&f, 0), &t.body),
                     TX_ACCEPTED);
    struct account from = account_of(&f, fixture_client(&f, 0));
    struct account to = account_of(&f, fixture_client(&f, 1));
    struct account proposer = account_of(&f, fixture_validator(&f, 0));
    assert_int_equal(from.balance, FIXTURE_BALANCE - 5 - FIXTURE_FEE);
    assert_int_equal(from.nonce, 1);
    assert_int_equal(to.balance, FIXTURE_BALANCE + 5);
    assert_int_equal(proposer.balance, FIXTURE_BALANCE + FIXTURE_FEE);
    assert_string_equal(proposer.moniker, "alice");
    t.transfer.amount = FIXTURE_BALANCE;
    assert_int_equal(fixture_apply(&f, fixture_client(&f, 0), &t.body),
                     TX_BALANCE_LOW);
    t.transfer.amount = UINT64_MAX;
    assert_int_equal(fixture_apply(&f, fixture_client(&f, 0), &t.body),
                     TX_BALANCE_LOW);
    t.transfer.amount = 0;
    assert_int_equal(fixture_apply(&f, fixture_client(&f, 0), &t.body),
                     TX_AMOUNT_ZERO);
    t.transfer.amount = 5;
    t.transfer.to = codec_bytes(f.chain.b, 31);
    assert_int_equal(fixture_apply(&f, fixture_client(&f, 0), &t.body),
                     TX_MALFORMED);
    t.transfer.to = codec_bytes(key_public(fixture_client(&f, 0))->b, 32);
    assert_int_equal(fixture_apply(&f, fixture_client(&f, 0), &t.body),
                     TX_ACCEPTED);
    fixture_check(&f);
    fixture_close(&f);
}

static enum tx_verdict check_changed(const struct fixture *f,
                                     const Pot__TxBody *body)
{
    Pot__Signed *tx =
        signed_make(SIGNED_TX, &f->chain, fixture_client(f, 0), body);
    struct ledger_block block = fixture_block(f, 0);
    enum tx_verdict verdict = ledger_check_tx(&f->env, &block, tx, false);
    codec_free(tx);
    return verdict;
}

static void the_envelope_is_checked_first(void **state)
{
    (void)state;
    struct fixture f;
    struct transfer t;
    fixture_open(&f);
    make_transfer(&t, &f, 5);
    const struct ledger_block first = fixture_block(&f, 0);
    Pot__Signed *tx = fixture_sign(&f, fixture_client(&f, 0), &t.body);
    assert_int_equal(ledger_check_tx(&f.env, &first, tx, false), TX_ACCEPTED);
    tx->signature.data[0] ^= 1;
    assert_int_equal(ledger_check_tx(&f.env, &first, tx, false),
                     TX_BAD_SIGNATURE);
    assert_int_equal(ledger_check_tx(&f.env, &first, tx, true), TX_ACCEPTED);
    tx->body.data[tx->body.len - 1] ^= 0x80;
    assert_int_equal(ledger_check_tx(&f.env, &first, tx, true), TX_MALFORMED);
    codec_free(tx);

    t.body.nonce = 1;
    assert_int_equal(check_changed(&f, &t.body), TX_NONCE_AHEAD);
    t.body.nonce = 0;
    t.body.expiry_height = f.height;
    assert_int_equal(check_changed(&f, &t.body), TX_ACCEPTED);
    f.height++;
    assert_int_equal(check_changed(&f, &t.body), TX_EXPIRED);
    t.body.expiry_height = 0;
    t.body.fee = f.params.fee_base;
    assert_int_equal(check_changed(&f, &t.body), TX_FEE_LOW);
    t.body.fee = fee_estimate(&f.params, &t.body).units;
    assert_int_equal(check_changed(&f, &t.body), TX_ACCEPTED);
    t.body.fee = UINT64_MAX;
    assert_int_equal(check_changed(&f, &t.body), TX_BALANCE_LOW);
    t.body.fee = FIXTURE_FEE;
    struct hash other = {{1}};
    t.body.chain_id = codec_bytes(other.b, HASH_SIZE);
    assert_int_equal(check_changed(&f, &t.body), TX_WRONG_CHAIN);
    t.body.chain_id = codec_bytes(f.chain.b, HASH_SIZE);
    t.body.action_case = POT__TX_BODY__ACTION__NOT_SET;
    assert_int_equal(check_changed(&f, &t.body), TX_MALFORMED);
    fixture_close(&f);
}

/* What waits for its turn in a mempool can be right once the turn comes. */
static void what_can_never_be_taken_does_not_wait(void **state)
{
    (void)state;
    struct fixture f;
    struct fixture_spec spec;
    struct transfer t;
    Pot__SubmitTask submit = POT__SUBMIT_TASK__INIT;
    Pot__CancelTask cancel = POT__CANCEL_TASK__INIT;
    Pot__Stake stake = POT__STAKE__INIT;
    fixture_open(&f);
    fixture_spec(&spec, &f);
    make_transfer(&t, &f, 0);
    t.body.chain_id = codec_bytes(f.chain.b, HASH_SIZE);
    t.body.fee = FIXTURE_FEE;
    t.body.nonce = 7;
    assert_int_equal(check_changed(&f, &t.body), TX_AMOUNT_ZERO);
    submit.spec = &spec.task;
    submit.budget = 600;
    t.body.action_case = POT__TX_BODY__ACTION_SUBMIT_TASK;
    t.body.submit_task = &submit;
    assert_int_equal(check_changed(&f, &t.body), TX_NONCE_AHEAD);
    spec.task.rounds = 601;
    assert_int_equal(check_changed(&f, &t.body), TX_SPEC_BUDGET);
    submit.spec = NULL;
    assert_int_equal(check_changed(&f, &t.body), TX_MALFORMED);
    t.body.action_case = POT__TX_BODY__ACTION_CANCEL_TASK;
    t.body.cancel_task = &cancel;
    assert_int_equal(check_changed(&f, &t.body), TX_MALFORMED);
    stake.amount = 1;
    t.body.action_case = POT__TX_BODY__ACTION_STAKE;
    t.body.stake = &stake;
    assert_int_equal(check_changed(&f, &t.body), TX_STAKE_ROLE);
    /* Who cannot pay does not make anyone look. */
    t.body.fee = f.params.fee_base;
    assert_int_equal(check_changed(&f, &t.body), TX_FEE_LOW);
    fixture_close(&f);
}

static void a_used_nonce_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct transfer t;
    fixture_open(&f);
    struct ledger_block block = fixture_block(&f, 0);
    make_transfer(&t, &f, 5);
    Pot__Signed *tx = fixture_sign(&f, fixture_client(&f, 0), &t.body);
    assert_int_equal(ledger_apply_tx(&f.env, &block, tx, false), TX_ACCEPTED);
    assert_int_equal(ledger_apply_tx(&f.env, &block, tx, false), TX_NONCE_USED);
    codec_free(tx);
    fixture_check(&f);
    fixture_close(&f);
}

static void stakes_reach_their_minimum_or_are_nothing(void **state)
{
    (void)state;
    const Pot__StakeRole miner = POT__STAKE_ROLE__STAKE_MINER;
    struct fixture f;
    fixture_open(&f);
    struct key *key = fixture_miner(&f, 0);
    uint64_t minimum = f.params.min_miner_stake;
    assert_int_equal(fixture_stake(&f, key, POT__STAKE_ROLE__STAKE_NONE, 1),
                     TX_STAKE_ROLE);
    assert_int_equal(fixture_stake(&f, key, miner, 0), TX_AMOUNT_ZERO);
    assert_int_equal(fixture_stake(&f, key, miner, minimum - 1), TX_STAKE_LOW);
    assert_int_equal(fixture_stake(&f, key, miner, UINT64_MAX), TX_BALANCE_LOW);
    assert_int_equal(fixture_stake(&f, key, miner, minimum), TX_ACCEPTED);
    assert_int_equal(fixture_stake(&f, key, miner, 1), TX_ACCEPTED);
    assert_int_equal(account_of(&f, key).stake_miner, minimum + 1);
    assert_int_equal(fixture_unstake(&f, key, miner, 0), TX_AMOUNT_ZERO);
    assert_int_equal(fixture_unstake(&f, key, miner, 2), TX_STAKE_LOW);
    assert_int_equal(fixture_unstake(&f, key, miner, minimum + 2),
                     TX_STAKE_SHORT);
    assert_int_equal(fixture_unstake(&f, key, miner, 1), TX_ACCEPTED);
    Pot__HashList *stakers = ledger_stakers(&f.env.state, miner);
    assert_int_equal(stakers->n_hashes, 1);
    codec_free(stakers);
    assert_int_equal(fixture_unstake(&f, key, miner, minimum), TX_ACCEPTED);
    stakers = ledger_stakers(&f.env.state, miner);
    assert_int_equal(stakers->n_hashes, 0);
    codec_free(stakers);
    fixture_check(&f);
    fixture_close(&f);
}

static void validators_change_at_the_end_of_an_epoch(void **state)
{
    (void)state;
    const Pot__StakeRole role = POT__STAKE_ROLE__STAKE_VALIDATOR;
    struct fixture f;
    struct validator_set set;
    fixture_open(&f);
    assert_int_equal(
        fixture_unstake(&f, fixture_validator(&f, 1), role, FIXTURE_STAKE),
        TX_ACCEPTED);
    assert_int_equal(
        fixture_stake(&f, fixture_client(&f, 1), role, FIXTURE_STAKE),
        TX_ACCEPTED);
    while (f.height < 10) {
        fixture_end_block(&f);
        assert_int_equal(
            ledger_next_validators(&f.env.state, f.height - 1, &set), 11);
        assert_true(
            public_key_equal(&set.keys[3], key_public(fixture_client(&f, 1))));
        ledger_validators(&f.env.state, &set);
        assert_int_equal(set.count, 4);
        assert_true(public_key_equal(&set.keys[1],
                                     key_public(fixture_validator(&f, 1))));
    }
    fixture_end_block(&f);
    ledger_validators(&f.env.state, &set);
    assert_int_equal(set.count, 4);
    assert_true(
        public_key_equal(&set.keys[1], key_public(fixture_validator(&f, 2))));
    assert_true(
        public_key_equal(&set.keys[3], key_public(fixture_client(&f, 1))));
    assert_int_equal(ledger_next_validators(&f.env.state, 10, &set), 21);
    assert_int_equal(ledger_next_validators(&f.env.state, 19, &set), 21);
    assert_int_equal(ledger_next_validators(&f.env.state, 20, &set), 31);
    fixture_close(&f);
}

static void the_last_validator_stays(void **state)
{
    (void)state;
    const Pot__StakeRole role = POT__STAKE_ROLE__STAKE_VALIDATOR;
    struct fixture f;
    fixture_open(&f);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(
            fixture_unstake(&f, fixture_validator(&f, i), role, FIXTURE_STAKE),
            TX_ACCEPTED);
    }
    assert_int_equal(
        fixture_unstake(&f, fixture_validator(&f, 3), role, FIXTURE_STAKE),
        TX_LAST_VALIDATOR);
    fixture_close(&f);
}

/* The address of the first data set, which the state holds under its number. */
static bool first_dataset(const struct fixture *f, struct hash *address)
{
    const struct state *state = &f->env.state;
    struct state_key key = keys_dataset_number(0);
    struct buf value;
    buf_init(&value, HASH_SIZE);
    bool is_there = state->get(state->context, key.b, key.size, &value);
    if (is_there) {
        assert_int_equal(hash_from_bytes(address, value.data, value.size),
                         POT_OK);
    }
    buf_fini(&value);
    return is_there;
}

static void a_data_set_is_published_once_and_fits_its_address(void **state)
{
    (void)state;
    struct fixture f;
    struct hash address;
    fixture_open(&f);
    size_t size = f.dataset_size;
    f.dataset_size = (DATASET_CHUNK_BYTES) + 1;
    assert_int_equal(fixture_publish(&f), TX_DATASET_MALFORMED);
    f.dataset_size = size;
    f.dataset_chunk.b[0] ^= 1;
    assert_int_equal(fixture_publish(&f), TX_DATASET_MALFORMED);
    f.dataset_chunk.b[0] ^= 1;
    assert_false(first_dataset(&f, &address));
    assert_int_equal(fixture_publish(&f), TX_ACCEPTED);
    assert_int_equal(fixture_publish(&f), TX_DATASET_KNOWN);
    assert_true(first_dataset(&f, &address));
    assert_true(hash_equal(&address, &f.dataset_address));
    Pot__DatasetRecord *record = ledger_dataset(&f.env.state, &address);
    assert_int_equal(record->dataset->rows, 8);
    codec_free(record);
    fixture_close(&f);
}

static void a_task_takes_its_budget_into_escrow(void **state)
{
    (void)state;
    struct fixture f;
    struct fixture_spec spec;
    struct hash task;
    struct hash found;
    fixture_open(&f);
    fixture_spec(&spec, &f);
    struct key *client = fixture_client(&f, 1);
    assert_int_equal(fixture_submit(&f, client, &spec, 600, &task),
                     TX_DATASET_UNKNOWN);
    assert_int_equal(fixture_publish(&f), TX_ACCEPTED);
    assert_int_equal(fixture_submit(&f, client, &spec, FIXTURE_BALANCE, &task),
                     TX_BALANCE_LOW);
    assert_int_equal(fixture_submit(&f, client, &spec, 600, &task),
                     TX_ACCEPTED);
    assert_int_equal(account_of(&f, client).balance,
                     FIXTURE_BALANCE - 600 - FIXTURE_FEE);
    Pot__TaskRecord *record = ledger_task(&f.env.state, &task);
    assert_int_equal(record->status, POT__TASK_STATUS__TASK_RUNNING);
    assert_int_equal(record->escrow, 600);
    assert_int_equal(record->parameters_hash.len, HASH_SIZE);
    codec_free(record);
    assert_true(ledger_task_number(&f.env.state, 0, &found));
    assert_true(hash_equal(&found, &task));
    assert_int_equal(fixture_cancel(&f, fixture_client(&f, 0), &task),
                     TX_TASK_OWNER);
    assert_int_equal(fixture_cancel(&f, client, &f.chain), TX_TASK_UNKNOWN);
    assert_int_equal(fixture_cancel(&f, client, &task), TX_ACCEPTED);
    assert_int_equal(fixture_cancel(&f, client, &task), TX_TASK_ENDED);
    assert_int_equal(account_of(&f, client).balance,
                     FIXTURE_BALANCE - 2 * FIXTURE_FEE);
    fixture_end_block(&f);
    fixture_close(&f);
}

/* One that is planned, if there is any. */
static uint32_t not_taken(const struct spec_choices *choices)
{
    for (size_t i = 0; i < choices->count; i++) {
        if (!choices->all[i].is_taken) {
            return choices->all[i].value;
        }
    }
    return 0;
}

static void spoil_rule(struct fixture_spec *s, int which)
{
    if (which == TX_SPEC_AGGREGATION_RULE) {
        s->task.clip_norm = 1;
    } else if (which == TX_SPEC_PLANT_RATE) {
        s->task.plant_rate_ppm = 1; /* of the blas lane */
    } else if (which == TX_SPEC_GRADIENT_SIZE) {
        s->task.rows_per_miner = ROWS_PER_MINER_MAX;
        s->layers[1] = 20000;
    } else {
        assert_int_equal(which, TX_SPEC_AGGREGATION_SIZE);
        s->task.aggregation = POT__AGGREGATION__AGGREGATION_KRUM;
        s->task.min_submissions = ROSTER_MAX;
        s->layers[1] = 100;
    }
}

/* One wrong thing a case; what is set is put back by making the spec anew. */
static void spoil(struct fixture_spec *s, int which)
{
    switch (which) {
    case TX_SPEC_NAME:
        s->name[0] = '\n';
        break;
    case TX_SPEC_MODEL:
        s->layers[1] = 0;
        break;
    case TX_SPEC_DATA:
        s->layers[0]++;
        break;
    case TX_SPEC_ACTIVATION:
        s->model.activation = POT__ACTIVATION__ACTIVATION_NONE;
        break;
    case TX_SPEC_LOSS:
        s->model.loss = POT__LOSS__LOSS_NONE;
        break;
    case TX_SPEC_OPTIMIZER:
        s->optimizer.momentum = 1 << 28;
        break;
    case TX_SPEC_ROUNDS:
        s->task.rounds = 0;
        break;
    case TX_SPEC_ROWS:
        s->task.rows_per_miner = ROWS_PER_MINER_MAX + 1;
        break;
    case TX_SPEC_LOCAL_STEPS:
        s->task.local_steps = 2;
        break;
    case TX_SPEC_MIN_SUBMISSIONS:
        s->task.min_submissions = 0;
        break;
    case TX_SPEC_AGGREGATION:
        s->task.aggregation = (Pot__Aggregation)not_taken(&spec_aggregations);
        break;
    case TX_SPEC_NUMERICS:
        s->task.numerics = (Pot__Numerics)not_taken(&spec_numerics);
        break;
    case TX_SPEC_COMPRESSION:
        s->task.compression = (Pot__Compression)not_taken(&spec_compressions);
        break;
    case TX_SPEC_AUDIT_RATE:
        s->task.audit_rate_ppm = 1000001;
        break;
    case TX_SPEC_EVALUATION:
        s->task.eval_every = 0;
        break;
    case TX_SPEC_TARGET:
        s->task.target_accuracy_ppm = 1000001;
        break;
    case TX_SPEC_TIMEOUT:
        s->task.round_timeout_ms = 1;
        break;
    case TX_SPEC_BUDGET:
        s->task.rounds = 601;
        break;
    default:
        spoil_rule(s, which);
    }
}

static void each_wrong_field_of_a_task_has_its_verdict(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    assert_int_equal(fixture_publish(&f), TX_ACCEPTED);
    for (int which = TX_SPEC_NAME; which <= TX_SPEC_BUDGET; which++) {
        struct fixture_spec spec;
        struct hash task;
        fixture_spec(&spec, &f);
        spoil(&spec, which);
        assert_int_equal(
            fixture_submit(&f, fixture_client(&f, 0), &spec, 600, &task),
            which);
    }
    fixture_close(&f);
}

static void assert_named(const struct spec_choices *choices,
                         enum tx_verdict verdict)
{
    for (size_t i = 0; i < choices->count; i++) {
        const struct spec_choice *choice = &choices->all[i];
        const char *found = strstr(tx_verdict_text(verdict), choice->name);
        if ((found != NULL) != choice->is_taken) {
            fail_msg("%s: \"%s\"", choice->name, tx_verdict_text(verdict));
        }
    }
}

static void a_refusal_names_what_is_taken(void **state)
{
    (void)state;
    assert_named(&spec_activations, TX_SPEC_ACTIVATION);
    assert_named(&spec_losses, TX_SPEC_LOSS);
    assert_named(&spec_aggregations, TX_SPEC_AGGREGATION);
    assert_named(&spec_numerics, TX_SPEC_NUMERICS);
    assert_named(&spec_compressions, TX_SPEC_COMPRESSION);
    assert_string_equal(tx_verdict_text(TX_SPEC_ROWS),
                        "rows_per_miner: 1 to 1048576; shards_per_round: "
                        "up to 1024");
    assert_string_equal(tx_verdict_text(TX_SPEC_TIMEOUT),
                        "round_timeout_ms: 100 to 86400000");
}

static void miners_join_and_leave(void **state)
{
    (void)state;
    const Pot__StakeRole role = POT__STAKE_ROLE__STAKE_MINER;
    struct fixture f;
    struct fixture_spec spec;
    struct hash task;
    fixture_open(&f);
    fixture_spec(&spec, &f);
    struct key *miner = fixture_miner(&f, 0);
    assert_int_equal(fixture_publish(&f), TX_ACCEPTED);
    assert_int_equal(
        fixture_submit(&f, fixture_client(&f, 0), &spec, 600, &task),
        TX_ACCEPTED);
    assert_int_equal(fixture_join(&f, miner, &task), TX_MINER_STAKE);
    assert_int_equal(fixture_stake(&f, miner, role, FIXTURE_STAKE / 10),
                     TX_ACCEPTED);
    assert_int_equal(fixture_join(&f, miner, &task), TX_MINER_STAKE);
    assert_int_equal(fixture_stake(&f, miner, role, FIXTURE_STAKE / 10),
                     TX_ACCEPTED);
    assert_int_equal(fixture_join(&f, miner, &f.chain), TX_TASK_UNKNOWN);
    assert_int_equal(fixture_join(&f, miner, &task), TX_ACCEPTED);
    assert_int_equal(fixture_join(&f, miner, &task), TX_JOINED);
    assert_int_equal(fixture_unstake(&f, miner, role, FIXTURE_STAKE / 5),
                     TX_STAKE_BOUND);
    fixture_end_block(&f);
    Pot__TaskRecord *record = ledger_task(&f.env.state, &task);
    assert_int_equal(record->n_roster, 1);
    assert_int_equal(record->opened_height, 1);
    codec_free(record);
    assert_int_equal(fixture_leave(&f, miner, &task), TX_ACCEPTED);
    assert_int_equal(fixture_leave(&f, miner, &task), TX_NOT_JOINED);
    assert_int_equal(fixture_unstake(&f, miner, role, FIXTURE_STAKE / 5),
                     TX_ACCEPTED);
    fixture_end_block(&f);
    fixture_close(&f);
}

/* 200,000 a task: who would cheat in two at once has twice as much to lose. */
static void each_task_asks_for_a_stake_of_its_own(void **state)
{
    (void)state;
    const Pot__StakeRole role = POT__STAKE_ROLE__STAKE_MINER;
    struct fixture f;
    struct fixture_spec spec;
    struct hash tasks[3];
    fixture_open(&f);
    fixture_spec(&spec, &f);
    struct key *miner = fixture_miner(&f, 0);
    assert_int_equal(fixture_publish(&f), TX_ACCEPTED);
    for (size_t i = 0; i < 3; i++) {
        /* the last one asks for no more than the chain does, half as much */
        spec.task.miner_stake = i < 2 ? FIXTURE_STAKE / 5 : 0;
        assert_int_equal(
            fixture_submit(&f, fixture_client(&f, 0), &spec, 600, &tasks[i]),
            TX_ACCEPTED);
    }
    assert_int_equal(fixture_stake(&f, miner, role, FIXTURE_STAKE / 5),
                     TX_ACCEPTED);
    assert_int_equal(fixture_join(&f, miner, &tasks[0]), TX_ACCEPTED);
    assert_int_equal(fixture_join(&f, miner, &tasks[1]), TX_MINER_STAKE);
    assert_int_equal(fixture_join(&f, miner, &tasks[2]), TX_MINER_STAKE);
    assert_int_equal(fixture_stake(&f, miner, role, FIXTURE_STAKE / 10),
                     TX_ACCEPTED);
    assert_int_equal(fixture_join(&f, miner, &tasks[1]), TX_MINER_STAKE);
    assert_int_equal(fixture_join(&f, miner, &tasks[2]), TX_ACCEPTED);
    fixture_end_block(&f);
    assert_int_equal(fixture_cancel(&f, fixture_client(&f, 0), &tasks[0]),
                     TX_ACCEPTED);
    assert_int_equal(fixture_join(&f, miner, &tasks[1]), TX_ACCEPTED);
    assert_int_equal(account_of(&f, miner).stake_joined,
                     3 * FIXTURE_STAKE / 10);
    assert_int_equal(fixture_leave(&f, miner, &tasks[1]), TX_ACCEPTED);
    assert_int_equal(fixture_leave(&f, miner, &tasks[2]), TX_ACCEPTED);
    assert_int_equal(account_of(&f, miner).stake_joined, 0);
    fixture_end_block(&f);
    fixture_close(&f);
}

/* Strangers join the task until it has count members. */
static void fill_roster(struct fixture *f, const struct hash *task,
                        size_t count)
{
    Pot__TaskRecord *record = ledger_task(&f->env.state, task);
    struct roster members = roster_of_members(record);
    for (uint32_t i = 0; members.count < count; i++) {
        struct public_key stranger = {{0}};
        size_t index;
        memcpy(stranger.b, &i, sizeof(i));
        assert_false(roster_find(members, &stranger, &index));
        roster_insert(&members, index, &stranger);
    }
    roster_set_members(record, members);
    task_store(&f->env, record);
    codec_free(record);
}

/* The genesis' blocks become so large. */
static void set_block_bytes(struct fixture *f, uint64_t bytes)
{
    Pot__SupplyRecord *supply = ledger_supply(&f->env.state);
    supply->params->max_block_bytes = bytes;
    record_store(&f->env.state, keys_supply(), supply);
    codec_free(supply);
}

/* One more than most members find no room. */
static void expect_room_for(struct fixture *f, const struct hash *task,
                            size_t most)
{
    for (size_t i = 2; i < 4; i++) {
        assert_int_equal(fixture_stake(f, fixture_miner(f, i),
                                       POT__STAKE_ROLE__STAKE_MINER,
                                       FIXTURE_STAKE),
                         TX_ACCEPTED);
    }
    fill_roster(f, task, most - 1);
    assert_int_equal(fixture_join(f, fixture_miner(f, 2), task), TX_ACCEPTED);
    assert_int_equal(fixture_join(f, fixture_miner(f, 3), task),
                     TX_ROSTER_FULL);
}

static void a_roster_ends_where_its_rule_does(void **state)
{
    (void)state;
    struct fixture f;
    struct fixture_spec spec;
    struct hash task;
    fixture_open(&f);
    fixture_spec(&spec, &f);
    spec.task.aggregation = POT__AGGREGATION__AGGREGATION_KRUM;
    spec.task.min_submissions = 3;
    spec.layers[1] = 100;
    set_block_bytes(&f, BLOCK_BYTES_MAX);
    fixture_start_task(&f, &spec, 600, 2, &task);
    size_t most = aggregation_roster_max(&spec.task);
    assert_in_range(most, 3, ROSTER_MAX - 1);
    expect_room_for(&f, &task, most);
    fixture_close(&f);
}

static void a_roster_ends_where_a_block_does(void **state)
{
    (void)state;
    struct fixture f;
    struct fixture_spec spec;
    struct hash task;
    fixture_open(&f);
    set_block_bytes(&f, 64 << 10);
    fixture_spec(&spec, &f);
    fixture_start_task(&f, &spec, 600, 2, &task);
    size_t most = round_miners_max(64 << 10, FIXTURE_VALIDATORS);
    expect_room_for(&f, &task, most);
    fixture_close(&f);
}

static void a_task_wants_no_more_than_a_block_has_room_for(void **state)
{
    (void)state;
    struct fixture f;
    struct fixture_spec spec;
    struct hash task;
    fixture_open(&f);
    set_block_bytes(&f, 64 << 10);
    assert_int_equal(fixture_publish(&f), TX_ACCEPTED);
    fixture_spec(&spec, &f);
    spec.task.numerics = POT__NUMERICS__NUMERICS_BLAS;
    spec.task.min_submissions = round_miners_max(64 << 10, FIXTURE_VALIDATORS);
    assert_int_equal(
        fixture_submit(&f, fixture_client(&f, 0), &spec, 600, &task),
        TX_ACCEPTED);
    spec.task.min_submissions++;
    assert_int_equal(
        fixture_submit(&f, fixture_client(&f, 0), &spec, 600, &task),
        TX_SPEC_ROOM);
    fixture_close(&f);
}

static void cancelling_frees_the_miners(void **state)
{
    (void)state;
    struct fixture f;
    struct fixture_spec spec;
    struct hash task;
    fixture_open(&f);
    fixture_spec(&spec, &f);
    fixture_start_task(&f, &spec, 600, 3, &task);
    assert_int_equal(account_of(&f, fixture_miner(&f, 2)).tasks_joined, 1);
    assert_int_equal(fixture_cancel(&f, fixture_client(&f, 0), &task),
                     TX_ACCEPTED);
    assert_int_equal(account_of(&f, fixture_miner(&f, 2)).tasks_joined, 0);
    assert_int_equal(fixture_join(&f, fixture_miner(&f, 2), &task),
                     TX_TASK_ENDED);
    Pot__HashList *running = ledger_running(&f.env.state);
    assert_int_equal(running->n_hashes, 0);
    codec_free(running);
    fixture_end_block(&f);
    fixture_close(&f);
}

static void only_so_many_tasks_run_at_once(void **state)
{
    (void)state;
    struct fixture f;
    struct fixture_spec spec;
    struct hash task;
    struct hash first;
    fixture_open(&f);
    fixture_spec(&spec, &f);
    assert_int_equal(fixture_publish(&f), TX_ACCEPTED);
    for (size_t i = 0; i < TASKS_RUNNING_MAX; i++) {
        assert_int_equal(fixture_submit(&f, fixture_client(&f, 0), &spec, 6,
                                        i == 0 ? &first : &task),
                         TX_ACCEPTED);
    }
    assert_int_equal(fixture_submit(&f, fixture_client(&f, 0), &spec, 6, &task),
                     TX_TASKS_FULL);
    assert_int_equal(fixture_cancel(&f, fixture_client(&f, 0), &first),
                     TX_ACCEPTED);
    assert_int_equal(fixture_submit(&f, fixture_client(&f, 0), &spec, 6, &task),
                     TX_ACCEPTED);
    fixture_end_block(&f);
    fixture_close(&f);
}

static void fees_grow_with_what_a_node_has_to_do(void **state)
{
    (void)state;
    struct fixture f;
    struct fixture_spec spec;
    Pot__SubmitTask submit = POT__SUBMIT_TASK__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    fixture_open(&f);
    fixture_spec(&spec, &f);
    submit.spec = &spec.task;
    body.action_case = POT__TX_BODY__ACTION_SUBMIT_TASK;
    body.submit_task = &submit;
    assert_int_equal(fee_work(&body), FIXTURE_PARAMETERS * (8 + 2 * 6));
    assert_int_equal(fee_min(&f.params, &body, 500).units,
                     100 + 500 + FIXTURE_PARAMETERS * 20 / 64);
    /* the exact lane holds thetas that can be challenged */
    spec.task.numerics = POT__NUMERICS__NUMERICS_EXACT;
    assert_int_equal(fee_work(&body), FIXTURE_PARAMETERS * (8 + 4 * 6 + 2 * 6));
    spec.task.rounds *= 1000;
    assert_int_equal(fee_work(&body),
                     FIXTURE_PARAMETERS * (8 + 4 * 20 + 2 * 6000));
    spec.task.numerics = POT__NUMERICS__NUMERICS_BLAS;
    assert_int_equal(fee_work(&body), FIXTURE_PARAMETERS * (8 + 2 * 6000));
    f.params.fee_byte = UINT64_MAX;
    assert_true(fee_min(&f.params, &body, 500).units == UINT64_MAX);
    spec.layers[0] = 0;
    assert_int_equal(fee_work(&body), 0);
    fixture_close(&f);
}

static void verdicts_and_actions_have_texts(void **state)
{
    (void)state;
    Pot__TxBody body = POT__TX_BODY__INIT;
    assert_string_equal(tx_verdict_text(TX_ACCEPTED), "accepted");
    assert_non_null(strstr(tx_verdict_text(TX_SPEC_BUDGET), "budget"));
    assert_string_equal(tx_action_name(&body), "unknown");
    body.action_case = POT__TX_BODY__ACTION_JOIN_TASK;
    assert_string_equal(tx_action_name(&body), "join_task");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transfer_moves_the_amount_and_pays_the_proposer),
        cmocka_unit_test(the_envelope_is_checked_first),
        cmocka_unit_test(what_can_never_be_taken_does_not_wait),
        cmocka_unit_test(a_used_nonce_is_refused),
        cmocka_unit_test(stakes_reach_their_minimum_or_are_nothing),
        cmocka_unit_test(validators_change_at_the_end_of_an_epoch),
        cmocka_unit_test(the_last_validator_stays),
        cmocka_unit_test(a_data_set_is_published_once_and_fits_its_address),
        cmocka_unit_test(a_task_takes_its_budget_into_escrow),
        cmocka_unit_test(each_wrong_field_of_a_task_has_its_verdict),
        cmocka_unit_test(a_refusal_names_what_is_taken),
        cmocka_unit_test(miners_join_and_leave),
        cmocka_unit_test(each_task_asks_for_a_stake_of_its_own),
        cmocka_unit_test(a_roster_ends_where_its_rule_does),
        cmocka_unit_test(a_roster_ends_where_a_block_does),
        cmocka_unit_test(a_task_wants_no_more_than_a_block_has_room_for),
        cmocka_unit_test(cancelling_frees_the_miners),
        cmocka_unit_test(only_so_many_tasks_run_at_once),
        cmocka_unit_test(fees_grow_with_what_a_node_has_to_do),
        cmocka_unit_test(verdicts_and_actions_have_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
