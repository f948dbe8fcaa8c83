#include "config.h"

#include "training/compress.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/clones.h"
#include "base/fixed.h"
#include "training/quantise.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define INT4_CLIP 4
/* Bits behind the point of what is compared with its int4, at the exponent at
 * which all fits. */
#define INT4_FINE  8
#define INT4_BOUND 7
/* What fits rounds to the bound at most; and its square. */
#define FINE_BOUND  ((2 * INT4_BOUND + 1) << (INT4_FINE - 1))
#define FINE_SQUARE ((uint64_t)FINE_BOUND * FINE_BOUND)
/* Elements at once: few enough for the first cache. */
#define PIECE ((size_t)1024)

_Static_assert(FINE_SQUARE * 1024 <= UINT32_MAX, "a piece's errors fit");

/* One gradient on its way into a payload. */
struct compress {
    const struct model_shape *shape;
    const int64_t *sums;
    uint64_t rows;
    int32_t bound;
    int8_t exponents[TENSORS_MAX];
    int32_t *values;
};

static void quantise_tensor(struct compress *c, size_t t)
{
    struct tensor_span span = c->shape->tensors[t];
    int shift = GRID_BITS + c->exponents[t];
    size_t end = span.offset + span.count;
    int64_t means[PIECE];
    POT_ASSERT(shift >= 0);
    for (size_t i = span.offset; i < end; i += PIECE) {
        size_t count = end - i < PIECE ? end - i : PIECE;
        quantise_means(means, c->sums + i, count, c->rows);
        quantise_round(c->values + i, means, count, shift, c->bound);
    }
}

/* ---- int4 */

/* Squared errors of a piece at an exponent whose unit is 2^shift of the fine
 * ones. */
CLONES static uint32_t errors_of(const int32_t *fine, size_t count,
                                 unsigned shift)
{
    int32_t half = 1 << (shift - 1);
    uint32_t errors = 0;
#pragma omp simd reduction(+ : errors)
    for (size_t i = 0; i < count; i++) {
        int32_t sign = fine[i] >> 31;
        int32_t size = (fine[i] ^ sign) - sign;
        int32_t value = (size + half) >> shift;
        value = value > INT4_BOUND ? INT4_BOUND : value;
        int32_t error = size - value * (1 << shift);
        errors += (uint32_t)(error * error);
    }
    return errors;
}

/* Of a tensor, at `clip` below its exponent each. */
static void add_errors(uint64_t errors[static INT4_CLIP + 1],
                       const struct compress *c, size_t t)
{
    struct tensor_span span = c->shape->tensors[t];
    int shift = GRID_BITS + c->exponents[t] - INT4_FINE;
    size_t end = span.offset + span.count;
    int64_t means[PIECE];
    int32_t fine[PIECE];
    for (size_t i = span.offset; i < end; i += PIECE) {
        size_t count = end - i < PIECE ? end - i : PIECE;
        quantise_means(means, c->sums + i, count, c->rows);
        quantise_round(fine, means, count, shift, FINE_BOUND);
        for (unsigned clip = 0; clip <= INT4_CLIP; clip++) {
            errors[clip] += errors_of(fine, count, INT4_FINE - clip);
        }
    }
}

static void compress_int4(struct compress *c)
{
    POT_ASSERT(c->bound == INT4_BOUND);
    quantise_exponents(c->exponents, c->shape, c->sums, c->rows, c->bound);
    for (size_t t = 0; t < c->shape->tensor_count; t++) {
        uint64_t errors[INT4_CLIP + 1] = {0};
        unsigned best = 0;
        add_errors(errors, c, t);
        for (unsigned clip = 1;
             clip <= INT4_CLIP && c->exponents[t] - (int)clip >= -GRID_BITS;
             clip++) {
            best = errors[clip] < errors[best] ? clip : best;
        }
        c->exponents[t] = (int8_t)(c->exponents[t] - (int)best);
        quantise_tensor(c, t);
    }
}

/* ---- sign */

/* SplitMix64's finaliser. */
static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint64_t hash_of(const int64_t *sums, size_t count)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < count; i++) {
        hash = mix(hash + (uint64_t)sums[i] + UINT64_C(0x9e3779b97f4a7c15));
    }
    return hash;
}

