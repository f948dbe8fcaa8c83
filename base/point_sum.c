/* All numbers are read in digits of `bits` bits, the highest digit first: the
 * sum so far is doubled `bits` times, then each point goes into the bucket of
 * its digit, and each bucket enters the sum as often as its digit says.  A
 * negative one takes from the bucket of its opposite, which halves the
 * buckets. */
#include "config.h"

#include "base/point_sum.h"

#include "base/alloc.h"
#include "base/point_digits.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BITS_MIN 2
#define BITS_MAX POINT_DIGITS_BITS_MAX
#define HALF_MAX (1 << (BITS_MAX - 1))

/* That which takes the fewest additions: a point for each digit but those of
 * short numbers, and two a bucket. */
static unsigned best_bits(size_t count)
{
    unsigned best = BITS_MIN;
    size_t least = SIZE_MAX;
    for (unsigned bits = BITS_MIN; bits <= BITS_MAX; bits++) {
        size_t additions =
            POINT_DIGITS_OF(bits) * (count * 3 / 4 + ((size_t)1 << bits));
        if (additions < least) {
            least = additions;
            best = bits;
        }
    }
    return best;
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
    struct point_digits *digits = pot_calloc(count, sizeof(*digits));
    struct buckets buckets;
    memset(buckets.is_used, 0, sizeof(buckets.is_used));
    for (size_t i = 0; i < count; i++) {
        point_digits_init(&digits[i], terms[i].times, bits);
    }
    decaf_255_point_copy(out, decaf_255_point_identity);
    for (unsigned at = POINT_DIGITS_OF(bits); at > 0; at--) {
        for (unsigned i = 0; i < bits; i++) {
            decaf_255_point_double(out, out);
        }
        for (size_t i = 0; i < count; i++) {
            int digit = point_digits_at(&digits[i], at - 1);
            if (digit != 0) {
                put(&buckets, terms[i].point, digit);
            }
        }
        empty_into(out, &buckets, (size_t)1 << (bits - 1));
    }
    free(digits);
}
