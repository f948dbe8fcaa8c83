/* held: blobs that tasks hold, theta and momentum, counted in the state; the
 * last one to let go deletes the blob. */
#ifndef POT_LEDGER_HELD_H
#define POT_LEDGER_HELD_H

#include <stddef.h>

#include "base/hash.h"
#include "ledger/ledger.h"

/* held_put: stores the blob for one more holder.  held_drop: one holder
 * less, the last one deletes it. */
void held_put(const struct ledger_env *env, struct hash *hash, const void *data,
              size_t size);
/* held_put_named: the same for a blob whose hash is known. */
void held_put_named(const struct ledger_env *env, const struct hash *hash,
                    const void *data, size_t size);
void held_drop(const struct ledger_env *env, const struct hash *hash);

#endif
