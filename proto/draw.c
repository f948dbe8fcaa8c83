#include "config.h"

#include "proto/draw.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/limits.h"

void draw_walk(struct hash *out, const struct hash *link, uint32_t steps)
{
    *out = *link;
    for (uint32_t i = 0; i < steps; i++) {
        hash_bytes(out, "draw-link", out->b, HASH_SIZE);
    }
}

bool draw_follows(const struct hash *link, const struct hash *earlier,
                  uint32_t rounds)
{
    struct hash walked;
    POT_ASSERT(rounds > 0);
    if (rounds > DRAW_GAP_MAX) {
        return true;
    }
    draw_walk(&walked, link, rounds);
    return hash_equal(&walked, earlier);
}

bool draw_names(const struct hash *link, const struct hash *theta,
                const struct public_key *miner, uint32_t rate_ppm)
{
    struct hasher h;
    struct hash drawn;
    struct bytes_reader r;
    hasher_init(&h, "draw");
    hasher_add(&h, link->b, HASH_SIZE);
    hasher_add(&h, theta->b, HASH_SIZE);
    hasher_add(&h, miner->b, PUBLIC_KEY_SIZE);
    hasher_final(&h, &drawn);
    bytes_reader_init(&r, drawn.b, 8);
    /* The bias of the remainder is below 2^-44. */
    return bytes_read_u64(&r) % PPM_ONE < rate_ppm;
}

/* The part of 2^24 million that is left when each of so many validators lets
 * all but rate_ppm of what is left pass; rounded up. */
static uint64_t missed_by_all(uint32_t rate_ppm, uint32_t validators)
{
    uint64_t left = (uint64_t)PPM_ONE << 24;
    for (uint32_t i = 0; i < validators && left > 0; i++) {
        left = (left * (PPM_ONE - rate_ppm) + PPM_ONE - 1) / PPM_ONE;
    }
    return left;
}

uint32_t draw_rate_of_one(uint32_t rate_ppm, uint32_t validators)
{
    POT_ASSERT(rate_ppm <= PPM_ONE && validators > 0);
    uint64_t missed = (uint64_t)(PPM_ONE - rate_ppm) << 24;
    uint32_t low = 0;
    uint32_t high = rate_ppm; /* is enough */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (missed_by_all(middle, validators) <= missed) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return high;
}
