#include "config.h"

#include "proto/blob.h"

void blob_hash(struct hash *out, const void *data, size_t size)
{
    hash_bytes(out, "blob", data, size);
}
