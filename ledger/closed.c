#include "config.h"

#include "ledger/closed.h"

#include "base/alloc.h"
#include "base/check.h"
#include "ledger/account.h"
#include "ledger/list.h"
#include "ledger/record.h"
#include "ledger/settle.h"
#include "ledger/task_blobs.h"
#include "proto/codec.h"

#include <stdlib.h>

static bool has_audited(const struct round_attestation *attestation,
                        const struct round_submission *submission)
{
    return round_verdict_on(attestation, &submission->hash) ==
           POT__VERDICT__VERDICT_ACCEPT_AUDITED;
}

static Pot__ClosedSubmission *make_submission(
    const struct settle *s, const struct round_submission *submission)
{
    Pot__ClosedSubmission *made = pot_alloc(sizeof(*made));
    pot__closed_submission__init(made);
    made->submission = codec_copy_bytes(submission->hash.b, HASH_SIZE);
    made->auditors = pot_calloc(s->attestation_count, sizeof(*made->auditors));
    for (size_t i = 0; i < s->attestation_count; i++) {
        if (has_audited(&s->attestations[i], submission)) {
            made->auditors[made->n_auditors++] = (uint32_t)i;
        }
    }
    return made;
}

static Pot__ClosedRecord *make_record(const struct settle *s,
                                      const struct ledger_block *block)
{
    const Pot__TaskRecord *task = s->task;
    Pot__ClosedRecord *closed = pot_alloc(sizeof(*closed));
    pot__closed_record__init(closed);
    closed->task = codec_copy_bytes(s->task_hash.b, HASH_SIZE);
    closed->round = task->round;
    closed->height = block->height;
    closed->time_ms = block->time_ms;
    closed->opened_height = task->opened_height;
    closed->parameters_hash =
        codec_copy_bytes(task->parameters_hash.data, HASH_SIZE);
    closed->n_attesters = s->attestation_count;
    closed->attesters =
        pot_calloc(s->attestation_count, sizeof(*closed->attesters));
    for (size_t i = 0; i < s->attestation_count; i++) {
        closed->attesters[i] =
            codec_copy_bytes(s->attestations[i].validator.b, PUBLIC_KEY_SIZE);
    }
    closed->n_submissions = s->counted_count;
    closed->submissions =
        pot_calloc(s->counted_count, sizeof(Pot__ClosedSubmission *));
    for (size_t i = 0; i < s->counted_count; i++) {
        closed->submissions[i] = make_submission(s, &s->counted[i]);
    }
    return closed;
}

void closed_bind(const struct state *state, const Pot__GenesisParams *params,
                 const struct ledger_block *from,
                 const struct public_key *miner)
{
    struct account account;
    uint64_t until = from->height + params->challenge_blocks;
    uint64_t until_ms = from->time_ms + params->challenge_ms;
    ledger_account(state, miner, &account);
    if (until > account.answers_until) {
        account.answers_until = until;
    }
    if (until_ms > account.answers_until_ms) {
        account.answers_until_ms = until_ms;
    }
    account_store(state, miner, &account);
}

void closed_keep(const struct settle *s, const struct ledger_env *env,
                 const struct ledger_block *block)
{
    struct hash name;
    struct hash theta;
    const Pot__GenesisParams *params = s->supply->params;
    if (s->task->spec->numerics != POT__NUMERICS__NUMERICS_EXACT ||
        params->challenge_blocks == 0) {
        return;
    }
    uint64_t until = block->height + params->challenge_blocks;
    Pot__ClosedRecord *closed = make_record(s, block);
    bool is_hash = codec_hash(&theta, closed->parameters_hash);
    POT_ASSERT(is_hash);
    task_blobs_hold(env, &theta);
    record_store(&env->state, keys_closed(&s->task_hash, closed->round),
                 closed);
    keys_closed_name(&name, &s->task_hash, closed->round);
    list_append(&env->state, keys_closed_until(until), name.b);
    for (size_t i = 0; i < s->counted_count; i++) {
        closed_bind(&env->state, params, block, &s->counted[i].miner);
    }
    codec_free(closed);
}

bool closed_is_within(const Pot__ClosedRecord *closed,
                      const Pot__GenesisParams *params,
                      const struct ledger_block *block, unsigned times)
{
    return block->height <= closed->height + times * params->challenge_blocks ||
           block->time_ms <= closed->time_ms + times * params->challenge_ms;
}

const Pot__ClosedSubmission *closed_find(const Pot__ClosedRecord *closed,
                                         const struct hash *submission)
{
    for (size_t i = 0; i < closed->n_submissions; i++) {
        if (codec_bytes_equal(closed->submissions[i]->submission, submission->b,
                              HASH_SIZE)) {
            return closed->submissions[i];
        }
    }
    return NULL;
}

bool ledger_is_counted(const Pot__ClosedRecord *closed,
                       const struct hash *submission)
{
    return closed_find(closed, submission) != NULL;
}

bool ledger_is_audited(const Pot__ClosedRecord *closed,
                       const struct hash *submission)
{
    const Pot__ClosedSubmission *counted = closed_find(closed, submission);
    return counted != NULL && counted->n_auditors > 0;
}

Pot__ClosedRecord *closed_load(const struct state *state,
                               const struct hash *name)
{
    return record_load(state, keys_closed_named(name),
                       &pot__closed_record__descriptor);
}

void closed_forget(const struct ledger_env *env, const struct hash *name,
                   const Pot__ClosedRecord *closed)
{
    struct hash theta;
    struct state_key key = keys_closed_named(name);
    bool is_hash = codec_hash(&theta, closed->parameters_hash);
    POT_ASSERT(is_hash);
    task_blobs_drop(env, &theta);
    env->state.del(env->state.context, key.b, key.size);
}
