/* net_impl: a net's parts, for the files that make it up; p2p/net*.c only. */
#ifndef POT_P2P_NET_IMPL_H
#define POT_P2P_NET_IMPL_H

#include <uv.h>

#include "p2p/accept_rate.h"
#include "p2p/admission.h"
#include "p2p/ban.h"
#include "p2p/dial_list.h"
#include "p2p/end_log.h"
#include "p2p/listener.h"
#include "p2p/net.h"
#include "p2p/peer_life.h"
#include "p2p/peer_table.h"

struct net {
    struct net_config config; /* with the defaults filled in; peers NULL */
    char moniker[TX_TEXT_MAX + 1];
    uint64_t instance;
    struct net_callbacks callbacks;
    struct peer_config peer_config;
    struct dial_config dial_config;
    struct admission_limits limits;
    struct listener listener;
    struct accept_rate accepts;
    uv_timer_t timer;
    bool is_closing;
    size_t open_count; /* handles, peers and dials whose end is awaited */
    void (*done)(void *context);
    void *done_context;

    struct peer_table table;
    uint64_t last_id;
    struct dial_list dials;
    struct ban_list bans;
    struct end_log end_log;
    uint64_t warned_ms;     /* of two nodes with one key; 0: never */
    struct net_stats stats; /* but for the present numbers */
    char read_bytes[PEER_READ_BYTES];
};

#endif
