/* The command evidence: validators that contradicted themselves. */
#include "config.h"

#include "ctl/answer.h"
#include "ctl/client.h"
#include "ctl/commands.h"

#include <stdio.h>

static enum exit_code run_evidence(struct ctl *ctl, const struct cli_args *args)
{
    static const struct answer_column pending[] = {
        {"waiting: validator", answer_text, "validator"},
        {">height", answer_count, "height"},
        {"kind", answer_text, "kind"},
        {"finder", answer_text, "finder"},
        {NULL, NULL, NULL},
    };
    static const struct answer_column punished[] = {
        {">block", answer_count, "block"},
        {"validator", answer_text, "validator"},
        {">slashed", answer_units, "slashed"},
        {"finder", answer_text, "finder"},
        {">rewarded", answer_units, "rewarded"},
        {NULL, NULL, NULL},
    };
    json_t *json;
    (void)args;
    enum exit_code rc = client_get(&json, ctl, "/v1/evidence?limit=1000");
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    if (ctl->is_json) {
        ctl_print_json(ctl, json);
        return EXIT_CODE_DONE;
    }
    const json_t *waiting = json_object_get(json, "pending");
    if (json_array_size(waiting) > 0) {
        answer_rows(waiting, pending);
        (void)printf("\n");
    }
    answer_rows(json_object_get(json, "punished"), punished);
    json_decref(json);
    return EXIT_CODE_DONE;
}

const struct cli_command cmd_evidence = {
    .name = "evidence",
    .arguments = "",
    .summary = "list validators that were found to contradict themselves",
    .details = "First what waits for a block, if anything does, then what was"
               " punished.\n",
    .examples = "  potctl evidence\n"
                "  potctl evidence --json\n",
    .run = run_evidence,
};
