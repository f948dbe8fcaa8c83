/* testnet: a network's folder as `testnet init` lays it out and the other
 * testnet commands find it:
 *
 *   D/genesis.json
 *   D/client.key
 *   D/docker-compose.yml              with --compose
 *   D/<node>/node.toml, key           node: validator0..., miner0...
 *   D/<node>/potd.pid, potd.log       while and after it ran */
#ifndef POT_CTL_TESTNET_H
#define POT_CTL_TESTNET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ctl/ctl.h"

/* Before nodes that do not stop are killed. */
#define TESTNET_STOP_MS 10000

#define TESTNET_NODES_MAX       256
#define TESTNET_NAME_SIZE       24
#define TESTNET_AGGREGATORS_MAX 16

struct testnet_node {
    char name[TESTNET_NAME_SIZE];
    char *folder;
    char *config; /* absolute; also what tells its process from others */
    char *log;
    char *pid_file;
    char url[64]; /* of its API */
    pid_t pid;    /* 0: does not run */
};

struct testnet {
    char *folder; /* absolute */
    struct testnet_node *nodes;
    size_t count;
};

/* testnet_open: the nodes of D, validators first, with what runs of them; one
 * that was killed a moment ago is waited for, as it still holds its lock.
 * Errors: EXIT_CODE_CONFIG no network in D.  testnet_close in any case. */
POT_MUST_USE enum exit_code testnet_open(struct testnet *net, struct ctl *ctl,
                                         const char *folder);
void testnet_close(struct testnet *net);

/* testnet_lock: nobody else starts the node, or removes its pid file, before
 * testnet_unlock, or the exec of a child of between.  -1: its folder cannot be
 * locked, or others do not let go of it; fine for testnet_unlock. */
int testnet_lock(const struct testnet_node *node);
void testnet_unlock(int lock);

/* testnet_running: the process that runs with the node's config now, whoever
 * started it.  0: none. */
pid_t testnet_running(const struct testnet_node *node);

/* testnet_is_paused: a signal has stopped its process, which is there still
 * (SIGSTOP; ^Z on its terminal). */
bool testnet_is_paused(const struct testnet_node *node);

/* testnet_forget_pid: the node's process has ended: removes the pid file, if it
 * does not name another one by now. */
void testnet_forget_pid(struct testnet_node *node);

/* testnet_drop_running: leaves those that do not run. */
void testnet_drop_running(struct testnet *net);

/* testnet_stop: SIGTERM to all that run; after wait_ms those that are left
 * are killed.  Returns how many were killed. */
size_t testnet_stop(struct ctl *ctl, struct testnet *net, uint64_t wait_ms);

#endif
