/* adversaries: what each way to cheat comes to, over many rounds: the real
 * kernels, audits and ledger in one process.
 *
 *   adversaries [ROUNDS [AUDIT_RATE]]
 *
 * A table in Markdown: of the adversary's false submissions that were audited,
 * the part that was found out; and what it is richer by at the end, as a part
 * of what an honest one in its place earned in the same town.  A stake is the
 * least that the ledger takes; who lost it puts it up again at once, so that
 * the table shows many tries.  Exits with 1 when a cheat that was audited was
 * missed, an honest miner was slashed, or a cheat earned as much as honesty. */
#include "config.h"

#include "base/alloc.h"
#include "base/amount.h"
#include "base/check.h"
#include "base/limits.h"
#include "ledger/roster.h"
#include "ledger/submission.h"
#include "proto/codec.h"
#include "proto/gradient.h"
#include "proto/plant.h"
#include "proto/round.h"
#include "proto/signed.h"
#include "tests/bench/town.h"
#include "training/audit.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum manner {
    HONEST, /* the yardstick */
    LAZY_WORKER,
    COPIER,
    ROW_DROPPER,
    STEP_SKIPPER,
    STALE_THETA,
    NOISE,
    NOT_A_NUMBER,
    HUGE_VALUES,
    EQUIVOCATOR,
    WITHHOLDER,
    LAZY_VALIDATOR,
    AUDIT_CLAIMER,
    FALSE_ACCUSER,
    MANNERS,
};

static const struct {
    const char *name;
    const char *does;
} manners[MANNERS] = {
    [HONEST] = {"honest", "the work"},
    [LAZY_WORKER] = {"lazy worker", "an eighth of its rows"},
    [COPIER] = {"copier", "submits another's gradient"},
    [ROW_DROPPER] = {"row dropper", "leaves out 1 row of 512"},
    [STEP_SKIPPER] = {"step skipper", "leaves out 1 local step of 100"},
    [STALE_THETA] = {"stale theta", "computes on the theta before"},
    [NOISE] = {"noise", "one element off by one unit"},
    [NOT_A_NUMBER] = {"NaN", "an exponent that is none"},
    [HUGE_VALUES] = {"huge values", "all that an int8 and an exponent hold"},
    [EQUIVOCATOR] = {"equivocator", "tells two validators another one"},
    [WITHHOLDER] = {"withholder", "shows its payload to one validator"},
    [LAZY_VALIDATOR] = {"lazy validator",
                        "attests audits that it did not make"},
    [AUDIT_CLAIMER] = {"audit claimer",
                       "the same, where miners are honest and plant"},
    [FALSE_ACCUSER] = {"false accuser", "challenges an honest miner"},
};

#define ENTRIES_MAX (TOWN_MINERS + 1) /* one for an equivocator's other one */

struct entry {
    size_t miner;
    Pot__Signed *message;
    struct round_submission opened;
    uint8_t *payload;
    size_t size;
    const struct key *accuser; /* a validator whose audit refused it */
    bool is_plant;
    struct hash secret; /* is_plant: what says so */
};

struct play {
    struct town town;
    enum manner manner;
    struct entry entries[ENTRIES_MAX];
    size_t count;
    uint64_t audits; /* of false submissions */
    uint64_t found;
    uint64_t wronged; /* honest ones that an audit refused */
    uint64_t challenges;
};

#define LOCAL_STEPS    100 /* in the step skipper's town */
#define PLANT_RATE_PPM 10000
#define CHEAT          0 /* index of the miner that may be none, or validator */

static bool is_validators(enum manner manner)
{
    return manner == LAZY_VALIDATOR || manner == AUDIT_CLAIMER ||
           manner == FALSE_ACCUSER;
}

/* ---- what is submitted */

