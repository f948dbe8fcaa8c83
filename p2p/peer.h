/* peer: an authenticated connection, as others see it.
 *
 * A struct peer is the net's; it may be used from its on_peer(up) until its
 * on_peer(down) has returned.  Who must name a peer for longer, or from
 * another thread, keeps its id, which is never used again.  All calls are on
 * the loop. */
#ifndef POT_P2P_PEER_H
#define POT_P2P_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/key.h"
#include "p2p/message.h"

struct peer; /* opaque: p2p/peer.c */

uint64_t peer_id(const struct peer *peer);
const struct public_key *peer_key(const struct peer *peer);
const char *peer_address(const struct peer *peer); /* "10.0.0.7:26650" */
const char *peer_moniker(const struct peer *peer); /* what it claims */
bool peer_is_outbound(const struct peer *peer);    /* we dialled it */

/* peer_is_elsewhere: it ended the connection, because another process with
 * our key is connected to it and alive. */
bool peer_is_elsewhere(const struct peer *peer);

/* peer_follows: it has said where on the chain it stands. */
bool peer_follows(const struct peer *peer);

/* peer_rtt_us: of the last ping; 0: none yet. */
uint32_t peer_rtt_us(const struct peer *peer);

/* peer_queue_bytes: waiting to be sent to it. */
size_t peer_queue_bytes(const struct peer *peer,
                        enum message_priority priority);

/* peer_charge: a message of it makes us check so many signatures.  Beyond its
 * budget (net_config's signatures_per_s) it is read no further for as long as
 * it owes: what it sends is late then, but not lost. */
void peer_charge(struct peer *peer, uint32_t signatures);

/* What went over its connection, frames and all. */
uint64_t peer_bytes_in(const struct peer *peer);
uint64_t peer_bytes_out(const struct peer *peer);

#endif
