/* Two sums of squares decide: `all`, of the validator's own elements, and
 * `excess`, of the differences that are not allowed.  Tensors differ in
 * their exponents, so that squares are brought to units of 2^(2 * (largest
 * exponent) - 64): the largest tensor's are shifted up by 64 bits, those of
 * the others by less; elements of 16 bits and at most 2^26 of them leave the
 * sums below 2^127. */
#include "config.h"

#include "training/audit.h"

#include "base/alloc.h"
#include "base/check.h"
#include "proto/blob.h"
#include "proto/plant.h"
#include "training/compress.h"
#include "training/quantise.h"

#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

/* Measured with tests/bench/bench_audit over five kernels of OpenBLAS.  int8:
 * at most 4 flips among 101,770 elements in 2,360 audits, 3 among 235,146 in
 * 800, 1 among 2,410 in 4,000.  int16, whose unit is 256 times as small: 216
 * among 101,770, 27 among 2,410. */
static const struct {
    uint64_t least;
    uint64_t part; /* elements for each flip */
} flips_allowed[] = {
    [1] = {8, 5000},
    [2] = {64, 100},
};
/* Relative L2, in parts per million: 1e-5 and 3e-2. */
#define EXCESS_WITHIN_PPM  10
#define EXCESS_REFUSED_PPM 30000
#define EXCESS_PPM_MAX     UINT64_C(1000000000)

_Static_assert(PARAMETERS_MAX <= 1 << 26, "the sums of squares fit");

struct squares {
    wide all;    /* of the validator's elements */
    wide flips;  /* of the differences of one unit */
    wide others; /* of the larger differences */
};

static uint64_t square(int32_t value)
{
    int64_t v = value;
    return (uint64_t)(v * v);
}

/* Units of 2^(2 * exponent) in units of 2^(2 * exponent_max - 64). */
static wide align(uint64_t sum, int exponent, int exponent_max)
{
    unsigned down = 2U * (unsigned)(exponent_max - exponent);
    return down > 127 ? 0 : ((wide)sum << 64) >> down;
}

static void compare_tensor(struct audit_result *result, struct squares *sums,
                           const struct gradient *submitted,
                           struct tensor_span span, int exponent,
                           const int64_t *own, uint64_t rows, int exponent_max)
{
    int32_t bound = gradient_bound(submitted->width);
    uint64_t all = 0;
    uint64_t flips = 0;
    uint64_t others = 0;
    for (size_t i = span.offset; i < span.offset + span.count; i++) {
        int32_t mine = quantise_value(own[i], rows, exponent, bound);
        int32_t difference = gradient_get(submitted, i) - mine;
        all += square(mine);
        if (difference == 1 || difference == -1) {
            flips++;
        } else if (difference != 0) {
            others += square(difference);
            result->others++;
        }
    }
    result->flips += flips;
    sums->all += align(all, exponent, exponent_max);
    sums->flips += align(flips, exponent, exponent_max);
    sums->others += align(others, exponent, exponent_max);
}

/* The flips beyond the allowance count with their mean square. */
static wide excess_of(const struct audit_result *result,
                      const struct squares *sums)
{
    wide excess = sums->others;
    if (result->flips > result->flips_allowed) {
        uint64_t beyond = result->flips - result->flips_allowed;
        excess += sums->flips / result->flips * beyond;
    }
    return excess;
}

/* floor(10^6 * sqrt(excess / all)), by bisection. */
static uint64_t ratio_ppm(wide excess, wide all)
{
    /* 2^127 / 2^60, times 10^12 < 2^40, fits; what the shift loses is 2^-4 of
     * one unit of the largest tensor, squared. */
    wide small = all >> 60;
    wide big = excess >> 60;
    uint64_t low = 0;
    uint64_t high = EXCESS_PPM_MAX;
    if (big == 0) {
        return 0;
    }
    if (small == 0) {
        return EXCESS_PPM_MAX;
    }
    wide wanted = big * UINT64_C(1000000000000) / small;
    while (low < high) {
        uint64_t middle = low + (high - low + 1) / 2;
        if ((wide)middle * middle <= wanted) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return low;
}

static bool exponents_agree(const struct model_shape *shape,
                            const struct gradient *submitted,
                            const int64_t *sums, uint64_t rows)
{
    int8_t own[TENSORS_MAX] = {0};
    quantise_exponents(own, shape, sums, rows,
                       gradient_bound(submitted->width));
    for (size_t t = 0; t < shape->tensor_count; t++) {
        int difference = submitted->exponents[t] - own[t];
        if (difference < -1 || difference > 1 ||
            submitted->exponents[t] < -GRID_BITS) {
            return false;
        }
    }
    return true;
}

static enum audit_verdict judge(const struct audit_result *result)
{
    if (result->flips == 0 && result->others == 0) {
        return AUDIT_EQUAL;
    }
    if (result->excess_ppm <= EXCESS_WITHIN_PPM) {
        return AUDIT_WITHIN;
    }
    return result->excess_ppm > EXCESS_REFUSED_PPM ? AUDIT_REFUSED
                                                   : AUDIT_UNDECIDED;
}

static int largest_exponent(const struct model_shape *shape,
                            const struct gradient *submitted)
{
    int largest = GRADIENT_EXPONENT_MIN;
    for (size_t t = 0; t < shape->tensor_count; t++) {
        if (submitted->exponents[t] > largest) {
            largest = submitted->exponents[t];
        }
    }
    return largest;
}

void audit_compare(struct audit_result *out, const struct model_shape *shape,
                   const struct gradient *submitted, const int64_t *sums,
                   uint64_t rows)
{
    struct squares squares = {0};
    POT_ASSERT(submitted->width == 1 || submitted->width == 2);
    *out = (struct audit_result){
        .verdict = AUDIT_REFUSED,
        .flips_allowed =
            audit_flips_allowed(shape->parameter_count, submitted->width),
        .excess_ppm = EXCESS_PPM_MAX,
    };
    if (!exponents_agree(shape, submitted, sums, rows)) {
        return;
    }
    int exponent_max = largest_exponent(shape, submitted);
    for (size_t t = 0; t < shape->tensor_count; t++) {
        compare_tensor(out, &squares, submitted, shape->tensors[t],
                       submitted->exponents[t], sums, rows, exponent_max);
    }
    out->excess_ppm = ratio_ppm(excess_of(out, &squares), squares.all);
    out->verdict = judge(out);
}

static bool is_payload(const struct hash *payload, const uint8_t *data,
                       size_t size)
{
    struct hash hash;
    blob_hash(&hash, data, size);
    return hash_equal(&hash, payload);
}

void audit_compare_exact(struct audit_result *out,
                         const struct model_shape *shape,
                         const struct packed_form *form,
                         const struct hash *payload, const int64_t *sums,
                         uint64_t rows, const struct hash *plant)
{
    size_t size = packed_bytes(shape, form);
    uint8_t *own = pot_alloc(size);
    compress_payload(own, shape, form, sums, rows);
    *out = (struct audit_result){.verdict = AUDIT_REFUSED};
    if (is_payload(payload, own, size)) {
        out->verdict = AUDIT_EQUAL;
    } else if (plant != NULL && plant_payload(own, shape, form, plant) &&
               is_payload(payload, own, size)) {
        out->verdict = AUDIT_PLANTED;
    }
    free(own);
}

uint64_t audit_flips_allowed(uint64_t elements, unsigned width)
{
    POT_ASSERT(width == 1 || width == 2);
    uint64_t part = elements / flips_allowed[width].part;
    uint64_t least = flips_allowed[width].least;
    return part < least ? least : part;
}
