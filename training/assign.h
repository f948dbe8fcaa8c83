/* assign: which rows a miner trains on, and how they are shared out among
 * its workers.  Integers only. */
#ifndef POT_TRAINING_ASSIGN_H
#define POT_TRAINING_ASSIGN_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/key.h"

/* What rows are drawn from. */
struct assign_from {
    uint64_t rows;       /* of the data set, > 0 */
    uint64_t shard_rows; /* dataset_shard_rows(), > 0 when shards is */
    uint32_t shards;     /* that are drawn first; 0, or no fewer than there
                            are: rows are drawn from all of the data set */
};

/* assign_rows: count rows of a data set, by a PRF of the round's seed and the
 * miner's key.  All different while there are as many to draw from; beyond
 * that each of them comes equally often, and the rest are different. */
void assign_rows(uint64_t *rows, size_t count, const struct assign_from *from,
                 const struct hash *round_seed, const struct public_key *miner);

/* Rows are computed in blocks whose size depends on the number of rows
 * alone, and the blocks' gradients are added as integers: a gradient is the
 * same however the blocks are shared out. */
size_t assign_block_rows(size_t rows);

struct assign_part {
    size_t first; /* index into the assigned rows; of a block's first row */
    size_t count; /* 0: nothing left for this worker */
};

/* assign_part: worker `index` of `parts`; whole blocks, nearly equal. */
struct assign_part assign_part(size_t rows, size_t parts, size_t index);

#endif
