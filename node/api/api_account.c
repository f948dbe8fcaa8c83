/* Accounts and those among them that take part: validators, miners; and what
 * they were paid. */
#include "config.h"

#include "base/alloc.h"
#include "ledger/ledger.h"
#include "node/api/api_json.h"
#include "node/api/api_record.h"
#include "node/api/api_route.h"
#include "node/block/chain.h"
#include "node/node.h"
#include "node/tx/mempool.h"
#include "proto/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How far back a validator's last signature is looked for. */
#define SIGNED_BLOCKS_MAX 64
#define REWARDS_MAX       1000
/* Records looked at for one answer, when they are filtered. */
#define REWARDS_SEEN_MAX 20000

void api_get_account(struct api_request *request)
{
    struct public_key key;
    struct account account;
    struct execution_tip_context context;
    const struct state state = api_state(request, &context);
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
                 api_json_count(mempool_next_nonce(request->node->mempool, &key,
                                                   account.nonce)));
    api_json_set(json, "stake_validator",
                 api_json_amount(account.stake_validator));
    api_json_set(json, "stake_miner", api_json_amount(account.stake_miner));
    api_json_set(json, "earned", api_json_amount(account.earned));
    api_json_set(json, "slashed", api_json_amount(account.slashed));
    api_json_set(json, "moniker", api_json_text(account.moniker));
    api_json_set(json, "tasks", json_integer(account.tasks_joined));
    api_reply_json(request, 200, json);
}

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
    const struct holdings *env = &request->node->env;
    uint64_t tip = request->tip.height;
    uint64_t last = tip > SIGNED_BLOCKS_MAX ? tip - SIGNED_BLOCKS_MAX : 0;
    *s = (struct signed_heights){{0}, 0};
    for (uint64_t h = tip; h > last && s->found < members->count; h--) {
        struct validator_set signers;
        Pot__CommitCertificate *certificate;
        if (execution_validators(env, h, &signers) != POT_OK ||
            api_read_certificate(&certificate, env->store, h) != POT_OK) {
            return;
        }
        note_signers(s, members, &signers, certificate);
        codec_free(certificate);
    }
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
    struct execution_tip_context context;
    const struct state state = api_state(request, &context);
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

void api_get_validators(struct api_request *request)
{
    uint64_t height;
    struct validator_set set;
    uint64_t next = request->tip.height + 1;
    if (!api_arg_u64(request, &height, "height", INT64_MAX, next)) {
        return;
    }
    enum pot_err err = POT_ENOENT;
    if (height >= 1 && height <= next) {
        err = execution_validators(&request->node->env, height, &set);
    }
    if (err != POT_OK) {
        api_reply_store_error(request, err, "height");
        return;
    }
    reply_validators(request, height, &set);
}

/* ---- miners */

void api_get_miners(struct api_request *request)
{
    struct execution_tip_context context;
    const struct state state = api_state(request, &context);
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

/* ---- rewards */

struct reward_query {
    bool has_task;
    struct hash task;
    bool has_address;
    struct public_key address;
    bool has_before;
    struct store_reward before;
    size_t limit;
};

/* "12.3": height and index of the last record of the answer before. */
static bool parse_cursor(struct api_request *request, struct reward_query *q)
{
    uint64_t index;
    char text[API_VALUE_SIZE];
    if (!api_query_text(request->url.query, "from", text)) {
        return true;
    }
    char *dot = strchr(text, '.');
    if (dot != NULL) {
        *dot = '\0';
    }
    if (dot == NULL || api_parse_u64(&q->before.height, text) != POT_OK ||
        api_parse_u64(&index, dot + 1) != POT_OK || index > UINT32_MAX) {
        api_reply_error(request, 400, "malformed",
                        "from: the \"next\" of an earlier answer");
        return false;
    }
    q->before.index = (uint32_t)index;
    q->has_before = true;
    return true;
}

static bool parse_query(struct api_request *request, struct reward_query *q)
{
    char text[API_VALUE_SIZE];
    *q = (struct reward_query){0};
    q->has_task = api_query_text(request->url.query, "task", text);
    if (q->has_task && !api_arg_hash(request, &q->task, text)) {
        return false;
    }
    q->has_address = api_query_text(request->url.query, "address", text);
    if (q->has_address && !api_arg_address(request, &q->address, text)) {
        return false;
    }
    if (!q->has_task && !q->has_address) {
        api_reply_error(request, 400, "malformed",
                        "name a task, an address, or both");
        return false;
    }
    q->before.task = q->task;
    q->before.to = q->address;
    return parse_cursor(request, q) &&
           api_arg_limit(request, &q->limit, REWARDS_MAX, 100);
}

static enum pot_err read_rewards(const struct reward_query *q,
                                 struct store *store,
                                 const struct store_reward *before,
                                 struct store_reward *out, size_t *count)
{
    return q->has_address ? store_rewards_of_address(store, &q->address, before,
                                                     out, q->limit, count)
                          : store_rewards_of_task(store, &q->task, before, out,
                                                  q->limit, count);
}

static json_t *cursor_json(const struct store_reward *last)
{
    char text[48];
    (void)snprintf(text, sizeof(text), "%llu.%lu",
                   (unsigned long long)last->height,
                   (unsigned long)last->index);
    return json_string(text);
}

/* Reads on until the answer is full, the records end, or enough of them were
 * looked at. */
static enum pot_err list_rewards(json_t *list, json_t **next,
                                 const struct reward_query *q,
                                 struct store *store)
{
    size_t seen = 0;
    size_t count = q->limit;
    struct store_reward before = q->before;
    bool has_before = q->has_before;
    struct store_reward *out = pot_calloc(q->limit, sizeof(*out));
    enum pot_err err = POT_OK;
    while (json_array_size(list) < q->limit && seen < REWARDS_SEEN_MAX &&
           count == q->limit) {
        err = read_rewards(q, store, has_before ? &before : NULL, out, &count);
        if (err != POT_OK) {
            break;
        }
        for (size_t i = 0; i < count && json_array_size(list) < q->limit; i++) {
            before = out[i];
            has_before = true;
            if (!q->has_task || hash_equal(&out[i].task, &q->task)) {
                api_json_add(list, api_record_reward(&out[i]));
            }
        }
        seen += count;
    }
    bool is_over = count < q->limit && json_array_size(list) < q->limit;
    *next = err != POT_OK || is_over || !has_before ? json_null()
                                                    : cursor_json(&before);
    free(out);
    return err;
}

void api_get_rewards(struct api_request *request)
{
    json_t *next;
    struct reward_query query;
    if (!parse_query(request, &query)) {
        return;
    }
    json_t *list = json_array();
    enum pot_err err = list_rewards(list, &next, &query, request->node->store);
    if (err != POT_OK) {
        json_decref(list);
        api_reply_store_error(request, err, "rewards");
        return;
    }
    json_t *json = json_object();
    api_json_set(json, "rewards", list);
    api_json_set(json, "next", next);
    api_reply_json(request, 200, json);
}
