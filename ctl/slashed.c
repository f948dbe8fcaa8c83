#include "config.h"

#include "ctl/slashed.h"

#include "base/amount.h"
#include "ctl/answer.h"
#include "ctl/challenges.h"
#include "ctl/client.h"
#include "ctl/show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What of the outcome was taken from the miner. */
static uint64_t taken_of(const json_t *challenge)
{
    uint64_t units = 0;
    size_t i;
    const json_t *one;
    json_array_foreach(json_object_get(challenge, "outcome"), i, one)
    {
        bool is_miners = strcmp(client_text(one, "to"),
                                client_text(challenge, "miner")) == 0;
        if (is_miners && strcmp(client_text(one, "for"), "slash") == 0) {
            units += client_units(one, "amount");
        }
    }
    return units;
}

static json_t *entry_of(const json_t *challenge)
{
    char amount[24];
    (void)snprintf(amount, sizeof(amount), "%" PRIu64, taken_of(challenge));
    return json_pack("{ss ss sI sI ss ss}", "miner",
                     client_text(challenge, "miner"), "task",
                     client_text(challenge, "task"), "round",
                     (json_int_t)client_count(challenge, "round"), "height",
                     (json_int_t)client_count(challenge, "settled_height"),
                     "amount", amount, "reason", "false gradient");
}

enum exit_code slashed_get(json_t **out, struct ctl *ctl, const char *task)
{
    size_t i;
    json_t *challenges;
    const json_t *one;
    *out = NULL;
    enum exit_code rc = challenges_get(&challenges, ctl, task);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    *out = json_array();
    json_array_foreach(challenges, i, one)
    {
        if (taken_of(one) > 0) {
            (void)json_array_append_new(*out, entry_of(one));
        }
    }
    json_decref(challenges);
    return EXIT_CODE_DONE;
}

void slashed_print_rows(const json_t *list)
{
    static const struct answer_column columns[] = {
        {"slashed", answer_text, "miner"},
        {">amount", answer_units, "amount"},
        {">height", answer_count, "height"},
        {"reason", answer_text, "reason"},
        {">round", answer_count, "round"},
        {"task", answer_text, "task"},
        {NULL, NULL, NULL},
    };
    if (json_array_size(list) > 0) {
        (void)printf("\n");
        answer_rows(list, columns);
    }
}

void slashed_print_fields(const json_t *list)
{
    size_t i;
    const json_t *one;
    json_array_foreach(list, i, one)
    {
        char text[AMOUNT_TEXT_SIZE];
        struct amount amount = {client_units(one, "amount")};
        show_field("slashed", "%s POT of %s at height %" PRIu64 ": %s",
                   amount_format(amount, text), client_text(one, "miner"),
                   client_count(one, "height"), client_text(one, "reason"));
    }
}
