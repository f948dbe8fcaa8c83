#include "config.h"

#include "ledger/slash.h"

#include "base/alloc.h"
#include "base/amount.h"
#include "base/check.h"
#include "ledger/account.h"
#include "ledger/epoch.h"
#include "ledger/keys.h"
#include "ledger/ledger.h"
#include "ledger/list.h"
#include "ledger/record.h"
#include "proto/codec.h"
#include "proto/signed.h"

/* A proof, as the ledger looks at it. */
struct charge {
    const struct state *state;
    const Pot__GenesisParams *params;
    uint64_t height; /* of the block that takes it */
    struct public_key accused;
    struct public_key finder;
    uint64_t fault_height;
};

bool evidence_verdict_is_final(enum evidence_verdict verdict)
{
    switch (verdict) {
    case EVIDENCE_PROVES:
    case EVIDENCE_EARLY:
        return false;
    case EVIDENCE_MALFORMED:
    case EVIDENCE_ORDER:
    case EVIDENCE_NO_CONFLICT:
    case EVIDENCE_FORGED:
    case EVIDENCE_UNSIGNED:
    case EVIDENCE_OWN:
    case EVIDENCE_EXPIRED:
    case EVIDENCE_NO_VALIDATOR:
    case EVIDENCE_PUNISHED:
    case EVIDENCE_AMOUNTS:
        break;
    }
    return true;
}

bool evidence_verdict_is_of_state(enum evidence_verdict verdict)
{
    switch (verdict) {
    case EVIDENCE_PROVES:
    case EVIDENCE_EARLY:
    case EVIDENCE_EXPIRED:
    case EVIDENCE_NO_VALIDATOR:
    case EVIDENCE_PUNISHED:
    case EVIDENCE_AMOUNTS:
        break;
    case EVIDENCE_MALFORMED:
    case EVIDENCE_ORDER:
    case EVIDENCE_NO_CONFLICT:
    case EVIDENCE_FORGED:
    case EVIDENCE_UNSIGNED:
    case EVIDENCE_OWN:
        return false;
    }
    return true;
}

/* Age first: of a height that is too old the signers are forgotten. */
static enum evidence_verdict judge(const struct charge *c)
{
    struct account account;
    struct validator_set signers;
    uint32_t index;
    if (public_key_equal(&c->accused, &c->finder)) {
        return EVIDENCE_OWN;
    }
    if (c->fault_height > c->height) {
        return EVIDENCE_EARLY;
    }
    if (c->height - c->fault_height > c->params->evidence_blocks_max) {
        return EVIDENCE_EXPIRED;
    }
    if (!epoch_signers(c->state, c->params, c->fault_height, &signers) ||
        !validator_set_find(&index, &signers, &c->accused)) {
        return EVIDENCE_NO_VALIDATOR;
    }
    ledger_account(c->state, &c->accused, &account);
    return account.is_jailed || c->fault_height <= account.forgiven_height
               ? EVIDENCE_PUNISHED
               : EVIDENCE_PROVES;
}

static enum evidence_verdict charge_open(struct charge *c,
                                         const struct ledger_env *env,
                                         const Pot__Signed *proof)
{
    Pot__EvidenceBody *body = evidence_decode(proof);
    if (body == NULL) {
        return EVIDENCE_MALFORMED;
    }
    bool is_key = codec_key(&c->accused, body->validator) &&
                  codec_key(&c->finder, proof->public_key);
    POT_ASSERT(is_key);
    c->state = &env->state;
    c->fault_height = body->height;
    codec_free(body);
    return judge(c);
}

/* What can be told from the proof alone comes last: it costs most. */
enum evidence_verdict ledger_check_evidence(const struct ledger_env *env,
                                            uint64_t height,
                                            const Pot__Signed *proof,
                                            bool is_checked)
{
    Pot__SupplyRecord *supply = ledger_supply(&env->state);
    struct charge charge = {.params = supply->params, .height = height};
    enum evidence_verdict verdict = charge_open(&charge, env, proof);
    codec_free(supply);
    return verdict == EVIDENCE_PROVES && !is_checked
               ? evidence_check(&env->chain, proof)
               : verdict;
}