/* The mean size of a tensor's elements, on the grid. */
static int64_t mean_size(const struct compress *c, struct tensor_span span)
{
    uint64_t whole = 0; /* means, and what they leave over, so that it fits */
    uint64_t rest = 0;
    for (size_t i = span.offset; i < span.offset + span.count; i++) {
        uint64_t size = fixed_magnitude(quantise_mean(c->sums[i], c->rows));
        whole += size / span.count;
        rest += size % span.count;
    }
    return (int64_t)(whole + rest / span.count);
}

static void compress_sign(struct compress *c)
{
    uint64_t hash = hash_of(c->sums, c->shape->parameter_count);
    for (size_t t = 0; t < c->shape->tensor_count; t++) {
        struct tensor_span span = c->shape->tensors[t];
        int64_t mean = mean_size(c, span);
        unsigned shift = 0;
        while (fixed_shift_right(mean, shift) > c->bound) {
            shift++;
        }
        int32_t size = (int32_t)fixed_shift_right(mean, shift);
        c->exponents[t] = (int8_t)((int)shift - GRID_BITS);
        for (size_t i = span.offset; i < span.offset + span.count; i++) {
            bool is_negative =
                c->sums[i] != 0 ? c->sums[i] < 0 : (mix(hash + i) & 1) != 0;
            c->values[i] = is_negative ? -size : size;
        }
    }
}

/* ---- topk */

#define DIGIT_BITS 8
#define DIGITS     (1 << DIGIT_BITS)

/* How many elements of the size that begins with prefix have each digit
 * behind it. */
static void count_digits(size_t counts[static DIGITS], const struct compress *c,
                         uint64_t prefix, unsigned shift)
{
    bool is_first = shift + DIGIT_BITS == 64;
    memset(counts, 0, DIGITS * sizeof(*counts));
    for (size_t i = 0; i < c->shape->parameter_count; i++) {
        uint64_t size = fixed_magnitude(c->sums[i]) >> shift;
        if (is_first || size >> DIGIT_BITS == prefix) {
            counts[size % DIGITS]++;
        }
    }
}

/* The size of the kept-th largest element, digit by digit; *ties: how many of
 * that size are among the kept. */
static uint64_t least_kept(size_t *ties, const struct compress *c, size_t kept)
{
    size_t counts[DIGITS];
    uint64_t prefix = 0;
    for (unsigned shift = 64; shift > 0;) {
        size_t digit = DIGITS - 1;
        shift -= DIGIT_BITS;
        count_digits(counts, c, prefix, shift);
        while (counts[digit] < kept) {
            kept -= counts[digit--];
        }
        prefix = prefix << DIGIT_BITS | digit;
    }
    *ties = kept;
    return prefix;
}

static void compress_topk(struct compress *c, size_t kept)
{
    size_t count = c->shape->parameter_count;
    size_t ties;
    uint64_t least = least_kept(&ties, c, kept);
    int64_t *top = pot_calloc(count, sizeof(*top));
    for (size_t i = 0; i < count; i++) {
        uint64_t size = fixed_magnitude(c->sums[i]);
        bool is_tie = size == least && ties > 0;
        ties -= is_tie ? 1 : 0;
        top[i] = size > least || is_tie ? c->sums[i] : 0;
    }
    c->sums = top;
    quantise_exponents(c->exponents, c->shape, top, c->rows, c->bound);
    for (size_t t = 0; t < c->shape->tensor_count; t++) {
        quantise_tensor(c, t);
    }
    free(top);
}

/* ---- all */

void compress_payload(uint8_t *out, const struct model_shape *shape,
                      const struct packed_form *form, const int64_t *sums,
                      uint64_t rows)
{
    struct compress c = {
        .shape = shape,
        .sums = sums,
        .rows = rows,
        .bound = packed_bound(form),
        .values = pot_alloc(shape->parameter_count * sizeof(int32_t)),
    };
    if (form->compression == POT__COMPRESSION__COMPRESSION_INT4) {
        compress_int4(&c);
    } else if (form->compression == POT__COMPRESSION__COMPRESSION_SIGN) {
        compress_sign(&c);
    } else if (form->compression == POT__COMPRESSION__COMPRESSION_TOPK) {
        compress_topk(&c, form->kept);
    } else {
        quantise_exponents(c.exponents, shape, sums, rows, c.bound);
        for (size_t t = 0; t < shape->tensor_count; t++) {
            quantise_tensor(&c, t);
        }
    }
    packed_encode(out, shape, form, c.exponents, c.values);
    free(c.values);
}
