/* blob_fetch: large values by their hash, pulled from whoever holds them.
 *
 * A blob comes in pieces of BLOB_PIECE_BYTES, in order, several asked for
 * ahead.  A peer that does not hold it, stalls or goes is replaced by the
 * next one, and the transfer goes on where it stood; when the whole does not
 * fit its hash it starts over from one single peer, and a peer that alone
 * sent a wrong whole is banned.  What is no blob but has that hash in another
 * way is not wrong: anybody may name it, and its holder knows no better.
 *
 * An empty blob cannot be fetched: nobody needs to.
 *
 * No handles of its own: the owner passes on peers, messages and ticks.  The
 * loop alone. */
#ifndef POT_P2P_BLOB_FETCH_H
#define POT_P2P_BLOB_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "p2p/net.h"

#define BLOB_FETCHES_MAX 1024 /* at once; more are refused */
#define BLOB_WINDOW      4    /* pieces asked for ahead, each blob */
/* Of them all under way; the others wait.  Small blobs are many at once. */
#define BLOB_ACTIVE_BYTES ((size_t)6 << 20)

struct blob_fetch_config {
    struct net *net;
    uint32_t piece_timeout_ms; /* without progress; 0: 4000 */
    uint32_t retry_ms;         /* of the pauses between turns, the longest;
                                * 0: 1000 */
    void *context;
    /* Serves others: appends bytes [offset, offset + size) of the blob, or
     * what there is of them, and says its whole size.  False: not held. */
    bool (*read)(void *context, const struct hash *hash, uint64_t offset,
                 size_t size, struct buf *out, uint64_t *total);
};

struct blob_request {
    struct hash hash;
    size_t size_max;        /* a larger one is refused */
    uint64_t first_peer_id; /* asked first; 0: whoever */
    uint32_t timeout_ms;    /* for the whole; 0: none */
    /* Whether data is what hash names; NULL: hash is its "blob" hash. */
    bool (*verify)(const struct hash *hash, const void *data, size_t size);
    void *context;
    /* Called once, from a message or a tick; may start requests.  POT_OK: data
     * is verified, borrowed for the call.  Otherwise data is NULL;
     * POT_ETIMEOUT; POT_EFORMAT: what has this hash is of another kind
     * (proto/named.h). */
    void (*done)(void *context, const struct hash *hash, enum pot_err err,
                 const uint8_t *data, size_t size);
};

struct blob_fetch; /* opaque: p2p/blob_fetch.c */

/* blob_fetch_new: config is copied, its net borrowed. */
struct blob_fetch *blob_fetch_new(const struct blob_fetch_config *config);

/* blob_fetch_free: what is under way ends without its callback. */
void blob_fetch_free(struct blob_fetch *fetch);

/* blob_fetch_start: Errors: POT_EEXIST under way already; POT_ELIMIT
 * BLOB_FETCHES_MAX are. */
POT_MUST_USE enum pot_err blob_fetch_start(struct blob_fetch *fetch,
                                           const struct blob_request *request);

/* blob_fetch_join: somebody else waits for the blob that is fetched under this
 * hash: it may be as large as size_max too; peer_id is asked next, 0: whoever,
 * instead of who was asked and has sent nothing yet.  Its time begins anew if
 * that changes anything.  Nothing if there is no such fetch. */
void blob_fetch_join(struct blob_fetch *fetch, const struct hash *hash,
                     size_t size_max, uint64_t peer_id);

/* The owner's net_callbacks pass these on. */
void blob_fetch_on_peer(struct blob_fetch *fetch, struct peer *peer,
                        bool is_up);
/* type is MESSAGE_GET_BLOB or MESSAGE_BLOB_PIECE; bans a peer whose message
 * is malformed. */
void blob_fetch_on_message(struct blob_fetch *fetch, struct peer *peer,
                           uint8_t type, const uint8_t *data, size_t size);
void blob_fetch_tick(struct blob_fetch *fetch, uint64_t now_ms);

#endif
