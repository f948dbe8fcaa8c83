/* Accounts. */
#include "config.h"

#include "ledger/ledger.h"
#include "node/api/api_json.h"
#include "node/api/api_request.h"
#include "node/api/api_route.h"
#include "node/hold/stored.h"
#include "node/tx/mempool.h"

static json_t *unbonding_json(const struct account *account)
{
    json_t *list = json_array();
    for (size_t i = 0; i < account->unbonding_count; i++) {
        json_t *one = json_object();
        api_json_set(one, "amount",
                     api_json_amount(account->unbonding[i].amount));
        api_json_set(one, "height",
                     api_json_count(account->unbonding[i].height));
        api_json_add(list, one);
    }
    return list;
}

static void get_account(struct api_request *request)
{
    struct public_key key;
    struct account account;
    const struct state state = api_state(request);
    if (!api_arg_address(request, &key, request->args[0])) {
        return;
    }
    (void)ledger_account(&state, &key, &account);
    json_t *json = json_object();
    api_json_set(json, "address", api_json_address(&key));
    api_json_set(json, "balance", api_json_amount(account.balance));
    api_json_set(
        json, "staked",
        api_json_amount(account.stake_validator + account.stake_miner));
    api_json_set(json, "nonce", api_json_count(account.nonce));
    api_json_set(json, "next_nonce",
                 api_json_count(mempool_next_nonce(request->config->mempool,
                                                   &key, account.nonce)));
    api_json_set(json, "stake_validator",
                 api_json_amount(account.stake_validator));
    api_json_set(json, "stake_miner", api_json_amount(account.stake_miner));
    api_json_set(json, "stake_joined", api_json_amount(account.stake_joined));
    api_json_set(json, "earned", api_json_amount(account.earned));
    api_json_set(json, "slashed", api_json_amount(account.slashed));
    api_json_set(json, "unbonding", unbonding_json(&account));
    api_json_set(json, "jailed", json_boolean(account.is_jailed));
    api_json_set(json, "moniker", api_json_text(account.moniker));
    api_json_set(json, "tasks", json_integer(account.tasks_joined));
    api_json_set(json, "bound_until_height",
                 api_json_count(account.answers_until));
    api_json_set(json, "bound_until_ms",
                 api_json_count(account.answers_until_ms));
    api_reply_json(request, 200, json);
}

/* ---- routes */

const struct api_route api_account_routes[] = {
    {"GET", "/v1/accounts/{address}", .summary = "an account",
     .answer = "address, balance, staked, nonce, next_nonce, stake_validator,"
               " stake_miner, stake_joined, earned, slashed, unbonding: "
               "amount, height;"
               " jailed, moniker, tasks, bound_until_height, bound_until_ms",
     .status = 200, .handler = get_account},
    {.method = NULL},
};
