/* group_split: which groups are of no use to a round because it would count
 * some of their members only. */
#ifndef POT_NODE_ROUND_GROUP_SPLIT_H
#define POT_NODE_ROUND_GROUP_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/map.h"

struct group_heard;
struct hash;

/* A zeroed struct: the round would count nothing. */
struct group_split {
    struct map counted; /* submissions, by their own hashes -> anything */
};

void group_split_fini(struct group_split *split);

/* group_split_count: what it would count from now on. */
void group_split_count(struct group_split *split, const struct hash *counted,
                       size_t count);

/* group_split_has: the group is split; none that was dissolved is. */
bool group_split_has(const struct group_split *split,
                     const struct group_heard *h);

#endif
