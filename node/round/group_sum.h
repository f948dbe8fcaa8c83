/* group_sum: the payloads of some submissions of a task's open round, opened
 * and summed up off the loop; of a node's one at a time, for consensus has the
 * same threads. */
#ifndef POT_NODE_ROUND_GROUP_SUM_H
#define POT_NODE_ROUND_GROUP_SUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "base/hash.h"
#include "storage/store_promise.h"

struct holdings;
struct round_submission;
struct group_sum; /* opaque: node/round/group_sum.c */

struct group_member {
    struct hash name;
    struct hash leaf; /* of the group's root */
    struct hash payload;
    uint64_t payload_bytes;
};

/* group_member_of: what is to be known of a submission. */
struct group_member group_member_of(const struct round_submission *submission);

struct group_result {
    enum pot_err err; /* POT_ENOENT a payload is not here; POT_EFORMAT one is
                         no gradient of the task; the store's */
    struct hash root;
    struct hash sum; /* a blob of the pool now */
    uint64_t sum_bytes;
};

/* group_sum_fn: it is over, and freed behind this. */
typedef void group_sum_fn(void *context, const struct group_result *result);

/* group_sums: those that wait for each other, in the order in which they were
 * started; a zeroed struct has none, and outlives the last one. */
struct group_sums {
    struct group_sum *first; /* at work */
    struct group_sum *last;
};

struct group_order {
    struct group_sums *sums;
    uv_loop_t *loop;
    const struct holdings *holdings;
    struct hash task;             /* whose rule is a sum; at the tip */
    struct group_member *members; /* taken; by ascending name */
    size_t count;
    bool is_promised; /* before done the store holds the payloads, by this
                         promise: others count on them */
    struct store_promise promise;
};

/* group_sum_start: done is called later. */
struct group_sum *group_sum_start(const struct group_order *order,
                                  group_sum_fn *done, void *context);

/* group_sum_forget: done is not called any more; NULL is none. */
void group_sum_forget(struct group_sum *sum);

#endif
