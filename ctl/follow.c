/* The node is asked every POLL_MS: first for the task, then for the rounds
 * from the first one not seen; a task that had ended before its rounds were
 * asked for has no more of them. */
#include "config.h"

#include "ctl/follow.h"

#include "ctl/client.h"
#include "ctl/waiting.h"

#include <inttypes.h>
#include <string.h>

#define POLL_MS           300
#define POLL_FAILURES_MAX 40 /* in a row */
#define ROUNDS_A_REQUEST  100

struct follow {
    struct ctl *ctl;
    const char *task;
    FILE *out;
    enum follow_style style;
    uint64_t next;    /* round to ask for */
    uint64_t seen;    /* rounds shown */
    uint64_t rounds;  /* of the whole task */
    uint64_t ms_mean; /* a round takes, of late */
    double accuracy;  /* the latest known; below 0: none */
    double test_loss; /* the same */
    uint64_t waiting; /* miners there when last said, plus one */
    bool has_bar;     /* the cursor stands behind one */
    struct waiting why;
};

void follow_bar(char text[static FOLLOW_BAR_WIDTH + 3], uint64_t done,
                uint64_t all)
{
    uint64_t filled = FOLLOW_BAR_WIDTH;
    if (all > 0 && done < all) {
        filled = (uint64_t)((double)done / (double)all * FOLLOW_BAR_WIDTH);
    }
    text[0] = '[';
    for (uint64_t i = 0; i < FOLLOW_BAR_WIDTH; i++) {
        text[1 + i] = i < filled ? '#' : '.';
    }
    text[1 + FOLLOW_BAR_WIDTH] = ']';
    text[2 + FOLLOW_BAR_WIDTH] = '\0';
}

void follow_eta(char text[static FOLLOW_ETA_SIZE], uint64_t ms)
{
    uint64_t seconds = (ms + 999) / 1000;
    if (seconds >= 3600) {
        (void)snprintf(text, FOLLOW_ETA_SIZE, "%" PRIu64 " h %02" PRIu64 " min",
                       seconds / 3600, seconds / 60 % 60);
    } else if (seconds >= 60) {
        (void)snprintf(text, FOLLOW_ETA_SIZE, "%" PRIu64 " min %02" PRIu64 " s",
                       seconds / 60, seconds % 60);
    } else {
        (void)snprintf(text, FOLLOW_ETA_SIZE, "%" PRIu64 " s", seconds);
    }
}

/* A list of submissions counts as their number. */
static uint64_t submissions_of(const json_t *round)
{
    const json_t *value = json_object_get(round, "submissions");
    return json_is_array(value) ? json_array_size(value)
                                : client_count(round, "submissions");
}

void follow_round(char text[static FOLLOW_ROUND_SIZE], const json_t *round,
                  double accuracy, double test_loss)
{
    char tested[32] = "";
    char loss[24] = "-";
    uint64_t count = submissions_of(round);
    const json_t *mean = json_object_get(round, "train_loss");
    if (json_is_number(mean)) {
        (void)snprintf(loss, sizeof(loss), "%.5g", json_number_value(mean));
    }
    if (accuracy >= 0) {
        (void)snprintf(tested, sizeof(tested), "  accuracy %.4f", accuracy);
    } else if (test_loss >= 0) {
        (void)snprintf(tested, sizeof(tested), "  test loss %.5g", test_loss);
    }
    (void)snprintf(text, FOLLOW_ROUND_SIZE,
                   "%" PRIu64 " submission%s  loss %s%s", count,
                   count == 1 ? "" : "s", loss, tested);
}

static void show_bar(struct follow *f, const json_t *round, uint64_t done)
{
    char bar[FOLLOW_BAR_WIDTH + 3];
    char eta[FOLLOW_ETA_SIZE];
    char what[FOLLOW_ROUND_SIZE];
    uint64_t left = f->rounds > done ? f->rounds - done : 0;
    follow_round(what, round, f->accuracy, f->test_loss);
    follow_bar(bar, done, f->rounds);
    follow_eta(eta, left * f->ms_mean);
    (void)fprintf(f->out,
                  "\r\033[Kround %" PRIu64 "/%" PRIu64 " %s  %s  ETA %s", done,
                  f->rounds, bar, what, eta);
    (void)fflush(f->out);
    f->has_bar = true;
}

static void show_round(struct follow *f, json_t *round)
{
    uint64_t number = client_count(round, "round");
    uint64_t ms = client_count(round, "ms");
    const json_t *accuracy = json_object_get(round, "test_accuracy");
    char what[FOLLOW_ROUND_SIZE];
    f->seen++;
    f->next = number + 1;
    f->ms_mean = f->seen == 1 ? ms : (f->ms_mean * 7 + ms) / 8;
    if (f->style == FOLLOW_LINES) { /* a line is of its round alone */
        f->accuracy = f->test_loss = -1;
    }
    if (json_is_number(accuracy)) {
        f->accuracy = json_number_value(accuracy);
    }
    if (json_is_number(json_object_get(round, "test_loss"))) {
        f->test_loss = json_number_value(json_object_get(round, "test_loss"));
    }
    switch (f->style) {
    case FOLLOW_JSON:
        (void)json_dumpf(round, f->out,
                         JSON_COMPACT | JSON_REAL_PRECISION(CTL_REAL_DIGITS));
        (void)fputc('\n', f->out);
        break;
    case FOLLOW_LINES:
        follow_round(what, round, f->accuracy, f->test_loss);
        (void)fprintf(f->out,
                      "round %" PRIu64 "/%" PRIu64 "  height %" PRIu64
                      "  %s  %" PRIu64 " ms\n",
                      f->seen, f->rounds, client_count(round, "height"), what,
                      ms);
        break;
    case FOLLOW_BAR:
        show_bar(f, round, f->seen);
        break;
    case FOLLOW_NONE:
        break;
    }
    (void)fflush(f->out);
}

