/* Making and checking share everything: both end with the same struct settle,
 * made from lists that were selected or read; one writes its outcome into an
 * update, the other compares it with one. */
#include "config.h"

#include "ledger/round_update.h"

#include "base/alloc.h"
#include "base/check.h"
#include "ledger/round_lists.h"
#include "ledger/settle.h"
#include "ledger/settle_sum.h"
#include "proto/codec.h"
#include "proto/round_room.h"
#include "proto/signed.h"

#include <stdlib.h>

const char *round_verdict_text(enum round_verdict verdict)
{
    static const char *const texts[] = {
#define X(code, text) text,
        ROUND_VERDICT_MAP(X)
#undef X
    };
    POT_ASSERT((size_t)verdict < sizeof(texts) / sizeof(*texts));
    return texts[verdict];
}

void round_candidate_copy(struct round_candidate *out,
                          const struct round_candidate *from)
{
    *out = *from;
    out->submissions =
        pot_calloc(from->submission_count, sizeof(*out->submissions));
    for (size_t i = 0; i < from->submission_count; i++) {
        struct candidate_submission *to = &out->submissions[i];
        to->message = signed_copy(from->submissions[i].message);
        enum pot_err err = round_submission_decode(&to->opened, to->message);
        POT_ASSERT(err == POT_OK); /* it was open */
    }
    out->attestations =
        pot_calloc(from->attestation_count, sizeof(*out->attestations));
    for (size_t i = 0; i < from->attestation_count; i++) {
        struct candidate_attestation *to = &out->attestations[i];
        to->message = signed_copy(from->attestations[i].message);
        enum pot_err err = round_attestation_decode(&to->opened, to->message);
        POT_ASSERT(err == POT_OK);
    }
}

void round_candidate_fini(struct round_candidate *candidate)
{
    for (size_t i = 0; i < candidate->submission_count; i++) {
        round_submission_fini(&candidate->submissions[i].opened);
        codec_free(candidate->submissions[i].message);
    }
    for (size_t i = 0; i < candidate->attestation_count; i++) {
        round_attestation_fini(&candidate->attestations[i].opened);
        codec_free(candidate->attestations[i].message);
    }
    free(candidate->submissions);
    free(candidate->attestations);
}

static void free_messages(struct round_messages *messages)
{
    free(messages->counted);
    free(messages->refused);
    free(messages->attestations);
}

void round_tally_fini(struct round_tally *tally)
{
    free(tally->submissions);
}

enum round_verdict ledger_tally_round(struct round_tally *out,
                                      const struct ledger_env *env,
                                      const struct ledger_block *block,
                                      const struct round_candidate *candidate)
{
    struct settle s;
    struct round_messages messages = {0};
    enum round_verdict verdict = settle_init(&s, env, &candidate->task);
    if (verdict == ROUND_ACCEPTED) {
        round_lists_select(&s, &messages, candidate);
        *out = (struct round_tally){
            .roster = (uint32_t)s.task->n_roster,
            .counted = (uint32_t)s.counted_count,
            .refused = (uint32_t)s.refused_count,
            .min_submissions = s.task->spec->min_submissions,
            .is_overdue = settle_is_overdue(&s, block),
            .is_hopeless = settle_is_hopeless(&s),
            .submissions = settle_name_counted(&s),
        };
        out->is_closable = out->is_overdue || out->is_hopeless ||
                           out->counted >= out->min_submissions;
    }
    free_messages(&messages);
    settle_fini(&s);
    return verdict;
}

/* ---- making one */

static Pot__Evaluation *make_evaluation(const struct settle *s)
{
    if (!s->is_evaluated) {
        return NULL;
    }
    Pot__Evaluation *evaluation = pot_alloc(sizeof(*evaluation));
    pot__evaluation__init(evaluation);
    evaluation->rows = s->evaluation.rows;
    evaluation->correct = s->evaluation.correct;
    evaluation->loss = s->evaluation.loss;
    return evaluation;
}

