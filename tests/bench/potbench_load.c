/* One thread polls every connection and one stream of events.  An account
 * belongs to one connection, so that its nonces arrive in order.  While it
 * runs, a block is only noted with its time and its number of transactions;
 * which those were is looked up afterwards, so that asking does not slow down
 * what is measured. */
#include "config.h"

#include "tests/bench/potbench_load.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/map.h"
#include "ctl/client.h"
#include "tests/bench/bench_util.h"
#include "tests/bench/potbench_accounts.h"
#include "tests/bench/potbench_http.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* However many nodes share them: a baseline is to be asked as busily. */
#define CONNECTIONS             16
#define ACCOUNTS_PER_CONNECTION 8
#define WARM_UP_US              3000000
#define DRAIN_US                15000000
#define FULL_PAUSE_US           50000
#define SIGN_AHEAD_PER_S        1500 /* when the rate is not named */
#define EVENT_BYTES_MAX         ((size_t)1 << 20)

struct lane { /* a connection with its accounts */
    struct potbench_http http;
    size_t first; /* account */
    size_t turn;
    size_t sending; /* the account whose transfer is under way */
    uint64_t paused_until_us;
};

struct sent {
    struct hash hash;
    uint64_t accepted_us;
    uint64_t height; /* 0: in no block */
};

struct seen { /* a block */
    uint64_t height;
    uint64_t seen_us;
    uint64_t txs; /* all of them; then ours */
};

struct load {
    const struct potbench_load_config *config;
    struct potbench *bench;
    struct potbench_accounts accounts;
    struct lane *lanes;
    size_t lane_count;
    struct potbench_http events;
    struct buf event;
    struct sent *sent;
    size_t sent_count;
    size_t sent_capacity;
    struct seen *seen;
    size_t seen_count;
    size_t seen_capacity;
    uint64_t committed; /* by the events' counts */
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
    enum exit_code rc =
        potbench_http_open(&l->events, &l->bench->ctl, c->urls[0]);
    if (rc == EXIT_CODE_DONE &&
        !potbench_http_follow(&l->events, "/v1/events?type=block")) {
        rc = ctl_fail(&l->bench->ctl, EXIT_CODE_CONNECT,
                      "the event stream broke");
    }
    return rc;
}

static void load_fini(struct load *l)
{
    for (size_t i = 0; l->lanes != NULL && i < l->lane_count; i++) {
        potbench_http_close(&l->lanes[i].http);
    }
    potbench_http_close(&l->events);
    buf_fini(&l->event);
    potbench_accounts_close(&l->accounts);
    free(l->lanes);
    free(l->sent);
    free(l->seen);
}

/* ---- answers and events */

static void note_accepted(struct load *l, const struct potbench_tx *tx)
{
    if (l->sent_count == l->sent_capacity) {
        l->sent_capacity = l->sent_capacity == 0 ? 4096 : 2 * l->sent_capacity;
        l->sent = pot_realloc(l->sent, l->sent_capacity, sizeof(*l->sent));
    }
    l->sent[l->sent_count++] =
        (struct sent){.hash = tx->hash, .accepted_us = clock_steady_us()};
}

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
        note_accepted(l, &account->txs[account->next]);
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

static void note_block(struct load *l)
{
    json_t *json = json_loads(buf_text(&l->event), 0, NULL);
    if (l->seen_count == l->seen_capacity) {
        l->seen_capacity = l->seen_capacity == 0 ? 256 : 2 * l->seen_capacity;
        l->seen = pot_realloc(l->seen, l->seen_capacity, sizeof(*l->seen));
    }
    struct seen seen = {client_count(json, "height"), clock_steady_us(),
                        client_count(json, "txs")};
    l->committed += seen.txs;
    l->seen[l->seen_count++] = seen;
    json_decref(json);
}

static bool take_events(struct load *l)
{
    char name[16];
    int rc;
    while ((rc = potbench_http_event(&l->events, name, &l->event)) == 1) {
        note_block(l);
    }
    return rc == 0;
}

/* ---- sending */

