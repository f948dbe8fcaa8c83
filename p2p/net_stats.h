/* net_stats: what a net counts.  Each part of p2p/ writes the numbers of its
 * own doings; net_stats (p2p/net.h) gives them out.  The loop alone. */
#ifndef POT_P2P_NET_STATS_H
#define POT_P2P_NET_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "p2p/message.h"
#include "p2p/reason.h"

/* Counters; bytes with what a frame adds. */
struct net_type_stats {
    uint64_t in_count;
    uint64_t in_bytes;
    uint64_t out_count;
    uint64_t out_bytes;
    uint64_t dropped; /* not sent: queue full or too large */
};

struct net_stats {
    struct net_type_stats types[MESSAGE_TYPE_COUNT];
    uint64_t ended[REASON_COUNT]; /* connections refused or ended, and why */
    uint64_t accepted;
    uint64_t dialled;
    uint64_t bans;
    uint64_t throttled; /* times that a peer was read no further for a while */
    /* The present numbers. */
    size_t peers;
    size_t pending; /* handshakes under way */
    size_t queued_bytes;
};

#endif
