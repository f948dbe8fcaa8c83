/* sync_serve: blocks for those who ask.  The loop alone. */
#ifndef POT_P2P_SYNC_SERVE_H
#define POT_P2P_SYNC_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "p2p/net.h"

#define SYNC_BLOCKS_MAX 64 /* in one answer */

/* Appends the block of a height and its certificate; false: not held. */
typedef bool sync_read_fn(void *context, uint64_t height, struct buf *block,
                          struct buf *certificate);

/* sync_serve: answers a GetBlocks message by one of type `answer` with as many
 * blocks, or headers, as are held and fit into one frame; a peer that reads too
 * slowly gets no answer, and one whose message is malformed is banned.
 *
 * In: read: NULL: nothing is held */
void sync_serve(struct net *net, struct peer *peer, uint8_t answer,
                const uint8_t *data, size_t size, sync_read_fn *read,
                void *context);

#endif