static bool may_send(const struct load *l, const struct lane *lane,
                     uint64_t now_us)
{
    const struct potbench *b = l->bench;
    uint64_t waiting =
        l->sent_count > l->committed ? l->sent_count - l->committed : 0;
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
    fds[l->lane_count] = (struct pollfd){.fd = l->events.fd, .events = POLLIN};
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
        is_fine = take_events(l);
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
           l->committed < l->sent_count) {
        rc = turn(l, false);
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

static enum exit_code look_up(struct load *l)
{
    struct map sent = {0};
    enum exit_code rc = EXIT_CODE_DONE;
    for (size_t i = 0; i < l->sent_count; i++) {
        (void)map_put(&sent, l->sent[i].hash.b, &l->sent[i]);
    }
    for (size_t i = 0; rc == EXIT_CODE_DONE && i < l->seen_count; i++) {
        json_t *json;
        if (l->seen[i].txs == 0) {
            continue;
        }
        rc = client_get(&json, &l->bench->ctl, "/v1/blocks/%" PRIu64,
                        l->seen[i].height);
        if (rc == EXIT_CODE_DONE) {
            find_txs(&sent, &l->seen[i], json);
            json_decref(json);
        }
    }
    map_fini(&sent);
    return rc;
}

/* ---- figures */

static const struct seen *seen_at(const struct load *l, uint64_t height)
{
    /* Heights follow each other in the stream. */
    size_t at = (size_t)(height - l->seen[0].height);
    return at < l->seen_count && l->seen[at].height == height ? &l->seen[at]
                                                              : NULL;
}

static void count_latencies(struct load *l, uint64_t from_us, uint64_t to_us)
{
    static const double parts[] = {0.5, 0.95, 0.99};
    double *ms = pot_calloc(l->sent_count + 1, sizeof(*ms));
    size_t count = 0;
    for (size_t i = 0; i < l->sent_count; i++) {
        const struct sent *s = &l->sent[i];
        const struct seen *seen = s->height > 0 ? seen_at(l, s->height) : NULL;
        l->result->missing += seen == NULL;
        if (seen != NULL && s->accepted_us >= from_us &&
            s->accepted_us < to_us) {
            ms[count++] =
                ((double)seen->seen_us - (double)s->accepted_us) / 1000.0;
        }
    }
    bench_sort(ms, count);
    for (size_t i = 0; count > 0 && i < 3; i++) {
        l->result->latency_ms[i] = bench_percentile(ms, count, parts[i]);
    }
    free(ms);
}

/* Over whole blocks: from the first block's end to the last one's. */
static void count_blocks(struct load *l, uint64_t from_us, uint64_t to_us)
{
    struct potbench_load_result *r = l->result;
    const struct seen *first = NULL;
    const struct seen *last = NULL;
    size_t filled = 0;
    for (size_t i = 0; i < l->seen_count; i++) {
        const struct seen *s = &l->seen[i];
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
    if (last == NULL) {
        return;
    }
    r->span_s = (double)(last->seen_us - first->seen_us) / 1e6;
    r->committed_per_s = (double)r->committed / r->span_s;
    r->blocks_per_s = (double)(last - first) / r->span_s;
    r->txs_per_block = (double)r->committed / (double)(filled > 0 ? filled : 1);
}

static void count_accepted(struct load *l, uint64_t from_us, uint64_t to_us)
{
    size_t count = 0;
    for (size_t i = 0; i < l->sent_count; i++) {
        count +=
            l->sent[i].accepted_us >= from_us && l->sent[i].accepted_us < to_us;
    }
    l->result->accepted_per_s = (double)count * 1e6 / (double)(to_us - from_us);
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
        rc = look_up(l);
    }
    if (rc == EXIT_CODE_DONE && l->seen_count > 0) {
        count_blocks(l, from_us, to_us);
        count_latencies(l, from_us, to_us);
        count_accepted(l, from_us, to_us);
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
    l.events.fd = -1;
    buf_init(&l.event, EVENT_BYTES_MAX);
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
