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

#define CHALLENGES_MAX 1000

/* The latest first. */
static void get_challenges(struct api_request *request)
{
    size_t limit;
    const struct state state = api_state(request);
    if (!api_arg_limit(request, &limit, CHALLENGES_MAX, 100)) {
        return;
    }
    Pot__SupplyRecord *supply = ledger_supply(&state);
    json_t *list = json_array();
    for (uint64_t n = supply->challenges; n > 0 && limit > 0; n--, limit--) {
        struct hash submission;
        Pot__ChallengeRecord *c = NULL;
        if (ledger_challenge_number(&state, n - 1, &submission)) {
            c = ledger_challenge(&state, &submission);
        }
        if (c != NULL) {
            api_json_add(list, api_record_challenge(c));
        }
        codec_free(c);
    }
    codec_free(supply);
    json_t *json = json_object();
    api_json_set(json, "challenges", list);
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
     .answer = "challenges: submission, task, round, miner, challenger,"
               " height, status, settled_height, plant, outcome",
     .status = 200, .is_off_loop = true, .handler = get_challenges,
     .parameters = {API_LIMIT("1000")}},
    {"GET", "/v1/tasks/{task}/rounds/{round}/submissions",
     .summary = "the counted submissions of a committed round",
     .answer = "submissions: submission, miner, rows, loss, message",
     .status = 200, .is_off_loop = true, .handler = get_submissions},
    {.method = NULL},
};
