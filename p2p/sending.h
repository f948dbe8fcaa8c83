/* sending: one connection's way out, from messages to the socket.
 *
 * Messages wait as parcels in a queue and are sealed only when libuv has done
 * with the batch before, so that a consensus message overtakes all that is
 * not yet sealed.  The loop alone. */
#ifndef POT_P2P_SENDING_H
#define POT_P2P_SENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "p2p/frame.h"
#include "p2p/net_stats.h"
#include "p2p/queue.h"
#include "p2p/reason.h"

/* The same for all connections of a net. */
struct sending_config {
    size_t queue_bytes_max[PRIORITY_COUNT];
    size_t queue_bytes_total; /* gossip and bulk of all connections */
    struct net_stats *stats;  /* queued_bytes and types[].out_* are ours */
};

struct sending {
    const struct sending_config *config;
    uv_stream_t *stream;
    bool is_open;               /* parcels are taken: cipher is set */
    struct frame_cipher cipher; /* while is_open */
    /* Why nothing more goes out: its owner closes the connection.  It does
     * not so itself, because whoever pushes may be walking the peers. */
    enum reason failure;
    struct queue queue;
    struct buf outgoing; /* sealed, or the handshake's; not with libuv yet */
    struct buf batch;    /* in libuv's hands while is_writing */
    uv_write_t write;
    bool is_writing;
    uint64_t at_once_ms; /* when one was last written without libuv's turn */
    size_t write_left;   /* of batch, when it last moved */
    uint64_t write_moved_ms;
    uint64_t bytes_out;
};

/* sending_init: config and stream are borrowed.  Before a cipher is there
 * only what the handshake puts into outgoing is sent. */
void sending_init(struct sending *sending, const struct sending_config *config,
                  uv_stream_t *stream);

/* sending_stop: nothing is taken and nothing begun any more; sending_fini:
 * frees the rest, once the stream's handle is closed. */
void sending_stop(struct sending *sending);
void sending_fini(struct sending *sending);

/* sending_push: takes a reference to parcel and begins to send; false: it is
 * dropped.  A consensus message that finds its line full is a failure. */
bool sending_push(struct sending *sending, struct parcel *parcel);

/* sending_flush: hands on what waits, unless a batch is under way. */
void sending_flush(struct sending *sending);

/* sending_last: what waits sealed, and why the connection ends, as far as the
 * socket takes it at once. */
void sending_last(struct sending *sending, enum reason reason);

/* sending_is_stalled: for limit_ms nothing of the batch has gone. */
bool sending_is_stalled(struct sending *sending, uint64_t now_ms,
                        uint32_t limit_ms);

#endif
