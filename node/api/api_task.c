/* Tasks and their rounds. */
#include "config.h"

#include "base/alloc.h"
#include "ledger/ledger.h"
#include "node/api/api_json.h"
#include "node/api/api_record.h"
#include "node/api/api_route.h"
#include "node/node.h"
#include "proto/codec.h"

#include <stdlib.h>

#define TASK_LIST_MAX  1000
#define ROUND_LIST_MAX 1000
#define LIST_BYTES_MAX ((size_t)64 << 20) /* of blocks read for one list */

void api_get_task(struct api_request *request)
{
    struct hash hash;
    struct execution_tip_context context;
    const struct state state = api_state(request, &context);
    if (!api_arg_hash(request, &hash, request->args[0])) {
        return;
    }
    Pot__TaskRecord *task = ledger_task(&state, &hash);
    if (task == NULL) {
        api_reply_store_error(request, POT_ENOENT, "task");
        return;
    }
    json_t *json = api_record_task(task);
    codec_free(task);
    api_reply_json(request, 200, json);
}

static void add_task(json_t *list, const struct state *state, uint64_t number)
{
    struct hash hash;
    Pot__TaskRecord *task = ledger_task_number(state, number, &hash)
                                ? ledger_task(state, &hash)
                                : NULL;
    if (task != NULL) {
        json_t *one = api_record_task(task);
        api_json_set(one, "number", api_json_count(number));
        api_json_add(list, one);
        codec_free(task);
    }
}

void api_get_tasks(struct api_request *request)
{
    size_t limit;
    uint64_t from;
    struct execution_tip_context context;
    const struct state state = api_state(request, &context);
    Pot__SupplyRecord *supply = ledger_supply(&state);
    uint64_t count = supply != NULL ? supply->tasks : 0;
    codec_free(supply);
    uint64_t latest = count > 0 ? count - 1 : 0;
    if (!api_arg_limit(request, &limit, TASK_LIST_MAX, 100) ||
        !api_arg_u64(request, &from, "from", INT64_MAX, latest)) {
        return;
    }
    /* `left` tasks, numbers 0 to left - 1, are still to be told. */
    uint64_t left = from < count ? from + 1 : count;
    json_t *list = json_array();
    for (; left > 0 && limit > 0; left--, limit--) {
        add_task(list, &state, left - 1);
    }
    json_t *json = json_object();
    api_json_set(json, "tasks", list);
    api_json_set(json, "count", api_json_count(count));
    api_json_set(json, "next",
                 left > 0 ? api_json_count(left - 1) : json_null());
    api_reply_json(request, 200, json);
}

/* The tip may move between the two reads, and take the blob with it: then the
 * new record names the next one. */
static enum pot_err read_parameters(struct buf *out,
                                    const struct api_request *request,
                                    const struct hash *name)
{
    enum pot_err err = POT_ENOENT;
    for (unsigned tries = 0; err == POT_ENOENT && tries < 3; tries++) {
        struct execution_tip_context context;
        const struct state state = api_state(request, &context);
        struct hash parameters;
        Pot__TaskRecord *task = ledger_task(&state, name);
        bool is_named =
            task != NULL && codec_hash(&parameters, task->parameters_hash);
        codec_free(task);
        if (!is_named) {
            return POT_ENOENT;
        }
        err = store_blob_get(request->node->store, &parameters, out);
    }
    return err;
}

void api_get_parameters(struct api_request *request)
{
    struct hash name;
    struct buf data;
    if (!api_arg_hash(request, &name, request->args[0])) {
        return;
    }
    buf_init(&data, sizeof(int32_t) * PARAMETERS_MAX);
    enum pot_err err = read_parameters(&data, request, &name);
    if (err == POT_OK) {
        api_reply_bytes(request, 200, "application/octet-stream", &data);
    } else {
        buf_fini(&data);
        api_reply_store_error(request, err, "task");
    }
}

/* ---- rounds */

struct round_list {
    struct store *store;
    struct hash task;
    bool has_classes;
    uint64_t opened_ms; /* time of the block that opened the next round */
    size_t bytes;       /* of blocks read */
    json_t *json;
};

static enum pot_err add_round(struct round_list *list,
                              const struct store_round *round)
{
    struct block *block;
    size_t size;
    enum pot_err err =
        api_read_block(&block, list->store, round->height, &size);
    if (err == POT_OK && round->index >= block->body->n_round_updates) {
        err = POT_ECORRUPT;
    }
    if (err == POT_OK) {
        uint64_t time_ms = block->header->time_ms;
        uint64_t ms = time_ms > list->opened_ms ? time_ms - list->opened_ms : 0;
        api_json_add(list->json,
                     api_record_round(block->body->round_updates[round->index],
                                      list->has_classes, round->height, ms));
        list->opened_ms = time_ms;
        list->bytes += size;
    }
    block_free(block);
    return err;
}

/* A round opens with the block that closes the one before it, the first with
 * the block that has the task. */
static enum pot_err find_opening(struct round_list *list, uint32_t round,
                                 uint64_t started_height)
{
    size_t count;
    struct store_round before;
    uint64_t height = started_height;
    if (round > 0) {
        enum pot_err err = store_rounds(list->store, &list->task, round - 1,
                                        &before, 1, &count);
        if (err != POT_OK || count == 0 || before.round != round - 1) {
            return err;
        }
        height = before.height;
    }
    return api_read_block_time(&list->opened_ms, list->store, height);
}

static enum pot_err list_rounds(struct round_list *list, uint64_t *next,
                                uint64_t started_height, uint32_t from,
                                size_t limit)
{
    size_t count = 0;
    struct store_round *rounds = pot_calloc(limit, sizeof(*rounds));
    enum pot_err err =
        store_rounds(list->store, &list->task, from, rounds, limit, &count);
    if (err == POT_OK && count > 0) {
        err = find_opening(list, rounds[0].round, started_height);
    }
    *next = from;
    for (size_t i = 0;
         err == POT_OK && i < count && list->bytes < LIST_BYTES_MAX; i++) {
        err = add_round(list, &rounds[i]);
        *next = (uint64_t)rounds[i].round + 1;
    }
    free(rounds);
    return err;
}

void api_get_rounds(struct api_request *request)
{
    size_t limit;
    uint64_t from;
    uint64_t next;
    struct execution_tip_context context;
    const struct state state = api_state(request, &context);
    struct round_list list = {.store = request->node->store};
    if (!api_arg_hash(request, &list.task, request->args[0]) ||
        !api_arg_limit(request, &limit, ROUND_LIST_MAX, 100) ||
        !api_arg_u64(request, &from, "from", UINT32_MAX, 0)) {
        return;
    }
    Pot__TaskRecord *task = ledger_task(&state, &list.task);
    if (task == NULL) {
        api_reply_store_error(request, POT_ENOENT, "task");
        return;
    }
    list.has_classes = api_record_has_classes(task->spec);
    list.json = json_array();
    enum pot_err err =
        list_rounds(&list, &next, task->started_height, (uint32_t)from, limit);
    codec_free(task);
    if (err != POT_OK) {
        json_decref(list.json);
        api_reply_store_error(request, err, "rounds");
        return;
    }
    json_t *json = json_object();
    api_json_set(json, "rounds", list.json);
    api_json_set(json, "next", api_json_count(next));
    api_reply_json(request, 200, json);
}
