/* store_promise_record: a promise as it lies in the table meta: its key names
 * it, its value is the hashes of its blobs.  Who does not know of promises
 * passes it over.  For storage/ only. */
#ifndef POT_STORAGE_STORE_PROMISE_RECORD_H
#define POT_STORAGE_STORE_PROMISE_RECORD_H

#include <lmdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "storage/store_env.h"
#include "storage/store_promise.h"

#define PROMISE_KEY_SIZE (8 + 2 * (HASH_SIZE + 4))

struct map;

void promise_key(uint8_t out[static PROMISE_KEY_SIZE],
                 const struct store_promise *promise);

/* promise_read_key: false: it is another record of the table. */
bool promise_read_key(struct store_promise *out, const MDB_val *key);

/* promise_hashes: puts the hashes of all promised blobs into the map. */
POT_MUST_USE enum pot_err promise_hashes(struct map *out,
                                         const struct store_read *read);

#endif
