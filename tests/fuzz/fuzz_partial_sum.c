/* Any bytes as a sum over gradients: what opens is the one encoding of what it
 * holds. */
#include "config.h"

#include "base/check.h"
#include "base/limits.h"
#include "proto/partial_sum.h"

#include <string.h>

#define PARAMETERS 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t widths[] = {3, 5, 2};
    struct model_shape shape;
    struct buf again;
    uint32_t addends;
    int64_t sums[PARAMETERS];
    enum pot_err err = model_shape_init(&shape, widths, 3);
    POT_ASSERT(err == POT_OK && shape.parameter_count == PARAMETERS);
    if (partial_sum_open(sums, &addends, &shape, data, size) != POT_OK) {
        return 0;
    }
    POT_ASSERT(addends > 0 && addends <= ROSTER_MAX);
    POT_ASSERT(size <= partial_sum_bytes_max(&shape));
    buf_init(&again, size);
    partial_sum_encode(&again, &shape, addends, sums);
    POT_ASSERT(!again.is_overflown && again.size == size);
    POT_ASSERT(memcmp(again.data, data, size) == 0);
    buf_fini(&again);
    return 0;
}
