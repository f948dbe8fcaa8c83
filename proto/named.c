#include "config.h"

#include "proto/named.h"

#include "base/limits.h"
#include "proto/blob.h"
#include "proto/dataset.h"
#include "proto/state_chunk.h"
#include "proto/validator_set.h"

static bool is_blob(const struct hash *hash, const void *data, size_t size)
{
    struct hash found;
    blob_hash(&found, data, size);
    return hash_equal(&found, hash);
}

bool named_is(const struct hash *hash, const void *data, size_t size)
{
    return is_blob(hash, data, size) ||
           (size <= DATASET_CHUNK_BYTES &&
            dataset_is_chunk(hash, data, size)) ||
           (size <= STATE_CHUNK_MAX && state_chunk_is(hash, data, size)) ||
           state_index_is(hash, data, size) ||
           validator_set_is(hash, data, size);
}
