#include "config.h"

#include "ledger/round_lists.h"

#include "base/alloc.h"
#include "base/check.h"
#include "ledger/draws.h"
#include "ledger/settle.h"
#include "ledger/submission.h"
#include "proto/signed.h"

#include <stdlib.h>

struct verdicts {
    size_t accepting;
    size_t refusing;
};

static bool has_quorum(const struct settle *s, struct verdicts verdicts)
{
    return verdicts.accepting >= validator_set_quorum(s->validators.count);
}

static bool is_refused(const struct settle *s, struct verdicts verdicts)
{
    return verdicts.refusing > validator_set_faults(s->validators.count);
}

static bool is_of_round(const struct settle *s,
                        const struct round_attestation *attestation)
{
    return hash_equal(&attestation->task, &s->task_hash) &&
           attestation->body->round == s->task->round;
}

static struct verdicts verdicts_on(const struct settle *s,
                                   const struct round_submission *submission)
{
    struct verdicts verdicts = {0, 0};
    for (size_t i = 0; i < s->attestation_count; i++) {
        Pot__Verdict verdict =
            round_verdict_on(&s->attestations[i], &submission->hash);
        verdicts.accepting += round_is_accept(verdict) ? 1 : 0;
        verdicts.refusing += verdict == POT__VERDICT__VERDICT_REFUSE ? 1 : 0;
    }
    return verdicts;
}

/* Accepts something that is counted, or refuses something that is refused. */
static bool is_useful(const struct settle *s,
                      const struct round_attestation *attestation)
{
    for (size_t i = 0; i < s->counted_count; i++) {
        if (round_is_accept(
                round_verdict_on(attestation, &s->counted[i].hash))) {
            return true;
        }
    }
    for (size_t i = 0; i < s->refused_count; i++) {
        if (round_verdict_on(attestation, &s->refused[i].hash) ==
            POT__VERDICT__VERDICT_REFUSE) {
            return true;
        }
    }
    return false;
}

static bool contradicts_any(const struct settle *s,
                            const struct round_attestation *attestation,
                            const struct round_submission *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (ledger_draw_contradicts(s->task, attestation, &list[i])) {
            return true;
        }
    }
    return false;
}

/* ---- reading an update */

static bool keeps_to_draw(const struct settle *s,
                          const struct round_attestation *attestation)
{
    return ledger_draw_fits(s->draws, attestation) &&
           !contradicts_any(s, attestation, s->counted, s->counted_count) &&
           !contradicts_any(s, attestation, s->refused, s->refused_count);
}

static enum round_verdict read_submissions(
    struct round_submission **list, size_t *count, const struct settle *s,
    const struct hash *chain, Pot__Signed *const *messages,
    size_t message_count, bool is_trusted)
{
    if (message_count > ROSTER_MAX) {
        return ROUND_NOT_IN_ROSTER;
    }
    *list = pot_calloc(message_count, sizeof(**list));
    for (size_t i = 0; i < message_count; i++) {
        struct round_submission *submission = &(*list)[i];
        if (round_submission_decode(submission, messages[i]) != POT_OK) {
            return ROUND_MALFORMED;
        }
        *count = i + 1;
        if (i > 0 && public_key_compare(&(*list)[i - 1].miner,
                                        &submission->miner) >= 0) {
            return ROUND_ORDER;
        }
        enum round_verdict verdict =
            ledger_check_submission(s->task, &s->shape, submission);
        if (verdict != ROUND_ACCEPTED) {
            return verdict;
        }
        if (!is_trusted &&
            !signed_verify(SIGNED_SUBMISSION, chain, messages[i])) {
            return ROUND_BAD_SIGNATURE;
        }
    }
    return ROUND_ACCEPTED;
}

