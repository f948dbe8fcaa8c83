/* parameters: theta and momentum as Q8.24 arrays, and as blobs of int32
 * little-endian. */
#ifndef POT_LEDGER_PARAMETERS_H
#define POT_LEDGER_PARAMETERS_H

#include <stddef.h>
#include <stdint.h>

#include "ledger/state.h"
#include "proto/chain.pb-c.h"
#include "proto/model.h"

/* parameters_start: the first theta, fresh memory.  Weights are uniform in
 * +-bound, sqrt(6 / fan_in) for a rectifier (He), else
 * sqrt(6 / (fan_in + fan_out)) (Xavier); biases are zero.  The n-th element
 * of a tensor is the n-th number of a SplitMix64 sequence that begins at a
 * hash of the model's seed and the tensor. */
int32_t *parameters_start(const struct model_shape *shape,
                          const Pot__ModelSpec *model);

/* parameters_encode: count values into fresh memory of 4 * count bytes.
 * parameters_decode: the inverse. */
uint8_t *parameters_encode(const int32_t *values, size_t count);
int32_t *parameters_decode(const uint8_t *data, size_t count);

/* parameters_load: the blob of that hash; NULL if it is not held or has
 * another size. */
int32_t *parameters_load(const struct blobs *blobs, const struct hash *hash,
                         size_t count);

#endif
