/* potctl replay: fetches what the chain says of a task, block by block, and
 * computes all of it again by replay/task_replay.h. */
#include "config.h"

#include "base/limits.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/given.h"
#include "ctl/replay_links.h"
#include "ctl/replay_source.h"
#include "ctl/show.h"
#include "proto/codec.h"
#include "proto/spec.h"
#include "replay/task_replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ROUNDS_A_REQUEST 100

struct course {
    struct ctl *ctl;
    struct hash task;
    char task_text[HASH_TEXT_SIZE];
    const char *kernel; /* asked for */
    Pot__TxBody *body;
    const Pot__TaskSpec *spec; /* of body */
    struct buf data;
    struct dataset train;
    struct task_replay *replay;
    uint64_t height; /* of the block that closed the last round; at first,
                      * of the one that took the task */
    uint64_t rounds; /* that were the same */
    uint64_t gradients;
    uint64_t plants; /* of these: false on purpose */
    json_t *told;    /* the task, as the node told it before its rounds */
};

/* ---- the task */

static enum exit_code check_arguments(struct course *c,
                                      const struct cli_args *args)
{
    static const char *const kernels[] = {"auto", "scalar", "avx2", "avx512",
                                          "neon"};
    const char *kernel = cli_value(args, "kernel");
    c->kernel = kernel != NULL ? kernel : "auto";
    enum exit_code rc = given_task(&c->task, c->ctl, "", args->arguments[0]);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    (void)hash_format(&c->task, c->task_text);
    for (size_t i = 0; i < sizeof(kernels) / sizeof(*kernels); i++) {
        if (strcmp(c->kernel, kernels[i]) == 0) {
            return EXIT_CODE_DONE;
        }
    }
    return ctl_fail(c->ctl, EXIT_CODE_USAGE,
                    "--kernel %s: must be auto, scalar, avx2, avx512 or neon",
                    c->kernel);
}

static enum exit_code load_task(struct course *c)
{
    enum exit_code rc =
        client_get(&c->told, c->ctl, "/v1/tasks/%s", c->task_text);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    c->height = client_count(c->told, "started_height");
    rc = replay_source_task(&c->body, c->ctl, &c->task, c->height);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    const Pot__SubmitTask *submit = c->body->submit_task;
    c->spec = submit->spec;
    if (spec_check(c->spec, submit->budget) != SPEC_SOUND) {
        return ctl_fail(c->ctl, EXIT_CODE_FAILED,
                        "the task is none that this version takes; use the"
                        " potctl of the node's version");
    }
    if (c->spec->numerics != POT__NUMERICS__NUMERICS_EXACT) {
        return ctl_fail(c->ctl, EXIT_CODE_REJECTED,
                        "the task's numerics are \"blas\", whose bits differ"
                        " from machine to machine: only \"exact\" tasks can be"
                        " computed again");
    }
    return EXIT_CODE_DONE;
}

static enum exit_code load_data(struct course *c)
{
    struct hash address;
    bool is_hash = codec_hash(&address, c->spec->train);
    enum exit_code rc = is_hash
                            ? replay_source_dataset(&c->data, c->ctl, &address)
                            : EXIT_CODE_FAILED;
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    if (dataset_view(&c->train, c->data.data, c->data.size) != POT_OK) {
        return ctl_fail(c->ctl, EXIT_CODE_FAILED,
                        "the training set is no data set");
    }
    c->replay = task_replay_new(&c->task, c->spec, &c->train, c->kernel);
    return c->replay != NULL
               ? EXIT_CODE_DONE
               : ctl_fail(c->ctl, EXIT_CODE_FAILED,
                          "--kernel %s: this processor has no such exact"
                          " kernel, or it is wrong here; use another",
                          c->kernel);
}

/* ---- a round */

/* Someone joined a task: a round that waited for miners may have opened. */
static bool has_join(const struct block *block)
{
    bool is_found = false;
    for (size_t i = 0; i < block->body->n_txs && !is_found; i++) {
        Pot__TxBody *body;
        const Pot__Signed *tx = block->body->txs[i];
        is_found = CODEC_DECODE(&body, pot__tx_body, tx->body.data,
                                tx->body.len) == POT_OK &&
                   body->action_case == POT__TX_BODY__ACTION_JOIN_TASK;
        codec_free(body);
    }
    return is_found;
}

