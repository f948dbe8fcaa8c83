/* swarm_order: what potbench swarm tells its processes of miners, and what
 * they answer; and what each miner does in which round, so that both sides
 * know it without asking. */
#ifndef POT_TESTS_BENCH_SWARM_ORDER_H
#define POT_TESTS_BENCH_SWARM_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/key.h"
#include "base/limits.h"

#define SWARM_PARAMETERS_MAX 65536

enum swarm_step { SWARM_COMMIT, SWARM_REVEAL };

/* A step of the round that is open now. */
struct swarm_order {
    enum swarm_step step;
    uint32_t round;
    uint32_t parameter_count;
    struct hash task;
    struct hash seed; /* round_seed */
    struct hash parameters_hash;
    int32_t theta[SWARM_PARAMETERS_MAX];
    uint8_t was_counted[ROSTER_MAX]; /* in the round before, by miner */
};

/* The answer, once all of its miners have taken the step. */
struct swarm_answer {
    uint32_t round;
    uint32_t connected; /* of its miners */
    uint64_t bytes_in;  /* of all of them since they began */
    uint64_t bytes_out;
    uint64_t computing_us;        /* of the round's gradients */
    uint8_t has_sent[ROSTER_MAX]; /* its commitment, by miner */
};

enum swarm_act {
    SWARM_HONEST,
    SWARM_CHEATS, /* always: noise in the form of a gradient */
    SWARM_DIES,   /* commits, and its connection breaks; back in the next */
    SWARM_AWAY,   /* not connected, long enough to be dropped from the task */
};

/* swarm_act: of a miner in a round. */
enum swarm_act swarm_act(uint32_t miner, uint32_t round);

/* swarm_key: a miner's; of one run, by its secret.  key_free. */
struct key *swarm_key(const struct hash *secret, uint32_t miner);

#endif
