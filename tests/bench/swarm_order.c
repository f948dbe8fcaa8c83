#include "config.h"

#include "tests/bench/swarm_order.h"

#include "tests/rng.h"

#include <string.h>

#define CHEATS_ONE_IN 50
#define DIES_ONE_IN   100
/* Spells of so many rounds, of which a miner may be away for one: more than
 * absent_rounds_max. */
#define SPELL_ROUNDS 8
#define AWAY_ONE_IN  25

static bool is_one_in(uint32_t count, uint32_t miner, uint32_t what)
{
    return rng_mix(((uint64_t)miner << 32) + what + 1) % count == 0;
}

enum swarm_act swarm_act(uint32_t miner, uint32_t round)
{
    if (is_one_in(CHEATS_ONE_IN, miner, UINT32_MAX - 1)) {
        return SWARM_CHEATS;
    }
    if (round >= SPELL_ROUNDS &&
        is_one_in(AWAY_ONE_IN, miner, UINT32_MAX / 2 + round / SPELL_ROUNDS)) {
        return SWARM_AWAY;
    }
    return is_one_in(DIES_ONE_IN, miner, round) ? SWARM_DIES : SWARM_HONEST;
}

struct key *swarm_key(const struct hash *secret, uint32_t miner)
{
    struct hasher h;
    struct hash seed;
    _Static_assert(sizeof(seed.b) == KEY_SEED_SIZE, "a hash makes a key");
    hasher_init(&h, "swarm");
    hasher_add(&h, secret->b, sizeof(secret->b));
    hasher_add_u32(&h, miner);
    hasher_final(&h, &seed);
    return key_from_seed(seed.b);
}
