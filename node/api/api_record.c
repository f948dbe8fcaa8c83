#include "config.h"

#include "node/api/api_record.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "ledger/ledger.h"
#include "node/api/api_json.h"
#include "proto/codec.h"
#include "proto/model.h"
#include "proto/round.h"
#include "proto/signed.h"

#include <stdlib.h>

/* ---- tasks */

static const char *task_status(Pot__TaskStatus status)
{
    static const char *const names[] = {
        [POT__TASK_STATUS__TASK_NONE] = "none",
        [POT__TASK_STATUS__TASK_RUNNING] = "running",
        [POT__TASK_STATUS__TASK_COMPLETED] = "completed",
        [POT__TASK_STATUS__TASK_CANCELLED] = "cancelled",
        [POT__TASK_STATUS__TASK_FAILED] = "failed",
    };
    unsigned index = (unsigned)status;
    return index < sizeof(names) / sizeof(*names) ? names[index] : "none";
}

static void add_model(json_t *json, const Pot__TaskSpec *spec)
{
    struct model_shape shape;
    json_t *layers = json_array();
    for (size_t i = 0; i < spec->model->n_layers; i++) {
        api_json_add(layers, json_integer(spec->model->layers[i]));
    }
    api_json_set(json, "layers", layers);
    if (model_shape_from_spec(&shape, spec->model) == POT_OK) {
        api_json_set(json, "parameters", api_json_count(shape.parameter_count));
    }
    api_json_set(json, "train_dataset", api_json_hash_field(spec->train));
    api_json_set(json, "test_dataset", api_json_hash_field(spec->test));
    api_json_set(json, "rows_per_miner", json_integer(spec->rows_per_miner));
    api_json_set(json, "min_submissions", json_integer(spec->min_submissions));
}

bool api_record_has_classes(const Pot__TaskSpec *spec)
{
    const Pot__ModelSpec *model = spec->model;
    return model->n_layers > 0 && model->layers[model->n_layers - 1] > 1;
}

static void add_results(json_t *json, const Pot__TaskRecord *task)
{
    bool is_evaluated = task->evaluation != NULL && task->evaluation->rows > 0;
    api_json_set(json, "train_loss",
                 task->submissions > 0 ? api_json_loss(task->train_loss)
                                       : json_null());
    api_json_set(json, "test_accuracy",
                 api_record_has_classes(task->spec)
                     ? api_json_accuracy(task->evaluation)
                     : json_null());
    api_json_set(json, "test_loss",
                 is_evaluated ? api_json_loss(task->evaluation->loss)
                              : json_null());
    api_json_set(json, "evaluation_round",
                 is_evaluated ? json_integer(task->evaluation_round)
                              : json_null());
    api_json_set(json, "parameters_hash",
                 api_json_hash_field(task->parameters_hash));
}

json_t *api_record_task(const Pot__TaskRecord *task)
{
    json_t *json = json_object();
    api_json_set(json, "task", api_json_hash_field(task->task));
    api_json_set(json, "name", api_json_text(task->spec->name));
    api_json_set(json, "status", json_string(task_status(task->status)));
    api_json_set(json, "reason", api_json_text(task->reason));
    api_json_set(json, "round", json_integer(task->round));
    api_json_set(json, "rounds", json_integer(task->spec->rounds));
    add_results(json, task);
    api_json_set(json, "submissions", api_json_count(task->submissions));
    api_json_set(json, "rejected", api_json_count(task->rejected));
    api_json_set(json, "paid", api_json_amount(task->paid));
    api_json_set(json, "escrow_left", api_json_amount(task->escrow));
    api_json_set(json, "budget", api_json_amount(task->budget));
    api_json_set(json, "started_height", api_json_count(task->started_height));
    api_json_set(json, "ended_height",
                 task->ended_height > 0 ? api_json_count(task->ended_height)
                                        : json_null());
    api_json_set(json, "owner", api_json_address_field(task->owner));
    api_json_set(json, "members", api_json_count(task->n_members));
    api_json_set(json, "roster", api_json_count(task->n_roster));
    add_model(json, task->spec);
    return json;
}

/* ---- rounds */

json_t *api_record_round(const Pot__RoundUpdate *update, bool has_classes,
                         uint64_t height, uint64_t ms)
{
    json_t *json = json_object();
    api_json_set(json, "round", json_integer(update->round));
    api_json_set(json, "height", api_json_count(height));
    api_json_set(json, "submissions", api_json_count(update->n_submissions));
    api_json_set(json, "refused", api_json_count(update->n_refused));
    api_json_set(json, "train_loss",
                 update->n_submissions > 0 ? api_json_loss(update->train_loss)
                                           : json_null());
    if (update->evaluation != NULL) {
        if (has_classes) {
            api_json_set(json, "test_accuracy",
                         api_json_accuracy(update->evaluation));
        }
        api_json_set(json, "test_loss",
                     api_json_loss(update->evaluation->loss));
    }
    api_json_set(json, "aggregate_hash",
                 api_json_hash_field(update->aggregate_hash));
    api_json_set(json, "parameters_hash",
                 api_json_hash_field(update->parameters_hash));
    api_json_set(json, "ms", api_json_count(ms));
    return json;
}

