/* catch_up: blocks that come by block sync: the certificate is verified off
 * the loop, then they are delivered. */
#ifndef POT_NODE_BLOCK_CATCH_UP_H
#define POT_NODE_BLOCK_CATCH_UP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"

struct delivery;
struct holdings;

struct catch_up {
    uv_loop_t *loop;
    const struct holdings *env;
    const struct delivery *delivery;
    void *context;
    /* is_good: the block stands at the tip now, or something above it.  err
     * is the store's when it is not the block's fault. */
    void (*done)(void *context, uint64_t height, bool is_good,
                 enum pot_err err);
};

void catch_up_take(struct catch_up *catch_up, uint64_t height,
                   const void *block, size_t block_size,
                   const void *certificate, size_t certificate_size);

/* catch_up_certificate_holds: certificate is a quorum's on this very block,
 * by the set that signs its height. */
bool catch_up_certificate_holds(const struct holdings *env, uint64_t height,
                                const void *block, size_t block_size,
                                const void *certificate,
                                size_t certificate_size);

#endif