static enum round_verdict read_attestations(struct settle *s,
                                            const struct hash *chain,
                                            const Pot__RoundUpdate *update,
                                            bool is_trusted)
{
    size_t count = update->n_attestations;
    if (count > s->validators.count) {
        return ROUND_NOT_A_VALIDATOR;
    }
    s->attestations = pot_calloc(count, sizeof(*s->attestations));
    for (size_t i = 0; i < count; i++) {
        struct round_attestation *attestation = &s->attestations[i];
        uint32_t index;
        if (round_attestation_decode(attestation, update->attestations[i]) !=
            POT_OK) {
            return ROUND_MALFORMED;
        }
        s->attestation_count = i + 1;
        if (i > 0 && public_key_compare(&s->attestations[i - 1].validator,
                                        &attestation->validator) >= 0) {
            return ROUND_ORDER;
        }
        if (!is_of_round(s, attestation)) {
            return ROUND_MALFORMED;
        }
        if (!validator_set_find(&index, &s->validators,
                                &attestation->validator)) {
            return ROUND_NOT_A_VALIDATOR;
        }
        if (!keeps_to_draw(s, attestation)) {
            return ROUND_DRAW;
        }
        if (!is_trusted && !signed_verify(SIGNED_ATTESTATION, chain,
                                          update->attestations[i])) {
            return ROUND_BAD_SIGNATURE;
        }
    }
    return ROUND_ACCEPTED;
}

/* Both lists ascend: one walk finds a miner that stands in both. */
static bool is_any_in_both(const struct settle *s)
{
    size_t i = 0;
    size_t j = 0;
    while (i < s->counted_count && j < s->refused_count) {
        int order =
            public_key_compare(&s->counted[i].miner, &s->refused[j].miner);
        if (order == 0) {
            return true;
        }
        if (order < 0) {
            i++;
        } else {
            j++;
        }
    }
    return false;
}

static enum round_verdict check_verdicts(const struct settle *s)
{
    for (size_t i = 0; i < s->counted_count; i++) {
        if (!has_quorum(s, verdicts_on(s, &s->counted[i]))) {
            return ROUND_NO_QUORUM;
        }
    }
    for (size_t i = 0; i < s->refused_count; i++) {
        if (!is_refused(s, verdicts_on(s, &s->refused[i]))) {
            return ROUND_NO_QUORUM;
        }
    }
    for (size_t i = 0; i < s->attestation_count; i++) {
        if (!is_useful(s, &s->attestations[i])) {
            return ROUND_IDLE_ATTESTATION;
        }
    }
    return is_any_in_both(s) ? ROUND_ORDER : ROUND_ACCEPTED;
}

enum round_verdict round_lists_read(struct settle *s,
                                    const struct ledger_env *env,
                                    const Pot__RoundUpdate *update,
                                    struct ledger_trust trust)
{
    bool is_trusted = trust.are_signatures_checked;
    enum round_verdict verdict = read_submissions(
        &s->counted, &s->counted_count, s, &env->chain, update->submissions,
        update->n_submissions, is_trusted);
    if (verdict == ROUND_ACCEPTED) {
        verdict =
            read_submissions(&s->refused, &s->refused_count, s, &env->chain,
                             update->refused, update->n_refused, is_trusted);
    }
    if (verdict == ROUND_ACCEPTED) {
        verdict = read_attestations(s, &env->chain, update, is_trusted);
    }
    return verdict == ROUND_ACCEPTED ? check_verdicts(s) : verdict;
}

/* ---- selecting from what is held */

/* A submission on its way into one of the lists. */
struct choice {
    const struct candidate_submission *held;
    bool is_refused;
};

static int compare_choices(const void *a, const void *b)
{
    const struct choice *x = a;
    const struct choice *y = b;
    const struct round_submission *one = &x->held->opened;
    const struct round_submission *other = &y->held->opened;
    int order = public_key_compare(&one->miner, &other->miner);
    if (order == 0) {
        order = (int)x->is_refused - (int)y->is_refused;
    }
    return order != 0 ? order : hash_compare(&one->hash, &other->hash);
}

static int compare_attestations(const void *a, const void *b)
{
    const struct candidate_attestation *const *x = a;
    const struct candidate_attestation *const *y = b;
    return public_key_compare(&(*x)->opened.validator, &(*y)->opened.validator);
}

static bool is_newer(const struct round_attestation *a,
                     const struct round_attestation *b)
{
    return a->body->sequence != b->body->sequence
               ? a->body->sequence > b->body->sequence
               : hash_compare(&a->hash, &b->hash) < 0;
}

static bool contradicts_held(const struct settle *s,
                             const struct round_attestation *attestation,
                             const struct round_candidate *candidate)
{
    for (size_t i = 0; i < candidate->submission_count; i++) {
        if (ledger_draw_contradicts(s->task, attestation,
                                    &candidate->submissions[i].opened)) {
            return true;
        }
    }
    return false;
}

