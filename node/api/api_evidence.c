/* Evidence: what waits for a block, and what was punished. */
#include "config.h"

#include "base/alloc.h"
#include "node/api/api_json.h"
#include "node/api/api_record.h"
#include "node/api/api_request.h"
#include "node/api/api_route.h"
#include "node/tx/evidence_pool.h"
#include "storage/store.h"

#include <stdlib.h>

#define PUNISHED_MAX 1000

static void prepare_evidence(struct api_request *request)
{
    const struct evidence_pool *pool = request->config->evidence;
    request->prepared = json_array();
    for (size_t i = 0; i < evidence_pool_count(pool); i++) {
        json_t *one = json_object();
        api_record_add_evidence(one, evidence_pool_at(pool, i));
        api_json_add(request->prepared, one);
    }
}

/* A block writes two records for each: the slash, and behind it the finder's
 * reward.  They come the newest first, so the finder's comes before. */
static json_t *punished_json(const struct store_reward *records, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i + 1 < count; i += 2) {
        const struct store_reward *found = &records[i];
        const struct store_reward *slash = &records[i + 1];
        json_t *one = json_object();
        api_json_set(one, "block", api_json_count(slash->height));
        api_json_set(one, "validator", api_json_address(&slash->to));
        api_json_set(one, "slashed", api_json_amount(slash->amount));
        api_json_set(one, "finder", api_json_address(&found->to));
        api_json_set(one, "rewarded", api_json_amount(found->amount));
        api_json_add(list, one);
    }
    return list;
}

static void get_evidence(struct api_request *request)
{
    size_t limit;
    size_t count;
    const struct hash no_task = {{0}};
    if (!api_arg_limit(request, &limit, PUNISHED_MAX, 100)) {
        return;
    }
    struct store_reward *records = pot_calloc(2 * limit, sizeof(*records));
    enum pot_err err = store_rewards_of_task(api_store(request), &no_task, NULL,
                                             records, 2 * limit, &count);
    if (err == POT_OK) {
        json_t *json = json_object();
        api_json_set(json, "pending", request->prepared);
        request->prepared = NULL;
        api_json_set(json, "punished", punished_json(records, count));
        api_reply_json(request, 200, json);
    } else {
        api_reply_store_error(request, err, "evidence");
    }
    free(records);
}

/* ---- routes */

const struct api_route api_evidence_routes[] = {
    {"GET", "/v1/evidence",
     .summary = "evidence that waits for a block, and what was punished",
     .answer = "pending: validator, height, kind, finder; punished, latest"
               " first: block, validator, slashed, finder, rewarded",
     .status = 200, .is_off_loop = true, .handler = get_evidence,
     .prepare = prepare_evidence, .parameters = {API_LIMIT("1000")}},
    {.method = NULL},
};
