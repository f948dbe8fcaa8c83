/* One thread polls every connection and the event stream.  An account belongs
 * to one connection, so that its nonces arrive in order. */
#include "config.h"

#include "tests/bench/potbench_load.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "ctl/client.h"
#include "tests/bench/potbench_accounts.h"
#include "tests/bench/potbench_http.h"
#include "tests/bench/potbench_watch.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

/* However many nodes share them: a baseline is to be asked as busily. */
#define CONNECTIONS             16
#define ACCOUNTS_PER_CONNECTION 8
#define WARM_UP_US              3000000
#define DRAIN_US                15000000
#define FULL_PAUSE_US           50000
#define SIGN_AHEAD_PER_S        1500 /* when the rate is not named */

struct lane { /* a connection with its accounts */
    struct potbench_http http;
    size_t first; /* account */
    size_t turn;
    size_t sending; /* the account whose transfer is under way */
    uint64_t paused_until_us;
};

struct load {
    const struct potbench_load_config *config;
    struct potbench *bench;
    struct potbench_accounts accounts;
    struct lane *lanes;
    size_t lane_count;
    struct watch watch;
    uint64_t start_us;  /* of sending */
    uint64_t requested; /* for the rate */
    struct potbench_load_result *result;
};

/* ---- opening */

static enum exit_code open_lanes(struct load *l)
{
    const struct potbench_load_config *c = l->config;
    l->lane_count = CONNECTIONS;
    l->lanes = pot_calloc(l->lane_count, sizeof(*l->lanes));
    for (size_t i = 0; i < l->lane_count; i++) {
        l->lanes[i].http.fd = -1;
        l->lanes[i].first = i * ACCOUNTS_PER_CONNECTION;
    }
    for (size_t i = 0; i < l->lane_count; i++) {
        enum exit_code rc = potbench_http_open(
            &l->lanes[i].http, &l->bench->ctl, c->urls[i % c->url_count]);
        if (rc != EXIT_CODE_DONE) {
            return rc;
        }
    }
    return watch_open(&l->watch, c->urls[0]);
}

static void load_fini(struct load *l)
{
    for (size_t i = 0; l->lanes != NULL && i < l->lane_count; i++) {
        potbench_http_close(&l->lanes[i].http);
    }
    watch_fini(&l->watch);
    potbench_accounts_close(&l->accounts);
    free(l->lanes);
}

/* ---- answers and events */

static void note_refusal(struct load *l, const struct potbench_answer *answer)
{
    if (l->result->refused++ == 0) {
        (void)snprintf(l->result->refusal, sizeof(l->result->refusal),
                       "%d %.*s", answer->status,
                       answer->size < 100 ? (int)answer->size : 100,
                       answer->body);
    }
}

static bool take_answer(struct load *l, struct lane *lane)
{
    struct potbench_answer answer;
    struct potbench_account *account = &l->accounts.items[lane->sending];
    int rc = potbench_http_read(&lane->http, &answer);
    if (rc <= 0) {
        return rc == 0;
    }
    if (answer.status == 202) {
        watch_sent(&l->watch, &account->txs[account->next].hash);
        account->next++;
    } else if (answer.status == 503) {
        /* Full: the same one again, later. */
        l->result->full++;
        lane->paused_until_us = clock_steady_us() + FULL_PAUSE_US;
    } else {
        note_refusal(l, &answer);
        lane->paused_until_us = clock_steady_us() + FULL_PAUSE_US;
    }
    return true;
}

/* ---- sending */

static bool may_send(const struct load *l, const struct lane *lane,
                     uint64_t now_us)
{
    const struct potbench *b = l->bench;
    uint64_t waiting = l->watch.sent_count > l->watch.committed
                           ? l->watch.sent_count - l->watch.committed
                           : 0;
    if (lane->http.is_busy || now_us < lane->paused_until_us ||
        waiting >= b->window) {
        return false;
    }
    return b->rate == 0 ||
           l->requested < (now_us - l->start_us) * b->rate / 1000000;
}

static bool send_one(struct load *l, struct lane *lane)
{
    lane->sending = lane->first + lane->turn;
    lane->turn = (lane->turn + 1) % ACCOUNTS_PER_CONNECTION;
    const struct potbench_tx *tx =
        potbench_accounts_next(&l->accounts, lane->sending);
    l->requested++;
    return potbench_http_post(&lane->http, "/v1/txs", tx->data, tx->size);
}

static bool send_all(struct load *l, uint64_t now_us)
{
    /* Whoever was last is not always last. */
    size_t shift = (size_t)l->requested;
    for (size_t i = 0; i < l->lane_count; i++) {
        struct lane *lane = &l->lanes[(i + shift) % l->lane_count];
        if (may_send(l, lane, now_us) && !send_one(l, lane)) {
            return false;
        }
    }
    return true;
}

