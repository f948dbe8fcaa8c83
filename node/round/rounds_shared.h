/* rounds_shared: what all open rounds of a node share.  rounds.c makes it for
 * the modules below; the loop's thread only. */
#ifndef POT_NODE_ROUND_ROUNDS_SHARED_H
#define POT_NODE_ROUND_ROUNDS_SHARED_H

#include <stdint.h>
#include <uv.h>

#include "base/hash.h"
#include "node/round/group_sum.h"
#include "node/round/group_trust.h"
#include "node/round/rounds.h"
#include "node/round/tellers.h"

struct accuser;
struct audits;
struct gossip;
struct holdings;
struct key;
struct needs;
struct own_links;

struct rounds_shared {
    uv_loop_t *loop;
    const struct holdings *holdings;
    struct needs *needs;
    struct gossip *gossip;
    const struct key *key; /* the validator's; NULL: nothing is judged here */
    struct audits *audits;
    struct accuser *accuser; /* NULL: this node sends no challenges */
    struct own_links *links; /* NULL without a key */
    struct group_trust trust;
    struct tellers tellers;
    struct group_sums sums;
    uint32_t sequence; /* of the last attestation */
    struct rounds_stats stats;
    void *context;
    /* Something came in: the rounds are to be ticked soon. */
    void (*on_news)(void *context);
    /* An aggregator's node key: it has signed what does not hold. */
    void (*on_liar)(void *context, const struct public_key *aggregator);
    /* A quorum takes no more commitments of the task's open round. */
    void (*on_reveal)(void *context, const struct hash *task);
};

#endif
