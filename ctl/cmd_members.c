/* Commands that list who takes part: validators, miners, peers. */
#include "config.h"

#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/table.h"

static enum ctl_exit fetch(json_t **out, struct ctl *ctl, const char *path,
                           const char *list)
{
    enum ctl_exit rc = client_get(out, ctl, "%s", path);
    if (rc == CTL_DONE && !json_is_array(json_object_get(*out, list))) {
        json_decref(*out);
        *out = NULL;
        return ctl_fail(ctl, CTL_FAILED, "%s: the answer has no \"%s\"", path,
                        list);
    }
    return rc;
}

static enum ctl_exit run_validators(struct ctl *ctl,
                                    const struct cli_args *args)
{
    json_t *json;
    json_t *one;
    size_t i;
    struct table table;
    (void)args;
    enum ctl_exit rc = fetch(&json, ctl, "/v1/validators", "validators");
    if (rc != CTL_DONE) {
        return rc;
    }
    if (!ctl->is_json) {
        table_init(&table, ">#|address|moniker|>stake|>earned|>slashed|"
                           ">last signed");
        json_array_foreach(json_object_get(json, "validators"), i, one)
        {
            table_count(&table, client_count(one, "index"));
            table_text(&table, client_text(one, "address"));
            table_text(&table, client_text(one, "moniker"));
            table_units(&table, client_units(one, "stake"));
            table_units(&table, client_units(one, "earned"));
            table_units(&table, client_units(one, "slashed"));
            table_count(&table, client_count(one, "last_signed_height"));
        }
        table_print(&table);
    }
    ctl_print_json(ctl, json);
    return CTL_DONE;
}

static enum ctl_exit run_miners(struct ctl *ctl, const struct cli_args *args)
{
    json_t *json;
    json_t *one;
    size_t i;
    struct table table;
    (void)args;
    enum ctl_exit rc = fetch(&json, ctl, "/v1/miners", "miners");
    if (rc != CTL_DONE) {
        return rc;
    }
    if (!ctl->is_json) {
        table_init(&table, "address|moniker|>stake|>earned|>slashed|>tasks");
        json_array_foreach(json_object_get(json, "miners"), i, one)
        {
            const json_t *tasks = json_object_get(one, "tasks");
            table_text(&table, client_text(one, "address"));
            table_text(&table, client_text(one, "moniker"));
            table_units(&table, client_units(one, "stake"));
            table_units(&table, client_units(one, "earned"));
            table_units(&table, client_units(one, "slashed"));
            table_count(&table, json_is_array(tasks)
                                    ? json_array_size(tasks)
                                    : client_count(one, "tasks"));
        }
        table_print(&table);
    }
    ctl_print_json(ctl, json);
    return CTL_DONE;
}

static enum ctl_exit run_peers(struct ctl *ctl, const struct cli_args *args)
{
    json_t *json;
    json_t *one;
    size_t i;
    struct table table;
    (void)args;
    enum ctl_exit rc = fetch(&json, ctl, "/v1/peers", "peers");
    if (rc != CTL_DONE) {
        return rc;
    }
    if (!ctl->is_json) {
        table_init(&table, "address|moniker|host|direction|>height|>rtt ms");
        json_array_foreach(json_object_get(json, "peers"), i, one)
        {
            char rtt[32];
            (void)snprintf(rtt, sizeof(rtt), "%.4g",
                           json_number_value(json_object_get(one, "rtt_ms")));
            table_text(&table, client_text(one, "address"));
            table_text(&table, client_text(one, "moniker"));
            table_text(&table, client_text(one, "host"));
            table_text(&table, client_text(one, "direction"));
            table_count(&table, client_count(one, "height"));
            table_text(&table, rtt);
        }
        table_print(&table);
    }
    ctl_print_json(ctl, json);
    return CTL_DONE;
}

const struct cli_command cmd_validators = {
    .name = "validators",
    .arguments = "",
    .summary = "list the validators with stake, rewards and slashes",
    .examples = "  potctl validators\n",
    .run = run_validators,
};

const struct cli_command cmd_miners = {
    .name = "miners",
    .arguments = "",
    .summary = "list the miners with stake, rewards and slashes",
    .examples = "  potctl miners\n",
    .run = run_miners,
};

const struct cli_command cmd_peers = {
    .name = "peers",
    .arguments = "",
    .summary = "list the node's peers",
    .examples = "  potctl --node http://127.0.0.1:26651 peers\n",
    .run = run_peers,
};
