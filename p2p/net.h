/* net: a node's connections: one listener, the peers it dials, the peers that
 * dial it, each encrypted and known by its node key.
 *
 * All on one libuv loop and its thread.  The program ignores SIGPIPE before
 * it opens a net: a write to a peer that is gone would kill it.
 *
 * Between two nodes one connection stands: when both dialled at once, the one
 * dialled by the lower key; otherwise the newer one, because who dials while
 * connected has lost the older one.  That is so of one process: of two with
 * one key the older connection stands for as long as it answers. */
#ifndef POT_P2P_NET_H
#define POT_P2P_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"
#include "p2p/ban.h"
#include "p2p/message.h"
#include "p2p/net_address.h"
#include "p2p/net_stats.h"
#include "p2p/peer.h"

struct uv_loop_s; /* uv_loop_t */

/* All run on the loop; any of them may send, ban, or close the net.  NULL:
 * not wanted (on_message must stand). */
struct net_callbacks {
    void *context;
    void (*on_peer)(void *context, struct peer *peer, bool is_up);
    /* PING, PONG and BYE are the net's own and do not come here. */
    void (*on_message)(void *context, struct peer *peer, uint8_t type,
                       const uint8_t *data, size_t size);
    /* About every 50 ms: drives blob_fetch_tick and sync_tick. */
    void (*on_tick)(void *context, uint64_t now_ms);
};

struct net_config {
    struct uv_loop_s *loop;
    struct hash chain;
    const struct key *key; /* borrowed while the net lives */
    const char *listen;    /* "host:port", port 0: any; NULL: none */
    const char *moniker;
    const struct net_address *peers; /* copied */
    size_t peer_count;
    uint32_t guests_max;     /* peers that are not configured; 0: 64 */
    bool is_closed;          /* none of those at all */
    uint32_t pending_max;    /* inbound handshakes under way; 0: 16 */
    uint32_t pending_ip_max; /* of them from one address, but loopback; 0: 2 */
    uint32_t accepts_ip_per_s; /* connections from one, but loopback; 0: 20 */
    /* Times; 0 stands for the default in brackets. */
    uint32_t handshake_ms;  /* [5000] absolute */
    uint32_t ping_ms;       /* [15000] */
    uint32_t idle_ms;       /* [45000] without a byte */
    uint32_t redial_min_ms; /* [200] doubles, with jitter, up to */
    uint32_t redial_max_ms; /* [5000] */
    uint32_t ban_ms;        /* [600000]; configured peers: 1/20 of it */
    uint32_t rival_ms;      /* [10000] for a peer to answer when another process
                             * wants its place */
    uint32_t signatures_per_s; /* [2000] that one peer may have checked */
    /* Bytes that wait for one peer; 0 stands for the default. */
    size_t queue_bytes_max[PRIORITY_COUNT]; /* [16, 4, 8 MiB] */
    size_t queue_bytes_total; /* gossip and bulk of all peers [1 GiB] */
};

struct net; /* opaque: p2p/net.c */

/* net_open: listens and begins to dial.
 *
 * Owns:   *out; net_close releases it.  After an error the loop has handles
 *         to close yet: run it before uv_loop_close
 * Errors: POT_EFORMAT  listen is no host:port with a numeric host
 *         POT_EBUSY    the port is in use
 *         POT_EACCESS, POT_EIO, POT_ELIMIT (too many configured peers)
 *         *out is NULL then */
POT_MUST_USE enum pot_err net_open(struct net **out,
                                   const struct net_config *config,
                                   const struct net_callbacks *callbacks);

/* net_close: every peer goes (on_peer down each), then every handle; then
 * done(context), from the loop, and net is gone.  done may be NULL.  A name
 * being resolved cannot be interrupted: who is in a hurry does not wait. */
void net_close(struct net *net, void (*done)(void *context), void *context);

/* net_port: where it listens; 0: nowhere.  For tests, which listen on port
 * 0. */
uint16_t net_port(const struct net *net);

/* net_send: data is copied into the peer's queue of the type's priority.
 * False: dropped, because the queue is full (a full consensus queue drops
 * the peer too), the peer is going, or the message is larger than its type
 * allows. */
bool net_send(struct net *net, struct peer *peer, uint8_t type,
              const void *data, size_t size);

/* net_broadcast: to all peers but except (NULL: all); one copy in memory.
 * Returns how many queues took it. */
size_t net_broadcast(struct net *net, uint8_t type, const void *data,
                     size_t size, const struct peer *except);

/* net_multicast: to the peers that filter chooses. */
size_t net_multicast(struct net *net, uint8_t type, const void *data,
                     size_t size,
                     bool (*filter)(void *context, const struct peer *peer),
                     void *context);

/* net_find, net_find_id: an authenticated peer, or NULL. */
struct peer *net_find(const struct net *net, const struct public_key *key);
struct peer *net_find_id(const struct net *net, uint64_t id);

/* net_peer_count, net_peer_at: all authenticated peers; index < count.  The
 * order changes whenever a peer comes or goes. */
size_t net_peer_count(const struct net *net);
struct peer *net_peer_at(const struct net *net, size_t index);

/* net_ban: the peer broke a rule: it is dropped, and refused for a while.
 * what says which rule, for the log; a static text. */
void net_ban(struct net *net, struct peer *peer, const char *what);

/* net_bans: who is banned now.
 *
 * Out:     out[0..]  at most max; until_ms is of net_now_ms
 * Returns  how many */
size_t net_bans(const struct net *net, struct ban *out, size_t max);

/* net_set_peers: the configured peers from now on.  Those who are in both
 * lists stay connected; the others are dropped.  Errors: POT_ELIMIT: more
 * than 256, nothing changed. */
POT_MUST_USE enum pot_err net_set_peers(struct net *net,
                                        const struct net_address *peers,
                                        size_t count);

uint64_t net_now_ms(const struct net *net); /* monotonic, of the loop */

/* net_stats: counters since net_open, and the present numbers. */
void net_stats(const struct net *net, struct net_stats *out);

#endif
