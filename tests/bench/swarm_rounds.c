#include "config.h"

#include "tests/bench/swarm.h"

#include "base/clock.h"
#include "ctl/client.h"
#include "proto/blob.h"
#include "proto/round.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define POLL_MS           20
#define ROUND_DEADLINE_MS 120000
/* Rounds without being counted after which a miner may have been dropped. */
#define MEMBER_ROUNDS 4

static bool has_sent(const struct swarm *s, uint32_t miner)
{
    bool has_sent = false;
    for (size_t i = 0; i < s->process_count; i++) {
        has_sent = has_sent || s->processes[i].answer.has_sent[miner] != 0;
    }
    return has_sent;
}

static void note_counted(struct swarm *s, const json_t *submissions)
{
    size_t index;
    const json_t *one;
    memset(s->order.was_counted, 0, sizeof(s->order.was_counted));
    json_array_foreach(submissions, index, one)
    {
        const char *miner = client_text(one, "miner");
        for (size_t i = 0; i < s->bench->miners; i++) {
            if (strcmp(miner, s->addresses[i]) == 0) {
                s->order.was_counted[i] = 1;
            }
        }
    }
}

/* Who was counted in a round, and who should have been. */
static void judge_round(struct swarm *s, uint32_t round)
{
    uint64_t missed = 0;
    for (uint32_t i = 0; i < s->bench->miners; i++) {
        bool was_counted = s->order.was_counted[i] != 0;
        bool is_member = s->uncounted[i] < MEMBER_ROUNDS;
        enum swarm_act act = swarm_act(i, round);
        bool is_live = is_member && act == SWARM_HONEST && has_sent(s, i);
        s->sums.live += is_live ? 1 : 0;
        missed += is_live && !was_counted ? 1 : 0;
        s->sums.counted += was_counted ? 1 : 0;
        s->sums.cheats_counted += was_counted && act == SWARM_CHEATS ? 1 : 0;
        if (was_counted) {
            s->uncounted[i] = 0;
        } else if (s->uncounted[i] < UINT8_MAX) {
            s->uncounted[i]++;
        }
    }
    s->sums.rounds++;
    s->sums.missed += missed;
    s->sums.full_rounds += missed == 0 ? 1 : 0;
    for (size_t i = 0; i < s->process_count; i++) {
        s->sums.connected += s->processes[i].answer.connected;
        s->sums.computing_us += s->processes[i].answer.computing_us;
    }
}

/* The block that opened the task's open round: its hash is in the seed, and
 * in it is who was counted in the round before. */
static enum exit_code read_block(struct swarm *s, uint64_t height)
{
    json_t *block;
    struct hash hash;
    size_t index;
    const json_t *update;
    struct ctl *ctl = &s->bench->ctl;
    enum exit_code rc = client_get(&block, ctl, "/v1/blocks/%" PRIu64, height);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    json_array_foreach(json_object_get(block, "round_updates"), index, update)
    {
        note_counted(s, json_object_get(update, "submissions"));
    }
    if (hash_parse(&hash, client_text(block, "hash")) != POT_OK) {
        rc = ctl_fail(ctl, EXIT_CODE_FAILED, "a block without a hash");
    }
    json_decref(block);
    round_seed(&s->order.seed, &s->task, s->order.round, &hash);
    return rc;
}

/* False: they are of a later round by now. */
static bool read_theta(struct swarm *s, const struct hash *wanted)
{
    char path[128];
    struct client_reply reply;
    struct hash hash;
    bool is_it = false;
    (void)snprintf(path, sizeof(path), "/v1/tasks/%s/parameters", s->task_text);
    if (client_ask(&reply, &s->bench->ctl, "GET", path, NULL, 0) !=
        EXIT_CODE_DONE) {
        return false;
    }
    if (reply.status == 200 && reply.body.size <= sizeof(s->order.theta)) {
        blob_hash(&hash, reply.body.data, reply.body.size);
        is_it = hash_equal(&hash, wanted);
        memcpy(s->order.theta, reply.body.data, reply.body.size);
        s->order.parameter_count =
            (uint32_t)(reply.body.size / sizeof(int32_t));
    }
    client_reply_fini(&reply);
    return is_it;
}

/* The round that the task is in becomes the order; the one before is judged by
 * the block that ended it. */
static enum exit_code take_round(struct swarm *s, const json_t *task,
                                 uint32_t round, bool is_first)
{
    struct hash parameters;
    uint32_t last = s->order.round;
    if (hash_parse(&parameters, client_text(task, "parameters_hash")) !=
        POT_OK) {
        return ctl_fail(&s->bench->ctl, EXIT_CODE_FAILED,
                        "a task without parameters");
    }
    s->order.round = round;
    s->opened_height = client_count(task, "opened_height");
    enum exit_code rc = read_block(s, s->opened_height);
    if (rc == EXIT_CODE_DONE && !is_first && round == last + 1) {
        judge_round(s, last);
    }
    s->order.parameters_hash = parameters;
    return rc == EXIT_CODE_DONE && !read_theta(s, &parameters)
               ? EXIT_CODE_TIMEOUT
               : rc;
}

/* Before the task is asked for again. */
static enum exit_code pause_until(struct swarm *s, uint64_t until_ms)
{
    struct ctl *ctl = &s->bench->ctl;
    enum exit_code rc = potbench_stopped(s->bench);
    if (rc == EXIT_CODE_DONE && clock_steady_ms() > until_ms) {
        rc = ctl_fail(ctl, EXIT_CODE_FAILED, "no round in two minutes");
    }
    return rc == EXIT_CODE_DONE ? ctl_pause(ctl, POLL_MS, "a round") : rc;
}

static bool is_of_order(const struct swarm *s, const json_t *task)
{
    return client_count(task, "round") == s->order.round &&
           client_count(task, "opened_height") == s->opened_height;
}

enum exit_code swarm_next_round(struct swarm *s, bool is_first)
{
    uint64_t until_ms = clock_steady_ms() + ROUND_DEADLINE_MS;
    for (;;) {
        json_t *task;
        enum exit_code rc =
            client_get(&task, &s->bench->ctl, "/v1/tasks/%s", s->task_text);
        if (rc != EXIT_CODE_DONE) {
            return rc;
        }
        bool is_new = client_count(task, "roster") > 0 &&
                      (is_first || !is_of_order(s, task));
        rc = is_new ? take_round(s, task, (uint32_t)client_count(task, "round"),
                                 is_first)
                    : EXIT_CODE_DONE;
        json_decref(task);
        if (is_new && rc != EXIT_CODE_TIMEOUT) {
            return rc;
        }
        is_first = is_first || is_new; /* it is over already: the next one */
        rc = pause_until(s, until_ms);
        if (rc != EXIT_CODE_DONE) {
            return rc;
        }
    }
}

enum exit_code swarm_await_reveal(struct swarm *s)
{
    uint64_t until_ms = clock_steady_ms() + ROUND_DEADLINE_MS;
    for (;;) {
        json_t *task;
        enum exit_code rc =
            client_get(&task, &s->bench->ctl, "/v1/tasks/%s", s->task_text);
        if (rc != EXIT_CODE_DONE) {
            return rc;
        }
        bool is_over = !is_of_order(s, task) ||
                       strcmp(client_text(task, "phase"), "revealing") == 0;
        json_decref(task);
        rc = is_over ? EXIT_CODE_DONE : pause_until(s, until_ms);
        if (is_over || rc != EXIT_CODE_DONE) {
            return rc;
        }
    }
}
