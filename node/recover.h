/* recover: what an operator does when a home was lost, or is not to be
 * trusted; node/block/guard.h does the rest.  Both print what they did. */
#ifndef POT_NODE_RECOVER_H
#define POT_NODE_RECOVER_H

#include "base/exit_code.h"

struct node_config;

/* recover_home: marks the sign state: what the validator's key has signed is
 * not known.  A damaged store or sign state is put aside, a whole one stays. */
enum exit_code recover_home(const struct node_config *config);

/* recover_unsafe_vote_now: marks it: the operator vouches that nothing stands
 * against voting at once.  Wrong, and the key may sign twice. */
enum exit_code recover_unsafe_vote_now(const struct node_config *config);

#endif
