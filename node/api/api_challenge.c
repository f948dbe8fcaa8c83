/* Challenges, and what can be challenged. */
#include "config.h"

#include "base/alloc.h"
#include "ledger/ledger.h"
#include "node/api/api_json.h"
#include "node/api/api_record.h"
#include "node/api/api_request.h"
#include "node/api/api_route.h"
#include "node/hold/stored.h"
#include "proto/block.h"
#include "proto/codec.h"
#include "proto/round.h"
#include "storage/store.h"

#include <stdlib.h>

/* Of an answer, and looked at for one. */
#define CHALLENGES_MAX 1000

struct challenge_query {
    uint64_t left; /* challenges, numbers 0 to left - 1, are to be looked at */
    size_t limit;
    bool has_task;
    struct hash task;
};

static bool parse_query(struct api_request *request, struct challenge_query *q,
                        uint64_t count)
{
    uint64_t from;
    char text[API_VALUE_SIZE];
    q->has_task = api_query_text(request->url.query, "task", text);
    if ((q->has_task && !api_arg_hash(request, &q->task, text)) ||
        !api_arg_limit(request, &q->limit, CHALLENGES_MAX, 100) ||
        !api_arg_u64(request, &from, "from", INT64_MAX, INT64_MAX)) {
        return false;
    }
    q->left = from < count ? from + 1 : count;
    return true;
}

static void add_challenge(json_t *list, const struct state *state,
                          const struct challenge_query *q, uint64_t number)
{
    struct hash submission;
    struct hash task;
    Pot__ChallengeRecord *c =
        ledger_challenge_number(state, number, &submission)
            ? ledger_challenge(state, &submission)
            : NULL;
    if (c != NULL && (!q->has_task || (codec_hash(&task, c->task) &&
                                       hash_equal(&task, &q->task)))) {
        json_t *one = api_record_challenge(c);
        api_json_set(one, "number", api_json_count(number));
        api_json_add(list, one);
    }
    codec_free(c);
}

/* The latest first, until the answer is full or enough were looked at. */
static void get_challenges(struct api_request *request)
{
    struct challenge_query q;
    const struct state state = api_state(request);
    Pot__SupplyRecord *supply = ledger_supply(&state);
    uint64_t count = supply != NULL ? supply->challenges : 0;
    codec_free(supply);
    if (!parse_query(request, &q, count)) {
        return;
    }
    json_t *list = json_array();
    for (size_t seen = 0;
         q.left > 0 && seen < CHALLENGES_MAX && json_array_size(list) < q.limit;
         seen++, q.left--) {
        add_challenge(list, &state, &q, q.left - 1);
    }
    json_t *json = json_object();
    api_json_set(json, "challenges", list);
    api_json_set(json, "count", api_json_count(count));
    api_json_set(json, "next",
                 q.left > 0 ? api_json_count(q.left - 1) : json_null());
    api_reply_json(request, 200, json);
}

static json_t *submission_json(const Pot__Signed *message)
{
    size_t size;
    struct round_submission opened;
    json_t *json = json_object();
    if (round_submission_decode(&opened, message) == POT_OK) {
        uint8_t *data = codec_encode(&size, message);
        api_json_set(json, "submission", api_json_hash(&opened.hash));
        api_json_set(json, "miner", api_json_address(&opened.miner));
        api_json_set(json, "rows", json_integer(opened.body->rows));
        api_json_set(json, "loss", api_json_loss(opened.body->loss));
        api_json_set(json, "message", api_json_hex(data, size));
        free(data);
        round_submission_fini(&opened);
    }
    return json;
}

static enum pot_err list_submissions(json_t *list, struct store *store,
                                     const struct hash *task, uint32_t number)
{
    size_t count;
    struct block *block;
    struct store_round round;
    enum pot_err err = store_rounds(store, task, number, &round, 1, &count);
    if (err != POT_OK || count == 0 || round.round != number) {
        return err != POT_OK ? err : POT_ENOENT;
    }
    err = stored_block(&block, store, round.height);
    if (err == POT_OK && round.index < block->body->n_round_updates) {
        const Pot__RoundUpdate *update =
            block->body->round_updates[round.index];
        for (size_t i = 0; i < update->n_submissions; i++) {
            api_json_add(list, submission_json(update->submissions[i]));
        }
    }
    block_free(block);
    return err;
}

/* Which rounds there are. */
static void reply_no_round(struct api_request *request, const struct hash *task,
                           uint64_t round)
{
    const struct state state = api_state(request);
    Pot__TaskRecord *record = ledger_task(&state, task);
    if (record == NULL) {
        api_reply_store_error(request, POT_ENOENT, "task");
    } else if (round >= record->round) {
        api_reply_error(request, 404, "not_found",
                        "round %llu is not closed: the task has closed %u,"
                        " counted from 0",
                        (unsigned long long)round, record->round);
    } else {
        api_reply_store_error(request, POT_ENOENT, "round");
    }
    codec_free(record);
}

static void get_submissions(struct api_request *request)
{
    struct hash task;
    uint64_t round;
    if (!api_arg_hash(request, &task, request->args[0])) {
        return;
    }
    if (api_parse_u64(&round, request->args[1]) != POT_OK ||
        round > UINT32_MAX) {
        api_reply_error(request, 400, "malformed", "round: a number from 0");
        return;
    }
    json_t *list = json_array();
    enum pot_err err =
        list_submissions(list, api_store(request), &task, (uint32_t)round);
    if (err != POT_OK) {
        json_decref(list);
        if (err == POT_ENOENT) {
            reply_no_round(request, &task, round);
        } else {
            api_reply_store_error(request, err, "round");
        }
        return;
    }
    json_t *json = json_object();
    api_json_set(json, "submissions", list);
    api_reply_json(request, 200, json);
}

/* ---- routes */

const struct api_route api_challenge_routes[] = {
    {"GET", "/v1/challenges", .summary = "challenges, the latest first",
     .answer = "challenges: number, submission, task, round, miner, challenger,"
               " height, status, settled_height, plant, outcome; next",
     .status = 200, .is_off_loop = true, .handler = get_challenges,
     .parameters = {{"task", "string", "those of this task"},
                    API_FROM("next of an earlier answer"),
                    API_LIMIT("1000")}},
    {"GET", "/v1/tasks/{task}/rounds/{round}/submissions",
     .summary = "the counted submissions of a committed round",
     .answer = "submissions: submission, miner, rows, loss, message",
     .status = 200, .is_off_loop = true, .handler = get_submissions},
    {.method = NULL},
};
