#include "config.h"

#include "node/round/attesting.h"

#include "base/alloc.h"
#include "base/map.h"
#include "node/round/pledges.h"
#include "node/round/word_choice.h"
#include "proto/codec.h"
#include "proto/signed.h"

#include <stdlib.h>

/* Once words are shown, so long those are awaited that were pledged. */
#define SHOW_MS 300

/* What one validator has said. */
struct heard {
    struct candidate_attestation *kept; /* NULL: none */
    struct candidate_attestation *late; /* NULL: none, or older than kept */
    size_t place; /* of the first late one among those of all */
    size_t taken; /* of its attestations */
};

struct attesting {
    const Pot__TaskRecord *task;
    struct pledges *pledges;
    struct map heard; /* validator -> struct heard */
    size_t late;      /* how many have said one, for their places */
};

struct attesting *attesting_new(const Pot__TaskRecord *task, uint64_t opened_ms)
{
    struct attesting *attesting = pot_calloc(1, sizeof(*attesting));
    attesting->task = task;
    attesting->pledges = pledges_new(task, opened_ms);
    return attesting;
}

static void attestation_free(struct candidate_attestation *held)
{
    if (held != NULL) {
        round_attestation_fini(&held->opened);
        codec_free(held->message);
        free(held);
    }
}

void attesting_free(struct attesting *attesting)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&attesting->heard, &cursor)) != NULL) {
        struct heard *heard = slot->value;
        attestation_free(heard->kept);
        attestation_free(heard->late);
        free(heard);
    }
    map_fini(&attesting->heard);
    pledges_free(attesting->pledges);
    free(attesting);
}

static bool is_newer(const struct round_attestation *opened,
                     const struct candidate_attestation *than)
{
    return than == NULL || opened->body->sequence > than->opened.body->sequence;
}

static struct heard *heard_of(struct attesting *attesting,
                              const struct public_key *validator)
{
    struct heard *heard = map_get(&attesting->heard, validator->b);
    if (heard == NULL) {
        heard = pot_calloc(1, sizeof(*heard));
        (void)map_put(&attesting->heard, validator->b, heard);
    }
    return heard;
}

static void replace(struct candidate_attestation **held,
                    struct round_attestation *opened,
                    const Pot__Signed *message)
{
    attestation_free(*held);
    *held = pot_calloc(1, sizeof(**held));
    (*held)->opened = *opened;
    (*held)->message = signed_copy(message);
}

static void take_late(struct attesting *attesting, struct heard *heard,
                      struct round_attestation *opened,
                      const Pot__Signed *message)
{
    if (heard->late == NULL) {
        heard->place = attesting->late++;
    }
    replace(&heard->late, opened, message);
}

/* Who has shown its words pledges no others. */
static bool take_pledge(struct attesting *attesting,
                        struct round_attestation *pledge)
{
    bool is_taken = map_get(&attesting->heard, pledge->validator.b) == NULL &&
                    pledges_take(attesting->pledges, pledge);
    round_attestation_fini(pledge);
    return is_taken;
}

static bool take_words(struct attesting *attesting,
                       struct round_attestation *opened,
                       const Pot__Signed *message)
{
    struct heard *heard = heard_of(attesting, &opened->validator);
    bool is_kept =
        pledges_keeps(attesting->pledges, &opened->validator, &opened->hash);
    if (heard->taken >= pledges_most(attesting->task) ||
        !is_newer(opened, heard->kept) ||
        (!is_kept && !is_newer(opened, heard->late))) {
        round_attestation_fini(opened);
        return false;
    }
    heard->taken++;
    if (!is_kept) {
        take_late(attesting, heard, opened, message);
        return true;
    }
    replace(&heard->kept, opened, message);
    if (heard->late != NULL && !is_newer(&heard->late->opened, heard->kept)) {
        attestation_free(heard->late);
        heard->late = NULL;
    }
    return true;
}

bool attesting_take(struct attesting *attesting,
                    struct round_attestation *opened,
                    const Pot__Signed *message)
{
    return round_is_pledge(opened) ? take_pledge(attesting, opened)
                                   : take_words(attesting, opened, message);
}

/* ---- when they count */

bool attesting_look(struct attesting *attesting, uint32_t validators,
                    size_t expected, uint64_t limit_ms, uint64_t now_ms)
{
    const struct pledges_view view = {
        .validators = validators,
        .shown = attesting->heard.count,
        .expected = expected,
        .limit_ms = limit_ms,
    };
    return pledges_look(attesting->pledges, &view, now_ms);
}

static bool is_kept_by(const void *context, const struct public_key *validator)
{
    const struct attesting *attesting = context;
    const struct heard *heard = map_get(&attesting->heard, validator->b);
    return heard != NULL && heard->kept != NULL;
}

static bool are_kept(const struct attesting *attesting)
{
    return pledges_all(attesting->pledges, is_kept_by, attesting);
}

uint64_t attesting_since_ms(const struct attesting *attesting,
                            uint64_t closable_ms)
{
    uint64_t ripe = pledges_ripe_ms(attesting->pledges);
    return ripe != 0 && ripe < closable_ms && are_kept(attesting) ? ripe
                                                                  : closable_ms;
}

enum attesting_reach attesting_reach(const struct attesting *attesting,
                                     uint64_t now_ms)
{
    uint64_t shown = pledges_shown_ms(attesting->pledges);
    bool is_over =
        shown != 0 && (now_ms >= shown + SHOW_MS || are_kept(attesting));
    return is_over ? REACH_LATE : REACH_KEPT;
}

struct attesting_unkept attesting_unkept(const struct attesting *attesting)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    struct attesting_unkept out = {0};
    while ((slot = map_next(&attesting->heard, &cursor)) != NULL) {
        const struct heard *heard = slot->value;
        if (heard->kept == NULL) { /* so there is a late one */
            bool is_broken =
                pledges_has(attesting->pledges, &heard->late->opened.validator);
            out.broken += is_broken ? 1 : 0;
            out.late += is_broken ? 0 : 1;
        }
    }
    return out;
}

/* ---- which of them count */

/* What it says beside the one that was kept, or instead of it. */
static const struct candidate_attestation *spare_of(
    const struct attesting *attesting, const struct heard *heard,
    enum attesting_reach reach)
{
    if (heard->late == NULL || reach == REACH_KEPT) {
        return NULL;
    }
    if (heard->kept != NULL) {
        return word_choice_extends(&heard->late->opened, &heard->kept->opened)
                   ? heard->late
                   : NULL;
    }
    bool is_broken =
        pledges_has(attesting->pledges, &heard->late->opened.validator);
    return reach == REACH_BROKEN || !is_broken ? heard->late : NULL;
}

static int compare_places(const void *a, const void *b)
{
    const struct word_choice *x = a;
    const struct word_choice *y = b;
    return x->place < y->place ? -1 : x->place > y->place;
}

void attesting_list(const struct attesting *attesting, uint32_t validators,
                    enum attesting_reach reach,
                    struct round_candidate *candidate)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    size_t count = 0;
    struct word_choice *all = pot_calloc(attesting->heard.count, sizeof(*all));
    while ((slot = map_next(&attesting->heard, &cursor)) != NULL) {
        const struct heard *heard = slot->value;
        all[count++] = (struct word_choice){
            .kept = heard->kept,
            .spare = spare_of(attesting, heard, reach),
            .place = heard->place,
        };
    }
    if (count > 0) {
        qsort(all, count, sizeof(*all), compare_places);
    }
    word_choice_make(candidate, all, count, attesting->task, validators);
    free(all);
}