/* Computes the round of update, which the block of `height` closed.  It was
 * opened by the block that closed the one before, or, where that left it
 * without miners, by a later one in which some joined. */
static enum exit_code compute(struct course *c,
                              struct task_replay_result *result,
                              const Pot__RoundUpdate *update, uint64_t height)
{
    struct block *block;
    enum exit_code rc = replay_source_block(&block, c->ctl, c->height);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    *result = task_replay_round(c->replay, update, &block->hash);
    block_free(block);
    for (uint64_t h = c->height + 1;
         result->difference == REPLAY_PAYLOAD && h < height; h++) {
        rc = replay_source_block(&block, c->ctl, h);
        if (rc != EXIT_CODE_DONE) {
            return rc;
        }
        if (has_join(block) &&
            task_replay_opens(c->replay, update, &block->hash)) {
            *result = task_replay_round(c->replay, update, &block->hash);
            h = height;
        }
        block_free(block);
    }
    return EXIT_CODE_DONE;
}

static enum exit_code tell_difference(struct course *c,
                                      const struct task_replay_result *result,
                                      const Pot__RoundUpdate *update,
                                      uint64_t height)
{
    char miner[ADDRESS_TEXT_SIZE] = "";
    char told[HASH_TEXT_SIZE] = "";
    char made[HASH_TEXT_SIZE] = "";
    const char *what = task_replay_text(result->difference);
    const char *perhaps = result->difference == REPLAY_PAYLOAD &&
                                  task_replay_lacks_links(c->replay, update)
                              ? ", or a plant that its miner died with"
                              : "";
    json_t *json = json_pack("{ss sb sI sI ss}", "task", c->task_text,
                             "identical", 0, "round", (json_int_t)c->rounds,
                             "height", (json_int_t)height, "difference", what);
    if (result->has_miner) {
        (void)json_object_set_new(
            json, "miner", json_string(address_format(&result->miner, miner)));
    }
    if (result->has_hashes) {
        (void)json_object_set_new(
            json, "told", json_string(hash_format(&result->told, told)));
        (void)json_object_set_new(
            json, "made", json_string(hash_format(&result->made, made)));
    }
    ctl_print_json(c->ctl, json);
    return ctl_fail(c->ctl, EXIT_CODE_REJECTED,
                    "round %" PRIu64 ", block %" PRIu64 ": another %s%s%s%s%s"
                    "%s%s%s; do not trust the node at %s",
                    c->rounds, height, what, miner[0] != '\0' ? " of " : "",
                    miner, told[0] != '\0' ? ": the chain says " : "", told,
                    made[0] != '\0' ? ", computed here " : "", made, perhaps,
                    c->ctl->node);
}

static enum exit_code take_round(struct course *c, uint64_t height)
{
    struct block *block;
    struct task_replay_result result = {.difference = REPLAY_ROUND};
    enum exit_code rc = replay_source_block(&block, c->ctl, height);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    const Pot__RoundUpdate *update = replay_source_update(block, &c->task);
    if (update != NULL && height > c->height) {
        rc = replay_links_tell(c->replay, c->ctl, &c->task, update);
    }
    if (rc == EXIT_CODE_DONE && update != NULL && height > c->height) {
        rc = compute(c, &result, update, height);
    }
    if (rc == EXIT_CODE_DONE && result.difference != REPLAY_SAME) {
        rc = tell_difference(c, &result, update, height);
    } else if (rc == EXIT_CODE_DONE) {
        c->rounds++;
        c->gradients += update->n_submissions;
        c->plants += result.plants;
        c->height = height;
    }
    block_free(block);
    return rc;
}

/* ---- all of them */

static enum exit_code take_rounds(struct course *c)
{
    for (;;) {
        json_t *json;
        json_t *round;
        size_t i;
        enum exit_code rc = client_get(
            &json, c->ctl, "/v1/tasks/%s/rounds?from=%" PRIu64 "&limit=%d",
            c->task_text, c->rounds, ROUNDS_A_REQUEST);
        if (rc != EXIT_CODE_DONE) {
            return rc;
        }
        json_t *list = json_object_get(json, "rounds");
        bool is_last = json_array_size(list) == 0;
        json_array_foreach(list, i, round)
        {
            if (rc == EXIT_CODE_DONE) {
                rc = take_round(c, client_count(round, "height"));
            }
        }
        json_decref(json);
        if (c->ctl->has_live_stderr && !c->ctl->is_quiet) {
            (void)fprintf(stderr, "\r\033[K%" PRIu64 " rounds are the same%s",
                          c->rounds, is_last ? "\n" : "");
        }
        if (rc != EXIT_CODE_DONE || is_last) {
            return rc;
        }
    }
}

