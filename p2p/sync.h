/* sync: blocks that others have and we do not, with their certificates.
 *
 * Several peers are asked at once, each for a range of its own
 * (p2p/sync_plan.h); a range that does not come in time is asked for
 * elsewhere.  What a peer says of its height is a claim and moves nothing but
 * who is asked: blocks reach the owner in order, it checks each against its
 * certificate before it counts, and a peer that does not deliver what it
 * claimed is not believed again for a while.
 *
 * Banned is who proves that it breaks the rules: a message that is none, a
 * block that does not hold, an answer without a block that it claims to hold,
 * a claim that is less than the one before, and who leaves question after
 * question open while it talks of other things.
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
    /* It is headers that are asked for and served (MESSAGE_GET_HEADERS), which
     * everyone has from the first on; others are not told where we stand. */
    bool is_headers;
    uint32_t ahead_max; /* blocks that the owner has at a time; 0: 1 */
    /* The next block, in order; borrowed for the call.  The owner checks and
     * applies it and says, at once or later, what came of it: sync_set_status
     * (it stands), sync_refused or sync_postponed. */
    void (*on_block)(void *context, uint64_t height, const uint8_t *block,
                     size_t block_size, const uint8_t *certificate,
                     size_t certificate_size);
};

struct sync; /* opaque: p2p/sync.c */

/* sync_new: config is copied, its net borrowed. */
struct sync *sync_new(const struct sync_config *config);
void sync_free(struct sync *sync); /* NULL is fine */

/* sync_set_status: where we stand now, by whatever way; tells all peers when
 * it is news, or soon after when they have heard of others just now.  If the
 * block of on_block is the tip now, its peer is as good as new; if the tip is
 * above it, it came another way. */
void sync_set_status(struct sync *sync, const struct claim *status);

/* sync_refused: a block of on_block is wrong: its peer is banned and it is
 * asked for elsewhere.
 * sync_postponed: nobody's fault: it could not be applied now; it is asked
 * for again.
 * Either way the owner drops the blocks above it that it has: they come again.
 * Neither does anything when the block came another way meanwhile. */
void sync_refused(struct sync *sync, uint64_t height);
void sync_postponed(struct sync *sync, uint64_t height);

/* sync_target: the greatest height claimed by a peer that is believed, or
 * our own.  sync_is_behind: it is beyond our own, by more than one block or
 * for longer than a second (grace_ms, if that is more). */
uint64_t sync_target(const struct sync *sync);
bool sync_is_behind(const struct sync *sync);

/* sync_rest: nothing is asked for until it is called with false; others are
 * served. */
void sync_rest(struct sync *sync, bool is_resting);

/* sync_best_snapshot: the height, at most `most` and not `except`, of the
 * snapshot that most believed peers offer; 0: none. */
uint64_t sync_best_snapshot(const struct sync *sync, uint64_t most,
                            uint64_t except);

struct sync_progress {
    uint64_t height;
    uint64_t target;
    uint64_t rate;        /* blocks in 1000 seconds, of late */
    bool is_rate_known;   /* not before it has been measured for a while */
    uint64_t eta_s;       /* at that rate; UINT64_MAX: nobody knows */
    uint64_t asked;       /* questions since the start */
    uint64_t timeouts;    /* of them, those that nobody answered in time */
    uint64_t refused;     /* blocks that did not hold */
    uint64_t peers_asked; /* right now */
    bool is_unserved;     /* no peer holds the block that is next */
};

void sync_progress(const struct sync *sync, struct sync_progress *out);

/* sync_status: what the owner said of itself last. */
const struct claim *sync_status(const struct sync *sync);

/* sync_peer_claim: what the peer said last; false: nothing yet. */
bool sync_peer_claim(const struct sync *sync, const struct peer *peer,
                     struct claim *out);

/* The owner's net_callbacks pass these on. */
void sync_on_peer(struct sync *sync, struct peer *peer, bool is_up);
/* type is MESSAGE_STATUS, or MESSAGE_GET_BLOCKS or MESSAGE_BLOCKS, or those
 * of headers; bans a peer whose message is malformed. */
void sync_on_message(struct sync *sync, struct peer *peer, uint8_t type,
                     const uint8_t *data, size_t size);
void sync_tick(struct sync *sync, uint64_t now_ms);

#endif