/* An update's attestations, opened once for all its submissions. */
struct opened {
    struct round_attestation *items;
    size_t count;
};

static void opened_init(struct opened *opened, const Pot__RoundUpdate *update)
{
    opened->count = 0;
    opened->items = pot_calloc(update->n_attestations, sizeof(*opened->items));
    for (size_t i = 0; i < update->n_attestations; i++) {
        if (round_attestation_open(&opened->items[opened->count],
                                   update->attestations[i]) == POT_OK) {
            opened->count++;
        }
    }
}

static void opened_fini(struct opened *opened)
{
    for (size_t i = 0; i < opened->count; i++) {
        round_attestation_close(&opened->items[i]);
    }
    free(opened->items);
}

static bool is_audited(const struct opened *opened,
                       const struct hash *submission)
{
    for (size_t i = 0; i < opened->count; i++) {
        if (round_verdict_on(&opened->items[i], submission) ==
            POT__VERDICT__VERDICT_ACCEPT_AUDITED) {
            return true;
        }
    }
    return false;
}

static json_t *submissions_json(Pot__Signed *const *list, size_t count,
                                const struct opened *opened)
{
    json_t *json = json_array();
    for (size_t i = 0; i < count; i++) {
        struct round_submission s;
        if (round_submission_open(&s, list[i]) != POT_OK) {
            continue;
        }
        json_t *one = json_object();
        api_json_set(one, "miner", api_json_address(&s.miner));
        api_json_set(one, "rows", json_integer(s.body->rows));
        api_json_set(one, "hash", api_json_hash(&s.payload));
        api_json_set(one, "bytes", api_json_count(s.body->payload_bytes));
        api_json_set(one, "submission", api_json_hash(&s.hash));
        api_json_set(one, "loss", api_json_loss(s.body->loss));
        api_json_set(one, "audited", json_boolean(is_audited(opened, &s.hash)));
        api_json_add(json, one);
        round_submission_close(&s);
    }
    return json;
}

static json_t *payments_json(Pot__Reward *const *list, size_t count)
{
    json_t *json = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *one = json_object();
        api_json_set(one, "to", api_json_address_field(list[i]->to));
        api_json_set(one, "amount", api_json_amount(list[i]->amount));
        api_json_set(
            one, "for",
            json_string(api_json_reward_for((uint32_t)list[i]->reason)));
        api_json_add(json, one);
    }
    return json;
}

static json_t *update_json(const Pot__RoundUpdate *update)
{
    struct opened opened;
    json_t *json = json_object();
    opened_init(&opened, update);
    api_json_set(json, "task", api_json_hash_field(update->task));
    api_json_set(json, "round", json_integer(update->round));
    api_json_set(
        json, "submissions",
        submissions_json(update->submissions, update->n_submissions, &opened));
    api_json_set(json, "refused",
                 submissions_json(update->refused, update->n_refused, &opened));
    api_json_set(json, "attestations", api_json_count(update->n_attestations));
    api_json_set(json, "train_loss",
                 update->n_submissions > 0 ? api_json_loss(update->train_loss)
                                           : json_null());
    api_json_set(json, "test_accuracy", api_json_accuracy(update->evaluation));
    api_json_set(json, "aggregate_hash",
                 api_json_hash_field(update->aggregate_hash));
    api_json_set(json, "aggregate_bytes",
                 api_json_count(update->aggregate_bytes));
    api_json_set(json, "parameters_hash",
                 api_json_hash_field(update->parameters_hash));
    api_json_set(json, "rewards",
                 payments_json(update->rewards, update->n_rewards));
    api_json_set(json, "slashes",
                 payments_json(update->slashes, update->n_slashes));
    opened_fini(&opened);
    return json;
}

/* ---- blocks */

const char *api_record_action(const Pot__Signed *tx)
{
    Pot__TxBody *body;
    if (CODEC_DECODE(&body, pot__tx_body, tx->body.data, tx->body.len) !=
        POT_OK) {
        return "unknown";
    }
    const char *name = tx_action_name(body);
    codec_free(body);
    return name;
}

static json_t *txs_json(const Pot__Block *body)
{
    json_t *json = json_array();
    for (size_t i = 0; i < body->n_txs; i++) {
        struct hash hash;
        json_t *one = json_object();
        signed_hash(&hash, SIGNED_TX, body->txs[i]);
        api_json_set(one, "hash", api_json_hash(&hash));
        api_json_set(one, "action",
                     json_string(api_record_action(body->txs[i])));
        api_json_set(one, "from",
                     api_json_address_field(body->txs[i]->public_key));
        api_json_add(json, one);
    }
    return json;
}

