#include "config.h"

#include "base/fixed.h"

#include "base/check.h"

int32_t fixed_saturate(int64_t value)
{
    if (value > INT32_MAX) {
        return INT32_MAX;
    }
    if (value < INT32_MIN) {
        return INT32_MIN;
    }
    return (int32_t)value;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

static int64_t with_sign(uint64_t size, int64_t sign)
{
    return (int64_t)(sign < 0 ? 0 - size : size);
}

int64_t fixed_shift_right(int64_t value, unsigned bits)
{
    if (bits == 0) {
        return value;
    }
    if (bits > 63) {
        return 0;
    }
    uint64_t half = UINT64_C(1) << (bits - 1);
    return with_sign((magnitude(value) + half) >> bits, value);
}

int64_t fixed_divide(int64_t value, int64_t divisor)
{
    POT_ASSERT(divisor > 0);
    uint64_t size = magnitude(value);
    uint64_t by = (uint64_t)divisor;
    uint64_t quotient = size / by;
    uint64_t rest = size % by;
    quotient += rest >= by - rest ? 1 : 0;
    return with_sign(quotient, value);
}