/* Exponents stand behind the header, elements behind these. */
static void spoil(const struct play *p, struct town_gradient *g)
{
    const struct model_shape *shape = &p->town.shape;
    uint8_t *exponents = g->payload + GRADIENT_HEADER_BYTES;
    uint8_t *elements = exponents + shape->tensor_count;
    if (p->manner == NOT_A_NUMBER) {
        exponents[0] = 127;
    } else if (p->manner == HUGE_VALUES) {
        memset(exponents, GRADIENT_EXPONENT_MAX, shape->tensor_count);
        memset(elements, 127, shape->parameter_count);
    } else {
        uint8_t *one =
            &elements[p->town.record->round % shape->parameter_count];
        *one = (uint8_t)(*one == 127 ? 126 : *one + 1);
    }
}

static void make_false(struct play *p, struct town_gradient *out)
{
    struct town *t = &p->town;
    const struct public_key *self = key_public(town_miner(t, CHEAT));
    switch (p->manner) {
    case LAZY_WORKER:
        town_compute(t, out, self, t->theta, t->rows / 8);
        return;
    case ROW_DROPPER:
        town_compute(t, out, self, t->theta, t->rows - 1);
        return;
    case STEP_SKIPPER:
        town_compute(t, out, self, t->theta, t->rows - t->block_rows);
        return;
    case STALE_THETA:
        town_compute(t, out, self, t->theta_before, t->rows);
        return;
    case COPIER:
        town_compute(t, out, key_public(town_miner(t, 1)), t->theta, t->rows);
        return;
    case NOISE:
    case NOT_A_NUMBER:
    case HUGE_VALUES:
    case EQUIVOCATOR:
    case LAZY_VALIDATOR: /* somebody must be there to be let through */
        town_compute(t, out, self, t->theta, t->rows);
        spoil(p, out);
        return;
    case HONEST:
    case WITHHOLDER:
    case AUDIT_CLAIMER:
    case FALSE_ACCUSER:
    case MANNERS:
        break;
    }
    POT_ASSERT(false);
}

/* In the first round the theta before is theta. */
static bool is_lying(const struct play *p, size_t miner)
{
    bool lies = p->manner != HONEST && p->manner != WITHHOLDER &&
                p->manner != AUDIT_CLAIMER && p->manner != FALSE_ACCUSER;
    bool can = p->manner != STALE_THETA || p->town.record->round > 0;
    return lies && can && miner == CHEAT;
}

/* What is to be planted is. */
static void add_message(struct play *p, size_t miner, struct town_gradient *g)
{
    struct entry *e = &p->entries[p->count++];
    *e = (struct entry){.miner = miner};
    e->is_plant = town_plants(&p->town, miner, g, &e->secret);
    e->message = town_submission(&p->town, miner, g);
    e->payload = pot_memdup(g->payload, g->size);
    e->size = g->size;
    enum pot_err err = round_submission_decode(&e->opened, e->message);
    POT_ASSERT(err == POT_OK);
}

static bool is_in_roster(const struct play *p, size_t miner)
{
    size_t index;
    return roster_find(roster_of_round(p->town.record),
                       key_public(town_miner(&p->town, miner)), &index);
}

static void submit(struct play *p)
{
    struct town *t = &p->town;
    p->count = 0;
    for (size_t i = 0; i < TOWN_MINERS; i++) {
        struct town_gradient g;
        if (!is_in_roster(p, i)) {
            continue;
        }
        if (is_lying(p, i)) {
            make_false(p, &g);
        } else {
            town_compute(t, &g, key_public(town_miner(t, i)), t->theta,
                         t->rows);
        }
        add_message(p, i, &g);
        town_gradient_fini(&g);
    }
    if (p->manner == EQUIVOCATOR && is_in_roster(p, CHEAT)) {
        struct town_gradient g;
        town_compute(t, &g, key_public(town_miner(t, CHEAT)), t->theta,
                     t->rows);
        add_message(p, CHEAT, &g);
        town_gradient_fini(&g);
    }
}

static void drop_entries(struct play *p)
{
    for (size_t i = 0; i < p->count; i++) {
        round_submission_fini(&p->entries[i].opened);
        codec_free(p->entries[i].message);
        free(p->entries[i].payload);
    }
    p->count = 0;
}

