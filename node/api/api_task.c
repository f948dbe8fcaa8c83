/* Tasks and their rounds. */
#include "config.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "ledger/ledger.h"
#include "node/api/api_json.h"
#include "node/api/api_record.h"
#include "node/api/api_request.h"
#include "node/api/api_route.h"
#include "node/hold/stored.h"
#include "node/round/rounds.h"
#include "proto/codec.h"
#include "storage/store.h"

#include <stdlib.h>

#define TASK_LIST_MAX  1000
#define ROUND_LIST_MAX 1000
#define LIST_BYTES_MAX ((size_t)64 << 20) /* of blocks read for one list */

/* As this node has heard it; null: no round is open. */
static json_t *phase(const struct api_request *request,
                     const Pot__TaskRecord *task, const struct hash *hash)
{
    bool is_open =
        task->status == POT__TASK_STATUS__TASK_RUNNING && task->n_roster > 0;
    bool is_over = is_open && rounds_may_reveal(request->config->rounds, hash,
                                                task->round);
    return !is_open  ? json_null()
           : is_over ? json_string("revealing")
                     : json_string("committing");
}

static void get_task(struct api_request *request)
{
    struct hash hash;
    const struct state state = api_state(request);
    if (!api_arg_hash(request, &hash, request->args[0])) {
        return;
    }
    Pot__TaskRecord *task = ledger_task(&state, &hash);
    if (task == NULL) {
        api_reply_store_error(request, POT_ENOENT, "task");
        return;
    }
    json_t *json = api_record_task(task);
    api_json_set(json, "phase", phase(request, task, &hash));
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

static void get_tasks(struct api_request *request)
{
    size_t limit;
    uint64_t from;
    const struct state state = api_state(request);
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
                                    struct api_request *request,
                                    const struct hash *id)
{
    enum pot_err err = POT_ENOENT;
    for (unsigned tries = 0; err == POT_ENOENT && tries < 3; tries++) {
        const struct state state = api_state(request);
        struct hash parameters;
        Pot__TaskRecord *task = ledger_task(&state, id);
        bool is_named =
            task != NULL && codec_hash(&parameters, task->parameters_hash);
        codec_free(task);
        if (!is_named) {
            return POT_ENOENT;
        }
        err = store_blob_get(api_store(request), &parameters, out);
    }
    return err;
}

static void get_parameters(struct api_request *request)
{
    struct hash id;
    struct buf data;
    if (!api_arg_hash(request, &id, request->args[0])) {
        return;
    }
    buf_init(&data, sizeof(int32_t) * PARAMETERS_MAX);
    enum pot_err err = read_parameters(&data, request, &id);
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
    enum pot_err err = stored_block(&block, list->store, round->height);
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
        list->bytes += protobuf_c_message_get_packed_size(&block->body->base);
    }
    block_free(block);
    return err;
}

static enum pot_err find_opening(struct round_list *list,
                                 const Pot__TaskRecord *task, uint32_t round)
{
    uint64_t height;
    struct stored_mark block;
    enum pot_err err =
        stored_round_opening(&height, list->store, &list->task, task, round);
    list->opened_ms = UINT64_MAX; /* not known: no time is told */
    if (err == POT_OK && height > 0) {
        err = stored_block_mark(&block, list->store, height);
        list->opened_ms = err == POT_OK ? block.time_ms : UINT64_MAX;
    }
    return err;
}

static enum pot_err list_rounds(struct round_list *list, uint64_t *next,
                                const Pot__TaskRecord *task, uint32_t from,
                                size_t limit)
{
    size_t count = 0;
    struct store_round *rounds = pot_calloc(limit, sizeof(*rounds));
    enum pot_err err =
        store_rounds(list->store, &list->task, from, rounds, limit, &count);
    if (err == POT_OK && count > 0) {
        err = find_opening(list, task, rounds[0].round);
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

static void get_rounds(struct api_request *request)
{
    size_t limit;
    uint64_t from;
    uint64_t next;
    const struct state state = api_state(request);
    struct round_list list = {.store = api_store(request)};
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
    enum pot_err err = list_rounds(&list, &next, task, (uint32_t)from, limit);
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

/* ---- routes */

const struct api_route api_task_routes[] = {
    {"GET", "/v1/tasks", .summary = "tasks, the latest first",
     .answer = "tasks, next", .status = 200, .is_off_loop = true,
     .handler = get_tasks,
     .parameters = {API_LIMIT("1000"), API_FROM("number of a task, from 0")}},
    {"GET", "/v1/tasks/{task}", .summary = "a task",
     .answer =
         "task, name, status, reason, round, rounds, train_loss,"
         " test_accuracy, parameters_hash, submissions, rejected, paid,"
         " escrow_left, started_height, opened_height, ended_height,"
         " phase; budget and what its file said, by the names of its keys",
     .status = 200, .handler = get_task},
    {"GET", "/v1/tasks/{task}/parameters",
     .summary = "the model as it stands: each parameter as a little-endian"
                " int32, its value times 2^24, layer by layer, a weight"
                " (outputs, inputs) and then its bias",
     .type = "application/octet-stream", .status = 200, .is_off_loop = true,
     .handler = get_parameters},
    {"GET", "/v1/tasks/{task}/rounds", .summary = "a task's committed rounds",
     .answer = "rounds: round, height, submissions, train_loss,"
               " test_accuracy, aggregate_hash, parameters_hash, ms; next",
     .status = 200, .is_off_loop = true, .handler = get_rounds,
     .parameters = {API_FROM("first round"), API_LIMIT("1000")}},
    {.method = NULL},
};
