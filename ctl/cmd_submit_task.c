/* submit-task, in order: the file is checked, data is imported, the model is
 * held against it, the node is asked for its rules, the cost is said; only
 * then anything is sent. */
#include "config.h"

#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/follow.h"
#include "ctl/task_check.h"
#include "ctl/task_data.h"
#include "ctl/task_print.h"
#include "ctl/task_read.h"
#include "proto/codec.h"
#include "proto/genesis_params.h"

#include <inttypes.h>
#include <stdio.h>

struct task_order {
    struct ctl *ctl;
    struct task_file file;
    struct task_data data;
    struct sender sender;
    Pot__TaskSpec spec;
    Pot__ModelSpec model;
    Pot__OptimizerSpec optimizer;
    Pot__SubmitTask submit;
    Pot__TxBody body;
    uint64_t cost;
};

static void fill(struct task_order *o)
{
    task_file_fill(&o->spec, &o->model, &o->optimizer, &o->file);
    o->spec.train = codec_bytes(o->data.train.address.b, HASH_SIZE);
    o->spec.test = codec_bytes(o->data.test.address.b, HASH_SIZE);
    pot__submit_task__init(&o->submit);
    o->submit.spec = &o->spec;
    o->submit.budget = o->file.budget;
    pot__tx_body__init(&o->body);
    o->body.action_case = POT__TX_BODY__ACTION_SUBMIT_TASK;
    o->body.submit_task = &o->submit;
}

/* All that can be known without a node, but for data sets that it holds. */
static enum exit_code prepare(struct task_order *o, const char *path)
{
    enum exit_code rc = task_read(&o->file, o->ctl, path);
    if (rc == EXIT_CODE_DONE) {
        rc = task_data_get(&o->data, o->ctl, &o->file);
    }
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    fill(o);
    return task_check_data(o->ctl, &o->file, &o->spec, &o->data.train.facts,
                           &o->data.test.facts);
}

/* ---- what it costs */

/* The fee for a data set that the chain may lack; adds it to *fees and
 * clears *fits when they go over. */
static enum exit_code add_fee(struct task_order *o, struct task_part *part,
                              struct amount *fees, bool *fits)
{
    if (!part->is_ours) {
        return EXIT_CODE_DONE;
    }
    enum exit_code rc = publish_look(&part->publish, o->ctl);
    if (rc == EXIT_CODE_DONE) {
        struct amount one = {publish_fee(&part->publish, &o->sender)};
        *fits = *fits && amount_add(fees, *fees, one);
    }
    return rc;
}

static enum exit_code add_fees(struct task_order *o, struct amount *fees,
                               bool *fits)
{
    struct task_part *test = &o->data.test;
    enum exit_code rc = add_fee(o, &o->data.train, fees, fits);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    if (test->is_ours && hash_equal(&o->data.train.address, &test->address)) {
        test->publish.is_known = true; /* the same data twice */
        test->publish.is_held = true;
    } else {
        rc = add_fee(o, test, fees, fits);
    }
    sender_prepare(&o->sender, &o->body);
    *fits = *fits && amount_add(fees, *fees, (struct amount){o->body.fee});
    return rc;
}

static enum exit_code state_cost(struct task_order *o)
{
    struct amount fees = {0};
    struct amount cost;
    struct amount budget = {o->file.budget};
    bool fits = true;
    char texts[3][AMOUNT_TEXT_SIZE];
    enum exit_code rc = add_fees(o, &fees, &fits);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    fits = fits && amount_add(&cost, fees, budget);
    if (!fits || cost.units > o->sender.balance) {
        struct amount has = {o->sender.balance};
        return ctl_fail(o->ctl, EXIT_CODE_REJECTED,
                        "the task costs %s POT and fees, but %s holds %s POT;"
                        " use another --key or a smaller reward.budget",
                        amount_format(budget, texts[0]), o->sender.address,
                        amount_format(has, texts[1]));
    }
    o->cost = cost.units;
    ctl_note(o->ctl, "cost: %s POT (budget %s, fees %s)",
             amount_format(cost, texts[0]), amount_format(budget, texts[1]),
             amount_format(fees, texts[2]));
    return EXIT_CODE_DONE;
}

