/* One thread polls every connection and the event stream.  An account belongs
 * to one connection, so that its nonces arrive in order.  What is in flight was
 * sent and is in no block that the stream told. */
#include "config.h"

#include "tests/bench/potbench_flight.h"

#include "base/clock.h"
#include "base/limits.h"
#include "ctl/client.h"
#include "proto/batch.h"
#include "tests/bench/potbench_accounts.h"
#include "tests/bench/potbench_http.h"
#include "tests/bench/potbench_watch.h"

#include <poll.h>
#include <stdio.h>
#include <time.h>

#define LANES             8
#define ACCOUNTS_PER_LANE (POTBENCH_FLIGHT_ACCOUNTS / LANES)
#define BATCH_MAX         500
#define WARM_UP_US        3000000
#define DRAIN_US          15000000
#define BUSY_PAUSE_US     5000
#define WAIT_MS           10

struct lane { /* a connection with its accounts */
    struct potbench_http http;
    size_t first; /* account */
    size_t turn;
    struct buf batch; /* under way, or to be sent again */
    size_t count;     /* in it */
    bool is_again;
    uint64_t paused_until_us;
};

struct flight {
    const struct potbench_flight_config *config;
    struct potbench *bench;
    struct potbench_accounts accounts;
    struct lane lanes[LANES];
    struct watch watch;
    struct potbench_flight_result *result;
};

/* ---- opening */

static enum exit_code open_all(struct flight *f)
{
    const struct potbench_flight_config *c = f->config;
    enum exit_code rc = EXIT_CODE_DONE;
    for (size_t i = 0; rc == EXIT_CODE_DONE && i < LANES; i++) {
        f->lanes[i].first = i * ACCOUNTS_PER_LANE;
        rc = potbench_http_open(&f->lanes[i].http, &f->bench->ctl,
                                c->urls[i % c->url_count]);
    }
    return rc == EXIT_CODE_DONE ? watch_open(&f->watch, c->urls[0]) : rc;
}

static void flight_init(struct flight *f)
{
    watch_init(&f->watch, f->bench);
    for (size_t i = 0; i < LANES; i++) {
        f->lanes[i].http.fd = -1;
        buf_init(&f->lanes[i].batch, TX_BATCH_BYTES_MAX);
    }
}

static void flight_fini(struct flight *f)
{
    for (size_t i = 0; i < LANES; i++) {
        potbench_http_close(&f->lanes[i].http);
        buf_fini(&f->lanes[i].batch);
    }
    watch_fini(&f->watch);
    potbench_accounts_close(&f->accounts);
}

/* ---- sending */

static uint64_t room(const struct flight *f)
{
    uint64_t flying = f->watch.sent_count - f->result->refused;
    flying = flying > f->watch.committed ? flying - f->watch.committed : 0;
    return f->config->in_flight > flying ? f->config->in_flight - flying : 0;
}

/* From the lane's accounts in turn. */
static void fill(struct flight *f, struct lane *lane, size_t count)
{
    buf_clear(&lane->batch);
    lane->count = count;
    for (size_t i = 0; i < count; i++) {
        size_t account = lane->first + lane->turn;
        const struct potbench_tx *tx =
            potbench_accounts_next(&f->accounts, account);
        batch_add(&lane->batch, tx->data, tx->size);
        watch_sent(&f->watch, &tx->hash);
        f->accounts.items[account].next++;
        lane->turn = (lane->turn + 1) % ACCOUNTS_PER_LANE;
    }
}

static bool send_lane(struct flight *f, struct lane *lane, uint64_t now_us)
{
    uint64_t free_now = room(f);
    if (lane->http.is_busy || now_us < lane->paused_until_us ||
        (free_now == 0 && !lane->is_again)) {
        return true;
    }
    if (!lane->is_again) {
        uint64_t share = f->config->in_flight / LANES + 1;
        uint64_t count = free_now < share ? free_now : share;
        fill(f, lane, count < BATCH_MAX ? (size_t)count : BATCH_MAX);
    }
    lane->is_again = false;
    return potbench_http_post(&lane->http, "/v1/txs/batch", lane->batch.data,
                              lane->batch.size);
}

static bool send_all(struct flight *f)
{
    bool is_fine = true;
    uint64_t now_us = clock_steady_us();
    size_t shift =
        f->watch.sent_count; /* whoever was last is not always last */
    for (size_t i = 0; is_fine && i < LANES; i++) {
        is_fine = send_lane(f, &f->lanes[(i + shift) % LANES], now_us);
    }
    return is_fine;
}

/* ---- answers and events */

