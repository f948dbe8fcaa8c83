#include "config.h"

#include "p2p/sync_rate.h"

#define SAMPLE_MS 1000

void sync_rate_tick(struct sync_rate *rate, uint64_t height, uint64_t now_ms)
{
    uint64_t took = now_ms - rate->ms;
    if (rate->ms == 0) {
        rate->ms = now_ms;
        rate->height = height;
    } else if (took >= SAMPLE_MS) {
        uint64_t sample = (height - rate->height) * 1000000 / took;
        rate->per_1000_s = (rate->per_1000_s + sample + 1) / 2;
        rate->is_known = true;
        rate->ms = now_ms;
        rate->height = height;
    }
}

uint64_t sync_rate_eta(const struct sync_rate *rate, uint64_t blocks)
{
    if (blocks == 0) {
        return 0;
    }
    if (rate->per_1000_s == 0 || blocks > UINT64_MAX / 1000) {
        return UINT64_MAX;
    }
    return blocks * 1000 / rate->per_1000_s + 1;
}
