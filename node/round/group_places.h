/* group_places: how many groups a round has of whom.  A key costs nothing: so
 * those whose last group did not come out right (node/round/group_trust.h) have
 * a part of the places, and whose group nobody can use gives its place up, but
 * a few times in a round only: each one taken is told to others. */
#ifndef POT_NODE_ROUND_GROUP_PLACES_H
#define POT_NODE_ROUND_GROUP_PLACES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/key.h"

#define GROUPS_MAX          64  /* of a round */
#define GROUPS_OF_ONE_MAX   4   /* and an aggregator, with those given up */
#define GROUPS_UNPROVEN_MAX 32  /* of those that are not proven */
#define GROUPS_UNPROVEN_ALL 256 /* likewise, with those given up */

/* A zeroed struct has all of them free. */
struct group_places {
    struct group_place *list; /* one for each that was taken */
    size_t count;
};

void group_places_fini(struct group_places *places);

/* group_places_take: true: the aggregator has one more. */
bool group_places_take(struct group_places *places,
                       const struct public_key *aggregator, bool is_proven);

/* group_places_give_up: of one that it has. */
void group_places_give_up(struct group_places *places,
                          const struct public_key *aggregator);

#endif
