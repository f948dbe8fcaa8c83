#include "config.h"

#include "ctl/challenges.h"

#include "ctl/client.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CHALLENGES_A_REQUEST 1000

/* Puts a page's challenges behind those that are there; false: it was the last
 * one, and else *from is where the next one begins, before this one. */
static bool take_page(json_t *out, uint64_t *from, const json_t *page)
{
    size_t i;
    json_t *one;
    const json_t *next = json_object_get(page, "next");
    json_array_foreach(json_object_get(page, "challenges"), i, one)
    {
        (void)json_array_append(out, one);
    }
    if (!json_is_integer(next) || client_count(page, "next") >= *from) {
        return false;
    }
    *from = client_count(page, "next");
    return true;
}

enum exit_code challenges_get(json_t **out, struct ctl *ctl, const char *task)
{
    uint64_t from = INT64_MAX;
    bool has_more = true;
    *out = json_array();
    while (has_more) {
        json_t *page;
        enum exit_code rc = client_get(
            &page, ctl, "/v1/challenges?limit=%d&from=%" PRIu64 "%s%s",
            CHALLENGES_A_REQUEST, from, task != NULL ? "&task=" : "",
            task != NULL ? task : "");
        if (rc != EXIT_CODE_DONE) {
            json_decref(*out);
            *out = NULL;
            return rc;
        }
        has_more = take_page(*out, &from, page);
        json_decref(page);
    }
    return EXIT_CODE_DONE;
}

const char *challenges_meaning(const char *status)
{
    static const struct {
        const char *status;
        const char *meaning;
    } all[] = {
        {"open", "validators compute the gradient again"},
        {"upheld", "the gradient was false; the deposit is back"},
        {"rejected", "the gradient was right; the deposit is lost"},
        {"planted", "false on purpose, a plant; the deposit is back"},
        {"expired", "too few validators answered in time; nobody pays, and the"
                    " deposit is back"},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        if (strcmp(status, all[i].status) == 0) {
            return all[i].meaning;
        }
    }
    return "";
}
