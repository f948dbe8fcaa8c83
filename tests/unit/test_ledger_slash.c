/* Evidence against the state: who is punished, how much, and only once. */
#include "config.h"

#include "base/limits.h"
#include "ledger/keys.h"
#include "proto/codec.h"
#include "tests/unit/evidence_fixture.h"
#include "tests/unit/ledger_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const Pot__StakeRole as_validator = POT__STAKE_ROLE__STAKE_VALIDATOR;

static struct account account_of(const struct fixture *f, const struct key *key)
{
    struct account account;
    (void)ledger_account(&f->env.state, key_public(key), &account);
    return account;
}

static uint64_t burnt(const struct fixture *f)
{
    Pot__SupplyRecord *supply = ledger_supply(&f->env.state);
    uint64_t units = supply->burnt;
    codec_free(supply);
    return units;
}

/* Makes it, after check has said the same; *out may be NULL. */
static enum evidence_verdict punish(struct fixture *f, const struct key *key,
                                    uint64_t height, const struct key *finder)
{
    Pot__Evidence *evidence;
    struct hash before;
    struct hash after;
    struct ledger_block block = fixture_block(f, 0);
    Pot__Signed *proof = evidence_of(&f->chain, key, height, finder);
    memory_state_digest(&before, &f->memory);
    enum evidence_verdict checked =
        ledger_check_evidence(&f->env, f->height, proof, false);
    enum evidence_verdict made =
        ledger_make_evidence(&f->env, &block, proof, &evidence);
    assert_int_equal(checked, made);
    memory_state_digest(&after, &f->memory);
    assert_int_equal(hash_equal(&before, &after), made != EVIDENCE_PROVES);
    assert_int_equal(evidence != NULL, made == EVIDENCE_PROVES);
    codec_free(evidence);
    codec_free(proof);
    fixture_check(f);
    return made;
}

static void go_to(struct fixture *f, uint64_t height)
{
    while (f->height < height) {
        fixture_end_block(f);
    }
}

static void the_stake_is_cut_the_finder_paid_the_rest_burnt(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct key *bad = fixture_validator(&f, 1);
    struct key *finder = fixture_validator(&f, 2);
    uint64_t cut = FIXTURE_STAKE / 10;
    go_to(&f, 3);
    assert_int_equal(punish(&f, bad, 2, finder), EVIDENCE_PROVES);
    assert_int_equal(account_of(&f, bad).stake_validator, FIXTURE_STAKE - cut);
    assert_int_equal(account_of(&f, bad).slashed, cut);
    assert_true(account_of(&f, bad).is_jailed);
    assert_int_equal(account_of(&f, finder).balance,
                     FIXTURE_BALANCE + cut / 10);
    assert_int_equal(account_of(&f, finder).earned, cut / 10);
    assert_int_equal(burnt(&f), cut - cut / 10);
    fixture_close(&f);
}

static void a_fault_is_punished_once(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct key *bad = fixture_validator(&f, 1);
    go_to(&f, 5);
    assert_int_equal(punish(&f, bad, 2, fixture_validator(&f, 2)),
                     EVIDENCE_PROVES);
    for (uint64_t height = 1; height <= 5; height++) {
        assert_int_equal(punish(&f, bad, height, fixture_validator(&f, 3)),
                         EVIDENCE_PUNISHED);
    }
    assert_int_equal(
        punish(&f, fixture_validator(&f, 3), 2, fixture_validator(&f, 2)),
        EVIDENCE_PROVES);
    fixture_close(&f);
}

static void who_is_jailed_is_not_elected_until_it_stakes_again(void **state)
{
    (void)state;
    struct fixture f;
    struct validator_set set;
    uint32_t index;
    fixture_open(&f);
    struct key *bad = fixture_validator(&f, 1);
    assert_int_equal(fixture_stake(&f, bad, as_validator, FIXTURE_STAKE),
                     TX_ACCEPTED); /* more than the minimum after the slash */
    assert_int_equal(punish(&f, bad, 1, fixture_validator(&f, 2)),
                     EVIDENCE_PROVES);
    go_to(&f, 12);
    ledger_validators(&f.env.state, &set);
    assert_int_equal(set.count, 3);
    assert_false(validator_set_find(&index, &set, key_public(bad)));
    assert_int_equal(fixture_stake(&f, bad, as_validator, 1), TX_ACCEPTED);
    assert_false(account_of(&f, bad).is_jailed);
    assert_int_equal(punish(&f, bad, 3, fixture_validator(&f, 2)),
                     EVIDENCE_PUNISHED); /* of before it came back */
    go_to(&f, 22);
    ledger_validators(&f.env.state, &set);
    assert_int_equal(set.count, 4);
    assert_true(validator_set_find(&index, &set, key_public(bad)));
    assert_int_equal(punish(&f, bad, 21, fixture_validator(&f, 2)),
                     EVIDENCE_PROVES);
    fixture_close(&f);
}

