/* import_source: a file's bytes, decompressed if gzip made it. */
#ifndef POT_TRAINING_IMPORT_SOURCE_H
#define POT_TRAINING_IMPORT_SOURCE_H

#include <stddef.h>

#include "base/err.h"

/* A NUL stands behind the bytes; free(data). */
struct import_source {
    char *data;
    size_t size;
};

/* import_source_read: neither the file nor what it decompresses to may be
 * larger than size_max.
 *
 * Errors: POT_ELIMIT it is; POT_EFORMAT damaged or cut short; those of
 *         reading a file.  out->data is NULL then. */
POT_MUST_USE enum pot_err import_source_read(struct import_source *out,
                                             const char *path, size_t size_max);

#endif
