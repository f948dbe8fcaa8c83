/* round_blobs: the blobs that a round update in a block names. */
#ifndef POT_NODE_BLOCK_ROUND_BLOBS_H
#define POT_NODE_BLOCK_ROUND_BLOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "ledger/state.h"
#include "proto/chain.pb-c.h"

/* round_blob_fn: size is what the update says, of which a block that was not
 * executed yet may say anything.  False ends the walk. */
typedef bool round_blob_fn(void *context, const struct hash *hash,
                           uint64_t size);

/* round_blobs_payloads: the gradients that were counted.  False when act said
 * so. */
bool round_blobs_payloads(const Pot__RoundUpdate *update, round_blob_fn *act,
                          void *context);

/* round_blobs_lone: those of them for which no sum stands that is in the source
 * and of whose members all were counted: what has to be here to execute it. */
bool round_blobs_lone(const Pot__RoundUpdate *update,
                      const struct part_source *source, round_blob_fn *act,
                      void *context);

/* round_blobs_aggregate: false when the round counted none and has none. */
bool round_blobs_aggregate(const Pot__RoundUpdate *update,
                           struct hash *aggregate);

#endif
