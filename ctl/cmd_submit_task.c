/* submit-task, in order: the file is checked, data is imported, the model is
 * held against it, the node is asked for its rules, the cost is said; only
 * then anything is sent. */
#include "config.h"

#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/follow.h"
#include "ctl/json_text.h"
#include "ctl/task_check.h"
#include "ctl/task_data.h"
#include "ctl/task_print.h"
#include "ctl/task_read.h"
#include "ctl/task_warn.h"
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
    uint64_t cost;    /* 0: not known yet */
    bool has_node;    /* of a check */
    json_t *warnings; /* texts */
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

static enum exit_code refuse_cost(struct task_order *o, struct amount fees)
{
    char texts[4][AMOUNT_TEXT_SIZE];
    return ctl_fail(
        o->ctl, EXIT_CODE_REJECTED,
        "the task costs %s POT (budget %s, fees %s), but %s holds %s POT;"
        " use another --key or a smaller reward.budget",
        amount_format((struct amount){o->cost}, texts[0]),
        amount_format((struct amount){o->file.budget}, texts[1]),
        amount_format(fees, texts[2]), o->sender.address,
        amount_format((struct amount){o->sender.balance}, texts[3]));
}

/* Whether the account can pay; of none, when only a check was asked for, that
 * is not known. */
static enum exit_code check_balance(struct task_order *o, struct amount fees,
                                    bool fits)
{
    const struct sender *sender = &o->sender;
    if (sender->address[0] == '\0') {
        ctl_note(o->ctl, "note: no key was named: give --key, and what it"
                         " holds is held against the cost");
        return EXIT_CODE_DONE;
    }
    if (!fits) {
        return ctl_fail(o->ctl, EXIT_CODE_REJECTED,
                        "the budget and the fees exceed all money there is;"
                        " take a smaller reward.budget");
    }
    return o->cost <= sender->balance ? EXIT_CODE_DONE : refuse_cost(o, fees);
}

static enum exit_code state_cost(struct task_order *o)
{
    struct amount fees = {0};
    struct amount cost = {0};
    struct amount budget = {o->file.budget};
    bool fits = true;
    char texts[3][AMOUNT_TEXT_SIZE];
    enum exit_code rc = add_fees(o, &fees, &fits);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    fits = fits && amount_add(&cost, fees, budget);
    o->cost = cost.units;
    rc = check_balance(o, fees, fits);
    if (rc == EXIT_CODE_DONE) {
        ctl_note(o->ctl, "cost: %s POT (budget %s, fees %s)",
                 amount_format(cost, texts[0]), amount_format(budget, texts[1]),
                 amount_format(fees, texts[2]));
    }
    return rc;
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

/* What is refused, and what is only said. */
static enum exit_code judge(struct task_order *o, bool has_node)
{
    size_t i;
    const json_t *one;
    enum exit_code rc = task_check_stake(o->ctl, &o->file, &o->sender.params);
    if (rc == EXIT_CODE_DONE) {
        task_warn_alone(o->warnings, &o->file, &o->data, &o->sender.params);
    }
    if (rc == EXIT_CODE_DONE && has_node) {
        rc = task_warn_miners(o->warnings, o->ctl, &o->file, &o->sender.params);
    }
    json_array_foreach(o->warnings, i, one)
    {
        ctl_note(o->ctl, "warning: %s", json_string_value(one));
    }
    return rc == EXIT_CODE_DONE && has_node ? state_cost(o) : rc;
}

static enum exit_code submit(struct task_order *o)
{
    enum exit_code rc = sender_init(&o->sender, o->ctl);
    if (rc == EXIT_CODE_DONE) {
        rc = judge(o, true);
    }
    return rc == EXIT_CODE_DONE ? send_task(o) : rc;
}

/* By the rules of the node's chain; without a node by the usual ones. */
static enum exit_code check_chain(struct task_order *o)
{
    enum exit_code rc = sender_look(&o->sender, o->ctl);
    o->has_node = rc != EXIT_CODE_CONNECT;
    if (!o->has_node) {
        genesis_params_default(&o->sender.params);
        ctl_note(o->ctl,
                 "note: no node answers; the stake is held against a chain"
                 " with the usual parameters, and neither the balance nor the"
                 " miners were looked at");
        rc = EXIT_CODE_DONE;
    }
    return rc == EXIT_CODE_DONE ? judge(o, o->has_node) : rc;
}

static json_t *units_json(uint64_t units, bool is_known)
{
    return is_known ? json_sprintf("%" PRIu64, units) : json_null();
}

/* What came of the check: rc, whose error main prints too. */
static void tell_check(const struct task_order *o, enum exit_code rc)
{
    size_t count = json_array_size(o->warnings);
    bool is_fine = rc == EXIT_CODE_DONE;
    bool has_account = o->has_node && o->sender.address[0] != '\0';
    json_t *errors = json_array();
    if (!is_fine) {
        (void)json_array_append_new(errors, json_text(o->ctl->error));
    } else if (!o->ctl->is_quiet && count == 0) {
        ctl_print(o->ctl, "%s: fine\n", o->file.path);
    } else if (!o->ctl->is_quiet) {
        ctl_print(o->ctl, "%s: it can be sent, with %zu warning%s above\n",
                  o->file.path, count, count == 1 ? "" : "s");
    }
    ctl_print_json(o->ctl,
                   json_pack("{sb so sO so so}", "ok", is_fine, "errors",
                             errors, "warnings", o->warnings, "cost",
                             units_json(o->cost, o->cost > 0), "balance",
                             units_json(o->sender.balance, has_account)));
}

static enum exit_code run(struct ctl *ctl, const struct cli_args *args)
{
    struct task_order o = {.ctl = ctl, .warnings = json_array()};
    enum exit_code rc = prepare(&o, args->arguments[0]);
    bool is_check = cli_value(args, "check") != NULL;
    if (rc == EXIT_CODE_DONE) {
        rc = is_check ? check_chain(&o) : submit(&o);
    }
    if (is_check) {
        tell_check(&o, rc);
    }
    json_decref(o.warnings);
    sender_fini(&o.sender);
    task_data_fini(&o.data);
    task_file_fini(&o.file);
    return rc;
}

const struct cli_command cmd_submit_task = {
    .name = "submit-task",
    .arguments = "TASK.toml",
    .summary = "check a task, publish its data, send it; print the task id",
    .details = "The file is described in task.toml(5).  What it costs is said"
               " before anything\nis sent.  With --wait the rounds are shown"
               " until the task has ended; the exit\ncode is then 6 if it"
               " failed or was cancelled.  What a task most likely does\nnot"
               " mean is warned of.  --check needs neither node nor key: with a"
               " node it\nholds the stake against its chain's rules and says"
               " the cost, with a key too\nwhether that can pay it.  With"
               " --json it prints an object in any case: ok,\nerrors, warnings,"
               " cost, balance.\n",
    .examples = "  potctl --key client.key submit-task digits.toml --wait\n"
                "  potctl submit-task digits.toml --check\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = {{"check", NULL,
                 "check task, data, stake and cost, send nothing"}},
    .run = run,
};
