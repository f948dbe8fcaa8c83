/* All numbers are read in digits of `bits` bits, the highest digit first: the
 * sum so far is doubled `bits` times, then each point goes into the bucket of
 * its digit, and each bucket enters the sum as often as its digit says.  Digits
 * are between -half and half - 1: a negative one takes from the bucket of its
 * opposite, which halves the buckets. */
#include "config.h"

#include "base/point_sum.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/check.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BITS_MIN 2
#define BITS_MAX 8
#define HALF_MAX (1 << (BITS_MAX - 1))
#define WORDS    5 /* 255 bits in digits of BITS_MAX */

_Static_assert(DECAF_255_SCALAR_BITS + 2 + BITS_MAX <= 64 * WORDS,
               "the highest digit is there as a whole");

/* With half a digit added at each place, so that digits are never negative. */
struct number {
    uint64_t words[WORDS];
};

/* There is a bit to spare above the number and one for what is added. */
static unsigned digits_of(unsigned bits)
{
    return (DECAF_255_SCALAR_BITS + 2 + bits - 1) / bits;
}

/* That which takes the fewest additions: a point for each digit but those of
 * short numbers, and two a bucket. */
static unsigned best_bits(size_t count)
{
    unsigned best = BITS_MIN;
    size_t least = SIZE_MAX;
    for (unsigned bits = BITS_MIN; bits <= BITS_MAX; bits++) {
        size_t additions =
            digits_of(bits) * (count * 3 / 4 + ((size_t)1 << bits));
        if (additions < least) {
            least = additions;
            best = bits;
        }
    }
    return best;
}

static void number_add(struct number *n, const struct number *other)
{
    uint64_t carry = 0;
    for (size_t i = 0; i < WORDS; i++) {
        uint64_t sum = n->words[i] + carry;
        carry = sum < carry;
        n->words[i] = sum + other->words[i];
        carry += n->words[i] < sum;
    }
}

static void number_set(struct number *n, const decaf_255_scalar_t scalar)
{
    struct bytes_reader r;
    uint8_t raw[DECAF_255_SCALAR_BYTES];
    decaf_255_scalar_encode(raw, scalar);
    bytes_reader_init(&r, raw, sizeof(raw));
    for (size_t i = 0; i < WORDS - 1; i++) {
        n->words[i] = bytes_read_u64(&r);
    }
    n->words[WORDS - 1] = 0;
}

static struct number half_everywhere(unsigned bits)
{
    struct number n = {{0}};
    for (unsigned i = 0; i < digits_of(bits); i++) {
        unsigned at = i * bits + bits - 1;
        n.words[at / 64] |= (uint64_t)1 << at % 64;
    }
    return n;
}

static int digit_at(const struct number *n, unsigned index, unsigned bits)
{
    unsigned word = index * bits / 64;
    unsigned shift = index * bits % 64;
    uint64_t value = n->words[word] >> shift;
    if (shift + bits > 64) {
        value |= n->words[word + 1] << (64 - shift);
    }
    int half = 1 << (bits - 1);
    return (int)(value & ((1U << bits) - 1)) - half;
}

/* Of digits 1 to half; zeroed, all are empty. */
struct buckets {
    decaf_255_point_t sums[HALF_MAX];
    bool is_used[HALF_MAX];
};

static void put(struct buckets *b, const struct decaf_255_point_s *point,
                int digit)
{
    size_t i = (size_t)abs(digit) - 1;
    struct decaf_255_point_s *sum = b->sums[i];
    if (b->is_used[i]) {
        (digit > 0 ? decaf_255_point_add : decaf_255_point_sub)(sum, sum,
                                                                point);
        return;
    }
    b->is_used[i] = true;
    if (digit > 0) {
        decaf_255_point_copy(sum, point);
    } else {
        decaf_255_point_negate(sum, point);
    }
}

/* Each as often as its digit says: the highest is in all of the sums of the
 * highest one, two, three and so on.  They are empty afterwards. */
static void empty_into(decaf_255_point_t out, struct buckets *b, size_t half)
{
    decaf_255_point_t above;
    bool is_any = false;
    for (size_t i = half; i > 0; i--) {
        if (b->is_used[i - 1] && !is_any) {
            decaf_255_point_copy(above, b->sums[i - 1]);
            is_any = true;
        } else if (b->is_used[i - 1]) {
            decaf_255_point_add(above, above, b->sums[i - 1]);
        }
        if (is_any) {
            decaf_255_point_add(out, out, above);
        }
        b->is_used[i - 1] = false;
    }
}

void point_sum(decaf_255_point_t out, const struct point_term *terms,
               size_t count)
{
    unsigned bits = best_bits(count);
    const struct number bias = half_everywhere(bits);
    struct number *numbers = pot_calloc(count, sizeof(*numbers));
    struct buckets buckets;
    memset(buckets.is_used, 0, sizeof(buckets.is_used));
    for (size_t i = 0; i < count; i++) {
        number_set(&numbers[i], terms[i].times);
        number_add(&numbers[i], &bias);
    }
    decaf_255_point_copy(out, decaf_255_point_identity);
    for (unsigned at = digits_of(bits); at > 0; at--) {
        for (unsigned i = 0; i < bits; i++) {
            decaf_255_point_double(out, out);
        }
        for (size_t i = 0; i < count; i++) {
            int digit = digit_at(&numbers[i], at - 1, bits);
            if (digit != 0) {
                put(&buckets, terms[i].point, digit);
            }
        }
        empty_into(out, &buckets, (size_t)1 << (bits - 1));
    }
    free(numbers);
}
