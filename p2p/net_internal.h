/* net_internal: what the parts of the net share: net.c (the whole),
 * peer.c (one connection), dial.c (configured peers), ban.c.
 *
 * A connection's life, with the function on each edge:
 *
 *   outbound: peer_dial --> CONNECTING --on_connect--> HANDSHAKE
 *   inbound:  peer_accept ---------------------------> HANDSHAKE
 *   HANDSHAKE --handshake done, net_admit--> UP
 *   any --peer_close--> CLOSING --on_closed--> freed
 *
 * Callbacks of the owner run inside on_read, net_admit and peer_close, and
 * may close any peer or the net: after each the state is looked at again.
 * Memory goes in on_closed only, which is always a later turn of the loop. */
#ifndef POT_P2P_NET_INTERNAL_H
#define POT_P2P_NET_INTERNAL_H

#include "base/buf.h"
#include "base/map.h"
#include "p2p/frame.h"
#include "p2p/handshake.h"
#include "p2p/net.h"
#include "p2p/queue.h"

#include <uv.h>

#define NET_TICK_MS        50
#define NET_PENDING_MAX    16 /* inbound handshakes under way */
#define NET_PENDING_IP_MAX 2  /* of them from one address, but loopback */
/* Under pressure a newcomer takes the place of a handshake this old: an
 * honest one needs two round trips. */
#define NET_PENDING_OLD_MS 1000
#define NET_READ_BYTES     (64 << 10)
#define NET_BATCH_BYTES    (64 << 10) /* sealed at once; one frame may exceed */
/* What a peer may send in one tick before it is read no further. */
#define NET_TICK_MESSAGES_MAX 1000
#define NET_TICK_BYTES_MAX    (8 << 20)
/* A batch: what may stand before the last frame, and that frame. */
#define NET_OUTGOING_MAX                                                       \
    (NET_BATCH_BYTES + FRAME_BYTES_MAX + FRAME_OVERHEAD + HANDSHAKE_OUTPUT_MAX)
#define NET_BANS_MAX     256
#define NET_LOG_EVERY_MS 10000
/* Older connections are not an accident of dialling at once. */
#define NET_DUPLICATE_MS 10000
/* A connection that lived as long counts as a success. */
#define NET_SETTLED_MS 2000
#define NET_IP_SIZE    46
#define NET_NAME_SIZE  (NET_HOST_MAX + 16)

enum peer_state {
    PEER_CONNECTING,
    PEER_HANDSHAKE,
    PEER_UP,
    PEER_CLOSING,
};

struct dial;

struct peer {
    struct peer *next; /* in net->all */
    struct peer *previous;
    struct net *net;
    enum peer_state state;
    uint64_t id;
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_write_t write;
    struct dial *dial; /* NULL: inbound */
    char ip[NET_IP_SIZE];
    char address[NET_NAME_SIZE];
    bool is_loopback;
    uint64_t started_ms;
    uint64_t deadline_ms; /* until UP */

    struct handshake *handshake; /* HANDSHAKE only */
    struct frame_cipher sending; /* from UP on, as is receiving */
    struct frame_reader receiving;
    struct public_key key;
    char moniker[TX_TEXT_MAX + 1];
    bool is_keyed;     /* sending and receiving are initialised */
    bool is_announced; /* in net->peers, on_peer(up) was called */
    bool is_outbound;
    bool is_guest; /* counts against max_peers */
    size_t index;  /* in net->peers */
    uint64_t up_ms;

    struct queue queue;
    struct buf outgoing; /* sealed, not yet handed to libuv */
    struct buf batch;    /* in libuv's hands while is_writing */
    bool is_writing;
    size_t write_left; /* of batch, when it last moved */
    uint64_t write_moved_ms;
    enum reason doom; /* to be closed at the next tick */

