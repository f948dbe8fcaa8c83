/* submit-task, in order: the file is checked, data is imported, the model is
 * held against it, the node is asked for its rules, the cost is said; only
 * then anything is sent. */
#include "config.h"

#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/follow.h"
#include "ctl/publish.h"
#include "ctl/task_file.h"
#include "ctl/task_print.h"
#include "proto/codec.h"
#include "proto/model.h"
#include "training/import.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One of the task's two data sets. */
struct part {
    struct buf data; /* empty when it was named by its address */
    struct publish publish;
    char *name;
    struct hash address;
    uint64_t rows;
    uint32_t features;
    uint32_t classes;
};

struct submission {
    struct ctl *ctl;
    struct task_file file;
    struct sender sender;
    struct part train;
    struct part test;
    Pot__TaskSpec spec;
    Pot__ModelSpec model;
    Pot__OptimizerSpec optimizer;
    Pot__SubmitTask submit;
    Pot__TxBody body;
    uint64_t cost;
};

/* ---- data */

static enum ctl_exit open_part(struct submission *s, struct part *part,
                               const char *path, const char *suffix)
{
    char name[TX_TEXT_MAX + 1];
    char *stem = publish_name(path);
    (void)snprintf(name, sizeof(name), "%.50s%s", stem, suffix);
    free(stem);
    part->name = strdup(name);
    enum ctl_exit rc = publish_init(&part->publish, s->ctl, part->data.data,
                                    part->data.size, part->name);
    part->address = part->publish.address;
    part->rows = part->publish.set.rows;
    part->features = part->publish.set.features;
    part->classes = part->publish.set.classes;
    return rc;
}

static enum ctl_exit import_split_parts(struct submission *s, struct buf *whole)
{
    char why[IMPORT_WHY_SIZE] = "";
    struct dataset set;
    if (dataset_open(&set, whole->data, whole->size) != POT_OK ||
        import_split(&s->train.data, &s->test.data, &set, s->file.test_split,
                     s->file.seed, why) != POT_OK) {
        return ctl_fail(s->ctl, CTL_REJECTED, "%s: data.test_split: %s",
                        s->file.path,
                        why[0] != '\0' ? why : "the data cannot be split");
    }
    enum ctl_exit rc = open_part(s, &s->train, s->file.train, "-train");
    return rc == CTL_DONE ? open_part(s, &s->test, s->file.train, "-test") : rc;
}

static enum ctl_exit import_test(struct submission *s, double scale)
{
    char why[IMPORT_WHY_SIZE] = "";
    struct import_info info;
    struct import_options options = {
        .data = s->file.test,
        .labels = s->file.test_labels,
        .label = s->file.label,
        .is_regression = s->train.classes == 0,
        .scale = scale,
        .like = &s->train.publish.set,
    };
    if (import_file(&s->test.data, &info, &options, why) != POT_OK) {
        return ctl_fail(s->ctl, CTL_REJECTED, "%s", why);
    }
    return open_part(s, &s->test, s->file.test, "");
}

/* Numbers as labels are what a single output with mse is for. */
static bool is_regression(const struct task_file *file)
{
    return file->loss == POT__LOSS__LOSS_MSE &&
           file->layers[file->layer_count - 1] == 1;
}

static enum ctl_exit import_files(struct submission *s)
{
    char why[IMPORT_WHY_SIZE] = "";
    struct buf data;
    struct import_info info;
    struct import_options options = {
        .data = s->file.train,
        .labels = s->file.train_labels,
        .label = s->file.label,
        .is_regression = is_regression(&s->file),
        .scale = s->file.scale,
    };
    if (import_file(&data, &info, &options, why) != POT_OK) {
        buf_fini(&data);
        return ctl_fail(s->ctl, CTL_REJECTED, "%s", why);
    }
    if (s->file.test_split > 0) {
        enum ctl_exit rc = import_split_parts(s, &data);
        buf_fini(&data);
        return rc;
    }
    s->train.data = data;
    enum ctl_exit rc = open_part(s, &s->train, s->file.train, "");
    if (rc == CTL_DONE && s->file.test != NULL) {
        rc = import_test(s, info.scale);
    }
    return rc;
}

/* A data set that the chain has, by its address. */
static enum ctl_exit find_part(struct submission *s, struct part *part,
                               const char *address)
{
    json_t *json;
    enum ctl_exit rc = client_get(&json, s->ctl, "/v1/datasets/%s", address);
    if (rc != CTL_DONE) {
        return rc;
    }
    enum pot_err err = hash_parse(&part->address, address);
    part->rows = client_count(json, "rows");
    part->features = (uint32_t)client_count(json, "features");
    part->classes = (uint32_t)client_count(json, "classes");
    json_decref(json);
    return err == POT_OK
               ? CTL_DONE
               : ctl_fail(s->ctl, CTL_REJECTED, "%s: not a hash", address);
}

