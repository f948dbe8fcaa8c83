#include "config.h"

#include "ledger/parameters.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/fixed.h"
#include "ledger/activation.h"

#include <stdlib.h>

/* SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
 * generators", OOPSLA '14), its state being start + n * gamma. */
static uint64_t number_at(uint64_t start, uint64_t n)
{
    uint64_t z = start + (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint64_t start_of(uint64_t seed, size_t tensor)
{
    struct hasher h;
    struct hash hash;
    struct bytes_reader r;
    hasher_init(&h, "parameters");
    hasher_add_u64(&h, seed);
    hasher_add_u64(&h, tensor);
    hasher_final(&h, &hash);
    bytes_reader_init(&r, hash.b, HASH_SIZE);
    return bytes_read_u64(&r);
}

/* sqrt(6 / fan) in Q8.24, rounded down. */
static int64_t bound_of(uint64_t fan)
{
    POT_ASSERT(fan > 0);
    return fixed_sqrt((UINT64_C(6) << 2 * FIXED_BITS) / fan);
}

int32_t *parameters_start(const struct model_shape *shape,
                          const Pot__ModelSpec *model)
{
    const struct activation *activation = activation_find(model->activation);
    int32_t *theta = pot_calloc(shape->parameter_count, sizeof(*theta));
    for (size_t l = 0; l < shape->layer_count; l++) {
        struct tensor_span weight = shape->tensors[2 * l];
        uint64_t fan = shape->widths[l];
        fan += activation->is_rectifier ? 0 : shape->widths[l + 1];
        int64_t bound = bound_of(fan);
        uint64_t start = start_of(model->seed, 2 * l);
        for (size_t i = 0; i < weight.count; i++) {
            /* uniform in [-2^31, 2^31) */
            int64_t u = (int64_t)(number_at(start, i) >> 32) - INT32_MAX - 1;
            theta[weight.offset + i] =
                fixed_saturate(fixed_shift_right(bound * u, 31));
        }
    }
    return theta;
}

uint8_t *parameters_encode(const int32_t *values, size_t count)
{
    uint8_t *data = pot_alloc(4 * count);
    for (size_t i = 0; i < count; i++) {
        bytes_put_u32(data + 4 * i, (uint32_t)values[i]);
    }
    return data;
}

int32_t *parameters_decode(const uint8_t *data, size_t count)
{
    int32_t *values = pot_alloc(count * sizeof(*values));
    for (size_t i = 0; i < count; i++) {
        values[i] = (int32_t)bytes_u32_at(data + 4 * i);
    }
    return values;
}

int32_t *parameters_load(const struct blobs *blobs, const struct hash *hash,
                         size_t count)
{
    struct buf value;
    int32_t *values = NULL;
    buf_init(&value, 4 * count);
    if (blobs->get(blobs->context, hash, &value) && value.size == 4 * count) {
        values = parameters_decode(value.data, count);
    }
    buf_fini(&value);
    return values;
}
