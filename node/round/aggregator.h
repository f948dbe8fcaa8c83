/* aggregator: gathers the submissions of open rounds.  Each is passed on once
 * its payload is here and well formed, so that whoever hears of it from this
 * node can have it from this node; where the task's rule is a sum, with others,
 * and their sum before them (node/round/grouping.h).  It holds the data of
 * running tasks, too: so its miners need no other peer, and send their payloads
 * once.
 *
 * Nobody trusts it: a payload has the hash that its miner signed, and a sum is
 * taken when validators have opened it.  The loop's
 * thread only. */
#ifndef POT_NODE_ROUND_AGGREGATOR_H
#define POT_NODE_ROUND_AGGREGATOR_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/key.h"
#include "proto/chain.pb-c.h"

struct aggregator; /* opaque: node/round/aggregator.c */
struct gossip;
struct holdings;
struct key;
struct needs;
struct round_submission;

#define AGGREGATOR_WAITING_MAX 4096 /* of a task; one a miner and round */

/* All borrowed. */
struct aggregator_config {
    uv_loop_t *loop;
    const struct holdings *holdings;
    struct needs *needs;
    struct gossip *gossip;
    const struct key *key; /* the node's: of groups */
    void *context;
    /* Its miner has committed to the submission: one that has not is in no
     * group.  NULL: nobody knows, and all are. */
    bool (*is_promised)(void *context,
                        const struct round_submission *submission);
};

struct aggregator *aggregator_new(const struct aggregator_config *config);

/* aggregator_stop: what is gathered is dropped, nothing is passed on any more;
 * before the gossip goes. */
void aggregator_stop(struct aggregator *aggregator);

/* aggregator_free: once the loop has run out of work.  NULL is none. */
void aggregator_free(struct aggregator *aggregator);

/* aggregator_take: a verified submission, borrowed, that rounds_submission
 * found worth passing on; peer_id brought it. */
void aggregator_take(struct aggregator *aggregator, const Pot__Signed *message,
                     uint64_t peer_id);

/* aggregator_commitment: a verified commitment that rounds_commitment took;
 * peer_id brought it.  The validators are told again of a miner's, and of the
 * submission behind it, while the round is open: some may have restarted. */
void aggregator_commitment(struct aggregator *aggregator,
                           const Pot__Signed *message, uint64_t peer_id);

/* aggregator_group: a verified one of another aggregator's, that the node of
 * this key brought.  True: it is of the open round, its author has brought it,
 * and no more than validators take; and worth passing on. */
bool aggregator_group(struct aggregator *aggregator, const Pot__Signed *message,
                      const struct public_key *from);

/* aggregator_is_teller: whether the peer of this node key is another aggregator
 * that tells validators itself what it passes on (node/round/tellers.h). */
bool aggregator_is_teller(const struct aggregator *aggregator,
                          const struct public_key *key);

/* aggregator_greet: the validator of this node key has connected, which may
 * lack what miners have said: it is told soon, and a second time. */
void aggregator_greet(struct aggregator *aggregator,
                      const struct public_key *key, uint64_t peer_id);

/* aggregator_refresh: the tip moved. */
void aggregator_refresh(struct aggregator *aggregator);

/* aggregator_is_validator: of the tip: what one has told, all have heard. */
bool aggregator_is_validator(const struct aggregator *aggregator,
                             const struct public_key *key);

/* For the metrics. */
struct aggregator_stats {
    uint64_t waiting;   /* now: for their payloads or their round */
    uint64_t passed_on; /* these only grow */
    uint64_t refused;   /* no gradient of their model */
    uint64_t groups;    /* sums that were published */
};

void aggregator_stats(const struct aggregator *aggregator,
                      struct aggregator_stats *out);

#endif