/* ---- what validators say */

/* The audit: bytes and loss; with the secret of a plant that was exposed, or
 * NULL. */
static Pot__Verdict audit(struct play *p, const struct entry *e,
                          const struct hash *secret)
{
    struct town_gradient own;
    struct audit_result result;
    town_compute(&p->town, &own, &e->opened.miner, p->town.theta, p->town.rows);
    audit_compare_exact(&result, &p->town.shape, &p->town.form,
                        &e->opened.payload, own.sums, own.divisor, secret);
    bool is_loss = own.loss == e->opened.body->loss;
    town_gradient_fini(&own);
    if (is_loss && result.verdict == AUDIT_PLANTED) {
        return POT__VERDICT__VERDICT_PLANTED;
    }
    return is_loss && result.verdict == AUDIT_EQUAL
               ? POT__VERDICT__VERDICT_ACCEPT_AUDITED
               : POT__VERDICT__VERDICT_REFUSE;
}

static bool is_well_formed(const struct play *p, const struct entry *e)
{
    struct gradient gradient;
    int8_t *room = pot_alloc(p->town.shape.parameter_count);
    enum pot_err err =
        ledger_open_payload(&gradient, room, p->town.record, &p->town.shape,
                            &e->opened, e->payload, e->size);
    free(room);
    return err == POT_OK;
}

/* Each validator takes a miner's first one; of an equivocator two hear the
 * other one first, and a withholder lets one of them fetch its payload. */
static bool is_heard(const struct play *p, size_t validator, size_t entry)
{
    bool is_cheats = p->entries[entry].miner == CHEAT;
    if (p->manner == EQUIVOCATOR && is_cheats) {
        return (validator < 2) == (entry == CHEAT);
    }
    return p->manner != WITHHOLDER || !is_cheats || validator == 0;
}

/* One validator claims to have audited all. */
static bool is_lazy(const struct play *p)
{
    return p->manner == LAZY_VALIDATOR || p->manner == AUDIT_CLAIMER;
}

/* As many as may be dishonest audit nothing, and leave out what they have
 * drawn. */
static bool is_left_out(const struct play *p, size_t validator,
                        const struct entry *e)
{
    return !is_lazy(p) && validator >= TOWN_VALIDATORS - TOWN_FAULTS &&
           town_draws(&p->town, validator, &e->opened.miner);
}

static Pot__Verdict judge(struct play *p, size_t validator, struct entry *e)
{
    bool is_false =
        e->is_plant || (is_lying(p, e->miner) && e != &p->entries[TOWN_MINERS]);
    if (is_lazy(p) && validator == CHEAT) {
        return POT__VERDICT__VERDICT_ACCEPT_AUDITED;
    }
    if (!is_well_formed(p, e)) {
        p->audits++;
        p->found++;
        return POT__VERDICT__VERDICT_REFUSE;
    }
    if (!town_draws(&p->town, validator, &e->opened.miner)) {
        return POT__VERDICT__VERDICT_ACCEPT;
    }
    Pot__Verdict verdict = audit(p, e, NULL);
    bool is_equal = verdict == POT__VERDICT__VERDICT_ACCEPT_AUDITED;
    p->audits += is_false ? 1 : 0;
    p->found += is_false && !is_equal ? 1 : 0;
    p->wronged += !is_false && !is_equal ? 1 : 0;
    e->accuser = is_equal ? e->accuser : town_validator(&p->town, validator);
    return verdict;
}

static Pot__Signed *attest(struct play *p, size_t validator)
{
    Pot__Judgement judgements[ENTRIES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < p->count; i++) {
        if (is_heard(p, validator, i) &&
            !is_left_out(p, validator, &p->entries[i])) {
            pot__judgement__init(&judgements[count]);
            judgements[count].submission =
                codec_bytes(p->entries[i].opened.hash.b, HASH_SIZE);
            judgements[count++].verdict = judge(p, validator, &p->entries[i]);
        }
    }
    return town_attestation(&p->town, validator, p->town.record->round,
                            judgements, count);
}

