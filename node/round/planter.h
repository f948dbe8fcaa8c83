/* planter: which submissions this miner plants (proto/plant.h), and that it
 * says so before that costs it its stake.
 *
 * A plant is exposed when a validator says to have audited it, which is a lie,
 * when somebody challenges it, or when this miner submits no more in its task.
 * The others cost nobody anything: the link of a later submission tells what
 * they were.  Nothing is kept on the disk: after
 * a restart an open challenge of a plant is still exposed, as the links are the
 * same, but none is opened.  The loop's thread only. */
#ifndef POT_NODE_ROUND_PLANTER_H
#define POT_NODE_ROUND_PLANTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "proto/chain.pb-c.h"
#include "proto/state.pb-c.h"

struct own_tx_config;
struct planter; /* opaque: node/round/planter.c */
struct state;

/* planter_new: for the miner whose key it is. */
struct planter *planter_new(const struct own_tx_config *config);

/* planter_free: before the intake stops.  NULL is none. */
void planter_free(struct planter *planter);

/* planter_plan: the link that the submission of the task's open round shows,
 * and whether it is to be planted by *secret; not by one who could not pay for
 * saying so.  False: the task has no plants. */
bool planter_plan(struct planter *planter, const Pot__TaskRecord *task,
                  struct hash *link, bool *is_plant, struct hash *secret);

/* planter_note: borrows a submission that was planted by that secret. */
void planter_note(struct planter *planter, const Pot__Signed *submission,
                  const struct hash *secret);

/* planter_refresh: the tip moved: exposes what must be. */
void planter_refresh(struct planter *planter, const struct state *state);

#endif
