/* replay_source: what a replay computes from, from a node that need not be
 * trusted: all of it is held against hashes that the caller names or the
 * replay checks. */
#ifndef POT_CTL_REPLAY_SOURCE_H
#define POT_CTL_REPLAY_SOURCE_H

#include <stdint.h>

#include "base/buf.h"
#include "ctl/ctl.h"
#include "proto/block.h"

/* replay_source_block: the block of a height, its body checked against its
 * header; block_free. */
POT_MUST_USE enum exit_code replay_source_block(struct block **out,
                                                struct ctl *ctl,
                                                uint64_t height);

/* replay_source_update: what the block says of a round of the task, borrowed;
 * NULL: nothing. */
const Pot__RoundUpdate *replay_source_update(const struct block *block,
                                             const struct hash *task);

/* replay_source_task: the task as its owner sent it, out of the block of this
 * height; its id is the hash of that.  codec_free. */
POT_MUST_USE enum exit_code replay_source_task(Pot__TxBody **out,
                                               struct ctl *ctl,
                                               const struct hash *task,
                                               uint64_t height);

/* replay_source_dataset: the bytes of the data set of this address, in a
 * buffer made by the call; buf_fini, on failure too. */
POT_MUST_USE enum exit_code replay_source_dataset(struct buf *out,
                                                  struct ctl *ctl,
                                                  const struct hash *address);

#endif
