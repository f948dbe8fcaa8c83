/* replay: the chain executed again from the genesis, out of the node's store
 * into one of its own.  What goes wrong is told on stderr. */
#ifndef POT_NODE_REPLAY_H
#define POT_NODE_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/exit_code.h"
#include "node/block/chain_tip.h"
#include "node/hold/holdings.h"

struct node;

struct replay {
    struct node *node;
    struct holdings holdings; /* over the store that is made again */
    struct chain_tip tip;
    enum pot_err own; /* what went wrong with that store, which says nothing of
                         the node's */
};

/* replay_run: up to height, into a fresh store in folder; what lay there
 * goes.  replay_close in any case. */
bool replay_run(struct replay *replay, struct node *node, const char *folder,
                uint64_t height);

/* replay_code: what a replay that did not come to its end exits with. */
enum exit_code replay_code(const struct replay *replay);
void replay_close(struct replay *replay);

#endif
