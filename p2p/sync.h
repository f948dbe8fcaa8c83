/* sync: blocks that others have and we do not, with their certificates.
 *
 * What a peer says of its height is a claim and moves nothing but who is
 * asked: blocks come in order, the owner checks each against its certificate
 * before it counts, and a peer that does not deliver what it claimed is not
 * believed again for a while.  Peers are asked in turns, not by the height
 * they claim, so a liar cannot hold the others up.
 *
 * No handles of its own: the owner passes on peers, messages and ticks.  The
 * loop alone. */
#ifndef POT_P2P_SYNC_H
#define POT_P2P_SYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "p2p/claims.h"
#include "p2p/net.h"
#include "p2p/sync_serve.h"

struct sync_config {
    struct net *net;
    struct claim status;  /* where we stand: what we claim */
    uint32_t timeout_ms;  /* for an answer; 0: 4000 */
    uint32_t distrust_ms; /* of who delivers nothing, at first; 0: 2000 */
    /* How long to wait before asking when one block behind: a validator is
     * about to commit that block by itself. */
    uint32_t grace_ms;
    void *context;
    sync_read_fn *read; /* serves others; NULL: nothing is held */
    /* The next block, height = our height + 1; borrowed for the call.  The
     * owner checks and applies it and says, at once or later, what came of
     * it: sync_set_status (it stands), sync_refused or sync_postponed.  Until
     * then no other block comes. */
    void (*on_block)(void *context, uint64_t height, const uint8_t *block,
                     size_t block_size, const uint8_t *certificate,
                     size_t certificate_size);
};

struct sync; /* opaque: p2p/sync.c */

/* sync_new: config is copied, its net borrowed. */
struct sync *sync_new(const struct sync_config *config);
void sync_free(struct sync *sync); /* NULL is fine */

/* sync_set_status: where we stand now, by whatever way; tells all peers when
 * it is news.  If the block of on_block is the tip now, its peer is as good
 * as new; if the tip is above it, it came another way. */
void sync_set_status(struct sync *sync, const struct claim *status);

/* sync_refused: the block of on_block is wrong: its peer is banned and it is
 * asked for elsewhere.
 * sync_postponed: nobody's fault: it could not be applied now; it is asked
 * for again.
 * Neither does anything when the block came another way meanwhile. */
void sync_refused(struct sync *sync, uint64_t height);
void sync_postponed(struct sync *sync, uint64_t height);

/* sync_target: the greatest height claimed by a peer that is believed, or
 * our own.  sync_is_behind: it is beyond our own, by more than one block or
 * for longer than a second (grace_ms, if that is more). */
uint64_t sync_target(const struct sync *sync);
bool sync_is_behind(const struct sync *sync);

/* sync_peer_claim: what the peer said last; false: nothing yet. */
bool sync_peer_claim(const struct sync *sync, const struct peer *peer,
                     struct claim *out);

/* The owner's net_callbacks pass these on. */
void sync_on_peer(struct sync *sync, struct peer *peer, bool is_up);
/* type is MESSAGE_STATUS, MESSAGE_GET_BLOCKS or MESSAGE_BLOCKS; bans a peer
 * whose message is malformed. */
void sync_on_message(struct sync *sync, struct peer *peer, uint8_t type,
                     const uint8_t *data, size_t size);
void sync_tick(struct sync *sync, uint64_t now_ms);

#endif
