/* Commands on tasks that stand: tasks, task, watch, cancel-task. */
#include "config.h"

#include "base/file.h"
#include "base/hash.h"
#include "ctl/answer.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/data_head.h"
#include "ctl/follow.h"
#include "ctl/given.h"
#include "ctl/safetensors.h"
#include "ctl/sender.h"
#include "ctl/slashed.h"
#include "ctl/task_print.h"
#include "proto/blob.h"
#include "proto/codec.h"
#include "proto/model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void cell_round(struct table *table, const json_t *task, const char *key)
{
    char text[48];
    (void)snprintf(text, sizeof(text), "%" PRIu64 "/%" PRIu64,
                   client_count(task, key), client_count(task, "rounds"));
    table_text(table, text);
}

static void cell_accuracy(struct table *table, const json_t *task,
                          const char *key)
{
    char text[24] = "-";
    const json_t *value = json_object_get(task, key);
    if (json_is_number(value)) {
        (void)snprintf(text, sizeof(text), "%.4f", json_number_value(value));
    }
    table_text(table, text);
}

static enum exit_code run_tasks(struct ctl *ctl, const struct cli_args *args)
{
    static const struct answer_column columns[] = {
        {"task", answer_text, "task"},
        {"name", answer_text, "name"},
        {"status", answer_text, "status"},
        {">round", cell_round, "round"},
        {">accuracy", cell_accuracy, "test_accuracy"},
        {">escrow left", answer_units, "escrow_left"},
        {NULL, NULL, NULL},
    };
    char path[64];
    uint64_t limit;
    enum exit_code rc = cli_count(&limit, ctl, args, "limit", 1, 1000, 100);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    (void)snprintf(path, sizeof(path), "/v1/tasks?limit=%" PRIu64, limit);
    return answer_list(ctl, path, "tasks", columns);
}

static enum pot_err shape_of(struct model_shape *shape, const json_t *task)
{
    uint32_t widths[LAYERS_MAX] = {0};
    const json_t *layers = json_object_get(task, "layers");
    size_t count = json_array_size(layers);
    for (size_t i = 0; i < count && i < LAYERS_MAX; i++) {
        widths[i] = (uint32_t)json_integer_value(json_array_get(layers, i));
    }
    return model_shape_init(shape, widths, count);
}

static void set_json(json_t *metadata, const char *key, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);
    (void)json_object_set_new(metadata, key,
                              text != NULL ? json_string(text) : json_null());
    free(text);
}

/* What features are divided by, where the data set says so: numbers in fixed
 * point were divided at the import, by what nobody keeps. */
static void add_divisor(json_t *metadata, const struct dataset *head)
{
    char divisor[16];
    if (head->type == DATASET_U8) {
        (void)snprintf(divisor, sizeof(divisor), "%" PRIu32, head->divisor);
        (void)json_object_set_new(metadata, "divisor", json_string(divisor));
    }
}

/* What the file that was saved lacks. */
static void tell_lacking(struct ctl *ctl, const json_t *metadata)
{
    if (json_object_get(metadata, "feature_type") == NULL) {
        ctl_note(ctl, "the node does not hold the training set: its divisor and"
                      " its classes' names are not saved");
    } else if (json_object_get(metadata, "divisor") == NULL) {
        ctl_note(ctl, "what features are divided by is not saved, as the chain"
                      " does not keep it: `potctl submit-task` or `dataset"
                      " import` said it, and `potctl dataset import` of the"
                      " same file says it again; if it says nothing, the"
                      " divisor is 1");
    }
}

/* What it takes to run the model elsewhere, all of it texts: its form, and
 * what the features and outputs of its training set mean. */
static json_t *metadata_of(struct ctl *ctl, const json_t *task,
                           const char *parameters_hash)
{
    struct buf bytes;
    struct dataset head;
    const char *set = client_text(task, "train_dataset");
    json_t *metadata =
        json_pack("{ss ss ss ss ss ss ss}", "format", "pt", "task",
                  client_text(task, "task"), "name", client_text(task, "name"),
                  "parameters_hash", parameters_hash, "activation",
                  client_text(task, "activation"), "loss",
                  client_text(task, "loss"), "train_dataset", set);
    set_json(metadata, "layers", json_object_get(task, "layers"));
    if (data_head_ask(&head, &bytes, ctl, set)) {
        json_t *names = data_head_names(&head);
        (void)json_object_set_new(metadata, "feature_type",
                                  json_string(data_head_feature_type(&head)));
        add_divisor(metadata, &head);
        set_json(metadata, "classes", names);
        json_decref(names);
    }
    buf_fini(&bytes);
    return metadata;
}

/* The parameters as the node gives them, in the form that others read.  While
 * a task runs they are those of a moment later than task's. */