static json_t *evidence_json(const Pot__Block *body)
{
    json_t *json = json_array();
    for (size_t i = 0; i < body->n_evidence; i++) {
        const Pot__Vote *vote = body->evidence[i]->first;
        json_t *one = json_object();
        if (vote != NULL) {
            api_json_set(one, "height", api_json_count(vote->height));
            api_json_set(one, "view", api_json_count(vote->view));
            api_json_set(one, "replica", json_integer(vote->replica));
        }
        api_json_add(json, one);
    }
    return json;
}

static json_t *commit_json(const struct validator_set *set,
                           const Pot__CommitCertificate *certificate)
{
    if (certificate == NULL) {
        return json_null();
    }
    json_t *signers = json_array();
    for (size_t i = 0; i < certificate->n_signatures; i++) {
        uint32_t replica = certificate->signatures[i]->replica;
        api_json_add(signers, set != NULL && replica < set->count
                                  ? api_json_address(&set->keys[replica])
                                  : json_integer(replica));
    }
    json_t *json = json_object();
    api_json_set(json, "height", api_json_count(certificate->height));
    api_json_set(json, "view", api_json_count(certificate->view));
    api_json_set(json, "signers", signers);
    return json;
}

json_t *api_record_block(const struct block *block,
                         const struct validator_set *set,
                         const Pot__CommitCertificate *certificate)
{
    const Pot__BlockHeader *header = block->header;
    json_t *updates = json_array();
    json_t *json = json_object();
    for (size_t i = 0; i < block->body->n_round_updates; i++) {
        api_json_add(updates, update_json(block->body->round_updates[i]));
    }
    api_json_set(json, "height", api_json_count(header->height));
    api_json_set(json, "hash", api_json_hash(&block->hash));
    api_json_set(json, "parent", api_json_hash_field(header->parent_hash));
    api_json_set(json, "time_ms", api_json_count(header->time_ms));
    api_json_set(json, "view", api_json_count(header->view));
    api_json_set(json, "proposer", api_json_address_field(header->proposer));
    api_json_set(json, "state_root", api_json_hash_field(header->state_root));
    api_json_set(json, "txs", txs_json(block->body));
    api_json_set(json, "round_updates", updates);
    api_json_set(json, "evidence", evidence_json(block->body));
    api_json_set(json, "commit", commit_json(set, certificate));
    return json;
}

json_t *api_record_reward(const struct store_reward *reward)
{
    json_t *json = json_object();
    api_json_set(json, "height", api_json_count(reward->height));
    api_json_set(json, "task", api_json_hash(&reward->task));
    api_json_set(json, "round", json_integer(reward->round));
    api_json_set(json, "to", api_json_address(&reward->to));
    api_json_set(json, "amount", api_json_amount(reward->amount));
    api_json_set(json, "for", json_string(api_json_reward_for(reward->reason)));
    return json;
}

/* ---- reading */

enum pot_err api_read_block(struct block **out, struct store *store,
                            uint64_t height, size_t *size)
{
    struct buf data;
    buf_init(&data, BLOCK_BYTES_MAX);
    *out = NULL;
    enum pot_err err = store_get_block(store, height, &data);
    if (err == POT_OK && block_open(out, data.data, data.size) != POT_OK) {
        /* The genesis has no block. */
        err = data.size == 0 ? POT_ENOENT : POT_ECORRUPT;
    }
    if (size != NULL) {
        *size = data.size;
    }
    buf_fini(&data);
    return err;
}

enum pot_err api_read_certificate(Pot__CommitCertificate **out,
                                  struct store *store, uint64_t height)
{
    struct buf data;
    buf_init(&data, BLOCK_BYTES_MAX);
    *out = NULL;
    enum pot_err err = store_get_certificate(store, height, &data);
    if (err == POT_OK && CODEC_DECODE(out, pot__commit_certificate, data.data,
                                      data.size) != POT_OK) {
        err = POT_ECORRUPT;
    }
    buf_fini(&data);
    return err;
}

enum pot_err api_read_block_json(json_t **out, const struct holdings *env,
                                 uint64_t height, size_t *size)
{
    struct block *block;
    struct validator_set set;
    Pot__CommitCertificate *certificate = NULL;
    *out = NULL;
    enum pot_err err = api_read_block(&block, env->store, height, size);
    if (err == POT_OK) {
        err = api_read_certificate(&certificate, env->store, height);
    }
    if (err == POT_OK) {
        err = execution_validators(env, height, &set);
    }
    if (err == POT_OK) {
        *out = api_record_block(block, &set, certificate);
    }
    codec_free(certificate);
    block_free(block);
    return err;
}

enum pot_err api_read_block_time(uint64_t *out, struct store *store,
                                 uint64_t height)
{
    struct block *block = NULL;
    *out = 0;
    enum pot_err err = api_read_block(&block, store, height, NULL);
    if (err == POT_OK) {
        *out = block->header->time_ms;
    }
    block_free(block);
    return err;
}
