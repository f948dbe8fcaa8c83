/* Adam with decoupled weight decay (AdamW), for element g of the mean
 * gradient and the n-th step:
 *
 *   m <- m + (1 - b1)(g - m)
 *   v <- b2 v + (1 - b2) g^2
 *   theta <- theta - r m / (sqrt(v) + e) - rate * decay * theta
 *
 *   r = rate * sqrt(1 - b2^n) / (1 - b1^n),  e = epsilon * sqrt(1 - b2^n)
 *
 * which are the usual steps with the corrections of the bias, the same for
 * all elements, taken out of the loop.  b1 is the spec's momentum.
 *
 *   g, m   Q4.28, clamped at 8
 *   v      units of 2^-76, so that the square of a small g does not vanish;
 *          kept as 26 bits of it and a shift: relative error 2^-27 a step
 *   root   of v, units of 2^-38, rounded down
 *   r      Q4.28, clamped below 16 */
#include "config.h"

#include "base/check.h"
#include "ledger/optimizer_rule.h"

__extension__ typedef unsigned __int128 wide;

#define SQUARE_SHIFT  20 /* of g * g, which is in 2^-56, to 2^-76 */
#define MANTISSA_BITS 26
#define MANTISSA_MASK ((UINT32_C(1) << MANTISSA_BITS) - 1)
/* m * 2^RATIO_SHIFT / root is m / sqrt(v) in units of 2^-RATIO_BITS. */
#define RATIO_SHIFT 32
#define RATIO_BITS  22

_Static_assert(RATIO_BITS == RATE_BITS + RATIO_SHIFT - SPEC_EPSILON_BITS,
               "units of the quotient");
_Static_assert(2 * SPEC_EPSILON_BITS == 2 * RATE_BITS + SQUARE_SHIFT,
               "epsilon is added to the root of v");

static unsigned bit_count(wide value)
{
    uint64_t high = (uint64_t)(value >> 64);
    return high != 0 ? 64 + fixed_bit_count(high)
                     : fixed_bit_count((uint64_t)value);
}

static wide unpack(int32_t packed)
{
    uint32_t bits = (uint32_t)packed;
    return (wide)(bits & MANTISSA_MASK) << (bits >> MANTISSA_BITS);
}

static int32_t pack(wide value)
{
    unsigned bits = bit_count(value);
    unsigned shift = bits > MANTISSA_BITS ? bits - MANTISSA_BITS : 0;
    if (shift > 0) {
        value += (wide)1 << (shift - 1);
        shift += bit_count(value) > bits ? 1 : 0;
    }
    uint32_t mantissa = (uint32_t)(value >> shift);
    POT_ASSERT(mantissa <= MANTISSA_MASK && shift < 64);
    return (int32_t)(shift << MANTISSA_BITS | mantissa);
}

/* floor(sqrt(value)) as far as 32 bits of it. */
static uint64_t root_of(wide value)
{
    unsigned bits = bit_count(value);
    unsigned shift = bits > 64 ? (bits - 63) / 2 : 0;
    return (uint64_t)fixed_sqrt((uint64_t)(value >> 2 * shift)) << shift;
}

/* What is the same for all elements of a step. */
struct corrected {
    uint32_t rate;
    uint64_t epsilon; /* units of root */
};

static struct corrected correct(const struct optimizer_run *run)
{
    const Pot__OptimizerSpec *spec = run->spec;
    uint64_t n = (uint64_t)run->steps + 1;
    uint32_t steps = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
    uint64_t first = RATE_ONE - optimizer_power(spec->momentum, steps);
    uint64_t second = RATE_ONE - optimizer_power(spec->beta2, steps);
    uint64_t root = fixed_sqrt(second << RATE_BITS);
    POT_ASSERT(first > 0 && second > 0);
    uint64_t rate = (run->rate * root + first / 2) / first;
    uint64_t epsilon = optimizer_multiply(spec->epsilon, root);
    return (struct corrected){
        .rate = rate > UINT32_MAX ? UINT32_MAX : (uint32_t)rate,
        .epsilon = epsilon > 0 ? epsilon : 1,
    };
}

void optimizer_adam(const struct optimizer_run *run, struct tensor_span tensor,
                    int exponent)
{
    int32_t *theta = run->theta;
    int32_t *first = run->moments[0];
    int32_t *second = run->moments[1];
    int64_t rest = (int64_t)RATE_ONE - run->spec->momentum;
    uint32_t beta2 = run->spec->beta2;
    int64_t decay = run->spec->weight_decay;
    const struct corrected by = correct(run);
    const struct optimizer_scale scale =
        optimizer_scale(exponent, run->aggregate->addends, RATE_BITS);
    for (size_t i = tensor.offset; i < tensor.offset + tensor.count; i++) {
        int64_t g = optimizer_mean(gradient_get(run->aggregate, i), &scale);
        int64_t way = fixed_shift_right(rest * (g - first[i]), RATE_BITS);
        int64_t m = fixed_saturate(first[i] + way);
        wide square = (wide)(uint64_t)(g * g) << SQUARE_SHIFT;
        wide v = (unpack(second[i]) * beta2 + square * (RATE_ONE - beta2) +
                  RATE_ONE / 2) >>
                 RATE_BITS;
        first[i] = (int32_t)m;
        second[i] = pack(v);
        uint64_t root = root_of(unpack(second[i])) + by.epsilon;
        int64_t ratio = fixed_saturate(
            fixed_divide(m * (INT64_C(1) << RATIO_SHIFT), (int64_t)root));
        int64_t drag = fixed_shift_right(decay * theta[i], RATE_BITS);
        int64_t step = fixed_shift_right(by.rate * ratio,
                                         RATE_BITS + RATIO_BITS - FIXED_BITS) +
                       fixed_shift_right(run->rate * drag, RATE_BITS);
        theta[i] = fixed_saturate(theta[i] - step);
    }
}