static enum exit_code save_model(struct ctl *ctl, const json_t *task,
                                 const char *path,
                                 const struct client_reply *reply)
{
    struct model_shape shape;
    struct buf out;
    struct hash hash;
    char text[HASH_TEXT_SIZE];
    blob_hash(&hash, reply->body.data, reply->body.size);
    json_t *metadata = metadata_of(ctl, task, hash_format(&hash, text));
    buf_init(&out, CLIENT_BYTES_MAX);
    enum pot_err err = shape_of(&shape, task);
    if (err == POT_OK) {
        err = safetensors_append(&out, &shape, reply->body.data,
                                 reply->body.size, metadata);
    }
    if (err == POT_OK) {
        err = file_save(path, 0644, out.data, out.size);
    }
    buf_fini(&out);
    if (err == POT_OK) {
        ctl_note(ctl, "%zu parameters saved in %s", shape.parameter_count,
                 path);
        tell_lacking(ctl, metadata);
    }
    json_decref(metadata);
    if (err != POT_OK) {
        return ctl_fail(ctl,
                        err == POT_EFULL ? EXIT_CODE_FULL : EXIT_CODE_FAILED,
                        "the parameters cannot be saved in %s: %s", path,
                        file_err_text(err, path));
    }
    return EXIT_CODE_DONE;
}

static enum exit_code save(struct ctl *ctl, const json_t *task,
                           const char *path)
{
    char url[HASH_TEXT_SIZE + 32];
    struct client_reply reply;
    (void)snprintf(url, sizeof(url), "/v1/tasks/%.64s/parameters",
                   client_text(task, "task"));
    enum exit_code rc = client_ask(&reply, ctl, "GET", url, NULL, 0);
    if (rc == EXIT_CODE_DONE) {
        rc = reply.status == 200
                 ? save_model(ctl, task, path, &reply)
                 : client_refused(ctl, &reply, "the parameters");
        client_reply_fini(&reply);
    }
    return rc;
}

static enum exit_code run_task(struct ctl *ctl, const struct cli_args *args)
{
    json_t *task;
    json_t *slashed;
    struct hash id;
    const char *path = cli_value(args, "save");
    enum exit_code rc = given_task(&id, ctl, "", args->arguments[0]);
    if (rc == EXIT_CODE_DONE) {
        rc = client_get(&task, ctl, "/v1/tasks/%s", args->arguments[0]);
    }
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    rc = slashed_get(&slashed, ctl, client_text(task, "task"));
    if (rc != EXIT_CODE_DONE) {
        json_decref(task);
        return rc;
    }
    if (path != NULL) {
        rc = save(ctl, task, path);
    }
    if (!ctl->is_json) {
        task_print(ctl, task);
        slashed_print_fields(slashed);
    }
    (void)json_object_set_new(task, "slashed", slashed);
    ctl_print_json(ctl, task);
    return rc;
}

static enum exit_code run_watch(struct ctl *ctl, const struct cli_args *args)
{
    json_t *task = NULL;
    enum follow_style style = FOLLOW_LINES;
    if (ctl->is_json) {
        style = FOLLOW_JSON;
    } else if (ctl->has_live_stdout && !ctl->is_quiet) {
        style = FOLLOW_BAR;
    }
    struct hash id;
    enum exit_code rc = given_task(&id, ctl, "", args->arguments[0]);
    if (rc == EXIT_CODE_DONE) {
        rc = follow_task(&task, ctl, args->arguments[0], stdout, style);
    }
    if (rc == EXIT_CODE_DONE && !ctl->is_json) {
        task_print(ctl, task);
    }
    json_decref(task);
    return rc;
}

static enum exit_code run_cancel(struct ctl *ctl, const struct cli_args *args)
{
    struct hash id;
    struct sender sender;
    Pot__CancelTask cancel = POT__CANCEL_TASK__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    enum exit_code rc = given_task(&id, ctl, "", args->arguments[0]);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    cancel.task = codec_bytes(id.b, HASH_SIZE);
    body.action_case = POT__TX_BODY__ACTION_CANCEL_TASK;
    body.cancel_task = &cancel;
    rc = sender_init(&sender, ctl);
    if (rc == EXIT_CODE_DONE) {
        rc = sender_finish(&sender, &body, 0);
    }
    sender_fini(&sender);
    return rc;
}

const struct cli_command cmd_tasks = {
    .name = "tasks",
    .arguments = "",
    .summary = "list the tasks, the latest first",
    .examples = "  potctl tasks\n",
    .options = {{"limit", "N", "at most so many (100)"}},
    .run = run_tasks,
};

const struct cli_command cmd_task = {
    .name = "task",
    .arguments = "ID",
    .summary = "show a task, save its model",
    .details = "The model is saved as float32 in the safetensors form, which"
               " PyTorch and\nothers read: layers.0.weight (outputs, inputs),"
               " layers.0.bias, and so on.  Its\nmetadata says the activation,"
               " the loss, the classes, and what features are\ndivided by if"
               " they are bytes; `dataset import` and `submit-task` print it"
               " of\nothers.\n",
    .examples = "  potctl task ID --json | jq .test_accuracy\n"
                "  potctl task ID --save model.safetensors\n",
    .options = {{"save", "FILE", "write the model's parameters to FILE"}},
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_task,
};

const struct cli_command cmd_watch = {
    .name = "watch",
    .arguments = "ID",
    .summary = "follow a task's rounds until it has ended",
    .details = "Exits with 6 if the task failed or was cancelled.\n",
    .examples = "  potctl watch ID\n"
                "  potctl watch ID --json >rounds.jsonl\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_watch,
};

const struct cli_command cmd_cancel_task = {
    .name = "cancel-task",
    .arguments = "ID",
    .summary = "end a task of one's own; the rest of its budget comes back",
    .examples = "  potctl --key alice.key cancel-task ID --wait\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_cancel,
};
