/* Commands on accounts: balance, transfer, stake and unstake. */
#include "config.h"

#include "base/amount.h"
#include "base/suggest.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/given.h"
#include "ctl/sender.h"
#include "ctl/show.h"
#include "proto/codec.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --amount in base units, above zero. */
static enum exit_code parse_amount(uint64_t *out, struct ctl *ctl,
                                   const struct cli_args *args)
{
    const char *text;
    struct amount amount = {0};
    enum exit_code rc = cli_required(&text, ctl, args, "amount");
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    if (amount_parse(&amount, text) != POT_OK) {
        return ctl_fail(ctl, EXIT_CODE_USAGE, "--amount %s: %s", text,
                        given_amount_why(text));
    }
    if (amount.units == 0) {
        return ctl_fail(ctl, EXIT_CODE_USAGE, "--amount %s: must be above 0",
                        text);
    }
    *out = amount.units;
    return EXIT_CODE_DONE;
}

/* ---- balance */

/* Up to when a miner's stake stands for what it was paid for.  False: it was
 * paid for nothing, or has no stake. */
#define BOUND_SIZE (SHOW_TIME_SIZE + 64)
static bool bound_text(char out[static BOUND_SIZE], const json_t *account)
{
    char text[SHOW_TIME_SIZE];
    uint64_t height = client_count(account, "bound_until_height");
    uint64_t time_ms = client_count(account, "bound_until_ms");
    (void)snprintf(out, BOUND_SIZE, "block %" PRIu64 " and %s", height,
                   show_time(text, time_ms));
    return height > 0 && client_units(account, "stake_miner") > 0;
}

/* Whether it may not be taken back in the next block, which is above the tip
 * and later. */
static enum exit_code read_is_bound(bool *is_bound, struct ctl *ctl,
                                    const json_t *account)
{
    json_t *tip;
    enum exit_code rc = client_get(&tip, ctl, "/v1/status");
    *is_bound = client_count(tip, "height") <
                    client_count(account, "bound_until_height") ||
                client_count(tip, "block_time_ms") <
                    client_count(account, "bound_until_ms");
    json_decref(tip);
    return rc;
}

static void print_balance(const json_t *account, bool is_bound)
{
    json_t *one;
    size_t i;
    char text[AMOUNT_TEXT_SIZE];
    char bound[BOUND_SIZE];
    show_text("address", account, "address");
    show_text("moniker", account, "moniker");
    show_units("balance", account, "balance");
    show_units("staked", account, "staked");
    show_units("  as validator", account, "stake_validator");
    show_units("  as miner", account, "stake_miner");
    if (client_count(account, "tasks") > 0) {
        show_field("  bound", "while it is in %" PRIu64 " of the tasks",
                   client_count(account, "tasks"));
    }
    if (bound_text(bound, account) && is_bound) {
        show_field("  bound", "up to %s: it can be challenged", bound);
    }
    json_array_foreach(json_object_get(account, "unbonding"), i, one)
    {
        struct amount amount = {client_units(one, "amount")};
        show_field("  unbonding", "%s POT, free behind block %" PRIu64,
                   amount_format(amount, text), client_count(one, "height"));
    }
    show_units("earned", account, "earned");
    show_units("slashed", account, "slashed");
    if (json_is_true(json_object_get(account, "jailed"))) {
        show_field("jailed", "yes: stake as a validator again to be elected");
    }
    show_count("nonce", account, "nonce");
}

static enum exit_code show_balance(struct ctl *ctl, const char *address)
{
    json_t *account;
    bool is_bound = false;
    enum exit_code rc = client_get(&account, ctl, "/v1/accounts/%s", address);
    if (rc == EXIT_CODE_DONE && !ctl->is_json) {
        rc = read_is_bound(&is_bound, ctl, account);
    }
    if (rc != EXIT_CODE_DONE) {
        json_decref(account);
        return rc;
    }
    if (!ctl->is_json) {
        print_balance(account, is_bound);
    }
    ctl_print_json(ctl, account);
    return EXIT_CODE_DONE;
}

static enum exit_code run_balance(struct ctl *ctl, const struct cli_args *args)
{
    struct public_key key;
    char text[ADDRESS_TEXT_SIZE];
    bool is_encrypted;
    enum exit_code rc;
    if (args->argument_count > 0) {
        rc = given_address(&key, ctl, "", args->arguments[0]);
        if (rc == EXIT_CODE_DONE) {
            (void)address_format(&key, text);
        }
    } else {
        rc = ctl_own_address(text, &is_encrypted, ctl);
    }
    return rc == EXIT_CODE_DONE ? show_balance(ctl, text) : rc;
}

