/* dial: when a configured peer is dialled, and at which address.
 *
 *   WAITING --time is up--> RESOLVING --on_resolved--> CONNECTING
 *   CONNECTING --dial_ended--> WAITING, longer after each failure
 *
 * It opens no connection: the owner does, told by connect, and says with
 * dial_ended what came of it.  Names are resolved anew each time, off the
 * loop: a container that comes back may have another address.
 *
 * The loop alone. */
#ifndef POT_P2P_DIAL_H
#define POT_P2P_DIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/key.h"
#include "p2p/net_address.h"
#include "p2p/net_stats.h"
#include "p2p/reason.h"

struct uv_loop_s;
struct dial; /* opaque: p2p/dial.c */

/* The same for all dials of an owner. */
struct dial_config {
    struct uv_loop_s *loop;
    uint32_t retry_min_ms; /* doubles, with jitter, up to */
    uint32_t retry_max_ms;
    struct net_stats *stats;
    void *context;
    /* Connects to address, whose text is name; then, at once or later, comes
     * dial_ended, once. */
    void (*connect)(void *context, struct dial *dial,
                    const struct sockaddr *address, const char *name);
    /* The last that is heard of a dial: from within dial_close, or later when
     * a name is being resolved, which cannot be interrupted. */
    void (*closed)(void *context);
};

/* dial_new: config is borrowed until closed.  Owns: dial_close releases it. */
struct dial *dial_new(const struct dial_config *config,
                      const struct net_address *address);
void dial_close(struct dial *dial);

const struct net_address *dial_address(const struct dial *dial);

/* dial_tick: the peer is not connected; dials it if it is time. */
void dial_tick(struct dial *dial, uint64_t now_ms);

/* dial_ended: what connect began is over.
 *
 * In: found        who was there, NULL: nobody proved a key; for the log
 *     was_settled  it lived long enough to count as a success */
void dial_ended(struct dial *dial, enum reason reason,
                const struct public_key *found, bool was_settled);

#endif
