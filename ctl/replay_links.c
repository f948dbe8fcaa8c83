#include "config.h"

#include "ctl/replay_links.h"

#include "base/key.h"
#include "ctl/challenges.h"
#include "ctl/client.h"
#include "ctl/replay_source.h"
#include "proto/codec.h"
#include "proto/draw.h"
#include "proto/round.h"

#include <inttypes.h>
#include <string.h>

#define ROUNDS_A_REQUEST 16

/* ---- later submissions */

static void tell_update(struct task_replay *replay,
                        const Pot__RoundUpdate *update)
{
    for (size_t i = 0; i < update->n_submissions; i++) {
        struct round_submission s;
        struct hash link;
        if (round_submission_decode(&s, update->submissions[i]) != POT_OK) {
            continue;
        }
        if (codec_hash(&link, s.body->link)) {
            task_replay_link(replay, &s.miner, s.body->round, &link);
        }
        round_submission_fini(&s);
    }
}

static enum exit_code tell_block(struct task_replay *replay, struct ctl *ctl,
                                 const struct hash *task, uint64_t height)
{
    struct block *block;
    enum exit_code rc = replay_source_block(&block, ctl, height);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    const Pot__RoundUpdate *update = replay_source_update(block, task);
    if (update != NULL) {
        tell_update(replay, update);
    }
    block_free(block);
    return EXIT_CODE_DONE;
}

/* Of the rounds from that one on, as many as one request gives and no more than
 * are needed; *count: 0: there are none. */
static enum exit_code tell_rounds(struct task_replay *replay, struct ctl *ctl,
                                  const struct hash *task,
                                  const Pot__RoundUpdate *update, uint64_t from,
                                  size_t *count)
{
    char text[HASH_TEXT_SIZE];
    json_t *json;
    enum exit_code rc =
        client_get(&json, ctl, "/v1/tasks/%s/rounds?from=%" PRIu64 "&limit=%d",
                   hash_format(task, text), from, ROUNDS_A_REQUEST);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    const json_t *list = json_object_get(json, "rounds");
    *count = json_array_size(list);
    for (size_t i = 0; i < *count && rc == EXIT_CODE_DONE &&
                       task_replay_lacks_links(replay, update);
         i++) {
        rc = tell_block(replay, ctl, task,
                        client_count(json_array_get(list, i), "height"));
    }
    json_decref(json);
    return rc;
}

/* ---- challenges */

static void tell_challenge(struct task_replay *replay, const json_t *challenge)
{
    struct public_key miner;
    struct hash secret;
    if (hash_parse(&secret, client_text(challenge, "plant")) == POT_OK &&
        address_parse(&miner, client_text(challenge, "miner")) == POT_OK) {
        task_replay_link(replay, &miner,
                         (uint32_t)client_count(challenge, "round") + 1,
                         &secret);
    }
}

static enum exit_code tell_challenges(struct task_replay *replay,
                                      struct ctl *ctl, const struct hash *task)
{
    char text[HASH_TEXT_SIZE];
    json_t *list;
    const json_t *one;
    size_t i;
    enum exit_code rc = challenges_get(&list, ctl, hash_format(task, text));
    json_array_foreach(list, i, one)
    {
        tell_challenge(replay, one);
    }
    json_decref(list);
    return rc;
}

enum exit_code replay_links_tell(struct task_replay *replay, struct ctl *ctl,
                                 const struct hash *task,
                                 const Pot__RoundUpdate *update)
{
    size_t count = 1;
    enum exit_code rc = EXIT_CODE_DONE;
    for (uint64_t ahead = 1;
         rc == EXIT_CODE_DONE && count > 0 && ahead <= DRAW_GAP_MAX &&
         task_replay_lacks_links(replay, update);
         ahead += count) {
        rc = tell_rounds(replay, ctl, task, update, update->round + ahead,
                         &count);
    }
    return rc == EXIT_CODE_DONE && task_replay_lacks_links(replay, update)
               ? tell_challenges(replay, ctl, task)
               : rc;
}
