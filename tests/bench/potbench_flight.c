/* As in potbench_load.c one thread polls all, an account belongs to one
 * connection, and which transactions were in a block is looked up afterwards.
 * What is in flight was sent and is in no block that the event stream told. */
#include "config.h"

#include "tests/bench/potbench_flight.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/map.h"
#include "ctl/client.h"
#include "proto/batch.h"
#include "tests/bench/bench_util.h"
#include "tests/bench/potbench_accounts.h"
#include "tests/bench/potbench_http.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LANES             8
#define ACCOUNTS_PER_LANE (POTBENCH_FLIGHT_ACCOUNTS / LANES)
#define BATCH_MAX         500
#define WARM_UP_US        3000000
#define DRAIN_US          15000000
#define BUSY_PAUSE_US     5000
#define WAIT_MS           10
#define EVENT_BYTES_MAX   ((size_t)1 << 20)

struct lane { /* a connection with its accounts */
    struct potbench_http http;
    size_t first; /* account */
    size_t turn;
    struct buf batch; /* under way, or to be sent again */
    size_t count;     /* in it */
    bool is_again;
    uint64_t paused_until_us;
};

struct sent {
    struct hash hash;
    uint64_t sent_us;
    uint64_t height; /* 0: in no block */
};

struct seen { /* a block */
    uint64_t height;
    uint64_t seen_us;
    uint64_t txs;
};

struct flight {
    const struct potbench_flight_config *config;
    struct potbench *bench;
    struct potbench_accounts accounts;
    struct lane lanes[LANES];
    struct potbench_http events;
    struct buf event;
    struct sent *sent;
    size_t sent_count;
    size_t sent_capacity;
    struct seen *seen;
    size_t seen_count;
    size_t seen_capacity;
    uint64_t committed; /* by the events' counts */
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
    if (rc == EXIT_CODE_DONE) {
        rc = potbench_http_open(&f->events, &f->bench->ctl, c->urls[0]);
    }
    if (rc == EXIT_CODE_DONE &&
        !potbench_http_follow(&f->events, "/v1/events?type=block")) {
        rc = ctl_fail(&f->bench->ctl, EXIT_CODE_CONNECT,
                      "the event stream broke");
    }
    return rc;
}

static void flight_init(struct flight *f)
{
    f->events.fd = -1;
    buf_init(&f->event, EVENT_BYTES_MAX);
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
    potbench_http_close(&f->events);
    buf_fini(&f->event);
    potbench_accounts_close(&f->accounts);
    free(f->sent);
    free(f->seen);
}

/* ---- sending */

static void note_sent(struct flight *f, const struct hash *hash,
                      uint64_t now_us)
{
    if (f->sent_count == f->sent_capacity) {
        f->sent_capacity = f->sent_capacity == 0 ? 4096 : 2 * f->sent_capacity;
        f->sent = pot_realloc(f->sent, f->sent_capacity, sizeof(*f->sent));
    }
    f->sent[f->sent_count++] = (struct sent){.hash = *hash, .sent_us = now_us};
}

static uint64_t room(const struct flight *f)
{
    uint64_t flying = f->sent_count - f->result->refused;
    flying = flying > f->committed ? flying - f->committed : 0;
    return f->config->in_flight > flying ? f->config->in_flight - flying : 0;
}

/* From the lane's accounts in turn. */
static void fill(struct flight *f, struct lane *lane, size_t count,
                 uint64_t now_us)
{
    buf_clear(&lane->batch);
    lane->count = count;
    for (size_t i = 0; i < count; i++) {
        size_t account = lane->first + lane->turn;
        const struct potbench_tx *tx =
            potbench_accounts_next(&f->accounts, account);
        batch_add(&lane->batch, tx->data, tx->size);
        note_sent(f, &tx->hash, now_us);
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
        fill(f, lane, count < BATCH_MAX ? (size_t)count : BATCH_MAX, now_us);
    }
    lane->is_again = false;
    return potbench_http_post(&lane->http, "/v1/txs/batch", lane->batch.data,
                              lane->batch.size);
}

