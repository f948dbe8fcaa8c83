#include "config.h"

#include "node/round/word_choice.h"

#include "base/alloc.h"
#include "ledger/ledger.h"
#include "proto/codec.h"
#include "proto/validator_set.h"

bool word_choice_extends(const struct round_attestation *a,
                         const struct round_attestation *b)
{
    for (size_t i = 0; i < b->body->n_judgements; i++) {
        const Pot__Judgement *judgement = b->body->judgements[i];
        struct hash name;
        if (!codec_hash(&name, judgement->submission) ||
            round_verdict_on(a, &name) != judgement->verdict) {
            return false;
        }
    }
    return true;
}

/* Whether an update could list it beside the candidate's submissions. */
static bool is_sound(const struct candidate_attestation *attestation,
                     const struct round_candidate *candidate,
                     const Pot__TaskRecord *task)
{
    for (size_t i = 0; i < candidate->submission_count; i++) {
        if (ledger_draw_contradicts(task, &attestation->opened,
                                    &candidate->submissions[i].opened)) {
            return false;
        }
    }
    return true;
}

static bool has_spare(const struct word_choice *all, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (all[i].spare != NULL) {
            return true;
        }
    }
    return false;
}

static void drop_unsound(struct word_choice *all, size_t count,
                         const struct round_candidate *candidate,
                         const Pot__TaskRecord *task)
{
    for (size_t i = 0; i < count; i++) {
        struct word_choice *words = &all[i];
        if (words->kept != NULL && !is_sound(words->kept, candidate, task)) {
            words->kept = NULL;
        }
        if (words->spare != NULL && !is_sound(words->spare, candidate, task)) {
            words->spare = NULL;
        }
    }
}

/* Whether the attestation, which may be NULL, says this of the submission. */
static bool says(const struct candidate_attestation *attestation,
                 const struct hash *submission, bool is_refusal)
{
    if (attestation == NULL) {
        return false;
    }
    Pot__Verdict verdict = round_verdict_on(&attestation->opened, submission);
    return is_refusal ? verdict == POT__VERDICT__VERDICT_REFUSE
                      : round_is_accept(verdict);
}

static size_t count_kept(const struct word_choice *all, size_t count,
                         const struct hash *submission, bool is_refusal)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        found += says(all[i].kept, submission, is_refusal) ? 1 : 0;
    }
    return found;
}

/* Lists as many spare ones as it takes; false, and none, if they are too few.
 */
static bool fill_up(struct word_choice *all, size_t count,
                    const struct hash *submission, bool is_refusal,
                    size_t missing)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_more = says(all[i].spare, submission, is_refusal) &&
                       !says(all[i].kept, submission, is_refusal);
        found += is_more ? 1 : 0;
    }
    if (found < missing) {
        return false;
    }
    for (size_t i = 0; i < count && missing > 0; i++) {
        if (says(all[i].spare, submission, is_refusal) &&
            !says(all[i].kept, submission, is_refusal)) {
            all[i].kept = all[i].spare;
            missing--;
        }
    }
    return true;
}

static void decide(struct word_choice *all, size_t count,
                   const struct hash *submission, uint32_t validators)
{
    size_t quorum = validator_set_quorum(validators);
    size_t enough = validator_set_faults(validators) + 1;
    size_t accepting = count_kept(all, count, submission, false);
    size_t refusing = count_kept(all, count, submission, true);
    if (accepting < quorum && refusing < enough &&
        !fill_up(all, count, submission, false, quorum - accepting)) {
        (void)fill_up(all, count, submission, true, enough - refusing);
    }
}

void word_choice_make(struct round_candidate *candidate,
                      struct word_choice *all, size_t count,
                      const Pot__TaskRecord *task, uint32_t validators)
{
    if (has_spare(all, count)) {
        drop_unsound(all, count, candidate, task);
        for (size_t i = 0; i < candidate->submission_count; i++) {
            decide(all, count, &candidate->submissions[i].opened.hash,
                   validators);
        }
    }
    candidate->attestations =
        pot_calloc(count, sizeof(*candidate->attestations));
    for (size_t i = 0; i < count; i++) {
        if (all[i].kept != NULL) {
            candidate->attestations[candidate->attestation_count++] =
                *all[i].kept;
        }
    }
}