static void what_is_unbonding_is_cut_too(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct key *bad = fixture_validator(&f, 1);
    uint64_t cut = FIXTURE_STAKE / 10;
    assert_int_equal(fixture_unstake(&f, bad, as_validator, FIXTURE_STAKE),
                     TX_ACCEPTED);
    go_to(&f, 15); /* it left the set, and is punished all the same */
    assert_int_equal(punish(&f, bad, 9, fixture_validator(&f, 2)),
                     EVIDENCE_PROVES);
    assert_int_equal(account_of(&f, bad).slashed, cut);
    assert_int_equal(account_of(&f, bad).unbonding[0].amount,
                     FIXTURE_STAKE - cut);
    uint64_t balance = account_of(&f, bad).balance;
    go_to(&f, 10 + f.params.unbonding_blocks);
    assert_int_equal(account_of(&f, bad).balance, balance);
    go_to(&f, 11 + f.params.unbonding_blocks);
    assert_int_equal(account_of(&f, bad).balance,
                     balance + FIXTURE_STAKE - cut);
    assert_int_equal(account_of(&f, bad).unbonding_count, 0);
    fixture_close(&f);
}

/* The last block in which evidence is good is the last before the stake is
 * free. */
static void a_stake_is_free_when_evidence_has_expired(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct key *bad = fixture_validator(&f, 1);
    assert_int_equal(fixture_unstake(&f, bad, as_validator, FIXTURE_STAKE),
                     TX_ACCEPTED);
    go_to(&f, 10 + f.params.evidence_blocks_max);
    assert_int_equal(account_of(&f, bad).unbonding_count, 1);
    assert_int_equal(punish(&f, bad, 9, fixture_validator(&f, 2)),
                     EVIDENCE_EXPIRED);
    assert_int_equal(punish(&f, bad, 10, fixture_validator(&f, 2)),
                     EVIDENCE_PROVES);
    fixture_close(&f);
}

static void each_refusal_has_its_verdict(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct key *bad = fixture_validator(&f, 1);
    struct key *finder = fixture_validator(&f, 2);
    assert_int_equal(punish(&f, bad, 1, bad), EVIDENCE_OWN);
    assert_int_equal(punish(&f, bad, 2, finder), EVIDENCE_EARLY);
    assert_int_equal(punish(&f, fixture_miner(&f, 0), 1, finder),
                     EVIDENCE_NO_VALIDATOR);
    go_to(&f, 2 + f.params.evidence_blocks_max);
    assert_int_equal(punish(&f, bad, 1, finder), EVIDENCE_EXPIRED);
    assert_int_equal(punish(&f, bad, 2, fixture_client(&f, 0)),
                     EVIDENCE_PROVES); /* anyone may find it */
    fixture_close(&f);
}

/* A set is known as long as evidence of its time is taken, whoever left. */
static void the_set_of_the_height_decides(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct key *left = fixture_validator(&f, 1);
    struct key *came = fixture_client(&f, 1);
    struct key *finder = fixture_validator(&f, 2);
    assert_int_equal(fixture_unstake(&f, left, as_validator, FIXTURE_STAKE),
                     TX_ACCEPTED);
    assert_int_equal(fixture_stake(&f, came, as_validator, FIXTURE_STAKE),
                     TX_ACCEPTED);
    go_to(&f, 30);
    assert_int_equal(punish(&f, left, 11, finder), EVIDENCE_NO_VALIDATOR);
    assert_int_equal(punish(&f, came, 10, finder), EVIDENCE_NO_VALIDATOR);
    assert_int_equal(punish(&f, left, 10, finder), EVIDENCE_PROVES);
    assert_int_equal(punish(&f, came, 11, finder), EVIDENCE_PROVES);
    fixture_close(&f);
}

static size_t count_signers(const struct fixture *f)
{
    return memory_state_count(&f->memory, "signers/");
}

static void old_sets_are_forgotten(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    go_to(&f, 200);
    uint64_t reach = f.params.evidence_blocks_max / f.params.epoch_blocks;
    assert_in_range(count_signers(&f), reach + 1, reach + 3);
    fixture_close(&f);
}

static void amounts_in_a_block_must_be_right(void **state)
{
    (void)state;
    struct fixture f;
    struct memory_state copy;
    fixture_open(&f);
    Pot__Evidence *evidence;
    struct ledger_block block = fixture_block(&f, 0);
    Pot__Signed *proof = evidence_of(&f.chain, fixture_validator(&f, 1), 1,
                                     fixture_validator(&f, 2));
    memory_state_copy(&copy, &f.memory);
    struct ledger_env env = memory_state_env(&copy, &f.chain);
    assert_int_equal(ledger_make_evidence(&env, &block, proof, &evidence),
                     EVIDENCE_PROVES);
    memory_state_fini(&copy);
    uint64_t *amounts[] = {&evidence->slashed, &evidence->rewarded};
    for (size_t i = 0; i < 2; i++) {
        memory_state_copy(&copy, &f.memory);
        env = memory_state_env(&copy, &f.chain);
        *amounts[i] += 1;
        assert_int_equal(ledger_apply_evidence(&env, &block, evidence),
                         EVIDENCE_AMOUNTS);
        *amounts[i] -= 1;
        memory_state_fini(&copy);
    }
    assert_int_equal(ledger_apply_evidence(&f.env, &block, evidence),
                     EVIDENCE_PROVES);
    assert_int_equal(ledger_apply_evidence(&f.env, &block, evidence),
                     EVIDENCE_PUNISHED); /* the same again in this block */
    codec_free(evidence->proof);
    evidence->proof = NULL;
    assert_int_equal(ledger_apply_evidence(&f.env, &block, evidence),
                     EVIDENCE_MALFORMED);
    codec_free(evidence);
    codec_free(proof);
    fixture_close(&f);
}

