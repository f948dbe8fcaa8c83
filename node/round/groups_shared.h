/* groups_shared: what all groups of one open round share.  groups.c makes it
 * and keeps the validators those of the tip; the modules below read it, but for
 * the waits, which group_heard.c counts. */
#ifndef POT_NODE_ROUND_GROUPS_SHARED_H
#define POT_NODE_ROUND_GROUPS_SHARED_H

#include "node/round/group_waits.h"
#include "node/round/groups.h"
#include "proto/validator_set.h"

struct rounds_shared;

struct groups_shared {
    struct rounds_shared *rounds; /* borrowed */
    struct groups_calls calls;
    struct validator_set validators;
    struct group_waits waits;
};

#endif
