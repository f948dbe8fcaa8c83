/* What accounts were paid for a task's rounds, and what was taken. */
#include "config.h"

#include "base/alloc.h"
#include "node/api/api_json.h"
#include "node/api/api_request.h"
#include "node/api/api_route.h"
#include "storage/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REWARDS_MAX 1000
/* Records looked at for one answer, when they are filtered. */
#define REWARDS_SEEN_MAX 20000

static json_t *reward_json(const struct store_reward *reward)
{
    json_t *json = json_object();
    api_json_set(json, "height", api_json_count(reward->height));
    api_json_set(json, "task",
                 hash_is_zero(&reward->task) ? json_null()
                                             : api_json_hash(&reward->task));
    api_json_set(json, "round", json_integer(reward->round));
    api_json_set(json, "to", api_json_address(&reward->to));
    api_json_set(json, "amount", api_json_amount(reward->amount));
    api_json_set(json, "for", json_string(api_json_reward_for(reward->reason)));
    return json;
}

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
                api_json_add(list, reward_json(&out[i]));
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

static void get_rewards(struct api_request *request)
{
    json_t *next;
    struct reward_query query;
    if (!parse_query(request, &query)) {
        return;
    }
    json_t *list = json_array();
    enum pot_err err = list_rewards(list, &next, &query, api_store(request));
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

/* ---- routes */

const struct api_route api_reward_routes[] = {
    {"GET", "/v1/rewards",
     .summary = "rewards and slashes of a task or an account, latest first",
     .answer = "rewards: height, task, round, to, amount, for; next",
     .status = 200, .is_off_loop = true, .handler = get_rewards,
     .parameters = {{"task", "string", "those of this task"},
                    {"address", "string", "those that this account got"},
                    {"from", "string", "next of an earlier answer"},
                    API_LIMIT("1000")}},
    {.method = NULL},
};
