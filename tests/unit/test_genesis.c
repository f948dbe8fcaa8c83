#include "config.h"

#include "proto/genesis.h"

#include "base/buf.h"
#include "proto/codec.h"
#include "proto/genesis_params.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Two validators (the second mines too), one more account, ascending. */
struct fixture {
    Pot__Genesis genesis;
    Pot__GenesisParams params;
    Pot__GenesisAccount account_of[3];
    Pot__GenesisAccount *accounts[3];
    Pot__GenesisStake stake_of[3];
    Pot__GenesisStake *stakes[3];
    struct public_key keys[3];
};

static int compare_keys(const void *a, const void *b)
{
    return public_key_compare(a, b);
}

static void add_stake(struct fixture *f, size_t i, size_t key,
                      Pot__StakeRole role, uint64_t amount, char *moniker)
{
    pot__genesis_stake__init(&f->stake_of[i]);
    f->stake_of[i].address = codec_bytes(f->keys[key].b, PUBLIC_KEY_SIZE);
    f->stake_of[i].role = role;
    f->stake_of[i].amount = amount;
    f->stake_of[i].moniker = moniker;
    f->stakes[i] = &f->stake_of[i];
}

static void fixture_init(struct fixture *f)
{
    static char chain_id[] = "pot-test";
    static char alice[] = "alice";
    static char bob[] = "bob";
    for (uint8_t i = 0; i < 3; i++) {
        uint8_t seed[32] = {i};
        struct key *key = key_from_seed(seed);
        f->keys[i] = *key_public(key);
        key_free(key);
    }
    qsort(f->keys, 3, sizeof(f->keys[0]), compare_keys);
    pot__genesis__init(&f->genesis);
    genesis_params_default(&f->params);
    f->genesis.params = &f->params;
    f->genesis.chain_id = chain_id;
    f->genesis.time_ms = 1700000000000;
    for (size_t i = 0; i < 3; i++) {
        pot__genesis_account__init(&f->account_of[i]);
        f->account_of[i].address = codec_bytes(f->keys[i].b, PUBLIC_KEY_SIZE);
        f->account_of[i].balance = 5 + i;
        f->accounts[i] = &f->account_of[i];
    }
    f->genesis.n_accounts = 3;
    f->genesis.accounts = f->accounts;
    uint64_t validator = f->params.min_validator_stake;
    add_stake(f, 0, 1, POT__STAKE_ROLE__STAKE_VALIDATOR, validator, alice);
    add_stake(f, 1, 0, POT__STAKE_ROLE__STAKE_VALIDATOR, validator, bob);
    add_stake(f, 2, 0, POT__STAKE_ROLE__STAKE_MINER, f->params.min_miner_stake,
              bob);
    f->genesis.n_stakes = 3;
    f->genesis.stakes = f->stakes;
}

static void a_genesis_survives_its_file(void **state)
{
    (void)state;
    struct fixture f;
    char why[GENESIS_WHY_SIZE] = "";
    fixture_init(&f);
    assert_int_equal(genesis_check(&f.genesis, why), POT_OK);
    char *text = genesis_format(&f.genesis);
    Pot__Genesis *again;
    assert_int_equal(genesis_parse(&again, text, strlen(text), why), POT_OK);
    struct hash a;
    struct hash b;
    genesis_hash(&a, &f.genesis);
    genesis_hash(&b, again);
    assert_true(hash_equal(&a, &b));
    struct validator_set set;
    genesis_validators(&set, again);
    assert_int_equal(set.count, 2);
    assert_true(public_key_equal(&set.keys[0], &f.keys[1]));
    assert_true(public_key_equal(&set.keys[1], &f.keys[0]));
    codec_free(again);
    free(text);
}

static void every_value_enters_the_hash(void **state)
{
    (void)state;
    struct fixture f;
    struct hash a;
    struct hash b;
    fixture_init(&f);
    genesis_hash(&a, &f.genesis);
    f.account_of[0].balance++;
    genesis_hash(&b, &f.genesis);
    assert_false(hash_equal(&a, &b));
    chain_id_hash(&a, "pot-test");
    chain_id_hash(&b, "pot-test2");
    assert_false(hash_equal(&a, &b));
}

/* Replaces the first `from` in the good file by `to`. */
static char *edited(const char *from, const char *to)
{
    struct fixture f;
    struct buf out;
    fixture_init(&f);
    char *text = genesis_format(&f.genesis);
    char *at = strstr(text, from);
    assert_non_null(at);
    buf_init(&out, 1 << 20);
    buf_append(&out, text, (size_t)(at - text));
    buf_append(&out, to, strlen(to));
    buf_append(&out, at + strlen(from), strlen(at + strlen(from)));
    char *result = strdup(buf_text(&out));
    buf_fini(&out);
    free(text);
    return result;
}