static bool send_all(struct flight *f)
{
    bool is_fine = true;
    uint64_t now_us = clock_steady_us();
    size_t shift = f->sent_count; /* whoever was last is not always last */
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

static void note_block(struct flight *f)
{
    json_t *json = json_loads(buf_text(&f->event), 0, NULL);
    if (f->seen_count == f->seen_capacity) {
        f->seen_capacity = f->seen_capacity == 0 ? 256 : 2 * f->seen_capacity;
        f->seen = pot_realloc(f->seen, f->seen_capacity, sizeof(*f->seen));
    }
    struct seen seen = {client_count(json, "height"), clock_steady_us(),
                        client_count(json, "txs")};
    f->committed += seen.txs;
    f->seen[f->seen_count++] = seen;
    json_decref(json);
}

static bool take_events(struct flight *f)
{
    char name[16];
    int rc;
    while ((rc = potbench_http_event(&f->events, name, &f->event)) == 1) {
        note_block(f);
    }
    return rc == 0;
}

static bool wait_all(struct flight *f)
{
    struct pollfd fds[LANES + 1];
    for (size_t i = 0; i < LANES; i++) {
        fds[i] = (struct pollfd){.fd = f->lanes[i].http.fd, .events = POLLIN};
    }
    fds[LANES] = (struct pollfd){.fd = f->events.fd, .events = POLLIN};
    if (poll(fds, LANES + 1, WAIT_MS) < 0) {
        return true; /* a signal: the caller looks */
    }
    bool is_fine = fds[LANES].revents == 0 || take_events(f);
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
           (is_sending || f->committed + f->result->refused < f->sent_count)) {
        if ((is_sending && !send_all(f)) || !wait_all(f)) {
            return ctl_fail(&f->bench->ctl, EXIT_CODE_CONNECT,
                            "a connection broke; see the nodes' logs");
        }
        rc = potbench_stopped(f->bench);
    }
    return rc;
}

/* ---- looking up */

static void find_txs(const struct map *sent, struct seen *seen,
                     const json_t *block)
{
    size_t i;
    const json_t *tx;
    seen->txs = 0;
    json_array_foreach(json_object_get(block, "txs"), i, tx)
    {
        struct hash hash;
        if (hash_parse(&hash, client_text(tx, "hash")) == POT_OK) {
            struct sent *s = map_get(sent, hash.b);
            if (s != NULL && s->height == 0) {
                s->height = seen->height;
                seen->txs++;
            }
        }
    }
}

static enum exit_code look_up(struct flight *f)
{
    struct map sent = {0};
    enum exit_code rc = EXIT_CODE_DONE;
    for (size_t i = 0; i < f->sent_count; i++) {
        (void)map_put(&sent, f->sent[i].hash.b, &f->sent[i]);
    }
    for (size_t i = 0; rc == EXIT_CODE_DONE && i < f->seen_count; i++) {
        json_t *json;
        if (f->seen[i].txs == 0) {
            continue;
        }
        rc = client_get(&json, &f->bench->ctl, "/v1/blocks/%" PRIu64,
                        f->seen[i].height);
        if (rc == EXIT_CODE_DONE) {
            find_txs(&sent, &f->seen[i], json);
            json_decref(json);
        }
    }
    map_fini(&sent);
    return rc;
}

/* ---- figures */

static const struct seen *seen_at(const struct flight *f, uint64_t height)
{
    /* Heights follow each other in the stream. */
    size_t at = (size_t)(height - f->seen[0].height);
    return at < f->seen_count && f->seen[at].height == height ? &f->seen[at]
                                                              : NULL;
}

static void count_latencies(struct flight *f, uint64_t from_us, uint64_t to_us)
{
    static const double parts[] = {0.5, 0.99, 0.999};
    double *ms = pot_calloc(f->sent_count + 1, sizeof(*ms));
    size_t count = 0;
    uint64_t lost = 0;
    for (size_t i = 0; i < f->sent_count; i++) {
        const struct sent *s = &f->sent[i];
        const struct seen *seen = s->height > 0 ? seen_at(f, s->height) : NULL;
        lost += seen == NULL;
        if (seen != NULL && s->sent_us >= from_us && s->sent_us < to_us) {
            ms[count++] = ((double)seen->seen_us - (double)s->sent_us) / 1000.0;
        }
    }
    f->result->missing =
        lost > f->result->refused ? lost - f->result->refused : 0;
    bench_sort(ms, count);
    for (size_t i = 0; count > 0 && i < 3; i++) {
        f->result->latency_ms[i] = bench_percentile(ms, count, parts[i]);
    }
    free(ms);
}

/* Over whole blocks: from the first block's end to the last one's. */
static void count_blocks(struct flight *f, uint64_t from_us, uint64_t to_us)
{
    struct potbench_flight_result *r = f->result;
    const struct seen *first = NULL;
    const struct seen *last = NULL;
    size_t filled = 0;
    for (size_t i = 0; i < f->seen_count; i++) {
        const struct seen *s = &f->seen[i];
        if (s->seen_us < from_us || s->seen_us >= to_us) {
            continue;
        }
        if (first == NULL) {
            first = s;
            continue;
        }
        last = s;
        r->committed += s->txs;
        filled += s->txs > 0;
    }
    if (last == NULL || filled == 0) {
        return;
    }
    r->span_s = (double)(last->seen_us - first->seen_us) / 1e6;
    r->committed_per_s = (double)r->committed / r->span_s;
    r->blocks_per_s = (double)filled / r->span_s;
    r->txs_per_block = (double)r->committed / (double)filled;
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
        rc = look_up(f);
    }
    if (rc == EXIT_CODE_DONE && f->seen_count > 0) {
        count_blocks(f, from_us, to_us);
        count_latencies(f, from_us, to_us);
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
