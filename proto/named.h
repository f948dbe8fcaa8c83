/* named: what is known by a hash, of whatever kind: blobs, chunks of data sets,
 * chunks and indices of states, validator sets.  A node that is asked for a
 * hash sends what it holds under it, and does not know what the other meant. */
#ifndef POT_PROTO_NAMED_H
#define POT_PROTO_NAMED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"

/* named_is: whether these bytes, from anyone, are known by that hash. */
bool named_is(const struct hash *hash, const void *data, size_t size);

#endif
