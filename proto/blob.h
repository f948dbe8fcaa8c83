/* blob: large bytes outside blocks and state, known by their hash: payloads
 * of submissions, aggregates, parameters, momentum. */
#ifndef POT_PROTO_BLOB_H
#define POT_PROTO_BLOB_H

#include <stddef.h>

#include "base/hash.h"

/* blob_hash: the address of these bytes. */
void blob_hash(struct hash *out, const void *data, size_t size);

#endif
