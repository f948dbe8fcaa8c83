/* admission: which connection may come in, and which may stay.  The loop
 * alone. */
#ifndef POT_P2P_ADMISSION_H
#define POT_P2P_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/key.h"
#include "p2p/peer_table.h"
#include "p2p/reason.h"

struct admission_limits {
    uint32_t pending_max;    /* inbound handshakes under way */
    uint32_t pending_ip_max; /* of them from one address, but loopback */
    uint32_t guests_max;     /* peers that are not configured */
    bool is_closed;          /* none of those at all */
    uint32_t rival_ms;       /* what a peer has to show that it is alive */
};

/* admission_make_room: whether the newcomer, accepted and in the table, may
 * begin its handshake.  Under pressure it takes the place of an older one,
 * which is closed. */
bool admission_make_room(const struct peer_table *table,
                         const struct admission_limits *limits,
                         const struct peer_entry *newcomer, uint64_t now_ms);

/* admission_check: why entry, whose key is proven, may not become a peer.
 *
 * Another process does not take the place of one with the same key that is
 * alive.  That is asked: the first time it comes it is refused with
 * REASON_DUPLICATE and older is pinged; when it comes again, and there was an
 * answer, with REASON_ELSEWHERE.
 *
 * In:      own: this node's key
 * InOut:   older: the announced one of the same key, or NULL
 * Returns: REASON_NONE: it may, and older goes */
enum reason admission_check(const struct peer_table *table,
                            const struct peer_entry *entry,
                            struct peer_entry *older,
                            const struct admission_limits *limits,
                            const struct public_key *own, uint64_t now_ms);

#endif
