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

static Pot__ClosedRecord *make_record(const struct settle *s, uint64_t height)
{
    const Pot__TaskRecord *task = s->task;
    Pot__ClosedRecord *closed = pot_alloc(sizeof(*closed));
    pot__closed_record__init(closed);
    closed->task = codec_copy_bytes(s->task_hash.b, HASH_SIZE);
    closed->round = task->round;
    closed->height = height;
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

static void bind_stakes(const struct settle *s, const struct state *state,
                        uint64_t until)
{
    for (size_t i = 0; i < s->counted_count; i++) {
        struct account account;
        ledger_account(state, &s->counted[i].miner, &account);
        account.answers_until = until;
        account_store(state, &s->counted[i].miner, &account);
    }
}

void closed_keep(const struct settle *s, const struct ledger_env *env,
                 uint64_t height)
{
    struct hash name;
    struct hash theta;
    const Pot__GenesisParams *params = s->supply->params;
    if (s->task->spec->numerics != POT__NUMERICS__NUMERICS_EXACT ||
        params->challenge_blocks == 0) {
        return;
    }
    uint64_t until = height + 2 * params->challenge_blocks;
    Pot__ClosedRecord *closed = make_record(s, height);
    bool is_hash = codec_hash(&theta, closed->parameters_hash);
    POT_ASSERT(is_hash);
    task_blobs_hold(env, &theta);
    closed_store(&env->state, closed);
    keys_closed_name(&name, &s->task_hash, closed->round);
    list_append(&env->state, keys_closed_until(until), name.b);
    bind_stakes(s, &env->state, until);
    codec_free(closed);
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

void closed_store(const struct state *state, const Pot__ClosedRecord *closed)
{
    struct hash task;
    bool is_hash = codec_hash(&task, closed->task);
    POT_ASSERT(is_hash);
    record_store(state, keys_closed(&task, closed->round), closed);
}

Pot__ClosedRecord *closed_take(const struct ledger_env *env,
                               const struct hash *name)
{
    struct hash theta;
    struct state_key key = keys_closed_named(name);
    Pot__ClosedRecord *closed =
        record_load(&env->state, key, &pot__closed_record__descriptor);
    if (closed != NULL) {
        bool is_hash = codec_hash(&theta, closed->parameters_hash);
        POT_ASSERT(is_hash);
        task_blobs_drop(env, &theta);
        env->state.del(env->state.context, key.b, key.size);
    }
    return closed;
}