/* All rounds that are there now. */
static enum exit_code show_rounds(struct follow *f)
{
    for (;;) {
        json_t *json;
        json_t *round;
        size_t i;
        enum exit_code rc = client_get(
            &json, f->ctl, "/v1/tasks/%s/rounds?from=%" PRIu64 "&limit=%d",
            f->task, f->next, ROUNDS_A_REQUEST);
        if (rc != EXIT_CODE_DONE) {
            return rc;
        }
        json_t *rounds = json_object_get(json, "rounds");
        size_t count = json_array_size(rounds);
        uint64_t before = f->next;
        json_array_foreach(rounds, i, round)
        {
            if (client_count(round, "round") >= f->next) {
                show_round(f, round);
            }
        }
        json_decref(json);
        if (count < ROUNDS_A_REQUEST || f->next == before) {
            return EXIT_CODE_DONE;
        }
    }
}

/* No round opens before enough miners are there. */
static void show_waiting(struct follow *f, const json_t *task)
{
    uint64_t members = client_count(task, "members");
    uint64_t wanted = client_count(task, "min_submissions");
    bool is_waiting = client_count(task, "roster") == 0 && members < wanted;
    if (!is_waiting || f->waiting == members + 1 ||
        (f->style != FOLLOW_LINES && f->style != FOLLOW_BAR)) {
        return;
    }
    (void)fprintf(f->out,
                  "%swaiting for miners: %" PRIu64 " of the %" PRIu64
                  " that min_submissions asks for have joined%s",
                  f->style == FOLLOW_BAR ? "\r\033[K" : "", members, wanted,
                  f->style == FOLLOW_BAR ? "" : "\n");
    (void)fflush(f->out);
    f->waiting = members + 1;
    f->has_bar = f->style == FOLLOW_BAR;
}

static enum exit_code poll_once(json_t **out_task, struct follow *f)
{
    json_t *task;
    enum exit_code rc = client_get(&task, f->ctl, "/v1/tasks/%s", f->task);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    f->rounds = client_count(task, "rounds");
    bool has_ended = strcmp(client_text(task, "status"), "running") != 0;
    rc = show_rounds(f);
    if (rc == EXIT_CODE_DONE && !has_ended) {
        show_waiting(f, task);
    }
    if (rc == EXIT_CODE_DONE && has_ended) {
        *out_task = json_incref(task);
    }
    json_decref(task);
    return rc;
}

static enum exit_code verdict(struct follow *f, const json_t *task)
{
    const char *status = client_text(task, "status");
    const char *reason = client_text(task, "reason");
    if (strcmp(status, "completed") == 0) {
        return EXIT_CODE_DONE;
    }
    return ctl_fail(f->ctl, EXIT_CODE_REJECTED, "task %s %s: %s", f->task,
                    status, reason[0] != '\0' ? reason : "no reason was given");
}

/* That no block can come; a bar's line is left as it is. */
static void tell_why(struct follow *f)
{
    if (waiting_tell(&f->why, f->ctl, f->has_bar ? "\n" : "")) {
        f->has_bar = false;
    }
}

enum exit_code follow_task(json_t **out_task, struct ctl *ctl, const char *task,
                           FILE *out, enum follow_style style)
{
    struct follow f = {.ctl = ctl,
                       .task = task,
                       .out = out,
                       .style = style,
                       .accuracy = -1,
                       .test_loss = -1};
    unsigned failures = 0;
    *out_task = NULL;
    enum exit_code rc = EXIT_CODE_DONE;
    while (*out_task == NULL) {
        rc = poll_once(out_task, &f);
        failures = rc == EXIT_CODE_DONE ? 0 : failures + 1;
        bool may_pass = rc == EXIT_CODE_DONE || rc == EXIT_CODE_CONNECT ||
                        rc == EXIT_CODE_NOT_READY || rc == EXIT_CODE_TIMEOUT;
        /* The first answer must be one: a typo is not waited for. */
        if (!may_pass || failures > POLL_FAILURES_MAX ||
            (failures > 0 && f.rounds == 0)) {
            break;
        }
        if (*out_task == NULL) {
            tell_why(&f);
            rc = ctl_pause(ctl, POLL_MS, "the task's end");
        }
        if (rc != EXIT_CODE_DONE) {
            break;
        }
    }
    if (f.has_bar) {
        (void)fputc('\n', out);
    }
    if (rc == EXIT_CODE_CONNECT && f.rounds > 0) {
        char why[CTL_ERROR_SIZE];
        (void)snprintf(why, sizeof(why), "%s", ctl->error);
        return ctl_fail(ctl, rc,
                        "%s: the task goes on, and `potctl watch %s` follows"
                        " it there",
                        why, task);
    }
    if (rc == EXIT_CODE_TIMEOUT && f.rounds > 0) {
        return ctl_fail(ctl, rc,
                        "timed out waiting for the task's end: the task goes"
                        " on, and `potctl watch %s` follows it",
                        task);
    }
    return rc == EXIT_CODE_DONE ? verdict(&f, *out_task) : rc;
}