/* ---- transactions */

static enum exit_code send_body(struct ctl *ctl, Pot__TxBody *body,
                                uint64_t spent)
{
    struct sender sender;
    enum exit_code rc = sender_init(&sender, ctl);
    if (rc == EXIT_CODE_DONE) {
        rc = sender_finish(&sender, body, spent);
    }
    sender_fini(&sender);
    return rc;
}

static enum exit_code run_transfer(struct ctl *ctl, const struct cli_args *args)
{
    const char *text;
    struct public_key to;
    Pot__Transfer transfer = POT__TRANSFER__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    enum exit_code rc = cli_required(&text, ctl, args, "to");
    if (rc == EXIT_CODE_DONE) {
        rc = given_address(&to, ctl, "--to ", text);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = parse_amount(&transfer.amount, ctl, args);
    }
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    transfer.to = codec_bytes(to.b, PUBLIC_KEY_SIZE);
    body.action_case = POT__TX_BODY__ACTION_TRANSFER;
    body.transfer = &transfer;
    return send_body(ctl, &body, transfer.amount);
}

static enum exit_code parse_role(Pot__StakeRole *out, struct ctl *ctl,
                                 const struct cli_args *args)
{
    static const char *const roles[] = {"validator", "miner"};
    char hint[SUGGEST_TEXT_SIZE];
    const char *text;
    enum exit_code rc = cli_required(&text, ctl, args, "role");
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    if (strcmp(text, roles[0]) == 0) {
        *out = POT__STAKE_ROLE__STAKE_VALIDATOR;
    } else if (strcmp(text, roles[1]) == 0) {
        *out = POT__STAKE_ROLE__STAKE_MINER;
    } else {
        return ctl_fail(ctl, EXIT_CODE_USAGE,
                        "--role %s: must be validator or miner%s", text,
                        suggest_text(hint, "", text, roles, 2));
    }
    return EXIT_CODE_DONE;
}

/* Amounts as texts: what is there, what was asked, and so on. */
#define TEXTS 4

struct texts {
    char of[TEXTS][AMOUNT_TEXT_SIZE];
};

static struct texts texts_of(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    const uint64_t units[TEXTS] = {a, b, c, d};
    struct texts texts;
    for (size_t i = 0; i < TEXTS; i++) {
        (void)amount_format((struct amount){units[i]}, texts.of[i]);
    }
    return texts;
}

/* A refusal for an amount is told with the amounts; any other as it is.  Asked
 * before, the account would be that of the tip, without what waits. */
static enum exit_code explain(struct sender *sender, const Pot__TxBody *body,
                              enum exit_code rc)
{
    bool is_back = body->action_case == POT__TX_BODY__ACTION_UNSTAKE;
    bool is_miner = (is_back ? body->unstake->role : body->stake->role) ==
                    POT__STAKE_ROLE__STAKE_MINER;
    const char *role = is_miner ? "miner" : "validator";
    uint64_t asked = is_back ? body->unstake->amount : body->stake->amount;
    uint64_t there = is_miner ? sender->stake_miner : sender->stake_validator;
    uint64_t least = is_miner ? sender->params.min_miner_stake
                              : sender->params.min_validator_stake;
    if (rc != EXIT_CODE_REJECTED || (is_back && asked == there)) {
        return rc;
    }
    if (!is_back && there + asked < least) {
        struct texts t = texts_of(there, asked, least, least - there);
        return ctl_fail(sender->ctl, rc,
                        "refused: %s POT are at stake as a %s, %s were to be"
                        " added, and %s is the least; add %s or more",
                        t.of[0], role, t.of[1], t.of[2], t.of[3]);
    }
    if (is_back && asked > there) {
        struct texts t = texts_of(there, asked, 0, 0);
        return ctl_fail(sender->ctl, rc,
                        "refused: %s POT are at stake as a %s, and %s were"
                        " asked back",
                        t.of[0], role, t.of[1]);
    }
    if (is_back && there - asked < least) {
        struct texts t = texts_of(there, asked, least, there - least);
        return ctl_fail(sender->ctl, rc,
                        "refused: %s POT are at stake as a %s, %s were asked"
                        " back, and %s must remain; take back at most %s, or"
                        " all",
                        t.of[0], role, t.of[1], t.of[2], t.of[3]);
    }
    return rc;
}

