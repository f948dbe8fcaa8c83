/* ledger_random: seeded numbers for the ledger's tests (SplitMix64). */
#ifndef POT_TESTS_UNIT_LEDGER_RANDOM_H
#define POT_TESTS_UNIT_LEDGER_RANDOM_H

#include <stdint.h>

struct ledger_random {
    uint64_t state;
};

static inline uint64_t ledger_random_next(struct ledger_random *r)
{
    r->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = r->state;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* ledger_random_below: 0 to bound - 1. */
static inline uint64_t ledger_random_below(struct ledger_random *r,
                                           uint64_t bound)
{
    return ledger_random_next(r) % bound;
}

/* ledger_random_between: low to high, both included. */
static inline int64_t ledger_random_between(struct ledger_random *r,
                                            int64_t low, int64_t high)
{
    return low + (int64_t)ledger_random_below(r, (uint64_t)(high - low) + 1);
}

#endif