static enum ctl_exit get_data(struct submission *s)
{
    enum ctl_exit rc = CTL_DONE;
    if (s->file.train != NULL) {
        rc = import_files(s);
    } else {
        rc = find_part(s, &s->train, s->file.hash);
    }
    if (rc == CTL_DONE && s->file.test_hash != NULL) {
        rc = find_part(s, &s->test, s->file.test_hash);
    }
    return rc;
}

/* ---- the model against the data */

static enum ctl_exit check_sizes(const struct submission *s)
{
    struct model_shape shape;
    const struct task_file *file = &s->file;
    if (model_shape_from_spec(&shape, &s->model) != POT_OK) {
        return ctl_fail(s->ctl, CTL_REJECTED,
                        "%s: model.layers: more than %d parameters", file->path,
                        PARAMETERS_MAX);
    }
    if (s->train.rows < file->rows_per_miner) {
        return ctl_fail(s->ctl, CTL_REJECTED,
                        "%s: training.rows_per_miner: %" PRIu32
                        " rows are more than the training set's %" PRIu64,
                        file->path, file->rows_per_miner, s->train.rows);
    }
    uint64_t products = shape.parameter_count;
    if (s->test.rows > EVALUATION_PRODUCTS_MAX / products) {
        return ctl_fail(s->ctl, CTL_REJECTED,
                        "%s: %" PRIu64 " test rows times %zu parameters are"
                        " too much for every validator; take fewer test rows",
                        file->path, s->test.rows, shape.parameter_count);
    }
    return CTL_DONE;
}

static enum ctl_exit check_fit(const struct submission *s)
{
    const struct task_file *file = &s->file;
    uint32_t inputs = file->layers[0];
    uint32_t outputs = file->layers[file->layer_count - 1];
    uint32_t expected = s->train.classes > 0 ? s->train.classes : 1;
    if (inputs != s->train.features) {
        return ctl_fail(s->ctl, CTL_REJECTED,
                        "%s: model.layers: the first is %" PRIu32
                        ", but the data has %" PRIu32 " features",
                        file->path, inputs, s->train.features);
    }
    if (outputs != expected) {
        return ctl_fail(s->ctl, CTL_REJECTED,
                        "%s: model.layers: the last is %" PRIu32
                        ", but the data has %" PRIu32 " %s",
                        file->path, outputs, expected,
                        s->train.classes > 0 ? "classes" : "target");
    }
    if (s->train.features != s->test.features ||
        s->train.classes != s->test.classes) {
        return ctl_fail(s->ctl, CTL_REJECTED,
                        "%s: data: training and test set differ in features"
                        " or classes",
                        file->path);
    }
    if (s->train.classes == 0 && file->loss != POT__LOSS__LOSS_MSE) {
        return ctl_fail(s->ctl, CTL_REJECTED,
                        "%s: model.loss: numbers as labels need \"mse\"",
                        file->path);
    }
    return check_sizes(s);
}

/* ---- sending */

static void fill(struct submission *s)
{
    task_file_fill(&s->spec, &s->model, &s->optimizer, &s->file);
    s->spec.train = codec_bytes(s->train.address.b, HASH_SIZE);
    s->spec.test = codec_bytes(s->test.address.b, HASH_SIZE);
    pot__submit_task__init(&s->submit);
    s->submit.spec = &s->spec;
    s->submit.budget = s->file.budget;
    pot__tx_body__init(&s->body);
    s->body.action_case = POT__TX_BODY__ACTION_SUBMIT_TASK;
    s->body.submit_task = &s->submit;
}

static enum ctl_exit state_cost(struct submission *s)
{
    struct part *const parts[] = {&s->train, &s->test};
    struct amount fees = {0};
    struct amount cost;
    bool fits = true;
    char text[AMOUNT_TEXT_SIZE];
    char budget[AMOUNT_TEXT_SIZE];
    char fee[AMOUNT_TEXT_SIZE];
    for (size_t i = 0; i < 2; i++) {
        if (parts[i]->publish.data != NULL) {
            enum ctl_exit rc = publish_look(&parts[i]->publish, s->ctl);
            if (rc != CTL_DONE) {
                return rc;
            }
            if (i == 1 && hash_equal(&s->train.address, &s->test.address)) {
                s->test.publish.is_known = true; /* the same data twice */
                s->test.publish.is_held = true;
            }
            struct amount one = {publish_fee(&parts[i]->publish, &s->sender)};
            fits = fits && amount_add(&fees, fees, one);
        }
    }
    sender_prepare(&s->sender, &s->body);
    fits = fits && amount_add(&fees, fees, (struct amount){s->body.fee});
    fits = fits && amount_add(&cost, fees, (struct amount){s->file.budget});
    if (!fits || cost.units > s->sender.balance) {
        struct amount has = {s->sender.balance};
        return ctl_fail(s->ctl, CTL_REJECTED,
                        "the task costs %s POT and fees, but %s holds %s POT;"
                        " use another --key or a smaller reward.budget",
                        amount_format((struct amount){s->file.budget}, budget),
                        s->sender.address, amount_format(has, text));
    }
    s->cost = cost.units;
    ctl_note(s->ctl, "cost: %s POT (budget %s, fees %s)",
             amount_format(cost, text),
             amount_format((struct amount){s->file.budget}, budget),
             amount_format(fees, fee));
    return CTL_DONE;
}

