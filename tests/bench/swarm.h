/* swarm: one run of potbench swarm, and its two halves: the processes of
 * miners, and the rounds as a validator's API shows them. */
#ifndef POT_TESTS_BENCH_SWARM_H
#define POT_TESTS_BENCH_SWARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/bench/potbench_accounts.h"
#include "tests/bench/potbench_data.h"
#include "tests/bench/potbench_net.h"
#include "tests/bench/swarm_order.h"

#define SWARM_PROCESSES_MAX 17
#define SWARM_ROWS          32
#define SWARM_STAKE         (100 * AMOUNT_UNITS_PER_POT)

struct swarm_process {
    pid_t pid;
    int fd;
    struct swarm_answer answer;
};

/* Sums over the measured rounds. */
struct swarm_sums {
    uint64_t rounds;
    uint64_t full_rounds; /* all live honest miners were counted */
    uint64_t counted;
    uint64_t missed; /* live, honest, and not counted */
    uint64_t live;
    uint64_t cheats_counted;
    uint64_t connected;
    uint64_t computing_us;
};

struct swarm {
    struct potbench *bench;
    const struct potbench_model *model;
    struct potbench_net net;
    struct potbench_accounts accounts;
    struct hash secret;
    char (*addresses)[ADDRESS_TEXT_SIZE]; /* of the miners */
    uint8_t *uncounted;                   /* rounds in a row, at most 255 */
    struct swarm_process processes[SWARM_PROCESSES_MAX];
    size_t process_count;
    struct hash task;
    char task_text[HASH_TEXT_SIZE];
    struct swarm_order order;
    uint64_t opened_height; /* of the order's round */
    struct swarm_sums sums;
    uint64_t bytes_in; /* of the miners, since they began */
    uint64_t bytes_out;
};

/* swarm_crowd_start: process_count processes with the miners among them.
 * swarm_crowd_stop: ends them, if there are any. */
void swarm_crowd_start(struct swarm *s);
void swarm_crowd_stop(struct swarm *s);

/* swarm_crowd_order: gives s->order to all and waits for their answers. */
POT_MUST_USE enum exit_code swarm_crowd_order(struct swarm *s);

/* swarm_next_round: waits for a round other than that of the order, or takes
 * the present one when it is the first, and makes it the order; the one before
 * is judged by the block that ended it. */
POT_MUST_USE enum exit_code swarm_next_round(struct swarm *s, bool is_first);

/* swarm_await_reveal: until a validator says that the order's round takes no
 * more commitments, or that it is over. */
POT_MUST_USE enum exit_code swarm_await_reveal(struct swarm *s);

#endif