/* Whatever a proof says, its signatures are looked at. */
static void forged_evidence_punishes_nobody(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    Pot__Evidence *evidence;
    struct ledger_block block = fixture_block(&f, 0);
    struct key *bad = fixture_validator(&f, 1);
    struct key *finder = fixture_validator(&f, 2);
    const struct evidence_signer signer = {bad, &f.chain, 1};
    const struct evidence_signer forger = {finder, &f.chain, 1};
    const Pot__Phase commit = POT__PHASE__PHASE_COMMIT;
    Pot__Signed *proof = evidence_proof(
        &f.chain, finder,
        evidence_body(&signer, evidence_vote(&signer, commit, 0, 1),
                      evidence_vote(&forger, commit, 0, 2)));
    assert_int_equal(ledger_check_evidence(&f.env, 1, proof, false),
                     EVIDENCE_FORGED);
    assert_int_equal(ledger_make_evidence(&f.env, &block, proof, &evidence),
                     EVIDENCE_FORGED);
    assert_null(evidence);
    codec_free(proof);
    fixture_close(&f);
}

static void a_stake_that_is_gone_is_off_the_list(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    Pot__SupplyRecord *supply = ledger_supply(&f.env.state);
    supply->params->slash_equivocation_bps = BPS_ONE;
    size_t size;
    struct state_key key = keys_supply();
    uint8_t *data = codec_encode(&size, supply);
    f.env.state.put(f.env.state.context, key.b, key.size, data, size);
    free(data);
    codec_free(supply);
    assert_int_equal(
        punish(&f, fixture_validator(&f, 1), 1, fixture_validator(&f, 2)),
        EVIDENCE_PROVES);
    assert_int_equal(account_of(&f, fixture_validator(&f, 1)).stake_validator,
                     0);
    Pot__HashList *stakers = ledger_stakers(&f.env.state, as_validator);
    assert_int_equal(stakers->n_hashes, FIXTURE_VALIDATORS - 1);
    codec_free(stakers);
    assert_int_equal(fixture_stake(&f, fixture_validator(&f, 1), as_validator,
                                   FIXTURE_STAKE),
                     TX_ACCEPTED);
    fixture_close(&f);
}

static void withdrawals_of_an_epoch_end_together(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct key *key = fixture_validator(&f, 1);
    assert_int_equal(fixture_stake(&f, key, as_validator, 300), TX_ACCEPTED);
    go_to(&f, 4);
    assert_int_equal(fixture_unstake(&f, key, as_validator, 100), TX_ACCEPTED);
    go_to(&f, 10);
    assert_int_equal(fixture_unstake(&f, key, as_validator, 100), TX_ACCEPTED);
    go_to(&f, 11);
    assert_int_equal(fixture_unstake(&f, key, as_validator, 100), TX_ACCEPTED);
    struct account account = account_of(&f, key);
    assert_int_equal(account.unbonding_count, 2);
    assert_int_equal(account.unbonding[0].amount, 200);
    assert_int_equal(account.unbonding[0].height,
                     10 + f.params.unbonding_blocks);
    assert_int_equal(account.unbonding[1].height,
                     20 + f.params.unbonding_blocks);
    uint64_t balance = account.balance;
    go_to(&f, 21 + f.params.unbonding_blocks);
    assert_int_equal(account_of(&f, key).balance, balance + 300);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stake_is_cut_the_finder_paid_the_rest_burnt),
        cmocka_unit_test(a_fault_is_punished_once),
        cmocka_unit_test(who_is_jailed_is_not_elected_until_it_stakes_again),
        cmocka_unit_test(what_is_unbonding_is_cut_too),
        cmocka_unit_test(a_stake_is_free_when_evidence_has_expired),
        cmocka_unit_test(each_refusal_has_its_verdict),
        cmocka_unit_test(the_set_of_the_height_decides),
        cmocka_unit_test(old_sets_are_forgotten),
        cmocka_unit_test(amounts_in_a_block_must_be_right),
        cmocka_unit_test(forged_evidence_punishes_nobody),
        cmocka_unit_test(a_stake_that_is_gone_is_off_the_list),
        cmocka_unit_test(withdrawals_of_an_epoch_end_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
