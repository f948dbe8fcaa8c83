/* claims: what peers say of their own chains, and who is believed.
 *
 * A claim moves nothing but who is asked.  A peer that did not deliver what
 * it claimed is not believed for a while, for twice as long each time, until
 * a block of its stands.  Times are in ms of the loop.  The loop alone. */
#ifndef POT_P2P_CLAIMS_H
#define POT_P2P_CLAIMS_H

#include <stdint.h>

#include "base/hash.h"

/* Where a node stands, as it says; view is its tip's. */
struct claim {
    uint64_t height;
    struct hash block_hash;
    uint64_t view;
};

struct claim_peer;

/* A zeroed struct claims has no peers; set distrust_ms. */
struct claims {
    struct claim_peer *first;
    uint32_t distrust_ms; /* after the first failure */
};

void claims_fini(struct claims *claims);

/* By their ids; a peer is added once, and what is not there is no error. */
void claims_add(struct claims *claims, uint64_t peer_id);
void claims_remove(struct claims *claims, uint64_t peer_id);

/* claims_set: what it says now.  claims_get: NULL: nothing yet. */
void claims_set(struct claims *claims, uint64_t peer_id,
                const struct claim *claim);
const struct claim *claims_get(const struct claims *claims, uint64_t peer_id);

/* claims_distrust: it did not deliver; claims_credit: it did. */
void claims_distrust(struct claims *claims, uint64_t peer_id, uint64_t now_ms);
void claims_credit(struct claims *claims, uint64_t peer_id);

/* claims_highest: the greatest height that a believed peer claims, or 0. */
uint64_t claims_highest(const struct claims *claims, uint64_t now_ms);

/* claims_choose: the id of a believed peer that claims the height or more, by
 * lot: not the one that claims most; 0: there is none. */
uint64_t claims_choose(const struct claims *claims, uint64_t height,
                       uint64_t now_ms);

#endif