static void faults_are_refused_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        const char *to;
        const char *why;
    } cases[] = {
        {"\"chain_id\"", "\"chain\"", "chain: unknown key"},
        {"pot-test", "Pot Test", "chain_id: must be"},
        {"1700000000000", "-1", "time_ms: must be a whole number"},
        {"1700000000000", "1.5", "time_ms: must be a whole number"},
        {"\"epoch_blocks\": 100", "\"epoch_blocks\": 0",
         "params.epoch_blocks: must be 1 to"},
        {"\"epoch_blocks\": 100,", "", "params.epoch_blocks: missing"},
        {"\"epoch_blocks\": 100", "\"epoch_blocks\": 1, \"epoch_blocks\": 2",
         "line "},
        {"\"attesting_bps\": 1000", "\"attesting_bps\": 9600",
         "add up to more than 10000"},
        {"\"balance\": \"5\"", "\"balance\": 5", "accounts[0].balance: must"},
        {"\"balance\": \"5\"", "\"balance\": \"05\"", "accounts[0].balance"},
        {"\"balance\": \"5\"", "\"balance\": \"\"", "accounts[0].balance"},
        {"\"balance\": \"5\"", "\"balance\": \"-5\"", "accounts[0].balance"},
        {"\"balance\": \"5\"", "\"balance\": \"18446744073709551616\"",
         "accounts[0].balance"},
        {"\"balance\": \"5\"", "\"balance\": \"18446744073709551615\"",
         "add up to more than 2^64"},
        {"\"address\": \"pot1", "\"address\": \"pot2", "accounts[0].address"},
        {"\"role\": \"validator\"", "\"role\": \"miner\"",
         "stakes[1].role: validators must stand before miners"},
        {"\"role\": \"validator\"", "\"role\": \"boss\"", "stakes[0].role"},
        {"\"amount\": \"10000000000000\"", "\"amount\": \"1\"",
         "stakes[0].amount: a validator needs at least 10000 POT"},
        {"\"moniker\": \"bob\"", "\"moniker\": \"eve\"", "has two monikers"},
        {"\"moniker\": \"bob\"", "\"moniker\": \"a\\nb\"",
         "stakes[1].moniker: at most 64 bytes"},
        {"\"accounts\": [", "\"accounts\": [7,", "accounts[0]: must be an"},
        {"{", "[", "line "},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char why[GENESIS_WHY_SIZE] = "";
        Pot__Genesis *out;
        char *text = edited(cases[i].from, cases[i].to);
        enum pot_err err = genesis_parse(&out, text, strlen(text), why);
        if (err != POT_EFORMAT || strstr(why, cases[i].why) == NULL) {
            fail_msg("%s -> %s: %s, \"%s\"", cases[i].from, cases[i].to,
                     err_text(err), why);
        }
        assert_null(out);
        free(text);
    }
}

static void order_and_repeats_are_refused(void **state)
{
    (void)state;
    struct fixture f;
    char why[GENESIS_WHY_SIZE] = "";
    fixture_init(&f);
    f.accounts[0] = &f.account_of[1];
    f.accounts[1] = &f.account_of[0];
    assert_int_equal(genesis_check(&f.genesis, why), POT_EFORMAT);
    assert_non_null(strstr(why, "accounts[1].address: accounts must stand"));
    fixture_init(&f);
    f.accounts[1] = &f.account_of[0];
    assert_int_equal(genesis_check(&f.genesis, why), POT_EFORMAT);
    fixture_init(&f);
    f.stakes[1] = &f.stake_of[0];
    assert_int_equal(genesis_check(&f.genesis, why), POT_EFORMAT);
    assert_non_null(strstr(why, "stands twice as a validator"));
    fixture_init(&f);
    f.genesis.n_stakes = 0;
    assert_int_equal(genesis_check(&f.genesis, why), POT_EFORMAT);
    assert_non_null(strstr(why, "1 to 128 validators"));
}

static void a_missing_file_is_named_so(void **state)
{
    (void)state;
    char why[GENESIS_WHY_SIZE] = "";
    Pot__Genesis *out;
    assert_int_equal(genesis_load(&out, "/nonexistent/genesis.json", why),
                     POT_ENOENT);
    assert_string_equal(why, "not found");
    assert_null(out);
}

/* Even of a chain of small blocks that come as fast as they can, hundreds a
 * second, the window is minutes: who leaves evidence out is replaced long
 * before its end. */
static void evidence_cannot_be_sat_out_with_the_usual_values(void **state)
{
    (void)state;
    struct fixture f;
    char why[GENESIS_WHY_SIZE] = "";
    fixture_init(&f);
    assert_true(f.params.evidence_blocks_max >= 100000);
    assert_true(f.params.unbonding_blocks > f.params.evidence_blocks_max);
    assert_int_equal(genesis_check(&f.genesis, why), POT_OK);
    f.params.unbonding_blocks = f.params.evidence_blocks_max - 1;
    assert_int_equal(genesis_check(&f.genesis, why), POT_EFORMAT);
    assert_non_null(strstr(why, "no sooner than evidence against it expires"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_genesis_survives_its_file),
        cmocka_unit_test(every_value_enters_the_hash),
        cmocka_unit_test(faults_are_refused_with_their_place),
        cmocka_unit_test(order_and_repeats_are_refused),
        cmocka_unit_test(a_missing_file_is_named_so),
        cmocka_unit_test(evidence_cannot_be_sat_out_with_the_usual_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
