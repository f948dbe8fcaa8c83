/* potbench_watch: what was sent, the blocks that the event stream tells, and
 * which was in which.
 *
 * While a load runs, a block is only noted with its time and its number of
 * transactions; which those were is looked up afterwards, so that asking does
 * not slow down what is measured. */
#ifndef POT_TESTS_BENCH_POTBENCH_WATCH_H
#define POT_TESTS_BENCH_POTBENCH_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "tests/bench/potbench.h"
#include "tests/bench/potbench_http.h"

struct watch_sent;
struct watch_block;

struct watch {
    struct potbench *bench;
    struct potbench_http events; /* to be polled */
    struct buf event;
    struct watch_sent *sent;
    size_t sent_count;
    size_t sent_capacity;
    struct watch_block *blocks;
    size_t block_count;
    size_t block_capacity;
    uint64_t committed; /* by the events' counts */
};

struct watch_span { /* over whole blocks */
    double seconds; /* from the first block's end to the last one's; 0: there
                       are fewer than two */
    uint64_t committed;
    uint64_t blocks;
    uint64_t filled; /* those with a transaction of ours */
};

/* watch_init, watch_fini: around all else. */
void watch_init(struct watch *watch, struct potbench *bench);
void watch_fini(struct watch *watch);

/* watch_open: follows the blocks of the node at url. */
POT_MUST_USE enum exit_code watch_open(struct watch *watch, const char *url);

/* watch_sent: noted now. */
void watch_sent(struct watch *watch, const struct hash *tx);

/* watch_read: takes what the stream holds; false: it broke. */
bool watch_read(struct watch *watch);

/* watch_look_up: asks for every block that was seen; before the rest. */
POT_MUST_USE enum exit_code watch_look_up(struct watch *watch);

/* watch_sent_between: how many were noted in [from, to). */
uint64_t watch_sent_between(const struct watch *watch, uint64_t from_us,
                            uint64_t to_us);

/* watch_latencies: the parts (0.5: the median) of the times from noting to the
 * block, in ms, of those noted in [from, to); how many of all noted ones were
 * in no block is returned. */
uint64_t watch_latencies(double out[static 3], const struct watch *watch,
                         const double parts[static 3], uint64_t from_us,
                         uint64_t to_us);

void watch_span(struct watch_span *out, const struct watch *watch,
                uint64_t from_us, uint64_t to_us);

#endif