static void fill_rewards(Pot__RoundUpdate *update, const struct settle *s)
{
    update->n_rewards = s->reward_count;
    update->rewards = pot_calloc(s->reward_count, sizeof(Pot__Reward *));
    for (size_t i = 0; i < s->reward_count; i++) {
        Pot__Reward *reward = pot_alloc(sizeof(*reward));
        pot__reward__init(reward);
        reward->to = codec_copy_bytes(s->rewards[i].to.b, PUBLIC_KEY_SIZE);
        reward->amount = s->rewards[i].amount;
        reward->reason = s->rewards[i].reason;
        update->rewards[i] = reward;
    }
}

static Pot__RoundUpdate *make_update(const struct settle *s,
                                     const struct round_messages *messages)
{
    Pot__RoundUpdate *update = pot_alloc(sizeof(*update));
    pot__round_update__init(update);
    update->task = codec_copy_bytes(s->task_hash.b, HASH_SIZE);
    update->round = s->task->round;
    update->n_submissions = s->counted_count;
    update->submissions = signed_list_copy(messages->counted, s->counted_count);
    update->n_refused = s->refused_count;
    update->refused = signed_list_copy(messages->refused, s->refused_count);
    update->n_attestations = s->attestation_count;
    update->attestations =
        signed_list_copy(messages->attestations, s->attestation_count);
    if (s->counted_count > 0) {
        update->aggregate_hash =
            codec_copy_bytes(s->aggregate_hash.b, HASH_SIZE);
        update->parameters_hash =
            codec_copy_bytes(s->parameters_hash.b, HASH_SIZE);
    }
    update->aggregate_bytes = s->aggregate.size;
    update->train_loss = s->train_loss;
    update->evaluation = make_evaluation(s);
    fill_rewards(update, s);
    return update;
}

static bool may_close_empty(const struct settle *s,
                            const struct ledger_block *block)
{
    return settle_is_overdue(s, block) || settle_is_hopeless(s);
}

/* Lists are selected; closes empty only when there is no other way. */
static enum round_verdict compute(struct settle *s,
                                  const struct ledger_env *env,
                                  const struct ledger_block *block,
                                  struct round_messages *messages)
{
    if (s->counted_count < s->task->spec->min_submissions) {
        if (!may_close_empty(s, block)) {
            return ROUND_NOT_READY;
        }
        round_lists_drop_counted(s, messages);
    }
    return settle_compute(s, env, block, NULL);
}

static enum round_verdict bound(const struct settle *s,
                                const Pot__RoundUpdate *update,
                                size_t bytes_max)
{
    size_t bytes = pot__round_update__get_packed_size(update);
    if (!round_fits(bytes, s->supply->params->max_block_bytes)) {
        return ROUND_NO_ROOM;
    }
    return bytes <= bytes_max ? ROUND_ACCEPTED : ROUND_TOO_LARGE;
}

static enum round_verdict make(const struct ledger_env *env,
                               const struct ledger_block *block,
                               const struct round_candidate *candidate,
                               size_t bytes_max, Pot__RoundUpdate **out)
{
    struct settle s;
    struct round_messages messages = {0};
    *out = NULL;
    enum round_verdict verdict = settle_init(&s, env, &candidate->task);
    if (verdict == ROUND_ACCEPTED) {
        round_lists_select(&s, &messages, candidate);
        verdict = compute(&s, env, block, &messages);
    }
    if (verdict == ROUND_ACCEPTED) {
        *out = make_update(&s, &messages);
        verdict = bound(&s, *out, bytes_max);
    }
    if (verdict == ROUND_ACCEPTED) {
        settle_write(&s, env, block);
    } else {
        codec_free(*out);
        *out = NULL;
    }
    free_messages(&messages);
    settle_fini(&s);
    return verdict;
}

