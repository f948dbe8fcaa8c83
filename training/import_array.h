/* import_array: arrays of numbers in IDX and NumPy .npy files. */
#ifndef POT_TRAINING_IMPORT_ARRAY_H
#define POT_TRAINING_IMPORT_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "training/import.h"
#include "training/import_table.h"

enum import_kind {
    IMPORT_KIND_UNSIGNED, /* and bool */
    IMPORT_KIND_SIGNED,
    IMPORT_KIND_FLOAT,
};

/* A view: rows x row_size numbers, the dimensions behind the first as one. */
struct import_array {
    enum import_kind kind;
    size_t element_bytes; /* 1, 2, 4, 8 */
    bool is_big_endian;
    bool is_idx;
    uint64_t rows;
    uint64_t row_size; /* 1 when there is one dimension */
    const uint8_t *data;
};

bool import_array_is_idx(const void *data, size_t size);
bool import_array_is_npy(const void *data, size_t size);

/* import_array_view: of either format, as its first bytes tell.
 * Errors: POT_EFORMAT, why says what after "file: ". */
POT_MUST_USE enum pot_err import_array_view(struct import_array *out,
                                            const void *data, size_t size,
                                            const char *file,
                                            char why[static IMPORT_WHY_SIZE]);

/* import_array_get: element i < rows * row_size. */
double import_array_get(const struct import_array *a, uint64_t i);

/* import_array_table: features and their labels into an empty t;
 * import_table_fini(t) in any case.  Errors: as import_file. */
POT_MUST_USE enum pot_err import_array_table(
    struct import_table *t, const struct import_array *features,
    const struct import_array *labels, const struct import_options *options,
    char why[static IMPORT_WHY_SIZE]);

#endif
