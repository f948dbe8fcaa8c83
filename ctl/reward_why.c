#include "config.h"

#include "ctl/reward_why.h"

#include "ctl/challenges.h"
#include "ctl/client.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void reward_blocks_fini(struct reward_blocks *blocks)
{
    json_decref(blocks->block);
    json_decref(blocks->challenges);
    *blocks = (struct reward_blocks){0};
}

static enum exit_code fetch(struct reward_blocks *blocks, struct ctl *ctl,
                            uint64_t height)
{
    char path[48];
    struct client_reply reply;
    if (blocks->height == height) {
        return EXIT_CODE_DONE;
    }
    (void)snprintf(path, sizeof(path), "/v1/blocks/%" PRIu64, height);
    enum exit_code rc = client_ask(&reply, ctl, "GET", path, NULL, 0);
    if (rc == EXIT_CODE_DONE) {
        json_decref(blocks->block);
        blocks->height = height;
        blocks->block = reply.status == 200 ? json_incref(reply.json) : NULL;
        client_reply_fini(&reply);
    }
    return rc;
}

/* NULL: not there. */
static const json_t *find(const json_t *list, const char *key, const char *text)
{
    size_t i;
    const json_t *one;
    json_array_foreach(list, i, one)
    {
        if (strcmp(client_text(one, key), text) == 0) {
            return one;
        }
    }
    return NULL;
}

static const json_t *find_update(const struct reward_blocks *blocks,
                                 const char *task)
{
    return find(json_object_get(blocks->block, "round_updates"), "task", task);
}

static void why_training(char why[static REWARD_WHY_SIZE], const json_t *update,
                         const char *miner)
{
    const json_t *list = json_object_get(update, "submissions");
    const json_t *own = find(list, "miner", miner);
    uint64_t all = 0;
    size_t i;
    const json_t *one;
    json_array_foreach(list, i, one)
    {
        all += client_count(one, "rows");
    }
    if (own != NULL) {
        bool is_audited = json_is_true(json_object_get(own, "audited"));
        (void)snprintf(why, REWARD_WHY_SIZE,
                       "%" PRIu64 " of the round's %" PRIu64
                       " accepted rows; %s",
                       client_count(own, "rows"), all,
                       is_audited ? "audited" : "not audited");
    }
}

/* Whether the challenge ended so, and paid or took the record. */
static bool is_outcome(const json_t *challenge, const char *status,
                       const json_t *record)
{
    size_t i;
    const json_t *one;
    if (strcmp(client_text(challenge, "status"), status) != 0 ||
        strcmp(client_text(challenge, "task"), client_text(record, "task")) !=
            0 ||
        client_count(challenge, "round") != client_count(record, "round")) {
        return false;
    }
    json_array_foreach(json_object_get(challenge, "outcome"), i, one)
    {
        if (strcmp(client_text(one, "to"), client_text(record, "to")) == 0 &&
            strcmp(client_text(one, "for"), client_text(record, "for")) == 0) {
            return true;
        }
    }
    return false;
}

static const char *why_challenged(const json_t *challenges,
                                  const json_t *record)
{
    size_t i;
    const json_t *one;
    bool is_slash = strcmp(client_text(record, "for"), "slash") == 0;
    json_array_foreach(challenges, i, one)
    {
        bool is_its_own =
            strcmp(client_text(one, "miner"), client_text(record, "to")) == 0;
        if (is_outcome(one, "upheld", record)) {
            return !is_slash    ? "challenged a submission that was false"
                   : is_its_own ? "a challenge proved its submission false"
                                : "said to have audited what a challenge"
                                  " proved false";
        }
        if (is_outcome(one, "planted", record)) {
            return is_slash ? "said to have audited what was planted"
                            : "planted what others said to have audited";
        }
    }
    return is_slash ? "a challenge proved a submission false"
                    : "challenged a submission that was false";
}

static enum exit_code why_challenge(char why[static REWARD_WHY_SIZE],
                                    struct ctl *ctl,
                                    struct reward_blocks *blocks,
                                    const json_t *record)
{
    if (blocks->challenges == NULL) {
        enum exit_code rc = challenges_get(&blocks->challenges, ctl, NULL);
        if (rc != EXIT_CODE_DONE) {
            return rc;
        }
    }
    (void)snprintf(why, REWARD_WHY_SIZE, "%s",
                   why_challenged(blocks->challenges, record));
    return EXIT_CODE_DONE;
}

static enum exit_code why_slash(char why[static REWARD_WHY_SIZE],
                                struct ctl *ctl, struct reward_blocks *blocks,
                                const json_t *record)
{
    if (client_text(record, "task")[0] != '\0') {
        return why_challenge(why, ctl, blocks, record);
    }
    (void)snprintf(why, REWARD_WHY_SIZE,
                   "signed two things that contradict each other");
    return EXIT_CODE_DONE;
}

/* What the kind of a record says by itself. */
static const char *why_kind(const char *kind)
{
    static const struct {
        const char *kind;
        const char *why;
    } all[] = {
        {"attesting", "attested the round's submissions"},
        {"proposing", "proposed the block that closed the round"},
        {"evidence", "proved that a validator contradicted itself"},
        {"refereeing", "refereed a challenge that was lost"},
        {"deposit-lost", "challenged a submission that was right"},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        if (strcmp(kind, all[i].kind) == 0) {
            return all[i].why;
        }
    }
    return "";
}

enum exit_code reward_why(char why[static REWARD_WHY_SIZE], struct ctl *ctl,
                          struct reward_blocks *blocks, const json_t *record)
{
    const char *kind = client_text(record, "for");
    const char *task = client_text(record, "task");
    (void)snprintf(why, REWARD_WHY_SIZE, "%s", why_kind(kind));
    if (strcmp(kind, "slash") == 0) {
        return why_slash(why, ctl, blocks, record);
    }
    if (strcmp(kind, "challenge") == 0) {
        return why_challenge(why, ctl, blocks, record);
    }
    if (strcmp(kind, "training") != 0) {
        return EXIT_CODE_DONE;
    }
    enum exit_code rc = fetch(blocks, ctl, client_count(record, "height"));
    if (rc == EXIT_CODE_DONE) {
        why_training(why, find_update(blocks, task), client_text(record, "to"));
    }
    return rc;
}

enum exit_code reward_part(enum reward_part *out, struct ctl *ctl,
                           struct reward_blocks *blocks, uint64_t height,
                           const char *task, const char *miner)
{
    enum exit_code rc = fetch(blocks, ctl, height);
    const json_t *update = find_update(blocks, task);
    *out = REWARD_PART_NONE;
    if (rc == EXIT_CODE_DONE &&
        find(json_object_get(update, "submissions"), "miner", miner) != NULL) {
        *out = REWARD_PART_COUNTED;
    } else if (rc == EXIT_CODE_DONE && find(json_object_get(update, "refused"),
                                            "miner", miner) != NULL) {
        *out = REWARD_PART_REFUSED;
    }
    return rc;
}
