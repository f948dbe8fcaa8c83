/* null_replica: a replica that agrees on commands which nobody signed and does
 * nothing with them: consensus/ and p2p/ as the node has them, without a ledger
 * and without a disk.  What other libraries for BFT publish figures of.
 *
 * A command is its number.  The client tells its commands to all replicas, and
 * each replica tells it what was committed; a command stands for the client
 * once f + 1 of them said so.
 *
 *   to a replica    MESSAGE_TXS     u64 number of the first, u32 count, and
 *                                   NULL_COMMAND_BYTES for each
 *   to the client   MESSAGE_STATUS  u64 all below this number are committed */
#ifndef POT_TESTS_BENCH_NULL_REPLICA_H
#define POT_TESTS_BENCH_NULL_REPLICA_H

#include <stdint.h>

#include "base/key.h"
#include "p2p/net_address.h"

#define NULL_REPLICAS_MAX  16
#define NULL_COMMAND_BYTES 32 /* what a block carries for each */

struct null_world {                          /* the same for all */
    struct key *keys[NULL_REPLICAS_MAX + 1]; /* the last one: the client's */
    uint32_t replicas;
    uint16_t base_port;
    uint64_t block_max; /* commands */
};

/* null_address: where replica i listens. */
struct net_address null_address(const struct null_world *world, uint32_t i);

/* null_chain: whose chain all of it is. */
struct hash null_chain(void);

/* null_replica_run: in a process of its own, until it is killed. */
_Noreturn void null_replica_run(const struct null_world *world, uint32_t self);

#endif
