/* grouping: an aggregator's submissions of a task's open round, summed up
 * before they are passed on.
 *
 * They wait for each other for a moment, are added up, and the sum's hash goes
 * out before they do, to validators (node/round/groups.h) and to other
 * aggregators, to whom they are passed on, too.  A submission is
 * in one group at most, and one of a miner: of what comes again nothing is
 * summed.  The loop's thread only. */
#ifndef POT_NODE_ROUND_GROUPING_H
#define POT_NODE_ROUND_GROUPING_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/hash.h"
#include "proto/chain.pb-c.h"

struct gossip;
struct group;
struct group_sums;
struct grouping; /* opaque: node/round/grouping.c */
struct holdings;
struct key;
struct round_submission;

#define GROUPING_MEMBERS_MAX 256  /* one that is refused costs all of them */
#define GROUPING_TOGETHER_MS 150  /* after the last one that came */
#define GROUPING_WAIT_MS     1000 /* after the first one */

struct grouping_config {
    uv_loop_t *loop;
    const struct holdings *holdings;
    struct group_sums *sums;
    struct gossip *gossip;
    const struct key *key; /* the node's */
    struct hash task;      /* whose rule is a sum */
    uint32_t round;
    uint32_t expected; /* so many came in the round before; 0: nobody knows */
    void *context;
    /* Whether all validators hear what goes out now. */
    bool (*is_told)(void *context);
    void (*published)(void *context); /* a group went out */
    /* Was summed, or came to nothing: it is to be passed on now. */
    void (*pass_on)(void *context, const Pot__Signed *message,
                    uint64_t peer_id);
};

/* All borrowed. */
struct grouping *grouping_new(const struct grouping_config *config);

/* grouping_free: what waits is not passed on any more; NULL is none. */
void grouping_free(struct grouping *grouping);

/* grouping_add: a submission whose payload is held, and a gradient; takes the
 * message.  False, and it is the caller's: it was in a group before, or another
 * one of its miner was. */
bool grouping_add(struct grouping *grouping,
                  const struct round_submission *submission,
                  Pot__Signed *message, uint64_t peer_id);

/* grouping_skip: another aggregator has summed these: they are in no group
 * here.  False: it is one too many, by the bounds that validators have. */
bool grouping_skip(struct grouping *grouping, const struct group *group);

/* grouping_tick: is_last: nobody is on its way here. */
void grouping_tick(struct grouping *grouping, bool is_last);

/* grouping_count: how many came, others' apart. */
uint32_t grouping_count(const struct grouping *grouping);

#endif
