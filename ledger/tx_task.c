#include "config.h"

#include "base/check.h"
#include "ledger/account.h"
#include "ledger/list.h"
#include "ledger/roster.h"
#include "ledger/task.h"
#include "ledger/tx_kind.h"
#include "proto/codec.h"
#include "proto/signed.h"
#include "proto/spec.h"

static enum tx_verdict verdict_on(enum spec_fault fault)
{
    static const enum tx_verdict verdicts[SPEC_FAULT_COUNT] = {
        [SPEC_SOUND] = TX_ACCEPTED,
        [SPEC_NAME] = TX_SPEC_NAME,
        [SPEC_ADDRESS] = TX_MALFORMED,
        [SPEC_LAYERS] = TX_SPEC_MODEL,
        [SPEC_ACTIVATION] = TX_SPEC_ACTIVATION,
        [SPEC_LOSS] = TX_SPEC_LOSS,
        [SPEC_OPTIMIZER] = TX_SPEC_OPTIMIZER,
        [SPEC_ROUNDS] = TX_SPEC_ROUNDS,
        [SPEC_WARMUP] = TX_SPEC_OPTIMIZER,
        [SPEC_ROWS_PER_MINER] = TX_SPEC_ROWS,
        [SPEC_SHARDS] = TX_SPEC_ROWS,
        [SPEC_LOCAL_STEPS] = TX_SPEC_LOCAL_STEPS,
        [SPEC_LOCAL_RATE] = TX_SPEC_LOCAL_STEPS,
        [SPEC_LOCAL_EXACT] = TX_SPEC_LOCAL_STEPS,
        [SPEC_LOCAL_ROWS] = TX_SPEC_LOCAL_STEPS,
        [SPEC_GRADIENT_SIZE] = TX_SPEC_GRADIENT_SIZE,
        [SPEC_MIN_SUBMISSIONS] = TX_SPEC_MIN_SUBMISSIONS,
        [SPEC_AGGREGATION] = TX_SPEC_AGGREGATION,
        [SPEC_NUMERICS] = TX_SPEC_NUMERICS,
        [SPEC_COMPRESSION] = TX_SPEC_COMPRESSION,
        [SPEC_TRIM_SHARE] = TX_SPEC_AGGREGATION_RULE,
        [SPEC_KRUM_FAULTY] = TX_SPEC_AGGREGATION_RULE,
        [SPEC_CLIP_NORM] = TX_SPEC_AGGREGATION_RULE,
        [SPEC_AGGREGATION_SIZE] = TX_SPEC_AGGREGATION_SIZE,
        [SPEC_TOPK_SHARE] = TX_SPEC_COMPRESSION,
        [SPEC_COMPRESSION_EXACT] = TX_SPEC_COMPRESSION,
        [SPEC_AUDIT_RATE] = TX_SPEC_AUDIT_RATE,
        [SPEC_PLANT_RATE] = TX_SPEC_PLANT_RATE,
        [SPEC_EVAL_EVERY] = TX_SPEC_EVALUATION,
        [SPEC_TARGET_ACCURACY] = TX_SPEC_TARGET,
        [SPEC_ROUND_TIMEOUT] = TX_SPEC_TIMEOUT,
        [SPEC_BUDGET] = TX_SPEC_BUDGET,
        [SPEC_INPUTS] = TX_SPEC_DATA,
        [SPEC_OUTPUTS] = TX_SPEC_DATA,
        [SPEC_TEST_SET] = TX_SPEC_DATA,
        [SPEC_NUMBERS_LOSS] = TX_SPEC_LOSS,
        [SPEC_NUMBERS_TARGET] = TX_SPEC_TARGET,
        [SPEC_EVALUATION_SIZE] = TX_SPEC_EVALUATION,
    };
    POT_ASSERT(fault == SPEC_SOUND || verdicts[fault] != TX_ACCEPTED);
    return verdicts[fault];
}

static struct spec_data data_of(const Pot__DatasetRecord *record)
{
    const Pot__PublishDataset *dataset = record->dataset;
    return (struct spec_data){dataset->rows, dataset->features,
                              dataset->classes};
}

static enum tx_verdict check_data(const struct tx_run *run,
                                  const Pot__TaskSpec *spec)
{
    struct hash train_address;
    struct hash test_address;
    bool are_hashes = codec_hash(&train_address, spec->train) &&
                      codec_hash(&test_address, spec->test);
    POT_ASSERT(are_hashes);
    Pot__DatasetRecord *train =
        ledger_dataset(&run->env->state, &train_address);
    Pot__DatasetRecord *test = ledger_dataset(&run->env->state, &test_address);
    enum tx_verdict verdict = TX_DATASET_UNKNOWN;
    if (train != NULL && test != NULL) {
        const struct spec_data data = data_of(train);
        const struct spec_data test_data = data_of(test);
        verdict = verdict_on(spec_fits_data(spec, &data, &test_data));
    }
    codec_free(train);
    codec_free(test);
    return verdict;
}

static enum tx_verdict check_submit(const Pot__TxBody *body)
{
    const Pot__SubmitTask *submit = body->submit_task;
    return submit->spec != NULL
               ? verdict_on(spec_check(submit->spec, submit->budget))
               : TX_MALFORMED;
}

/* Fraud is proven and slashed in the exact lane alone. */
static enum tx_verdict check_stake(const struct tx_run *run,
                                   const Pot__SubmitTask *submit)
{
    bool is_exact = submit->spec->numerics == POT__NUMERICS__NUMERICS_EXACT;
    return !is_exact || spec_stake_outweighs(submit->spec, submit->budget,
                                             run->params)
               ? TX_ACCEPTED
               : TX_SPEC_STAKE;
}

