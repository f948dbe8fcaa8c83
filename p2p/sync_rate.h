/* sync_rate: how fast we catch up, of late.  Pure. */
#ifndef POT_P2P_SYNC_RATE_H
#define POT_P2P_SYNC_RATE_H

#include <stdbool.h>
#include <stdint.h>

/* A zeroed one begins at the first tick. */
struct sync_rate {
    uint64_t ms;     /* of the last sample */
    uint64_t height; /* at it */
    uint64_t per_1000_s;
    bool is_known; /* a sample was taken */
};

/* sync_rate_tick: takes a sample when the last one is a second old; the rate
 * is a mean in which each sample weighs half of the one behind it. */
void sync_rate_tick(struct sync_rate *rate, uint64_t height, uint64_t now_ms);

/* sync_rate_eta: seconds for so many blocks; UINT64_MAX: they do not come. */
uint64_t sync_rate_eta(const struct sync_rate *rate, uint64_t blocks);

#endif
