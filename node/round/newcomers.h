/* newcomers: peers that have connected, and may lack what was said before: to
 * each of them alone it is told again, a few times and ever more seldom
 * (node/round/again.h).  So one that comes and goes costs the others nothing,
 * and is told no more often than one that stays.  The loop's thread only. */
#ifndef POT_NODE_ROUND_NEWCOMERS_H
#define POT_NODE_ROUND_NEWCOMERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/key.h"

#define NEWCOMERS_MAX 512 /* at once; others hear what all are told */

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
 * waits have grown to AGAIN_MAX_MS is none any more. */
void newcomers_tick(struct newcomers *newcomers, uint64_t now_ms,
                    void (*tell)(void *context, uint64_t peer_id),
                    void *context);

#endif
