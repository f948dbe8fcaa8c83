/* store_replay: the layers that a start finds in the journal; for storage/
 * only. */
#ifndef POT_STORAGE_STORE_REPLAY_H
#define POT_STORAGE_STORE_REPLAY_H

#include "storage/store_env.h"

/* store_replay: puts those entries of the journal on LMDB, as layers, that
 * follow its tip, one after the other.  What follows nothing LMDB has, or it
 * is torn: its commit never returned.
 *
 * Errors: POT_ECORRUPT one that follows holds what nobody wrote, POT_EIO */
POT_MUST_USE enum pot_err store_replay(struct store *store);

#endif
