/* task_blobs: the blobs that tasks and closed rounds refer to, theta and
 * momentum.  The state
 * counts the tasks; the last one to let go deletes the blob. */
#ifndef POT_LEDGER_TASK_BLOBS_H
#define POT_LEDGER_TASK_BLOBS_H

#include <stddef.h>

#include "base/hash.h"
#include "ledger/ledger.h"

/* task_blobs_put: stores the blob for one more task; *hash is its.
 * task_blobs_put_named: the same for a blob whose hash is known.
 * task_blobs_hold: one more that refers to a blob which is held.
 * task_blobs_drop: one less. */
void task_blobs_put(const struct ledger_env *env, struct hash *hash,
                    const void *data, size_t size);
void task_blobs_put_named(const struct ledger_env *env, const struct hash *hash,
                          const void *data, size_t size);
void task_blobs_hold(const struct ledger_env *env, const struct hash *hash);
void task_blobs_drop(const struct ledger_env *env, const struct hash *hash);

#endif