static bool wait_all(struct load *l, int wait_ms)
{
    struct pollfd fds[CONNECTIONS + 1];
    for (size_t i = 0; i < l->lane_count; i++) {
        fds[i] = (struct pollfd){.fd = l->lanes[i].http.fd, .events = POLLIN};
    }
    fds[l->lane_count] =
        (struct pollfd){.fd = l->watch.events.fd, .events = POLLIN};
    if (poll(fds, (nfds_t)l->lane_count + 1, wait_ms) < 0) {
        return true; /* a signal: the caller looks */
    }
    bool is_fine = true;
    for (size_t i = 0; is_fine && i < l->lane_count; i++) {
        if (fds[i].revents != 0) {
            is_fine = take_answer(l, &l->lanes[i]);
        }
    }
    if (is_fine && fds[l->lane_count].revents != 0) {
        is_fine = watch_read(&l->watch);
    }
    return is_fine;
}

/* One turn until deadline_us; is_sending false: only what is under way. */
static enum exit_code turn(struct load *l, bool is_sending)
{
    uint64_t now_us = clock_steady_us();
    int wait_ms = l->bench->rate > 0 ? 2 : 10;
    if ((is_sending && !send_all(l, now_us)) || !wait_all(l, wait_ms)) {
        return ctl_fail(&l->bench->ctl, EXIT_CODE_CONNECT,
                        "a connection broke; see the nodes' logs");
    }
    return potbench_stopped(l->bench);
}

static enum exit_code turn_until(struct load *l, uint64_t until_us)
{
    enum exit_code rc = EXIT_CODE_DONE;
    while (rc == EXIT_CODE_DONE && clock_steady_us() < until_us) {
        rc = turn(l, true);
    }
    return rc;
}

static enum exit_code drain(struct load *l)
{
    enum exit_code rc = EXIT_CODE_DONE;
    uint64_t until_us = clock_steady_us() + DRAIN_US;
    while (rc == EXIT_CODE_DONE && clock_steady_us() < until_us &&
           l->watch.committed < l->watch.sent_count) {
        rc = turn(l, false);
    }
    return rc;
}

/* ---- figures */

static void count(struct load *l, uint64_t from_us, uint64_t to_us)
{
    static const double parts[] = {0.5, 0.95, 0.99};
    struct potbench_load_result *r = l->result;
    struct watch_span span;
    watch_span(&span, &l->watch, from_us, to_us);
    if (span.blocks > 0) {
        r->committed = span.committed;
        r->span_s = span.seconds;
        r->committed_per_s = (double)span.committed / span.seconds;
        r->blocks_per_s = (double)span.blocks / span.seconds;
        r->txs_per_block = (double)span.committed /
                           (double)(span.filled > 0 ? span.filled : 1);
    }
    r->missing =
        watch_latencies(r->latency_ms, &l->watch, parts, from_us, to_us);
    r->accepted_per_s = (double)watch_sent_between(&l->watch, from_us, to_us) *
                        1e6 / (double)(to_us - from_us);
}

static enum exit_code measure(struct load *l, void (*at_start)(void *),
                              void (*at_end)(void *), void *context)
{
    l->start_us = clock_steady_us();
    enum exit_code rc = turn_until(l, l->start_us + WARM_UP_US);
    uint64_t from_us = clock_steady_us();
    at_start(context);
    if (rc == EXIT_CODE_DONE) {
        rc = turn_until(l, from_us + l->bench->seconds * 1000000);
    }
    uint64_t to_us = clock_steady_us();
    at_end(context);
    if (rc == EXIT_CODE_DONE) {
        rc = drain(l);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = watch_look_up(&l->watch);
    }
    if (rc == EXIT_CODE_DONE && l->watch.block_count > 0) {
        count(l, from_us, to_us);
    }
    return rc;
}

static size_t sign_count(const struct load *l)
{
    uint64_t rate = l->bench->rate > 0 ? l->bench->rate : SIGN_AHEAD_PER_S;
    uint64_t all = rate * (l->bench->seconds + WARM_UP_US / 1000000);
    return (size_t)(all / l->accounts.count) + 1;
}

enum exit_code potbench_load_run(struct potbench_load_result *out,
                                 const struct potbench_load_config *config,
                                 void (*at_start)(void *context),
                                 void (*at_end)(void *context), void *context)
{
    struct load l = {.config = config, .bench = config->bench, .result = out};
    *out = (struct potbench_load_result){0};
    watch_init(&l.watch, config->bench);
    enum exit_code rc = potbench_accounts_open(
        &l.accounts, config->bench, config->urls[0], config->key_path,
        CONNECTIONS * ACCOUNTS_PER_CONNECTION);
    if (rc == EXIT_CODE_DONE) {
        potbench_accounts_sign(&l.accounts, sign_count(&l));
        rc = open_lanes(&l);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = measure(&l, at_start, at_end, context);
    }
    load_fini(&l);
    return rc;
}
