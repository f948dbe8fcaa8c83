#include "config.h"

#include "ledger/settle.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/fixed.h"
#include "ledger/optimizer.h"
#include "ledger/optimizer_rate.h"
#include "ledger/parameters.h"
#include "ledger/pay.h"
#include "ledger/roster.h"
#include "ledger/settle_sum.h"
#include "ledger/task.h"
#include "proto/blob.h"
#include "proto/codec.h"
#include "proto/gradient.h"

#include <stdlib.h>

enum round_verdict settle_init(struct settle *s, const struct ledger_env *env,
                               const struct hash *task)
{
    *s = (struct settle){.task_hash = *task};
    s->task = ledger_task(&env->state, task);
    if (s->task == NULL || s->task->status != POT__TASK_STATUS__TASK_RUNNING) {
        return ROUND_TASK_UNKNOWN;
    }
    enum pot_err err = model_shape_from_spec(&s->shape, s->task->spec->model);
    POT_ASSERT(err == POT_OK);
    buf_init(&s->aggregate, gradient_bytes(&s->shape, 4));
    s->supply = ledger_supply(&env->state);
    s->draws = ledger_draws(&env->state, task);
    ledger_validators(&env->state, &s->validators);
    return ROUND_ACCEPTED;
}

static void close_lists(struct settle *s)
{
    for (size_t i = 0; i < s->counted_count; i++) {
        round_submission_fini(&s->counted[i]);
    }
    for (size_t i = 0; i < s->refused_count; i++) {
        round_submission_fini(&s->refused[i]);
    }
    for (size_t i = 0; i < s->attestation_count; i++) {
        round_attestation_fini(&s->attestations[i]);
    }
}

void settle_fini(struct settle *s)
{
    if (!s->are_lists_borrowed) {
        close_lists(s);
    }
    free(s->counted);
    free(s->refused);
    free(s->attestations);
    for (unsigned i = 0; i < SPEC_MOMENTS_MAX; i++) {
        free(s->moments[i]);
    }
    free(s->parameters);
    free(s->rewards);
    buf_fini(&s->aggregate);
    codec_free(s->task);
    codec_free(s->supply);
    codec_free(s->draws);
}

bool settle_is_overdue(const struct settle *s, const struct ledger_block *block)
{
    const Pot__TaskRecord *task = s->task;
    uint64_t blocks = s->supply->params->round_blocks_max;
    return block->height >= task->opened_height &&
           block->height - task->opened_height >= blocks &&
           block->time_ms >= task->opened_ms &&
           block->time_ms - task->opened_ms >= task->spec->round_timeout_ms;
}

static size_t count_refused_members(const struct settle *s)
{
    struct roster members = roster_of_members(s->task);
    size_t count = 0;
    for (size_t i = 0; i < s->refused_count; i++) {
        size_t index;
        count += roster_find(members, &s->refused[i].miner, &index) ? 1 : 0;
    }
    return count;
}

bool settle_is_hopeless(const struct settle *s)
{
    uint32_t enough = s->task->spec->min_submissions;
    return s->task->n_roster < s->refused_count + enough &&
           s->task->n_members >= count_refused_members(s) + enough;
}

/* ---- the aggregate */

static enum round_verdict take_aggregate(struct settle *s,
                                         const struct ledger_env *env,
                                         const Pot__RoundUpdate *certified)
{
    struct hash named;
    if (!codec_hash(&named, certified->aggregate_hash)) {
        return ROUND_AGGREGATE;
    }
    if (!env->blobs.get(env->blobs.context, &named, &s->aggregate)) {
        return ROUND_AGGREGATE_MISSING;
    }
    blob_hash(&s->aggregate_hash, s->aggregate.data, s->aggregate.size);
    return hash_equal(&named, &s->aggregate_hash) ? ROUND_ACCEPTED
                                                  : ROUND_AGGREGATE_MISSING;
}

/* ---- theta */