/* ---- the round, and what follows */

static void close_round(struct play *p, Pot__Signed *const *attestations)
{
    struct candidate_submission submissions[ENTRIES_MAX];
    struct candidate_attestation heard[TOWN_VALIDATORS];
    const struct round_candidate candidate = {
        .task = p->town.task,
        .submissions = submissions,
        .submission_count = p->count,
        .attestations = heard,
        .attestation_count = TOWN_VALIDATORS,
    };
    for (size_t i = 0; i < p->count; i++) {
        submissions[i].opened = p->entries[i].opened;
        submissions[i].message = p->entries[i].message;
    }
    for (size_t i = 0; i < TOWN_VALIDATORS; i++) {
        enum pot_err err =
            round_attestation_decode(&heard[i].opened, attestations[i]);
        POT_ASSERT(err == POT_OK);
        heard[i].message = attestations[i];
    }
    town_close_round(&p->town, &candidate);
    for (size_t i = 0; i < TOWN_VALIDATORS; i++) {
        round_attestation_fini(&heard[i].opened);
    }
}

static int compare_words(const void *a, const void *b)
{
    const Pot__Signed *const *x = a;
    const Pot__Signed *const *y = b;
    return memcmp((*x)->public_key.data, (*y)->public_key.data,
                  PUBLIC_KEY_SIZE);
}

/* All but a lazy one compute it again. */
static void referee(struct play *p, struct entry *e)
{
    Pot__Signed *words[TOWN_VALIDATORS];
    size_t count = 0;
    Pot__Judgement judgement = POT__JUDGEMENT__INIT;
    struct hash name = e->opened.hash;
    if (e->is_plant) {
        plant_name(&name, &name, &e->secret);
    }
    judgement.submission = codec_bytes(name.b, HASH_SIZE);
    judgement.verdict = audit(p, e, e->is_plant ? &e->secret : NULL);
    for (size_t i = is_lazy(p) ? 1 : 0; i < TOWN_VALIDATORS; i++) {
        words[count++] =
            town_attestation(&p->town, i, p->town.record->round, &judgement, 1);
    }
    qsort(words, count, sizeof(*words), compare_words);
    town_settle(&p->town, town_validator(&p->town, 3), &e->opened.hash, words,
                count);
    for (size_t i = 0; i < count; i++) {
        codec_free(words[i]);
    }
}

/* Who refused what was counted all the same challenges it.  A plant is exposed
 * then, or by its miner, as there is one who claims to have audited it. */
static void challenge(struct play *p)
{
    for (size_t i = 0; i < p->count; i++) {
        struct entry *e = &p->entries[i];
        const struct key *by = e->accuser;
        if (p->manner == FALSE_ACCUSER && e->miner == 1) {
            by = town_validator(&p->town, CHEAT);
        }
        if (by != NULL && town_challenge(&p->town, by, e->message, NULL)) {
            p->challenges++;
            if (e->is_plant) {
                town_expose(&p->town, town_miner(&p->town, e->miner),
                            &e->opened.hash, &e->secret);
            }
            referee(p, e);
        } else if (e->is_plant &&
                   town_challenge(&p->town, town_miner(&p->town, e->miner),
                                  e->message, &e->secret)) {
            p->challenges++;
            referee(p, e);
        }
    }
}

static void play_round(struct play *p)
{
    Pot__Signed *attestations[TOWN_VALIDATORS];
    town_begin(&p->town);
    submit(p);
    for (size_t i = 0; i < TOWN_VALIDATORS; i++) {
        attestations[i] = attest(p, i);
    }
    close_round(p, attestations);
    challenge(p);
    town_enter(&p->town, town_miner(&p->town, CHEAT));
    town_end_block(&p->town);
    for (size_t i = 0; i < TOWN_VALIDATORS; i++) {
        codec_free(attestations[i]);
    }
    drop_entries(p);
}

/* ---- the table */

