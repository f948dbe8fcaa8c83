/* dataset_file: a data set in one file, put together from the chunks that the
 * store holds, and mapped. */
#ifndef POT_NODE_HOLD_DATASET_FILE_H
#define POT_NODE_HOLD_DATASET_FILE_H

#include <stddef.h>

#include "base/err.h"
#include "base/hash.h"

struct store;

struct dataset_file {
    char *path;
    struct hash *chunks;
    size_t chunk_count; /* > 0 */
};

/* A file in memory; {NULL, 0}: none. */
struct dataset_map {
    void *data;
    size_t size;
};

/* dataset_file_map: the file as it stands if every chunk in it is right, else
 * made anew.  Reads and writes a lot: off the loop.
 *
 * Owns:   *out; dataset_file_unmap
 * Errors: POT_ENOENT a chunk is missing; POT_ECORRUPT; the store's and the
 *         disk's */
POT_MUST_USE enum pot_err dataset_file_map(struct dataset_map *out,
                                           const struct dataset_file *file,
                                           struct store *store);

/* dataset_file_unmap: none is fine; it is none behind it. */
void dataset_file_unmap(struct dataset_map *map);

#endif