static bool load_moments(struct settle *s, const struct ledger_env *env)
{
    size_t count = s->shape.parameter_count;
    for (unsigned i = 0; i < spec_moments(s->task->spec->optimizer); i++) {
        struct hash hash;
        if (codec_hash(&hash, *task_moment(s->task, i))) {
            s->moments[i] = parameters_load(&env->blobs, &hash, count);
        } else {
            s->moments[i] = pot_calloc(count, sizeof(**s->moments));
        }
        if (s->moments[i] == NULL) {
            return false;
        }
    }
    return true;
}

static enum round_verdict step(struct settle *s, int32_t *theta)
{
    struct gradient gradient;
    const Pot__TaskSpec *spec = s->task->spec;
    if (gradient_view(&gradient, &s->shape, s->aggregate.data,
                      s->aggregate.size) != POT_OK ||
        gradient.addends != s->counted_count) {
        return ROUND_AGGREGATE;
    }
    uint32_t rate =
        optimizer_rate(spec->optimizer, s->task->round, spec->rounds);
    optimizer_step(theta, s->moments, &s->shape, &gradient, spec->optimizer,
                   rate, s->task->steps);
    size_t count = s->shape.parameter_count;
    s->parameters = parameters_encode(theta, count);
    blob_hash(&s->parameters_hash, s->parameters, 4 * count);
    return ROUND_ACCEPTED;
}

/* ---- evaluation and losses */

static bool is_evaluation_due(const struct settle *s)
{
    const Pot__TaskSpec *spec = s->task->spec;
    uint32_t done = s->task->round + 1;
    return done % spec->eval_every == 0 || done == spec->rounds;
}

static enum round_verdict evaluate_if_due(struct settle *s,
                                          const struct ledger_env *env,
                                          const int32_t *theta,
                                          const Pot__RoundUpdate *certified)
{
    const Pot__TaskSpec *spec = s->task->spec;
    struct hash address;
    if (!is_evaluation_due(s)) {
        return ROUND_ACCEPTED;
    }
    s->is_evaluated = true;
    if (certified != NULL) {
        const Pot__Evaluation *e = certified->evaluation;
        if (e == NULL) {
            return ROUND_EVALUATION;
        }
        s->evaluation = (struct evaluation){e->rows, e->correct, e->loss};
        return ROUND_ACCEPTED;
    }
    bool is_hash = codec_hash(&address, spec->test);
    POT_ASSERT(is_hash);
    const struct dataset *test =
        env->datasets.find(env->datasets.context, &address);
    if (test == NULL || evaluate(&s->evaluation, &s->shape, spec->model, theta,
                                 test) != POT_OK) {
        return ROUND_DATASET_MISSING;
    }
    return ROUND_ACCEPTED;
}

static int64_t mean_loss(const struct settle *s)
{
    int64_t sum = 0;
    for (size_t i = 0; i < s->counted_count; i++) {
        sum += s->counted[i].body->loss;
    }
    return fixed_divide(sum, (int64_t)s->counted_count);
}

enum round_verdict settle_compute(struct settle *s,
                                  const struct ledger_env *env,
                                  const struct ledger_block *block,
                                  const Pot__RoundUpdate *certified)
{
    struct hash old;
    if (s->counted_count == 0) {
        return ROUND_ACCEPTED;
    }
    enum round_verdict verdict = certified != NULL
                                     ? take_aggregate(s, env, certified)
                                     : settle_sum(s, env);
    if (verdict != ROUND_ACCEPTED) {
        return verdict;
    }
    bool is_hash = codec_hash(&old, s->task->parameters_hash);
    POT_ASSERT(is_hash);
    int32_t *theta =
        parameters_load(&env->blobs, &old, s->shape.parameter_count);
    if (theta == NULL || !load_moments(s, env)) {
        verdict = ROUND_PARAMETERS_MISSING;
        goto out;
    }
    verdict = step(s, theta);
    if (verdict == ROUND_ACCEPTED) {
        verdict = evaluate_if_due(s, env, theta, certified);
    }
    s->train_loss = mean_loss(s);
    pay_compute(s, &block->proposer);
out:
    free(theta);
    return verdict;
}
