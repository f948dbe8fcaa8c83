#include "config.h"

#include "ledger/draws.h"

#include "base/alloc.h"
#include "base/check.h"
#include "ledger/account.h"
#include "ledger/record.h"
#include "ledger/settle.h"
#include "proto/codec.h"
#include "proto/draw.h"

#include <string.h>

/* Where the validator's entry is, or would be. */
static bool find(const Pot__DrawsRecord *draws, const struct public_key *key,
                 size_t *index)
{
    size_t i = 0;
    int order = -1;
    while (i < draws->n_entries &&
           (order = memcmp(draws->entries[i]->validator.data, key->b,
                           PUBLIC_KEY_SIZE)) < 0) {
        i++;
    }
    *index = i;
    return i < draws->n_entries && order == 0;
}

bool ledger_draw_fits(const Pot__DrawsRecord *draws,
                      const struct round_attestation *attestation)
{
    struct hash link;
    struct hash earlier;
    size_t index;
    uint32_t round = attestation->body->round;
    if (!codec_hash(&link, attestation->body->draw)) {
        return false;
    }
    if (!find(draws, &attestation->validator, &index)) {
        return true;
    }
    const Pot__DrawEntry *entry = draws->entries[index];
    return round > entry->round && codec_hash(&earlier, entry->link) &&
           draw_follows(&link, &earlier, round - entry->round);
}

static bool has_drawn(const Pot__TaskRecord *task,
                      const struct round_attestation *attestation,
                      const struct round_submission *submission)
{
    struct hash link;
    struct hash theta;
    return codec_hash(&link, attestation->body->draw) &&
           codec_hash(&theta, task->parameters_hash) &&
           draw_names(&link, &theta, &submission->miner, task->draw_rate_ppm);
}

bool ledger_draw_contradicts(const Pot__TaskRecord *task,
                             const struct round_attestation *attestation,
                             const struct round_submission *submission)
{
    return round_verdict_on(attestation, &submission->hash) ==
               POT__VERDICT__VERDICT_ACCEPT &&
           has_drawn(task, attestation, submission);
}

/* ---- when a round closes */

static void count(struct account *account, const struct settle *s,
                  const struct round_attestation *attestation,
                  const struct round_submission *submissions, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (has_drawn(s->task, attestation, &submissions[i])) {
            Pot__Verdict verdict =
                round_verdict_on(attestation, &submissions[i].hash);
            bool is_said = verdict == POT__VERDICT__VERDICT_ACCEPT_AUDITED ||
                           verdict == POT__VERDICT__VERDICT_REFUSE;
            account->audits_drawn++;
            account->audits_said += is_said ? 1 : 0;
        }
    }
}

static void count_all(const struct settle *s, const struct ledger_env *env,
                      const struct round_attestation *attestation)
{
    struct account account;
    ledger_account(&env->state, &attestation->validator, &account);
    count(&account, s, attestation, s->counted, s->counted_count);
    count(&account, s, attestation, s->refused, s->refused_count);
    account_store(&env->state, &attestation->validator, &account);
}

static Pot__DrawEntry *insert(Pot__DrawsRecord *draws, size_t index,
                              const struct public_key *validator)
{
    Pot__DrawEntry *entry = pot_alloc(sizeof(*entry));
    pot__draw_entry__init(entry);
    entry->validator = codec_copy_bytes(validator->b, PUBLIC_KEY_SIZE);
    draws->entries = pot_realloc(draws->entries, draws->n_entries + 1,
                                 sizeof(Pot__DrawEntry *));
    memmove(&draws->entries[index + 1], &draws->entries[index],
            (draws->n_entries - index) * sizeof(Pot__DrawEntry *));
    draws->entries[index] = entry;
    draws->n_entries++;
    return entry;
}

static void keep(Pot__DrawsRecord *draws,
                 const struct round_attestation *attestation)
{
    struct hash link;
    size_t index;
    bool is_known = find(draws, &attestation->validator, &index);
    Pot__DrawEntry *entry = is_known
                                ? draws->entries[index]
                                : insert(draws, index, &attestation->validator);
    bool is_hash = codec_hash(&link, attestation->body->draw);
    POT_ASSERT(is_hash);
    entry->round = attestation->body->round;
    codec_set_hash(&entry->link, &link);
}

/* Those that say nothing of the next round any more. */
static void drop_old(Pot__DrawsRecord *draws, uint32_t round)
{
    size_t kept = 0;
    for (size_t i = 0; i < draws->n_entries; i++) {
        if (round - draws->entries[i]->round < DRAW_GAP_MAX) {
            draws->entries[kept++] = draws->entries[i];
        } else {
            codec_free(draws->entries[i]);
        }
    }
    draws->n_entries = kept;
}

void draws_note(const struct settle *s, const struct ledger_env *env)
{
    drop_old(s->draws, s->task->round);
    for (size_t i = 0; i < s->attestation_count; i++) {
        keep(s->draws, &s->attestations[i]);
        count_all(s, env, &s->attestations[i]);
    }
    if (s->attestation_count > 0) {
        record_store(&env->state, keys_draws(&s->task_hash), s->draws);
    }
}

void draws_forget(const struct state *state, const Pot__TaskRecord *task)
{
    struct hash hash;
    bool is_hash = codec_hash(&hash, task->task);
    POT_ASSERT(is_hash);
    struct state_key key = keys_draws(&hash);
    state->del(state->context, key.b, key.size);
}