static enum tx_verdict tx_submit_task(const struct tx_run *run,
                                      const Pot__TxBody *body)
{
    const Pot__SubmitTask *submit = body->submit_task;
    enum tx_verdict verdict = check_data(run, submit->spec);
    if (verdict == TX_ACCEPTED) {
        verdict = check_stake(run, submit);
    }
    if (verdict != TX_ACCEPTED) {
        return verdict;
    }
    if (submit->spec->min_submissions >
        task_roster_max(run->env, submit->spec)) {
        return TX_SPEC_ROOM;
    }
    if (list_count(&run->env->state, keys_running()) >= TASKS_RUNNING_MAX) {
        return TX_TASKS_FULL;
    }
    if (!account_debit(&run->env->state, &run->sender, submit->budget)) {
        return TX_BALANCE_LOW;
    }
    if (!run->is_trial) {
        struct hash task;
        signed_hash(&task, SIGNED_TX, run->tx);
        task_begin(run->env, run->block, &task, &run->sender, submit);
    }
    return TX_ACCEPTED;
}

const struct tx_kind tx_kind_submit_task = {check_submit, tx_submit_task};

/* ---- on a task that runs */

static enum tx_verdict check_task(ProtobufCBinaryData task)
{
    return task.len == HASH_SIZE ? TX_ACCEPTED : TX_MALFORMED;
}

/* The running task in *out, which the caller frees; NULL unless
 * TX_ACCEPTED. */
static enum tx_verdict load_running(const struct tx_run *run,
                                    Pot__TaskRecord **out,
                                    ProtobufCBinaryData field)
{
    struct hash hash;
    *out = NULL;
    bool is_hash = codec_hash(&hash, field);
    POT_ASSERT(is_hash);
    Pot__TaskRecord *task = ledger_task(&run->env->state, &hash);
    if (task == NULL) {
        return TX_TASK_UNKNOWN;
    }
    if (task->status != POT__TASK_STATUS__TASK_RUNNING) {
        codec_free(task);
        return TX_TASK_ENDED;
    }
    *out = task;
    return TX_ACCEPTED;
}

static enum tx_verdict check_cancel(const Pot__TxBody *body)
{
    return check_task(body->cancel_task->task);
}

static enum tx_verdict tx_cancel_task(const struct tx_run *run,
                                      const Pot__TxBody *body)
{
    Pot__TaskRecord *task;
    enum tx_verdict verdict = load_running(run, &task, body->cancel_task->task);
    if (verdict != TX_ACCEPTED) {
        return verdict;
    }
    if (!codec_bytes_equal(task->owner, run->sender.b, PUBLIC_KEY_SIZE)) {
        verdict = TX_TASK_OWNER;
    } else if (!run->is_trial) { /* its state may change under a trial */
        task_end(run->env, run->block->height, task,
                 POT__TASK_STATUS__TASK_CANCELLED, "cancelled by its owner");
    }
    codec_free(task);
    return verdict;
}

const struct tx_kind tx_kind_cancel_task = {check_cancel, tx_cancel_task};

static enum tx_verdict join(const struct tx_run *run, Pot__TaskRecord *task)
{
    struct roster members = roster_of_members(task);
    uint64_t stake = spec_miner_stake(task->spec, run->params);
    struct account account;
    size_t index;
    ledger_account(&run->env->state, &run->sender, &account);
    if (roster_find(members, &run->sender, &index)) {
        return TX_JOINED;
    }
    if (account.stake_miner - account.stake_joined < stake) {
        return TX_MINER_STAKE;
    }
    if (members.count >= task_roster_max(run->env, task->spec)) {
        return TX_ROSTER_FULL;
    }
    roster_insert(&members, index, &run->sender);
    roster_set_members(task, members);
    task_store(run->env, task);
    account.tasks_joined++;
    account.stake_joined += stake;
    account_store(&run->env->state, &run->sender, &account);
    return TX_ACCEPTED;
}

static enum tx_verdict check_join(const Pot__TxBody *body)
{
    return check_task(body->join_task->task);
}

static enum tx_verdict tx_join_task(const struct tx_run *run,
                                    const Pot__TxBody *body)
{
    Pot__TaskRecord *task;
    enum tx_verdict verdict = load_running(run, &task, body->join_task->task);
    if (verdict == TX_ACCEPTED) {
        verdict = join(run, task);
    }
    codec_free(task);
    return verdict;
}

const struct tx_kind tx_kind_join_task = {check_join, tx_join_task};

static enum tx_verdict check_leave(const Pot__TxBody *body)
{
    return check_task(body->leave_task->task);
}

static enum tx_verdict tx_leave_task(const struct tx_run *run,
                                     const Pot__TxBody *body)
{
    Pot__TaskRecord *task;
    size_t index;
    enum tx_verdict verdict = load_running(run, &task, body->leave_task->task);
    if (verdict != TX_ACCEPTED) {
        return verdict;
    }
    if (!roster_find(roster_of_members(task), &run->sender, &index)) {
        verdict = TX_NOT_JOINED;
    } else if (!run->is_trial) { /* as above */
        task_drop_member(run->env, task, index);
        task_store(run->env, task);
    }
    codec_free(task);
    return verdict;
}

const struct tx_kind tx_kind_leave_task = {check_leave, tx_leave_task};