static bool has_ended(const struct course *c)
{
    return strcmp(client_text(c->told, "status"), "running") != 0;
}

/* A list cut short hides what comes behind. */
static enum exit_code check_whole(struct course *c)
{
    char text[HASH_TEXT_SIZE];
    struct hash parameters = task_replay_parameters(c->replay);
    const char *told = client_text(c->told, "parameters_hash");
    uint64_t rounds = client_count(c->told, "round");
    (void)hash_format(&parameters, text);
    if (c->rounds < rounds) {
        return ctl_fail(c->ctl, EXIT_CODE_REJECTED,
                        "the node at %s says that %" PRIu64 " rounds are"
                        " closed, and lists %" PRIu64 "; ask another node",
                        c->ctl->node, rounds, c->rounds);
    }
    if (has_ended(c) && strcmp(told, text) != 0) {
        return ctl_fail(c->ctl, EXIT_CODE_REJECTED,
                        "the node at %s says that the task ended with the"
                        " parameters %s, its rounds give %s; ask another node",
                        c->ctl->node, told, text);
    }
    return EXIT_CODE_DONE;
}

static void tell_identical(struct course *c)
{
    char text[HASH_TEXT_SIZE];
    struct hash parameters = task_replay_parameters(c->replay);
    const char *status = client_text(c->told, "status");
    char plants[48] = "";
    (void)hash_format(&parameters, text);
    if (c->plants > 0) {
        (void)snprintf(plants, sizeof(plants), ", %" PRIu64 " of them planted",
                       c->plants);
    }
    ctl_print(c->ctl,
              "identical%s: %" PRIu64 " of %" PRIu64 " rounds (%s), %" PRIu64
              " gradients%s, parameters hash %s, by the kernel %s\n",
              has_ended(c) ? "" : " so far", c->rounds,
              client_count(c->told, "rounds"), status, c->gradients, plants,
              text, task_replay_kernel(c->replay));
    ctl_print_json(c->ctl,
                   json_pack("{ss sb ss sI sI sI ss ss}", "task", c->task_text,
                             "identical", 1, "status", status, "rounds",
                             (json_int_t)c->rounds, "gradients",
                             (json_int_t)c->gradients, "plants",
                             (json_int_t)c->plants, "parameters_hash", text,
                             "kernel", task_replay_kernel(c->replay)));
}

static enum exit_code run(struct ctl *ctl, const struct cli_args *args)
{
    struct course c = {.ctl = ctl};
    enum exit_code rc = check_arguments(&c, args);
    if (rc == EXIT_CODE_DONE) {
        rc = load_task(&c);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = load_data(&c);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = take_rounds(&c);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = check_whole(&c);
    }
    if (rc == EXIT_CODE_DONE) {
        tell_identical(&c);
    }
    task_replay_free(c.replay);
    buf_fini(&c.data);
    codec_free(c.body);
    json_decref(c.told);
    return rc;
}

const struct cli_command cmd_replay = {
    .name = "replay",
    .arguments = "TASK",
    .summary = "compute all rounds of a task again, here",
    .details = "From the first parameters on: every counted gradient, their"
               " aggregates and the\nparameters after each round, in one"
               " process.  Says the first difference, and\nexits with 6 then."
               "  The task's numerics must be \"exact\".  Blocks and"
               " the\ntraining set come from the node; whether a quorum signed"
               " the blocks says\nverify-chain.  In a task with a plant_rate a"
               " gradient that is false on purpose\nis counted as planted,"
               " where a challenge or a later submission of its miner\ntells;"
               " of its last one nothing may.\n",
    .examples = "  potctl replay TASK\n"
                "  potctl replay TASK --kernel scalar --json\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = {{"kernel", "NAME",
                 "auto, scalar, avx2, avx512 or neon; all give the same"}},
    .run = run,
};