/* ---- the punishment */

static uint64_t cut(uint64_t *amount, uint32_t bps)
{
    struct amount taken = amount_part((struct amount){*amount}, bps, BPS_ONE);
    *amount -= taken.units;
    return taken.units;
}

uint64_t slash_validator(const struct state *state,
                         const Pot__GenesisParams *params,
                         const struct public_key *accused)
{
    struct account account;
    uint32_t bps = params->slash_equivocation_bps;
    ledger_account(state, accused, &account);
    bool is_staker = account.stake_validator > 0;
    uint64_t slashed = cut(&account.stake_validator, bps);
    for (size_t i = 0; i < account.unbonding_count; i++) {
        slashed += cut(&account.unbonding[i].amount, bps);
    }
    account.slashed += slashed;
    account.is_jailed = true;
    account_store(state, accused, &account);
    if (is_staker && account.stake_validator == 0) {
        list_remove(state, keys_stakers_validator(), accused->b);
    }
    return slashed;
}

static void reward(const struct charge *c, uint64_t amount)
{
    struct account account;
    if (amount == 0) {
        return;
    }
    ledger_account(c->state, &c->finder, &account);
    POT_ASSERT(amount <= UINT64_MAX - account.balance);
    account.balance += amount;
    account.earned += amount;
    account_store(c->state, &c->finder, &account);
}

static void punish(const struct charge *c, Pot__SupplyRecord *supply,
                   uint64_t *slashed, uint64_t *rewarded)
{
    *slashed = slash_validator(c->state, c->params, &c->accused);
    *rewarded =
        amount_part((struct amount){*slashed}, c->params->finder_bps, BPS_ONE)
            .units;
    reward(c, *rewarded);
    supply->burnt += *slashed - *rewarded;
    record_store(c->state, keys_supply(), supply);
}

static enum evidence_verdict carry_out(const struct ledger_env *env,
                                       const struct ledger_block *block,
                                       const Pot__Signed *proof,
                                       uint64_t *slashed, uint64_t *rewarded)
{
    enum evidence_verdict verdict = evidence_check(&env->chain, proof);
    if (verdict != EVIDENCE_PROVES) {
        return verdict;
    }
    Pot__SupplyRecord *supply = ledger_supply(&env->state);
    struct charge charge = {.params = supply->params, .height = block->height};
    verdict = charge_open(&charge, env, proof);
    if (verdict == EVIDENCE_PROVES) {
        punish(&charge, supply, slashed, rewarded);
    }
    codec_free(supply);
    return verdict;
}

enum evidence_verdict ledger_make_evidence(const struct ledger_env *env,
                                           const struct ledger_block *block,
                                           const Pot__Signed *proof,
                                           Pot__Evidence **out)
{
    uint64_t slashed;
    uint64_t rewarded;
    *out = NULL;
    enum evidence_verdict verdict =
        carry_out(env, block, proof, &slashed, &rewarded);
    if (verdict == EVIDENCE_PROVES) {
        *out = pot_alloc(sizeof(**out));
        pot__evidence__init(*out);
        (*out)->proof = signed_copy(proof);
        (*out)->slashed = slashed;
        (*out)->rewarded = rewarded;
    }
    return verdict;
}

enum evidence_verdict ledger_apply_evidence(const struct ledger_env *env,
                                            const struct ledger_block *block,
                                            const Pot__Evidence *evidence)
{
    uint64_t slashed;
    uint64_t rewarded;
    if (evidence->proof == NULL) {
        return EVIDENCE_MALFORMED;
    }
    enum evidence_verdict verdict =
        carry_out(env, block, evidence->proof, &slashed, &rewarded);
    if (verdict == EVIDENCE_PROVES &&
        (slashed != evidence->slashed || rewarded != evidence->rewarded)) {
        verdict = EVIDENCE_AMOUNTS;
    }
    return verdict;
}
