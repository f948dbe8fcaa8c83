#include "config.h"

#include "tests/bench/swarm_watch.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/clock.h"
#include "tests/bench/bench_util.h"
#include "tests/bench/potbench_http.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define INTERVAL_MS 100
#define PATIENCE_US 1000000
#define ASKED_MAX   100000

struct swarm_watch {
    const struct testnet *testnet;
    size_t nodes;
    pthread_t thread;
    atomic_bool is_over;
    struct ctl ctl;
    struct swarm_watch_result result;
    double times_ms[ASKED_MAX];
};

/* A fresh connection each time: users come and go. */
static bool ask(struct swarm_watch *w, const char *url, uint64_t until_us)
{
    struct potbench_http http = {.fd = -1};
    struct potbench_answer answer = {0};
    int rc = -1;
    if (potbench_http_open(&http, &w->ctl, url) == EXIT_CODE_DONE &&
        potbench_http_get(&http, "/v1/status")) {
        uint64_t now_us = clock_steady_us();
        rc = 0;
        while (rc == 0 && now_us < until_us) {
            struct pollfd wait = {.fd = http.fd, .events = POLLIN};
            (void)poll(&wait, 1, (int)((until_us - now_us) / 1000 + 1));
            rc = potbench_http_read(&http, &answer);
            now_us = clock_steady_us();
        }
    }
    potbench_http_close(&http);
    return rc == 1 && answer.status == 200;
}

static void *run(void *context)
{
    struct swarm_watch *w = context;
    while (!atomic_load(&w->is_over) && w->result.asked < ASKED_MAX) {
        size_t node = (size_t)(w->result.asked % w->nodes);
        uint64_t start_us = clock_steady_us();
        bool is_answered =
            ask(w, w->testnet->nodes[node].url, start_us + PATIENCE_US);
        uint64_t took_us =
            is_answered ? clock_steady_us() - start_us : PATIENCE_US;
        is_answered = is_answered && took_us <= PATIENCE_US;
        w->result.answered += is_answered ? 1 : 0;
        w->times_ms[w->result.asked++] = (double)took_us / 1000;
        if (ctl_pause(&w->ctl, INTERVAL_MS, "the next call") !=
            EXIT_CODE_DONE) {
            break;
        }
    }
    return NULL;
}

struct swarm_watch *swarm_watch_start(const struct testnet *testnet,
                                      size_t nodes)
{
    struct swarm_watch *w = pot_calloc(1, sizeof(*w));
    w->testnet = testnet;
    w->nodes = nodes;
    w->ctl.deadline_ms = UINT64_MAX;
    int rc = pthread_create(&w->thread, NULL, run, w);
    POT_ASSERT(rc == 0);
    return w;
}

void swarm_watch_stop(struct swarm_watch *watch, struct swarm_watch_result *out)
{
    if (watch == NULL) {
        return;
    }
    atomic_store(&watch->is_over, true);
    int rc = pthread_join(watch->thread, NULL);
    POT_ASSERT(rc == 0);
    *out = watch->result;
    if (out->asked > 0) {
        bench_sort(watch->times_ms, (size_t)out->asked);
        out->p50_ms =
            bench_percentile(watch->times_ms, (size_t)out->asked, 0.5);
        out->p99_ms =
            bench_percentile(watch->times_ms, (size_t)out->asked, 0.99);
    }
    free(watch);
}
