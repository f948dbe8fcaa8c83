/* catch_up: blocks that come by block sync, several at a time:
 *
 *   take -> [opened] -> [verified] -> its aggregates are fetched -> delivered
 *           off the loop, each on its own                           in order
 *
 * Whose certificate a block needs, the header before it says: so the next
 * ones are verified while the first is executed.  A set that is not known yet,
 * because the block that elects it was not executed, is waited for.  What that
 * header named counts only if its block became the tip: otherwise the block
 * is verified anew, by the set that the tip names. */
#ifndef POT_NODE_BLOCK_CATCH_UP_H
#define POT_NODE_BLOCK_CATCH_UP_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"

#define CATCH_UP_AHEAD 16 /* blocks at a time */

struct delivery;
struct holdings;
struct catch_up; /* opaque: node/block/catch_up.c */

struct catch_up_config {
    uv_loop_t *loop;
    const struct holdings *holdings;
    const struct delivery *delivery;
    void *context;
    /* POT_OK: the block stands at the tip now, or something above it.
     * POT_EFORMAT: it, or its certificate, is wrong, and so is whoever sent
     * it.  POT_ECORRUPT: what is stored here is damaged, or the block is
     * certified and yet wrong here.  Anything else says nothing of the block:
     * see delivery_apply.
     * Behind anything but POT_OK the blocks above it are dropped unsaid. */
    void (*done)(void *context, uint64_t height, enum pot_err err);
    /* An encoded EvidenceBody that follows from two chains that are both
     * certified: node/block/conflict.h. */
    void (*found)(void *context, const void *body, size_t size);
};

struct catch_up *catch_up_new(const struct catch_up_config *config);

/* catch_up_free: once the loop has ended. */
void catch_up_free(struct catch_up *catch_up);

/* catch_up_take: what a peer sent as the block of this height, which follows
 * the one taken before, or the tip; both are copied.  done is called later, or
 * now when it is not the next. */
void catch_up_take(struct catch_up *catch_up, uint64_t height,
                   const void *block, size_t block_size,
                   const void *certificate, size_t certificate_size);

/* catch_up_applied: the tip moved. */
void catch_up_applied(struct catch_up *catch_up);

#endif
