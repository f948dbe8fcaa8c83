/* accept_rate: how often one address may connect.
 *
 * A handshake costs more to answer than to begin, and one that is finished
 * quickly is no longer under way: limits on those that are do not bound how
 * many there are in a second.  Each address has a second's worth in hand.
 *
 * Of ACCEPT_RATE_ADDRESSES the longest silent one makes room.  The loop
 * alone. */
#ifndef POT_P2P_ACCEPT_RATE_H
#define POT_P2P_ACCEPT_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "p2p/budget.h"
#include "p2p/net_address.h"

#define ACCEPT_RATE_ADDRESSES 256

struct accept_address {
    char ip[NET_IP_SIZE]; /* "": nobody */
    struct budget budget;
};

/* A zeroed one has met nobody. */
struct accept_rate {
    struct accept_address addresses[ACCEPT_RATE_ADDRESSES];
};

/* accept_rate_admit: ip connects; false: too often.  A refused attempt counts
 * for nothing: who slows down is let in. */
bool accept_rate_admit(struct accept_rate *rate, const char *ip,
                       uint32_t per_second, uint64_t now_ms);

#endif
