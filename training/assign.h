/* assign: which rows a miner trains on, and how they are shared out among
 * its workers.  Integers only. */
#ifndef POT_TRAINING_ASSIGN_H
#define POT_TRAINING_ASSIGN_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/key.h"

/* assign_rows: count rows of a data set, by a PRF of the round's seed and the
 * miner's key.  All different while count <= dataset_rows; beyond that every
 * row comes floor(count / dataset_rows) times, and the rest are different.
 * dataset_rows > 0. */
void assign_rows(uint64_t *rows, size_t count, uint64_t dataset_rows,
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
