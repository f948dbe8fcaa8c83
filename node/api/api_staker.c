/* Those who put up a stake and take part: validators and miners. */
#include "config.h"

#include "ledger/ledger.h"
#include "node/api/api_json.h"
#include "node/api/api_request.h"
#include "node/api/api_route.h"
#include "node/block/validator_sets.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "proto/codec.h"

/* How far back a validator's last signature is looked for. */
#define SIGNED_BLOCKS_MAX 64

/* ---- validators */

struct signed_heights {
    uint64_t heights[VALIDATORS_MAX]; /* of each member; 0: not seen */
    uint32_t found;
};

static void note_signers(struct signed_heights *s,
                         const struct validator_set *members,
                         const struct validator_set *signers,
                         const Pot__CommitCertificate *certificate)
{
    for (size_t i = 0; i < certificate->n_signatures; i++) {
        uint32_t index;
        uint32_t replica = certificate->signatures[i]->replica;
        if (replica < signers->count &&
            validator_set_find(&index, members, &signers->keys[replica]) &&
            s->heights[index] == 0) {
            s->heights[index] = certificate->height;
            s->found++;
        }
    }
}

static void find_signed(struct signed_heights *s,
                        const struct api_request *request,
                        const struct validator_set *members)
{
    const struct holdings *holdings = request->config->holdings;
    uint64_t tip = request->tip.height;
    uint64_t last = tip > SIGNED_BLOCKS_MAX ? tip - SIGNED_BLOCKS_MAX : 0;
    *s = (struct signed_heights){{0}, 0};
    for (uint64_t h = tip; h > last && s->found < members->count; h--) {
        struct validator_set signers;
        Pot__CommitCertificate *certificate;
        if (validator_sets_at(holdings, h, &signers) != POT_OK ||
            stored_certificate(&certificate, holdings->store, h) != POT_OK) {
            return;
        }
        note_signers(s, members, &signers, certificate);
        codec_free(certificate);
    }
}

static uint64_t unbonding(const struct account *account)
{
    uint64_t units = 0;
    for (size_t i = 0; i < account->unbonding_count; i++) {
        units += account->unbonding[i].amount;
    }
    return units;
}

static json_t *member_json(const struct state *state,
                           const struct public_key *key, Pot__StakeRole role)
{
    struct account account;
    json_t *json = json_object();
    (void)ledger_account(state, key, &account);
    api_json_set(json, "address", api_json_address(key));
    api_json_set(json, "stake",
                 api_json_amount(role == POT__STAKE_ROLE__STAKE_VALIDATOR
                                     ? account.stake_validator
                                     : account.stake_miner));
    api_json_set(json, "earned", api_json_amount(account.earned));
    api_json_set(json, "slashed", api_json_amount(account.slashed));
    if (role == POT__STAKE_ROLE__STAKE_VALIDATOR) {
        api_json_set(json, "unbonding", api_json_amount(unbonding(&account)));
        api_json_set(json, "jailed", json_boolean(account.is_jailed));
        api_json_set(json, "audits_drawn",
                     api_json_count(account.audits_drawn));
        api_json_set(json, "audits_said", api_json_count(account.audits_said));
    }
    api_json_set(json, "moniker", api_json_text(account.moniker));
    if (role == POT__STAKE_ROLE__STAKE_MINER) {
        api_json_set(json, "tasks", json_integer(account.tasks_joined));
    }
    return json;
}

static void reply_validators(struct api_request *request, uint64_t height,
                             const struct validator_set *set)
{
    struct signed_heights signed_at;
    const struct state state = api_state(request);
    json_t *list = json_array();
    find_signed(&signed_at, request, set);
    for (uint32_t i = 0; i < set->count; i++) {
        json_t *one = member_json(&state, &set->keys[i],
                                  POT__STAKE_ROLE__STAKE_VALIDATOR);
        api_json_set(one, "index", json_integer(i));
        api_json_set(one, "last_signed_height",
                     api_json_count(signed_at.heights[i]));
        api_json_add(list, one);
    }
    json_t *json = json_object();
    api_json_set(json, "height", api_json_count(height));
    api_json_set(json, "validators", list);
    api_reply_json(request, 200, json);
}

static void get_validators(struct api_request *request)
{
    uint64_t height;
    struct validator_set set;
    uint64_t next = request->tip.height + 1;
    if (!api_arg_u64(request, &height, "height", INT64_MAX, next)) {
        return;
    }
    enum pot_err err = POT_ENOENT;
    if (height >= 1 && height <= next) {
        err = validator_sets_at(request->config->holdings, height, &set);
    }
    if (err != POT_OK) {
        api_reply_store_error(request, err, "height");
        return;
    }
    reply_validators(request, height, &set);
}

/* ---- miners */

static void get_miners(struct api_request *request)
{
    const struct state state = api_state(request);
    Pot__HashList *keys = ledger_stakers(&state, POT__STAKE_ROLE__STAKE_MINER);
    json_t *list = json_array();
    for (size_t i = 0; i < keys->n_hashes; i++) {
        struct public_key key;
        if (codec_key(&key, keys->hashes[i])) {
            api_json_add(
                list, member_json(&state, &key, POT__STAKE_ROLE__STAKE_MINER));
        }
    }
    codec_free(keys);
    json_t *json = json_object();
    api_json_set(json, "miners", list);
    api_reply_json(request, 200, json);
}

/* ---- routes */

const struct api_route api_staker_routes[] = {
    {"GET", "/v1/validators", .summary = "the validators that sign a height",
     .answer = "height, validators: address, index, stake, earned, slashed,"
               " unbonding, jailed, audits_drawn, audits_said, moniker,"
               " last_signed_height",
     .status = 200, .is_off_loop = true, .handler = get_validators,
     .parameters = {{"height", "integer", "the next one if missing"}}},
    {"GET", "/v1/miners", .summary = "the miners",
     .answer = "miners: address, stake, earned, slashed, tasks, moniker",
     .status = 200, .is_off_loop = true, .handler = get_miners},
    {.method = NULL},
};