/* ---- sending */

static enum exit_code follow(struct task_order *o, const char *task)
{
    json_t *result = NULL;
    enum follow_style style = FOLLOW_LINES;
    if (o->ctl->is_quiet) {
        style = FOLLOW_NONE;
    } else if (o->ctl->has_live_stderr) {
        style = FOLLOW_BAR;
    }
    enum exit_code rc = follow_task(&result, o->ctl, task, stderr, style);
    if (result != NULL) {
        if (!o->ctl->is_json) {
            task_print(o->ctl, result);
        }
        ctl_print_json(o->ctl, result);
    }
    return rc;
}

static enum exit_code publish_part(struct task_order *o, struct task_part *part)
{
    struct hash tx;
    return part->is_ours ? publish_run(&tx, &part->publish, &o->sender)
                         : EXIT_CODE_DONE;
}

static enum exit_code send_task(struct task_order *o)
{
    struct hash tx;
    uint64_t height;
    char text[HASH_TEXT_SIZE];
    enum exit_code rc = publish_part(o, &o->data.train);
    if (rc == EXIT_CODE_DONE) {
        rc = publish_part(o, &o->data.test);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = sender_send(&tx, &o->sender, &o->body, o->file.budget);
    }
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    /* A task is named by its transaction. */
    (void)hash_format(&tx, text);
    ctl_print(o->ctl, "%s\n", text);
    ctl_flush(o->ctl);
    ctl_print_json(o->ctl,
                   json_pack("{ss ss so}", "task", text, "tx", text, "cost",
                             json_sprintf("%" PRIu64, o->cost)));
    /* In a block it is a task, which `watch` and `task` can show. */
    rc = sender_wait(&height, &o->sender, &tx);
    return rc == EXIT_CODE_DONE && o->ctl->is_waiting ? follow(o, text) : rc;
}

static enum exit_code submit(struct task_order *o)
{
    enum exit_code rc = sender_init(&o->sender, o->ctl);
    if (rc == EXIT_CODE_DONE) {
        rc = task_check_stake(o->ctl, &o->file, &o->sender.params);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = state_cost(o);
    }
    return rc == EXIT_CODE_DONE ? send_task(o) : rc;
}

/* By the rules of the node's chain; without a node by the usual ones. */
static enum exit_code check_only(struct task_order *o)
{
    Pot__GenesisParams params;
    enum exit_code rc = sender_ask_params(&params, o->ctl);
    if (rc == EXIT_CODE_CONNECT) {
        genesis_params_default(&params);
        ctl_note(o->ctl,
                 "note: no node answers; the stake is held against a chain"
                 " with the usual parameters");
        rc = EXIT_CODE_DONE;
    }
    if (rc == EXIT_CODE_DONE) {
        rc = task_check_stake(o->ctl, &o->file, &params);
    }
    if (rc == EXIT_CODE_DONE) {
        ctl_print(o->ctl, "%s: fine\n", o->file.path);
        ctl_print_json(o->ctl, json_pack("{sb}", "ok", 1));
    }
    return rc;
}

static enum exit_code run(struct ctl *ctl, const struct cli_args *args)
{
    struct task_order o = {.ctl = ctl};
    enum exit_code rc = prepare(&o, args->arguments[0]);
    if (rc == EXIT_CODE_DONE && cli_value(args, "check") != NULL) {
        rc = check_only(&o);
    } else if (rc == EXIT_CODE_DONE) {
        rc = submit(&o);
    }
    sender_fini(&o.sender);
    task_data_fini(&o.data);
    task_file_fini(&o.file);
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
    .options = {{"check", NULL,
                 "check the task, its data and the stake, send nothing"}},
    .run = run,
};