static enum ctl_exit follow(struct submission *s, const char *task)
{
    json_t *result = NULL;
    enum follow_style style = FOLLOW_LINES;
    if (s->ctl->is_quiet) {
        style = FOLLOW_NONE;
    } else if (s->ctl->has_live_stderr) {
        style = FOLLOW_BAR;
    }
    enum ctl_exit rc = follow_task(&result, s->ctl, task, stderr, style);
    if (result != NULL) {
        if (!s->ctl->is_json) {
            task_print(s->ctl, result);
        }
        ctl_print_json(s->ctl, result);
    }
    return rc;
}

static enum ctl_exit send_task(struct submission *s)
{
    struct hash tx;
    uint64_t height;
    char text[HASH_TEXT_SIZE];
    struct part *const parts[] = {&s->train, &s->test};
    for (size_t i = 0; i < 2; i++) {
        if (parts[i]->publish.data != NULL) {
            enum ctl_exit rc = publish_run(&tx, &parts[i]->publish, &s->sender);
            if (rc != CTL_DONE) {
                return rc;
            }
        }
    }
    enum ctl_exit rc = sender_send(&tx, &s->sender, &s->body, s->file.budget);
    if (rc != CTL_DONE) {
        return rc;
    }
    /* A task is named by its transaction. */
    (void)hash_format(&tx, text);
    ctl_print(s->ctl, "%s\n", text);
    (void)fflush(stdout);
    ctl_print_json(s->ctl,
                   json_pack("{ss ss so}", "task", text, "tx", text, "cost",
                             json_sprintf("%" PRIu64, s->cost)));
    /* In a block it is a task, which `watch` and `task` can show. */
    rc = sender_wait(&height, &s->sender, &tx);
    return rc == CTL_DONE && s->ctl->is_waiting ? follow(s, text) : rc;
}

static enum ctl_exit submit(struct submission *s)
{
    enum ctl_exit rc = get_data(s);
    if (rc != CTL_DONE) {
        return rc;
    }
    fill(s);
    rc = task_file_check_version(s->ctl, &s->file);
    if (rc == CTL_DONE) {
        rc = check_fit(s);
    }
    if (rc == CTL_DONE) {
        rc = sender_open(&s->sender, s->ctl);
    }
    if (rc == CTL_DONE) {
        rc = task_file_check_stake(s->ctl, &s->file, &s->sender.params);
    }
    if (rc == CTL_DONE) {
        rc = state_cost(s);
    }
    return rc == CTL_DONE ? send_task(s) : rc;
}

static void part_fini(struct part *part)
{
    publish_fini(&part->publish);
    buf_fini(&part->data);
    free(part->name);
}

static enum ctl_exit run(struct ctl *ctl, const struct cli_args *args)
{
    struct submission s = {.ctl = ctl};
    enum ctl_exit rc = task_file_load(&s.file, ctl, args->arguments[0]);
    if (rc == CTL_DONE && cli_value(args, "check") != NULL) {
        rc = get_data(&s);
        fill(&s);
        rc = rc == CTL_DONE ? check_fit(&s) : rc;
        if (rc == CTL_DONE) {
            ctl_print(ctl, "%s: fine\n", args->arguments[0]);
            ctl_print_json(ctl, json_pack("{sb}", "ok", 1));
        }
    } else if (rc == CTL_DONE) {
        rc = submit(&s);
    }
    sender_close(&s.sender);
    part_fini(&s.train);
    part_fini(&s.test);
    task_file_fini(&s.file);
    return rc;
}

const struct cli_command cmd_submit_task = {
    .name = "submit-task",
    .arguments = "TASK.toml",
    .summary = "check a task, publish its data, send it; print the task id",
    .details =
        "The file is described in task.toml(5).  What it costs is said before"
        " anything is\nsent.  With --wait the rounds are shown until the task"
        " has ended; the exit code is\nthen 6 if it failed or was cancelled."
        "\n",
    .examples = "  potctl --key client.key submit-task digits.toml --wait\n"
                "  potctl submit-task digits.toml --check\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = {{"check", NULL, "check the task and its data, send nothing"}},
    .run = run,
};
