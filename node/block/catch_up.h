/* catch_up: blocks that come by block sync: opened and their certificates
 * verified off the loop, then delivered. */
#ifndef POT_NODE_BLOCK_CATCH_UP_H
#define POT_NODE_BLOCK_CATCH_UP_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"

struct delivery;
struct holdings;

struct catch_up {
    uv_loop_t *loop;
    const struct holdings *holdings;
    const struct delivery *delivery;
    void *context;
    /* POT_OK: the block stands at the tip now, or something above it.
     * POT_EFORMAT: it, or its certificate, is wrong, and so is whoever sent
     * it.  POT_ECORRUPT: what is stored here is damaged, or the block is
     * certified and yet wrong here.  Anything else says nothing of the block:
     * see delivery_apply. */
    void (*done)(void *context, uint64_t height, enum pot_err err);
};

/* catch_up_take: what a peer sent as the block of this height; both are
 * copied.  done is called later, or now when it is not the tip's next. */
void catch_up_take(const struct catch_up *catch_up, uint64_t height,
                   const void *block, size_t block_size,
                   const void *certificate, size_t certificate_size);

#endif