    uint32_t pauses;
    bool is_throttled;
    bool is_reading;
    uint32_t tick_messages;
    size_t tick_bytes;
    uint64_t last_in_ms;
    uint64_t next_ping_ms;
    uint64_t ping_mark;
    uint64_t ping_sent_ns;
    uint32_t rtt_us;
    uint64_t bytes_in;
    uint64_t bytes_out;
};

struct ban {
    struct public_key key;
    uint64_t until_ms;
};

struct net {
    struct net_config config; /* with the defaults filled in; peers NULL */
    char moniker[TX_TEXT_MAX + 1];
    struct net_callbacks callbacks;
    uv_tcp_t listener;
    uv_timer_t timer;
    bool is_listening;
    bool is_closing;
    size_t open_count; /* handles and look-ups whose end is awaited */
    void (*done)(void *context);
    void *done_context;

    struct peer *all;    /* every connection, closing ones too */
    struct peer **peers; /* announced ones */
    size_t peer_count;
    size_t peer_capacity;
    struct map by_key; /* announced ones */
    size_t guest_count;
    size_t inbound_pending;
    uint64_t last_id;

    struct dial **dials;
    size_t dial_count;
    struct ban bans[NET_BANS_MAX];
    size_t ban_next;

    struct {
        uint64_t next_ms;
        uint64_t suppressed;
    } logs[REASON_COUNT];
    struct net_stats stats;
    size_t queued_bytes;
    char read_bytes[NET_READ_BYTES];
};

/* net.c */
void net_retain(struct net *net);
void net_release(struct net *net); /* the last one frees a closing net */
/* net_admit: a peer proved its key: it is announced, or closed. */
void net_admit(struct net *net, struct peer *peer);
/* net_dismiss: peer is closing: out of the tables, on_peer(down). */
void net_dismiss(struct net *net, struct peer *peer);
void net_log_end(struct net *net, const struct peer *peer, enum reason reason);

/* peer.c */
void peer_accept(struct net *net, uv_stream_t *listener);
/* peer_dial: connects to address; dial learns what comes of it. */
void peer_dial(struct net *net, struct dial *dial,
               const struct sockaddr *address, const char *name);
/* peer_close: at once and for good; nothing happens the second time. */
void peer_close(struct peer *peer, enum reason reason);
void peer_tick(struct peer *peer, uint64_t now_ms);

/* sending.c */
/* peer_push: queues parcel and begins to send; false: dropped. */
bool peer_push(struct peer *peer, struct parcel *parcel);
/* peer_send: hands on what waits, unless a batch is under way. */
void peer_send(struct peer *peer);

/* dial.c */
struct dial *dial_new(struct net *net, const struct net_address *address);
/* dial_free: forgets a configured peer; its connection is closed. */
void dial_free(struct dial *dial, enum reason reason);
const struct net_address *dial_address(const struct dial *dial);
void dial_tick(struct dial *dial, uint64_t now_ms);
void dial_attach(struct dial *dial, struct peer *peer);
/* dial_up, dial_ended: what came of the connection; found may be NULL. */
void dial_up(struct dial *dial, const struct public_key *found);
void dial_ended(struct dial *dial, enum reason reason,
                const struct public_key *found, bool was_settled);
struct dial *dial_find(const struct net *net, const struct public_key *key);

/* ban.c */
void ban_add(struct net *net, const struct public_key *key);
bool ban_holds(const struct net *net, const struct public_key *key);

/* address.c */
/* address_split: "host:port" or "[v6]:port". */
POT_MUST_USE enum pot_err address_split(char host[static NET_HOST_MAX + 1],
                                        uint16_t *port, const char *text);
/* address_numeric: a numeric host; false: it is a name. */
bool address_numeric(struct sockaddr_storage *out, const char *host,
                     uint16_t port);
void address_ip(char ip[static NET_IP_SIZE], const struct sockaddr *address);
bool address_is_loopback(const struct sockaddr *address);
void address_name(char *text, size_t size, const struct sockaddr *address);

#endif
