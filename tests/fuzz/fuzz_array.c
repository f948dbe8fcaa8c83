/* Any bytes behind the first ones of an IDX and of an npy file: every element
 * of an array that opens can be read. */
#include "config.h"

#include "base/alloc.h"
#include "base/check.h"
#include "training/import_array.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef bool is_fn(const void *bytes, size_t size);

static void read_behind(const char *prefix, size_t prefix_size,
                        is_fn *is_format, const uint8_t *data, size_t size)
{
    char why[IMPORT_WHY_SIZE];
    struct import_array a;
    size_t whole = prefix_size + size;
    uint8_t *bytes = pot_alloc(whole);
    memcpy(bytes, prefix, prefix_size);
    if (size > 0) {
        memcpy(bytes + prefix_size, data, size);
    }
    if (import_array_view(&a, bytes, whole, "fuzz", why) == POT_OK) {
        volatile double sum = 0.0;
        POT_ASSERT(is_format(bytes, whole));
        for (uint64_t i = 0; i < a.rows * a.row_size; i++) {
            sum = sum + import_array_get(&a, i);
        }
    }
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_behind("\0\0\x08", 3, import_array_is_idx, data, size);
    read_behind("\x93NUMPY", 6, import_array_is_npy, data, size);
    return 0;
}
