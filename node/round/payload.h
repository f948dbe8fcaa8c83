/* payload: turns a job's sums into the payload of a submission, off the
 * loop: compressed, named by its hash, and held in the pool for others. */
#ifndef POT_NODE_ROUND_PAYLOAD_H
#define POT_NODE_ROUND_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/hash.h"

struct blob_pool;
struct payload; /* opaque: node/round/payload.c */
struct round_input;

/* payload_fn: is_planted: by the secret; false also where that cannot be. */
typedef void payload_fn(void *context, const struct hash *hash, size_t size,
                        bool is_planted);

/* payload_start: done is called later, and the result is good until then.
 *
 * In:   plant  the secret by which it is to be planted (proto/plant.h), which
 *              is copied; NULL: it is to be right
 * Owns: takes sums, as workers_done_fn gave them, and holds the input */
struct payload *payload_start(uv_loop_t *loop, struct blob_pool *pool,
                              struct round_input *input, int64_t *sums,
                              const struct hash *plant, payload_fn *done,
                              void *context);

/* payload_forget: done is not called any more; NULL is none. */
void payload_forget(struct payload *payload);

#endif
