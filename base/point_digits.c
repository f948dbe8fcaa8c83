#include "config.h"

#include "base/point_digits.h"

#include "base/bytes.h"

#include <stddef.h>

#define WORDS POINT_DIGITS_WORDS

_Static_assert(DECAF_255_SCALAR_BITS + 2 + POINT_DIGITS_BITS_MAX <= 64 * WORDS,
               "the highest digit is there as a whole");

/* There is a bit to spare above the number and one for what is added. */
static void add_half_everywhere(struct point_digits *digits)
{
    uint64_t half[WORDS] = {0};
    uint64_t carry = 0;
    for (unsigned i = 0; i < POINT_DIGITS_OF(digits->bits); i++) {
        unsigned at = i * digits->bits + digits->bits - 1;
        half[at / 64] |= (uint64_t)1 << at % 64;
    }
    for (size_t i = 0; i < WORDS; i++) {
        uint64_t sum = digits->words[i] + carry;
        carry = sum < carry;
        digits->words[i] = sum + half[i];
        carry += digits->words[i] < sum;
    }
}

void point_digits_init(struct point_digits *digits,
                       const decaf_255_scalar_t scalar, unsigned bits)
{
    struct bytes_reader r;
    uint8_t raw[DECAF_255_SCALAR_BYTES];
    decaf_255_scalar_encode(raw, scalar);
    bytes_reader_init(&r, raw, sizeof(raw));
    for (size_t i = 0; i < WORDS - 1; i++) {
        digits->words[i] = bytes_read_u64(&r);
    }
    digits->words[WORDS - 1] = 0;
    digits->bits = bits;
    add_half_everywhere(digits);
}

int point_digits_at(const struct point_digits *digits, unsigned index)
{
    unsigned word = index * digits->bits / 64;
    unsigned shift = index * digits->bits % 64;
    uint64_t value = digits->words[word] >> shift;
    if (shift + digits->bits > 64) {
        value |= digits->words[word + 1] << (64 - shift);
    }
    int half = 1 << (digits->bits - 1);
    return (int)(value & ((1U << digits->bits) - 1)) - half;
}
