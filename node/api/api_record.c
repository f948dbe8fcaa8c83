#include "config.h"

#include "node/api/api_record.h"

#include "ledger/ledger.h"
#include "node/api/api_json.h"
#include "node/api/api_spec.h"
#include "proto/codec.h"
#include "proto/evidence.h"

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
    api_json_set(json, "opened_height",
                 task->opened_height > 0 ? api_json_count(task->opened_height)
                                         : json_null());
    api_json_set(json, "ended_height",
                 task->ended_height > 0 ? api_json_count(task->ended_height)
                                        : json_null());
    api_json_set(json, "owner", api_json_address_field(task->owner));
    api_json_set(json, "members", api_json_count(task->n_members));
    api_json_set(json, "roster", api_json_count(task->n_roster));
    api_spec_add(json, task->spec);
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

/* ---- transactions */

static const char *action_of(const Pot__Signed *tx)
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

void api_record_add_tx(json_t *json, const Pot__Signed *tx)
{
    api_json_set(json, "action", json_string(action_of(tx)));
    api_json_set(json, "from", api_json_address_field(tx->public_key));
}

/* ---- evidence */

void api_record_add_evidence(json_t *json, const Pot__Signed *proof)
{
    Pot__EvidenceBody *body = evidence_decode(proof);
    if (body == NULL) {
        return;
    }
    api_json_set(json, "validator", api_json_address_field(body->validator));
    api_json_set(json, "height", api_json_count(body->height));
    api_json_set(json, "view", api_json_count(body->first->view));
    api_json_set(json, "kind", json_string(evidence_kind(body)));
    api_json_set(json, "finder", api_json_address_field(proof->public_key));
    codec_free(body);
}

/* ---- challenges */

static const char *challenge_status(Pot__ChallengeStatus status)
{
    static const char *const names[] = {
        [POT__CHALLENGE_STATUS__CHALLENGE_NONE] = "none",
        [POT__CHALLENGE_STATUS__CHALLENGE_OPEN] = "open",
        [POT__CHALLENGE_STATUS__CHALLENGE_UPHELD] = "upheld",
        [POT__CHALLENGE_STATUS__CHALLENGE_REJECTED] = "rejected",
        [POT__CHALLENGE_STATUS__CHALLENGE_EXPIRED] = "expired",
        [POT__CHALLENGE_STATUS__CHALLENGE_PLANTED] = "planted",
    };
    unsigned index = (unsigned)status;
    return index < sizeof(names) / sizeof(*names) ? names[index] : "none";
}

/* The sum of what was paid or taken for that reason. */
static uint64_t sum_of(const Pot__ChallengeRecord *c, Pot__RewardFor reason)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < c->n_outcome; i++) {
        sum += c->outcome[i]->reason == reason ? c->outcome[i]->amount : 0;
    }
    return sum;
}

static json_t *outcome_json(const Pot__ChallengeRecord *c)
{
    json_t *list = json_array();
    for (size_t i = 0; i < c->n_outcome; i++) {
        const Pot__Reward *reward = c->outcome[i];
        json_t *one = json_object();
        api_json_set(one, "to", api_json_address_field(reward->to));
        api_json_set(one, "amount", api_json_amount(reward->amount));
        api_json_set(
            one, "for",
            json_string(api_json_reward_for((uint32_t)reward->reason)));
        api_json_add(list, one);
    }
    return list;
}

json_t *api_record_challenge(const Pot__ChallengeRecord *challenge)
{
    const Pot__ChallengeRecord *c = challenge;
    json_t *json = json_object();
    api_json_set(json, "submission", api_json_hash_field(c->submission));
    api_json_set(json, "task", api_json_hash_field(c->task));
    api_json_set(json, "round", json_integer(c->round));
    api_json_set(json, "miner", api_json_address_field(c->miner));
    api_json_set(json, "challenger", api_json_address_field(c->challenger));
    api_json_set(json, "height", api_json_count(c->height));
    api_json_set(json, "status", json_string(challenge_status(c->status)));
    api_json_set(json, "settled_height",
                 c->settled_height > 0 ? api_json_count(c->settled_height)
                                       : json_null());
    api_json_set(json, "slashed",
                 api_json_amount(sum_of(c, POT__REWARD_FOR__REWARD_SLASH)));
    api_json_set(json, "rewarded",
                 api_json_amount(sum_of(c, POT__REWARD_FOR__REWARD_CHALLENGE)));
    api_json_set(json, "plant", api_json_hash_field(c->plant));
    api_json_set(json, "outcome", outcome_json(c));
    return json;
}