/* The latest of each validator, by ascending key, into s and messages. */
static void gather_attestations(struct settle *s, const Pot__Signed **messages,
                                const struct round_candidate *candidate)
{
    const struct candidate_attestation *latest[VALIDATORS_MAX] = {0};
    for (size_t i = 0; i < candidate->attestation_count; i++) {
        const struct candidate_attestation *held = &candidate->attestations[i];
        uint32_t index;
        if (is_of_round(s, &held->opened) &&
            validator_set_find(&index, &s->validators,
                               &held->opened.validator) &&
            ledger_draw_fits(s->draws, &held->opened) &&
            (latest[index] == NULL ||
             is_newer(&held->opened, &latest[index]->opened))) {
            latest[index] = held;
        }
    }
    size_t count = 0;
    for (size_t i = 0; i < s->validators.count; i++) {
        if (latest[i] != NULL &&
            !contradicts_held(s, &latest[i]->opened, candidate)) {
            latest[count++] = latest[i];
        }
    }
    qsort(latest, count, sizeof(*latest), compare_attestations);
    for (size_t i = 0; i < count; i++) {
        s->attestations[i] = latest[i]->opened;
        messages[i] = latest[i]->message;
    }
    s->attestation_count = count;
}

/* Whether it goes into one of the lists, and which. */
static bool is_decided(const struct settle *s, struct choice *choice)
{
    const struct round_submission *submission = &choice->held->opened;
    if (ledger_check_submission(s->task, &s->shape, submission) !=
        ROUND_ACCEPTED) {
        return false;
    }
    struct verdicts verdicts = verdicts_on(s, submission);
    choice->is_refused = !has_quorum(s, verdicts);
    return !choice->is_refused || is_refused(s, verdicts);
}

static void list_submission(struct settle *s, struct round_messages *out,
                            const struct choice *choice)
{
    if (choice->is_refused) {
        out->refused[s->refused_count] = choice->held->message;
        s->refused[s->refused_count++] = choice->held->opened;
    } else {
        out->counted[s->counted_count] = choice->held->message;
        s->counted[s->counted_count++] = choice->held->opened;
    }
}

static void gather_submissions(struct settle *s, struct round_messages *out,
                               const struct round_candidate *candidate)
{
    size_t count = 0;
    struct choice *choices =
        pot_calloc(candidate->submission_count, sizeof(*choices));
    for (size_t i = 0; i < candidate->submission_count; i++) {
        choices[count].held = &candidate->submissions[i];
        count += is_decided(s, &choices[count]) ? 1 : 0;
    }
    qsort(choices, count, sizeof(*choices), compare_choices);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !public_key_equal(&choices[i].held->opened.miner,
                                        &choices[i - 1].held->opened.miner)) {
            list_submission(s, out, &choices[i]);
        }
    }
    free(choices);
}

/* Attestations that say nothing on what is listed go. */
static void drop_idle(struct settle *s, struct round_messages *messages)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->attestation_count; i++) {
        if (is_useful(s, &s->attestations[i])) {
            messages->attestations[kept] = messages->attestations[i];
            s->attestations[kept++] = s->attestations[i];
        }
    }
    s->attestation_count = kept;
}

void round_lists_select(struct settle *s, struct round_messages *out,
                        const struct round_candidate *candidate)
{
    size_t submissions = candidate->submission_count;
    s->are_lists_borrowed = true;
    s->counted = pot_calloc(submissions, sizeof(*s->counted));
    s->refused = pot_calloc(submissions, sizeof(*s->refused));
    s->attestations = pot_calloc(VALIDATORS_MAX, sizeof(*s->attestations));
    out->counted = pot_calloc(submissions, sizeof(*out->counted));
    out->refused = pot_calloc(submissions, sizeof(*out->refused));
    out->attestations = pot_calloc(VALIDATORS_MAX, sizeof(*out->attestations));
    gather_attestations(s, out->attestations, candidate);
    gather_submissions(s, out, candidate);
    drop_idle(s, out);
}

void round_lists_drop_counted(struct settle *s, struct round_messages *messages)
{
    s->counted_count = 0;
    drop_idle(s, messages);
}
