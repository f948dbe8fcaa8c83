/* The second half of ledger/settle.h: what a closed round leaves behind. */
#include "config.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "ledger/closed.h"
#include "ledger/draws.h"
#include "ledger/list.h"
#include "ledger/parameters.h"
#include "ledger/pay.h"
#include "ledger/plants.h"
#include "ledger/roster.h"
#include "ledger/settle.h"
#include "ledger/task.h"
#include "ledger/task_blobs.h"
#include "proto/blob.h"
#include "proto/codec.h"

#include <stdlib.h>

/* The new blob takes the old one's place; an empty field held none. */
static void replace_blob(const struct ledger_env *env,
                         ProtobufCBinaryData *field, const struct hash *fresh,
                         const void *data, size_t size)
{
    struct hash old;
    task_blobs_put_named(env, fresh, data, size);
    if (codec_hash(&old, *field)) {
        task_blobs_drop(env, &old);
    }
    codec_set_hash(field, fresh);
}

static void write_model(struct settle *s, const struct ledger_env *env)
{
    size_t count = s->shape.parameter_count;
    env->blobs.put(env->blobs.context, &s->aggregate_hash, s->aggregate.data,
                   s->aggregate.size);
    replace_blob(env, &s->task->parameters_hash, &s->parameters_hash,
                 s->parameters, 4 * count);
    for (unsigned i = 0; i < spec_moments(s->task->spec->optimizer); i++) {
        struct hash hash;
        uint8_t *bytes = parameters_encode(s->moments[i], count);
        blob_hash(&hash, bytes, 4 * count);
        replace_blob(env, task_moment(s->task, i), &hash, bytes, 4 * count);
        free(bytes);
    }
    s->task->steps++;
}

static void write_evaluation(struct settle *s)
{
    Pot__TaskRecord *task = s->task;
    if (!s->is_evaluated) {
        return;
    }
    if (task->evaluation == NULL) {
        task->evaluation = pot_alloc(sizeof(*task->evaluation));
        pot__evaluation__init(task->evaluation);
    }
    task->evaluation->rows = s->evaluation.rows;
    task->evaluation->correct = s->evaluation.correct;
    task->evaluation->loss = s->evaluation.loss;
    task->evaluation_round = task->round;
}

/* Whoever was in the roster and is not counted was absent; too often, and it
 * is no member any more.  The counted are of the roster and ascend as it
 * does, so one walk passes both. */
static void note_absences(struct settle *s, const struct ledger_env *env)
{
    uint32_t absent_max = s->supply->params->absent_rounds_max;
    struct roster round = roster_of_round(s->task);
    size_t passed = 0;
    for (size_t i = 0; i < round.count; i++) {
        struct public_key miner;
        size_t index;
        bool is_key = codec_key(&miner, round.entries[i]->miner);
        POT_ASSERT(is_key);
        bool is_counted = passed < s->counted_count &&
                          public_key_equal(&s->counted[passed].miner, &miner);
        const struct round_submission *counted = &s->counted[passed];
        passed += is_counted ? 1 : 0;
        struct roster members = roster_of_members(s->task);
        if (!roster_find(members, &miner, &index)) {
            if (is_counted) {
                plants_keep_late(&env->state, s->task, counted);
            }
            continue;
        }
        Pot__RosterEntry *member = members.entries[index];
        member->absent = is_counted ? 0 : member->absent + 1;
        member->is_counted = is_counted;
        if (is_counted) {
            plants_keep(member, counted);
        }
        if (absent_max > 0 && member->absent >= absent_max) {
            task_drop_member(env, s->task, index);
        }
    }
    POT_ASSERT(passed == s->counted_count);
}

static bool is_target_reached(const struct settle *s)
{
    uint64_t target = s->task->spec->target_accuracy_ppm;
    return s->is_evaluated && target > 0 &&
           s->evaluation.correct * PPM_ONE >= target * s->evaluation.rows;
}

static void open_next(struct settle *s, const struct ledger_env *env,
                      const struct ledger_block *block)
{
    struct roster round = roster_of_round(s->task);
    bool was_open = round.count > 0;
    roster_clear(&round);
    roster_set_round(s->task, round);
    s->task->opened_height = block->height;
    s->task->opened_ms = block->time_ms;
    task_store(env, s->task);
    if (was_open) {
        list_append(&env->state, keys_opening(), s->task_hash.b);
    }
}

static void end_or_go_on(struct settle *s, const struct ledger_env *env,
                         const struct ledger_block *block)
{
    uint64_t height = block->height;
    uint32_t empty_max = s->supply->params->empty_rounds_max;
    Pot__TaskRecord *task = s->task;
    if (empty_max > 0 && task->empty_rounds >= empty_max) {
        task_end(env, height, task, POT__TASK_STATUS__TASK_FAILED,
                 "too many rounds in a row closed without a gradient");
    } else if (is_target_reached(s)) {
        task_end(env, height, task, POT__TASK_STATUS__TASK_COMPLETED,
                 "target accuracy reached");
    } else if (task->round == task->spec->rounds && task->submissions == 0) {
        task_end(env, height, task, POT__TASK_STATUS__TASK_FAILED,
                 "no round closed with a gradient");
    } else if (task->round == task->spec->rounds) {
        task_end(env, height, task, POT__TASK_STATUS__TASK_COMPLETED,
                 "all rounds done");
    } else {
        open_next(s, env, block);
    }
}

void settle_write(struct settle *s, const struct ledger_env *env,
                  const struct ledger_block *block)
{
    Pot__TaskRecord *task = s->task;
    bool is_empty = s->counted_count == 0;
    POT_ASSERT(task->round < task->spec->rounds);
    draws_note(s, env);
    if (!is_empty) {
        closed_keep(s, env, block);
        write_model(s, env);
        write_evaluation(s);
        task->train_loss = s->train_loss;
        pay_write(s, env);
    }
    task->empty_rounds = is_empty ? task->empty_rounds + 1 : 0;
    task->submissions += s->counted_count;
    task->rejected += s->refused_count;
    note_absences(s, env);
    plants_take(&env->state, task);
    task->round++;
    end_or_go_on(s, env, block);
}
