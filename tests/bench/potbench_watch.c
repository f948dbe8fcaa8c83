#include "config.h"

#include "tests/bench/potbench_watch.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/map.h"
#include "ctl/client.h"
#include "tests/bench/bench_util.h"

#include <inttypes.h>
#include <stdlib.h>

#define EVENT_BYTES_MAX ((size_t)1 << 20)

struct watch_sent {
    struct hash hash;
    uint64_t sent_us;
    uint64_t height; /* 0: in no block */
};

struct watch_block {
    uint64_t height;
    uint64_t seen_us;
    uint64_t txs; /* all of them; after watch_look_up ours */
};

void watch_init(struct watch *watch, struct potbench *bench)
{
    *watch = (struct watch){.bench = bench, .events.fd = -1};
    buf_init(&watch->event, EVENT_BYTES_MAX);
}

void watch_fini(struct watch *watch)
{
    potbench_http_close(&watch->events);
    buf_fini(&watch->event);
    free(watch->sent);
    free(watch->blocks);
}

enum exit_code watch_open(struct watch *watch, const char *url)
{
    struct ctl *ctl = &watch->bench->ctl;
    enum exit_code rc = potbench_http_open(&watch->events, ctl, url);
    if (rc == EXIT_CODE_DONE &&
        !potbench_http_get(&watch->events, "/v1/events?type=block")) {
        rc = ctl_fail(ctl, EXIT_CODE_CONNECT, "the event stream broke");
    }
    return rc;
}

void watch_sent(struct watch *watch, const struct hash *tx)
{
    if (watch->sent_count == watch->sent_capacity) {
        watch->sent_capacity =
            watch->sent_capacity == 0 ? 4096 : 2 * watch->sent_capacity;
        watch->sent = pot_realloc(watch->sent, watch->sent_capacity,
                                  sizeof(*watch->sent));
    }
    watch->sent[watch->sent_count++] =
        (struct watch_sent){.hash = *tx, .sent_us = clock_steady_us()};
}

static void note_block(struct watch *watch)
{
    json_t *json = json_loads(buf_text(&watch->event), 0, NULL);
    if (watch->block_count == watch->block_capacity) {
        watch->block_capacity =
            watch->block_capacity == 0 ? 256 : 2 * watch->block_capacity;
        watch->blocks = pot_realloc(watch->blocks, watch->block_capacity,
                                    sizeof(*watch->blocks));
    }
    struct watch_block block = {client_count(json, "height"), clock_steady_us(),
                                client_count(json, "txs")};
    watch->committed += block.txs;
    watch->blocks[watch->block_count++] = block;
    json_decref(json);
}

bool watch_read(struct watch *watch)
{
    char name[16];
    int rc;
    while ((rc = potbench_http_event(&watch->events, name, &watch->event)) ==
           1) {
        note_block(watch);
    }
    return rc == 0;
}

/* ---- looking up */

static void find_txs(const struct map *sent, struct watch_block *block,
                     const json_t *json)
{
    size_t i;
    const json_t *tx;
    block->txs = 0;
    json_array_foreach(json_object_get(json, "txs"), i, tx)
    {
        struct hash hash;
        if (hash_parse(&hash, client_text(tx, "hash")) == POT_OK) {
            struct watch_sent *s = map_get(sent, hash.b);
            if (s != NULL && s->height == 0) {
                s->height = block->height;
                block->txs++;
            }
        }
    }
}

enum exit_code watch_look_up(struct watch *watch)
{
    struct map sent = {0};
    enum exit_code rc = EXIT_CODE_DONE;
    for (size_t i = 0; i < watch->sent_count; i++) {
        (void)map_put(&sent, watch->sent[i].hash.b, &watch->sent[i]);
    }
    for (size_t i = 0; rc == EXIT_CODE_DONE && i < watch->block_count; i++) {
        json_t *json;
        if (watch->blocks[i].txs == 0) {
            continue;
        }
        rc = client_get(&json, &watch->bench->ctl, "/v1/blocks/%" PRIu64,
                        watch->blocks[i].height);
        if (rc == EXIT_CODE_DONE) {
            find_txs(&sent, &watch->blocks[i], json);
            json_decref(json);
        }
    }
    map_fini(&sent);
    return rc;
}

/* ---- figures */

static const struct watch_block *block_at(const struct watch *watch,
                                          uint64_t height)
{
    /* Heights follow each other in the stream. */
    size_t at = (size_t)(height - watch->blocks[0].height);
    return at < watch->block_count && watch->blocks[at].height == height
               ? &watch->blocks[at]
               : NULL;
}

static bool is_within(uint64_t us, uint64_t from_us, uint64_t to_us)
{
    return us >= from_us && us < to_us;
}

uint64_t watch_sent_between(const struct watch *watch, uint64_t from_us,
                            uint64_t to_us)
{
    uint64_t count = 0;
    for (size_t i = 0; i < watch->sent_count; i++) {
        count += is_within(watch->sent[i].sent_us, from_us, to_us);
    }
    return count;
}

uint64_t watch_latencies(double out[static 3], const struct watch *watch,
                         const double parts[static 3], uint64_t from_us,
                         uint64_t to_us)
{
    double *ms = pot_calloc(watch->sent_count + 1, sizeof(*ms));
    size_t count = 0;
    uint64_t lost = 0;
    for (size_t i = 0; i < watch->sent_count; i++) {
        const struct watch_sent *s = &watch->sent[i];
        const struct watch_block *block =
            s->height > 0 ? block_at(watch, s->height) : NULL;
        lost += block == NULL;
        if (block != NULL && is_within(s->sent_us, from_us, to_us)) {
            ms[count++] =
                ((double)block->seen_us - (double)s->sent_us) / 1000.0;
        }
    }
    bench_sort(ms, count);
    for (size_t i = 0; count > 0 && i < 3; i++) {
        out[i] = bench_percentile(ms, count, parts[i]);
    }
    free(ms);
    return lost;
}

void watch_span(struct watch_span *out, const struct watch *watch,
                uint64_t from_us, uint64_t to_us)
{
    const struct watch_block *first = NULL;
    *out = (struct watch_span){0};
    for (size_t i = 0; i < watch->block_count; i++) {
        const struct watch_block *block = &watch->blocks[i];
        if (!is_within(block->seen_us, from_us, to_us)) {
            continue;
        }
        if (first == NULL) {
            first = block;
            continue;
        }
        out->seconds = (double)(block->seen_us - first->seen_us) / 1e6;
        out->committed += block->txs;
        out->blocks++;
        out->filled += block->txs > 0;
    }
}
