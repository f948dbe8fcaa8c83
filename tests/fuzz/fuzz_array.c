/* Any bytes behind the first ones of an IDX file: every element of an
 * array that opens can be read. */
#include "config.h"

#include "base/alloc.h"
#include "base/check.h"
#include "training/import_array.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t prefix[] = {0, 0, 8};
    char why[IMPORT_WHY_SIZE];
    struct import_array a;
    size_t whole = sizeof(prefix) + size;
    uint8_t *bytes = pot_alloc(whole);
    memcpy(bytes, prefix, sizeof(prefix));
    if (size > 0) {
        memcpy(bytes + sizeof(prefix), data, size);
    }
    if (import_array_open(&a, bytes, whole, "fuzz.idx", why) == POT_OK) {
        volatile double sum = 0.0;
        POT_ASSERT(import_array_is_idx(bytes, whole));
        for (uint64_t i = 0; i < a.rows * a.row_size; i++) {
            sum = sum + import_array_get(&a, i);
        }
    }
    free(bytes);
    return 0;
}