/* A refusal because a miner's stake is bound is told with its end. */
static enum exit_code explain_bound(struct sender *sender, enum exit_code rc)
{
    char refused[CTL_ERROR_SIZE];
    char bound[BOUND_SIZE];
    json_t *account;
    (void)snprintf(refused, sizeof(refused), "%s", sender->ctl->error);
    if (rc != EXIT_CODE_REJECTED ||
        strstr(refused, "can be challenged still") == NULL) {
        return rc;
    }
    bool is_told = client_get(&account, sender->ctl, "/v1/accounts/%s",
                              sender->address) == EXIT_CODE_DONE &&
                   bound_text(bound, account);
    json_decref(account);
    return ctl_fail(sender->ctl, rc, "%.600s%s%s", refused,
                    is_told ? "; it is bound up to " : "",
                    is_told ? bound : "");
}

static enum exit_code send_stake(struct ctl *ctl, Pot__TxBody *body,
                                 uint64_t spent)
{
    struct sender sender;
    enum exit_code rc = sender_init(&sender, ctl);
    if (rc == EXIT_CODE_DONE) {
        rc = explain(&sender, body, sender_finish(&sender, body, spent));
        rc = explain_bound(&sender, rc);
    }
    sender_fini(&sender);
    return rc;
}

static enum exit_code run_stake(struct ctl *ctl, const struct cli_args *args)
{
    Pot__Stake stake = POT__STAKE__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    enum exit_code rc = parse_role(&stake.role, ctl, args);
    if (rc == EXIT_CODE_DONE) {
        rc = parse_amount(&stake.amount, ctl, args);
    }
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    body.action_case = POT__TX_BODY__ACTION_STAKE;
    body.stake = &stake;
    rc = send_stake(ctl, &body, stake.amount);
    if (rc == EXIT_CODE_DONE &&
        stake.role == POT__STAKE_ROLE__STAKE_VALIDATOR) {
        ctl_note(ctl, "note: run a node with this key as its [validator] key by"
                      " the next epoch: a member that does not vote counts as"
                      " a faulty one");
    }
    return rc;
}

static enum exit_code run_unstake(struct ctl *ctl, const struct cli_args *args)
{
    Pot__Unstake unstake = POT__UNSTAKE__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    enum exit_code rc = parse_role(&unstake.role, ctl, args);
    if (rc == EXIT_CODE_DONE) {
        rc = parse_amount(&unstake.amount, ctl, args);
    }
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    body.action_case = POT__TX_BODY__ACTION_UNSTAKE;
    body.unstake = &unstake;
    return send_stake(ctl, &body, 0);
}

const struct cli_command cmd_balance = {
    .name = "balance",
    .arguments = "[ADDRESS]",
    .summary = "show an account; without ADDRESS that of --key",
    .examples = "  potctl --key alice.key balance\n"
                "  potctl balance pot1... --json\n",
    .arguments_max = 1,
    .run = run_balance,
};

const struct cli_command cmd_transfer = {
    .name = "transfer",
    .arguments = "",
    .summary = "send money to an address",
    .examples = "  potctl --key alice.key transfer --to pot1... --amount 12.5"
                " --wait\n",
    .options = {{"to", "ADDRESS", "who gets it"},
                {"amount", "POT", "how much"}},
    .run = run_transfer,
};

#define STAKE_OPTIONS                                                          \
    {                                                                          \
        {"role", "ROLE", "validator or miner"},                                \
        {                                                                      \
            "amount", "POT", "how much"                                        \
        }                                                                      \
    }

const struct cli_command cmd_stake = {
    .name = "stake",
    .arguments = "",
    .summary = "put money at stake, as a validator or a miner",
    .details = "A validator joins the validator set at the next epoch: run a"
               " node with this\nkey by then, as the set waits for it in vain"
               " otherwise.  A miner may join\ntasks at once.\n",
    .examples = "  potctl --key miner.key stake --role miner --amount 100\n",
    .options = STAKE_OPTIONS,
    .run = run_stake,
};

const struct cli_command cmd_unstake = {
    .name = "unstake",
    .arguments = "",
    .summary = "take staked money back",
    .details = "A miner's stake is bound while it has joined a task, and as"
               " long as something\nthat it was paid for can be challenged.  A"
               " validator's is bound unbonding_blocks\nafter the end of the"
               " epoch.  `potctl balance` shows until when.\n",
    .examples = "  potctl --key miner.key unstake --role miner --amount 50\n",
    .options = STAKE_OPTIONS,
    .run = run_unstake,
};
