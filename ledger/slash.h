/* slash: evidence against the state: a validator that contradicted itself
 * loses a share of its stake, and whoever found that is paid.
 *
 * One punishment covers all that the accused has done until then: two
 * machines with one key contradict each other at every height, and that is
 * one fault.  It is jailed, which means that the next election passes it
 * over, until it stakes again; only what it does after that is punished
 * again.
 *
 * slash_equivocation_bps of its stake as a validator and of what of that is
 * unbonding are taken; finder_bps of that go to the finder, the rest is burnt
 * (SupplyRecord.burnt).  All of it rounded down, part by part. */
#ifndef POT_LEDGER_SLASH_H
#define POT_LEDGER_SLASH_H

#include <stdint.h>

#include "base/err.h"
#include "ledger/state.h"
#include "proto/chain.pb-c.h"
#include "proto/evidence.h"

struct ledger_block;
struct ledger_env;

/* ledger_check_evidence: whether a block at this height could take it;
 * writes nothing.  Unless is_checked, evidence_check is asked too. */
POT_MUST_USE enum evidence_verdict ledger_check_evidence(
    const struct ledger_env *env, uint64_t height, const Pot__Signed *proof,
    bool is_checked);

/* ledger_make_evidence: punishes, and says in *out, fresh memory of
 * codec_free, what a block holds of it; NULL, and nothing written, unless
 * EVIDENCE_PROVES. */
POT_MUST_USE enum evidence_verdict ledger_make_evidence(
    const struct ledger_env *env, const struct ledger_block *block,
    const Pot__Signed *proof, Pot__Evidence **out);

/* ledger_apply_evidence: the same for what stands in a block, and that its
 * amounts are right; signatures are always checked.  Unless EVIDENCE_PROVES
 * what was written is worthless. */
POT_MUST_USE enum evidence_verdict ledger_apply_evidence(
    const struct ledger_env *env, const struct ledger_block *block,
    const Pot__Evidence *evidence);

/* slash_validator: takes the punishment described above and returns what that
 * came to; nothing is paid or burnt yet.  The ledger's own. */
uint64_t slash_validator(const struct state *state,
                         const Pot__GenesisParams *params,
                         const struct public_key *accused);

/* evidence_verdict_is_final: it will be refused in every later state, too. */
bool evidence_verdict_is_final(enum evidence_verdict verdict);

/* evidence_verdict_is_of_state: another state may say otherwise; the rest is
 * told from the proof alone. */
bool evidence_verdict_is_of_state(enum evidence_verdict verdict);

#endif
