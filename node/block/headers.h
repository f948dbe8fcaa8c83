/* headers: headers with their certificates, ahead of the tip, for a node that
 * cannot have the blocks: each is verified as a light client does, by the set
 * that the header before it names, from the genesis on, and stored.
 *
 *   take -> [queued] -> verified off the loop, a batch at a time -> stored
 *              ^                        |
 *              +-- a set that is new is fetched by its hash
 *
 * On the loop. */
#ifndef POT_NODE_BLOCK_HEADERS_H
#define POT_NODE_BLOCK_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"

#define HEADERS_AHEAD 64 /* at a time */

struct blob_fetch;
struct holdings;
struct headers; /* opaque: node/block/headers.c */

struct headers_config {
    uv_loop_t *loop;
    const struct holdings *holdings;
    struct blob_fetch *fetch;
    uint64_t genesis_time_ms;
    void *context;
    /* POT_OK: all up to this height are stored.  POT_EFORMAT: that of this
     * height is wrong, and so is whoever sent it.  Anything else is the
     * store's.  Behind anything but POT_OK those above it are dropped. */
    void (*done)(void *context, uint64_t height, enum pot_err err);
};

struct headers *headers_new(const struct headers_config *config);

/* headers_stop: nothing is begun any more.  headers_free: once the loop has
 * ended. */
void headers_stop(struct headers *headers);
void headers_free(struct headers *headers);

/* headers_begin: goes on where the store's headers end; before the first
 * take.  Errors: the store's */
POT_MUST_USE enum pot_err headers_begin(struct headers *headers);

/* headers_height: of the last one that is stored. */
uint64_t headers_height(const struct headers *headers);

/* headers_take: what a peer sent as the header of this height, which follows
 * the one taken before; both are copied.  Others are dropped. */
void headers_take(struct headers *headers, uint64_t height, const void *header,
                  size_t header_size, const void *certificate,
                  size_t certificate_size);

#endif