static void note_refused(struct flight *f, const struct lane *lane,
                         const struct potbench_answer *answer)
{
    json_t *json = json_loadb(answer->body, answer->size, 0, NULL);
    uint64_t accepted =
        answer->status == 202 ? client_count(json, "accepted") : 0;
    if (accepted < lane->count && f->result->refused == 0) {
        (void)snprintf(f->result->refusal, sizeof(f->result->refusal),
                       "%d %.*s", answer->status,
                       answer->size < 140 ? (int)answer->size : 140,
                       answer->body);
    }
    f->result->refused += lane->count - accepted;
    json_decref(json);
}

static bool take_answer(struct flight *f, struct lane *lane)
{
    struct potbench_answer answer;
    int rc = potbench_http_read(&lane->http, &answer);
    if (rc <= 0) {
        return rc == 0;
    }
    if (answer.status == 503) { /* all of it again, later */
        lane->is_again = true;
        lane->paused_until_us = clock_steady_us() + BUSY_PAUSE_US;
    } else {
        note_refused(f, lane, &answer);
    }
    return true;
}

static bool wait_all(struct flight *f)
{
    struct pollfd fds[LANES + 1];
    for (size_t i = 0; i < LANES; i++) {
        fds[i] = (struct pollfd){.fd = f->lanes[i].http.fd, .events = POLLIN};
    }
    fds[LANES] = (struct pollfd){.fd = f->watch.events.fd, .events = POLLIN};
    if (poll(fds, LANES + 1, WAIT_MS) < 0) {
        return true; /* a signal: the caller looks */
    }
    bool is_fine = fds[LANES].revents == 0 || watch_read(&f->watch);
    for (size_t i = 0; is_fine && i < LANES; i++) {
        if (fds[i].revents != 0) {
            is_fine = take_answer(f, &f->lanes[i]);
        }
    }
    return is_fine;
}

static enum exit_code turn_until(struct flight *f, uint64_t until_us,
                                 bool is_sending)
{
    enum exit_code rc = EXIT_CODE_DONE;
    while (rc == EXIT_CODE_DONE && clock_steady_us() < until_us &&
           (is_sending ||
            f->watch.committed + f->result->refused < f->watch.sent_count)) {
        if ((is_sending && !send_all(f)) || !wait_all(f)) {
            return ctl_fail(&f->bench->ctl, EXIT_CODE_CONNECT,
                            "a connection broke; see the nodes' logs");
        }
        rc = potbench_stopped(f->bench);
    }
    return rc;
}

/* ---- figures */

static void count(struct flight *f, uint64_t from_us, uint64_t to_us)
{
    static const double parts[] = {0.5, 0.99, 0.999};
    struct potbench_flight_result *r = f->result;
    struct watch_span span;
    watch_span(&span, &f->watch, from_us, to_us);
    if (span.filled > 0) {
        r->committed = span.committed;
        r->span_s = span.seconds;
        r->committed_per_s = (double)span.committed / span.seconds;
        r->blocks_per_s = (double)span.filled / span.seconds;
        r->txs_per_block = (double)span.committed / (double)span.filled;
    }
    uint64_t lost =
        watch_latencies(r->latency_ms, &f->watch, parts, from_us, to_us);
    r->missing = lost > r->refused ? lost - r->refused : 0;
}

static double process_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static enum exit_code measure(struct flight *f, void (*at_start)(void *),
                              void (*at_end)(void *), void *context)
{
    enum exit_code rc = turn_until(f, clock_steady_us() + WARM_UP_US, true);
    at_start(context);
    uint64_t from_us = clock_steady_us();
    double cpu_s = process_s();
    if (rc == EXIT_CODE_DONE) {
        rc = turn_until(f, from_us + f->bench->seconds * 1000000, true);
    }
    uint64_t to_us = clock_steady_us();
    f->result->client_cpu_s = process_s() - cpu_s;
    at_end(context);
    if (rc == EXIT_CODE_DONE) {
        rc = turn_until(f, clock_steady_us() + DRAIN_US, false);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = watch_look_up(&f->watch);
    }
    if (rc == EXIT_CODE_DONE && f->watch.block_count > 0) {
        count(f, from_us, to_us);
    }
    return rc;
}

enum exit_code potbench_flight_run(struct potbench_flight_result *out,
                                   const struct potbench_flight_config *config,
                                   void (*at_start)(void *context),
                                   void (*at_end)(void *context), void *context)
{
    struct flight f = {.config = config, .bench = config->bench, .result = out};
    *out = (struct potbench_flight_result){0};
    flight_init(&f);
    enum exit_code rc =
        potbench_accounts_open(&f.accounts, config->bench, config->urls[0],
                               config->key_path, POTBENCH_FLIGHT_ACCOUNTS);
    if (rc == EXIT_CODE_DONE) {
        uint64_t all = config->sign_ahead *
                       (config->bench->seconds + WARM_UP_US / 1000000);
        potbench_accounts_sign(&f.accounts,
                               (size_t)(all / f.accounts.count) + 1);
        rc = open_all(&f);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = measure(&f, at_start, at_end, context);
    }
    flight_fini(&f);
    return rc;
}
