/* sim_rng: a seeded stream of numbers (splitmix64); same seed, same run. */
#ifndef POT_TESTS_SIM_RNG_H
#define POT_TESTS_SIM_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct sim_rng {
    uint64_t state;
};

static inline uint64_t sim_rng_next(struct sim_rng *rng)
{
    uint64_t z = rng->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* sim_rng_below: in [0, bound); 0 when bound is 0. */
static inline uint64_t sim_rng_below(struct sim_rng *rng, uint64_t bound)
{
    return bound == 0 ? 0 : sim_rng_next(rng) % bound;
}

static inline uint64_t sim_rng_between(struct sim_rng *rng, uint64_t low,
                                       uint64_t high)
{
    return low + sim_rng_below(rng, high - low + 1);
}

/* sim_rng_chance: true in permille of a thousand cases. */
static inline bool sim_rng_chance(struct sim_rng *rng, unsigned permille)
{
    return sim_rng_below(rng, 1000) < permille;
}

#endif