enum round_verdict ledger_make_round(const struct ledger_env *env,
                                     const struct ledger_block *block,
                                     const struct round_candidate *candidate,
                                     size_t bytes_max, Pot__RoundUpdate **out)
{
    const struct round_candidate nothing = {.task = candidate->task};
    enum round_verdict verdict = make(env, block, candidate, bytes_max, out);
    if (verdict == ROUND_NO_ROOM &&
        make(env, block, &nothing, bytes_max, out) == ROUND_ACCEPTED) {
        verdict = ROUND_ACCEPTED;
    }
    return verdict;
}

/* ---- checking one */

static bool is_hash(ProtobufCBinaryData field, const struct hash *hash,
                    bool is_empty)
{
    return is_empty ? field.len == 0
                    : codec_bytes_equal(field, hash->b, HASH_SIZE);
}

static bool is_evaluation(const Pot__Evaluation *evaluation,
                          const struct settle *s)
{
    if (!s->is_evaluated || evaluation == NULL) {
        return !s->is_evaluated && evaluation == NULL;
    }
    return evaluation->rows == s->evaluation.rows &&
           evaluation->correct == s->evaluation.correct &&
           evaluation->loss == s->evaluation.loss;
}

static bool are_rewards(const Pot__RoundUpdate *update, const struct settle *s)
{
    if (update->n_rewards != s->reward_count || update->n_slashes != 0) {
        return false;
    }
    for (size_t i = 0; i < s->reward_count; i++) {
        const Pot__Reward *reward = update->rewards[i];
        if (!codec_bytes_equal(reward->to, s->rewards[i].to.b,
                               PUBLIC_KEY_SIZE) ||
            reward->amount != s->rewards[i].amount ||
            reward->reason != s->rewards[i].reason) {
            return false;
        }
    }
    return true;
}

static enum round_verdict compare(const struct settle *s,
                                  const Pot__RoundUpdate *update)
{
    bool is_empty = s->counted_count == 0;
    if (!is_hash(update->aggregate_hash, &s->aggregate_hash, is_empty) ||
        update->aggregate_bytes != s->aggregate.size) {
        return ROUND_AGGREGATE;
    }
    if (!is_hash(update->parameters_hash, &s->parameters_hash, is_empty)) {
        return ROUND_PARAMETERS;
    }
    if (update->train_loss != s->train_loss) {
        return ROUND_LOSS;
    }
    if (!is_evaluation(update->evaluation, s)) {
        return ROUND_EVALUATION;
    }
    return are_rewards(update, s) ? ROUND_ACCEPTED : ROUND_REWARDS;
}

static enum round_verdict check(struct settle *s, const struct ledger_env *env,
                                const struct ledger_block *block,
                                const Pot__RoundUpdate *update,
                                struct ledger_trust trust)
{
    if (update->round != s->task->round) {
        return ROUND_NOT_OPEN;
    }
    enum round_verdict verdict = round_lists_read(s, env, update, trust);
    if (verdict != ROUND_ACCEPTED) {
        return verdict;
    }
    bool is_closable = s->counted_count > 0
                           ? s->counted_count >= s->task->spec->min_submissions
                           : may_close_empty(s, block);
    if (!is_closable) {
        return ROUND_NOT_READY;
    }
    verdict = settle_compute(s, env, block, trust.is_certified ? update : NULL);
    return verdict == ROUND_ACCEPTED ? compare(s, update) : verdict;
}

enum round_verdict ledger_apply_round(const struct ledger_env *env,
                                      const struct ledger_block *block,
                                      const Pot__RoundUpdate *update,
                                      struct ledger_trust trust)
{
    struct settle s;
    struct hash task;
    if (!codec_hash(&task, update->task)) {
        return ROUND_TASK_UNKNOWN;
    }
    enum round_verdict verdict = settle_init(&s, env, &task);
    if (verdict == ROUND_ACCEPTED) {
        verdict = check(&s, env, block, update, trust);
    }
    if (verdict == ROUND_ACCEPTED) {
        settle_write(&s, env, block);
    }
    settle_fini(&s);
    return verdict;
}
