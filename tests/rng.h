/* rng: a seeded stream of numbers (splitmix64: Steele, Lea, Flood, OOPSLA
 * '14); the same seed, the same numbers. */
#ifndef POT_TESTS_RNG_H
#define POT_TESTS_RNG_H

#include <stdint.h>

/* rng_mix: one number of another; good for tables without a state. */
static inline uint64_t rng_mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* rng_next: the next number; the state begins as the seed. */
static inline uint64_t rng_next(uint64_t *state)
{
    return rng_mix(*state += UINT64_C(0x9e3779b97f4a7c15));
}

#endif
