/* peer_life: how the net makes a peer, drives it and ends it; p2p/peer.h is
 * what all others see of it.
 *
 *   peer_connect --> CONNECTING --on_connect--> HANDSHAKE
 *   peer_accept ---> CONNECTING --peer_greet--> HANDSHAKE
 *   HANDSHAKE --handshake_done, on_proven--> UP
 *   any --peer_close, on_end--> CLOSING --on_closed, on_freed--> gone
 *
 * The owner's callbacks may close any peer: after each the state is looked at
 * again.  Memory goes in on_closed only, always a later turn of the loop.
 *
 * The loop alone. */
#ifndef POT_P2P_PEER_LIFE_H
#define POT_P2P_PEER_LIFE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/hash.h"
#include "base/key.h"
#include "p2p/peer.h"
#include "p2p/queue.h"
#include "p2p/reason.h"
#include "p2p/sending.h"

#define PEER_READ_BYTES (64 << 10)

/* The same for all peers of a net; borrowed while one of them lives.  Each
 * callback is given the owner that the peer was made with. */
struct peer_config {
    uv_loop_t *loop;
    struct hash chain;
    const struct key *key;
    uint64_t instance;
    const char *moniker;
    uint32_t handshake_ms; /* absolute */
    uint32_t ping_ms;
    uint32_t idle_ms; /* without a byte */
    uint32_t signatures_per_s;
    struct sending_config sending;
    struct net_stats *stats; /* types[].in_* are ours */
    /* PEER_READ_BYTES: what is read is used up before the next read. */
    char *read_bytes;
    /* Its key is proven; who is not wanted is closed now. */
    void (*on_proven)(void *owner, struct peer *peer);
    /* Never PING, PONG or BYE; data is borrowed for the call. */
    void (*on_message)(void *owner, struct peer *peer, uint8_t type,
                       const uint8_t *data, size_t size);
    /* It is closing, once each peer. */
    void (*on_end)(void *owner, struct peer *peer, enum reason reason);
    void (*on_freed)(void *owner);
};

/* peer_new: then either peer_accept or peer_connect.  Owns: peer_close
 * releases it, and what on_freed tells is the last of it. */
struct peer *peer_new(const struct peer_config *config, uint64_t id,
                      void *owner);

/* peer_accept: takes the listener's connection; false: peer is closing.
 * peer_greet: lets it in: says hello and reads. */
bool peer_accept(struct peer *peer, uv_stream_t *listener);
void peer_greet(struct peer *peer);

/* peer_connect: name is the address as text; whoever has another key than
 * expected is refused. */
void peer_connect(struct peer *peer, const struct sockaddr *address,
                  const char *name, const struct public_key *expected);

/* peer_close: for good, and at once; nothing happens the second time. */
void peer_close(struct peer *peer, enum reason reason);

/* peer_tick: pings, and closes who is late.  Not when it is closing. */
void peer_tick(struct peer *peer, uint64_t now_ms);

/* peer_ping: at once; its answer shows in peer_answered_ms. */
void peer_ping(struct peer *peer, uint64_t now_ms);

/* peer_push: sending_push to this peer. */
bool peer_push(struct peer *peer, struct parcel *parcel);

bool peer_is_pending(const struct peer *peer); /* its handshake goes on */
bool peer_is_proven(const struct peer *peer);  /* peer_key is its key */
bool peer_is_closing(const struct peer *peer);

/* peer_found: the key it proved, even if it is a wrong one, or NULL. */
const struct public_key *peer_found(const struct peer *peer);

const char *peer_ip(const struct peer *peer);
uint64_t peer_started_ms(const struct peer *peer); /* of the loop */
uint64_t peer_up_ms(const struct peer *peer);      /* when it was proven */
uint64_t peer_instance(const struct peer *peer);   /* once it is proven */

/* peer_answered_ms: when the last ping that it answered was sent; 0: none. */
uint64_t peer_answered_ms(const struct peer *peer);

#endif
