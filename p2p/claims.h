/* claims: what peers say of their own chains, who is believed, and how much
 * each is asked for at a time.
 *
 * A claim moves nothing but who is asked.  A peer that did not deliver what
 * it claimed is not believed for a while, for twice as long each time, until
 * a block of its stands.  Times are in ms of the loop.  The loop alone. */
#ifndef POT_P2P_CLAIMS_H
#define POT_P2P_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"

#define CLAIMS_SPAN_MAX 64 /* blocks that a peer is asked for at once */
#define CLAIMS_OPEN_MAX 2  /* questions to one peer at a time */

/* Where a node stands, as it says; view is its tip's. */
struct claim {
    uint64_t height;
    struct hash block_hash;
    uint64_t view;
    uint64_t lowest;   /* block that it holds; those below are pruned */
    uint64_t snapshot; /* height of its newest one, 0: none */
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

/* claims_set: what it says now; false: less than it said before, which no
 * honest chain does.  claims_get: NULL: nothing yet. */
bool claims_set(struct claims *claims, uint64_t peer_id,
                const struct claim *claim);
const struct claim *claims_get(const struct claims *claims, uint64_t peer_id);

/* claims_distrust: it did not deliver.  claims_ignored: and said other things
 * meanwhile; returns how often.  claims_credit: a block of its stands: neither
 * counts any more. */
void claims_distrust(struct claims *claims, uint64_t peer_id, uint64_t now_ms);
uint32_t claims_ignored(struct claims *claims, uint64_t peer_id);
void claims_credit(struct claims *claims, uint64_t peer_id);

/* claims_asked, claims_answered: a question to it is open, or no more.  Who
 * is quick (an answer within quick_ms) is asked for twice as much the next
 * time, who is slow (beyond slow_ms) for half. */
void claims_asked(struct claims *claims, uint64_t peer_id);
void claims_answered(struct claims *claims, uint64_t peer_id, uint64_t took_ms,
                     uint64_t quick_ms, uint64_t slow_ms);

/* claims_span: how many blocks to ask it for. */
uint32_t claims_span(const struct claims *claims, uint64_t peer_id);

/* claims_highest: the greatest height that a believed peer claims, or 0. */
uint64_t claims_highest(const struct claims *claims, uint64_t now_ms);

/* claims_choose: the id of a believed peer that claims to hold this height and
 * may be asked one thing more, by lot among those with the fewest questions
 * open: not the one that claims most; 0: there is none. */
uint64_t claims_choose(const struct claims *claims, uint64_t height,
                       uint64_t now_ms);

/* claims_next: the least height above `height` from which on some believed
 * peer that may be asked holds blocks; 0: there is none. */
uint64_t claims_next(const struct claims *claims, uint64_t height,
                     uint64_t now_ms);

/* claims_snapshot: the height, at most `most` and not `except`, whose snapshot
 * most believed peers offer, of several the highest; 0: there is none. */
uint64_t claims_snapshot(const struct claims *claims, uint64_t most,
                         uint64_t except, uint64_t now_ms);

/* claims_each: the believed peers with what they say, until visit says
 * false. */
void claims_each(const struct claims *claims, uint64_t now_ms,
                 bool (*visit)(void *context, uint64_t peer_id,
                               const struct claim *claim),
                 void *context);

#endif