struct outcome {
    double worth;  /* what the adversary is richer by, POT */
    double honest; /* what its like was, on average */
};

static const struct key *actor(const struct town *t, bool is_validator,
                               size_t i)
{
    return is_validator ? town_validator(t, i) : town_miner(t, i);
}

/* Proposers take fees and a share of their own: validator 1 is left out. */
static struct outcome gains(const struct play *p, const uint64_t *before)
{
    struct outcome out = {0, 0};
    bool is_validator = is_validators(p->manner);
    size_t first = is_validator ? 2 : 1;
    size_t end = is_validator ? TOWN_VALIDATORS : TOWN_MINERS;
    for (size_t i = 0; i < end; i++) {
        const struct key *key = actor(&p->town, is_validator, i);
        double gain = ((double)town_worth(&p->town, key) - (double)before[i]) /
                      (double)AMOUNT_UNITS_PER_POT;
        if (i == CHEAT) {
            out.worth = gain;
        } else if (i >= first) {
            out.honest += gain / (double)(end - first);
        }
    }
    return out;
}

static bool is_honest_miner_slashed(const struct play *p)
{
    bool is_slashed = false;
    bool is_cheats = is_validators(p->manner) && p->manner != LAZY_VALIDATOR;
    for (size_t i = is_cheats ? 0 : 1; i < TOWN_MINERS; i++) {
        struct account account;
        (void)ledger_account(&p->town.env.state,
                             key_public(town_miner(&p->town, i)), &account);
        is_slashed |= account.slashed > 0;
    }
    return is_slashed;
}

static bool play(enum manner manner, uint32_t rounds, uint32_t rate_ppm)
{
    struct play *p = pot_calloc(1, sizeof(*p));
    uint64_t before[TOWN_MINERS];
    p->manner = manner;
    town_open(&p->town, rounds, rate_ppm,
              manner == AUDIT_CLAIMER ? PLANT_RATE_PPM : 0,
              manner == STEP_SKIPPER ? LOCAL_STEPS : 1);
    for (size_t i = 0; i < TOWN_MINERS; i++) {
        before[i] = is_validators(manner) && i >= TOWN_VALIDATORS
                        ? 0
                        : town_worth(&p->town,
                                     actor(&p->town, is_validators(manner), i));
    }
    for (uint32_t i = 0; i < rounds; i++) {
        play_round(p);
    }
    struct outcome gain = gains(p, before);
    bool is_slashed = is_honest_miner_slashed(p);
    printf("| %s | %s | %" PRIu64 " | %" PRIu64 " | %" PRIu64
           " | %.2f | %.2f | %s |\n",
           manners[manner].name, manners[manner].does, p->audits, p->found,
           p->challenges, gain.worth, gain.honest, is_slashed ? "yes" : "no");
    bool is_good = p->audits == p->found && p->wronged == 0 && !is_slashed &&
                   (manner == HONEST || gain.worth < gain.honest);
    town_close(&p->town);
    free(p);
    return is_good;
}

int main(int argc, char **argv)
{
    uint32_t rounds = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 200;
    double rate = argc > 2 ? strtod(argv[2], NULL) : 0.25;
    bool is_good = true;
    if (sodium_init() < 0 || rounds == 0 || !(rate > 0 && rate <= 1)) {
        (void)fprintf(stderr, "usage: adversaries [ROUNDS [AUDIT_RATE]]\n");
        return 2;
    }
    printf("%" PRIu32 " rounds each, %d miners, %d validators, audit rate %g\n"
           "\n| adversary | does | audits of it | found out | challenges |"
           " gained, POT | an honest one, POT | honest miners slashed |\n"
           "| --- | --- | --- | --- | --- | --- | --- | --- |\n",
           rounds, TOWN_MINERS, TOWN_VALIDATORS, rate);
    for (int m = 0; m < MANNERS; m++) {
        is_good &= play((enum manner)m, rounds, (uint32_t)(rate * PPM_ONE));
        (void)fflush(stdout);
    }
    return is_good ? 0 : 1;
}
