/* Any bytes as a miner's payload: the first chooses the form; what opens is
 * the one encoding of what it holds. */
#include "config.h"

#include "base/check.h"
#include "proto/packed.h"

#include <string.h>

#define PARAMETERS 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t widths[] = {3, 5, 2};
    struct model_shape shape;
    struct gradient gradient;
    struct packed_form form = {0};
    int8_t room[PARAMETERS];
    int32_t values[PARAMETERS];
    uint8_t again[2 * PARAMETERS + 64];
    if (size == 0) {
        return 0;
    }
    enum pot_err err = model_shape_init(&shape, widths, 3);
    POT_ASSERT(err == POT_OK && shape.parameter_count == PARAMETERS);
    form.compression = (Pot__Compression)(1 + data[0] % 5);
    if (form.compression == POT__COMPRESSION__COMPRESSION_TOPK) {
        form.kept = 1 + data[0] / 5 % PARAMETERS;
    }
    if (packed_open(&gradient, room, &shape, &form, data + 1, size - 1) !=
        POT_OK) {
        return 0;
    }
    for (size_t i = 0; i < PARAMETERS; i++) {
        values[i] = gradient_get(&gradient, i);
    }
    POT_ASSERT(packed_bytes(&shape, &form) == size - 1);
    POT_ASSERT(size - 1 <= sizeof(again));
    /* The bytes' own forms hold one value more than a miner uses. */
    packed_encode(again, &shape, &form, gradient.exponents, values);
    POT_ASSERT(memcmp(again, data + 1, size - 1) == 0);
    return 0;
}
