/* group_early: words on groups that are still on their way here, the last few
 * of each validator: so that one cannot push out what others said. */
#ifndef POT_NODE_ROUND_GROUP_EARLY_H
#define POT_NODE_ROUND_GROUP_EARLY_H

#include "base/map.h"

struct group_word;
struct hash;

#define GROUP_EARLY_MAX 16 /* of a validator */

/* A zeroed struct holds none. */
struct group_early {
    struct map words; /* validator -> struct early_words */
};

void group_early_fini(struct group_early *early);

/* group_early_keep: a validator's. */
void group_early_keep(struct group_early *early, const struct group_word *word);

/* group_early_replay: calls take for each that is on this group; none is kept
 * meanwhile. */
void group_early_replay(
    const struct group_early *early, const struct hash *group,
    void (*take)(void *context, const struct group_word *word), void *context);

#endif
