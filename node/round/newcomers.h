/* newcomers: peers that have connected, and may lack what was said before: to
 * each of them alone it is told again, a few times and ever more seldom
 * (node/round/again.h).  One that comes and goes waits twice as long each
 * time: it is told once in NEWCOMERS_WAIT_MAX_MS in the end, as it costs who
 * tells it, and hears what all are told.  The loop's thread only. */
#ifndef POT_NODE_ROUND_NEWCOMERS_H
#define POT_NODE_ROUND_NEWCOMERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/key.h"

#define NEWCOMERS_MAX         512 /* at once; others hear what all are told */
#define NEWCOMERS_WAIT_MAX_MS 60000
#define NEWCOMERS_KNOWN_MS    120000 /* since it came last */

struct newcomer;

struct newcomers {
    uint64_t wait_ms; /* before the first time */
    struct newcomer *all;
    size_t count;
};

/* newcomers_init: wait_ms is below AGAIN_MAX_MS. */
void newcomers_init(struct newcomers *newcomers, uint64_t wait_ms);
void newcomers_fini(struct newcomers *newcomers);

/* newcomers_add: the peer of this key has connected now, under this id; what
 * was due to it before that stays so. */
void newcomers_add(struct newcomers *newcomers, const struct public_key *key,
                   uint64_t peer_id, uint64_t now_ms);

/* newcomers_tick: calls tell for each that is due, under its latest id.  Whose
 * waits have grown to AGAIN_MAX_MS is told no more until it comes again; after
 * NEWCOMERS_KNOWN_MS it is forgotten, and before that if others need its
 * room. */
void newcomers_tick(struct newcomers *newcomers, uint64_t now_ms,
                    void (*tell)(void *context, uint64_t peer_id),
                    void *context);

#endif
