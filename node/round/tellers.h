/* tellers: aggregators that have said lately, each in the last group that it
 * signed, that it is connected to all validators: what one of them passes on
 * they all hear from it, and need not hear from others.
 *
 * Nobody but its own miners depends on that being so: what somebody else brings
 * is passed on all the same.  The loop's thread only. */
#ifndef POT_NODE_ROUND_TELLERS_H
#define POT_NODE_ROUND_TELLERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/key.h"
#include "base/map.h"

#define TELLERS_MAX 256
#define TELLERS_MS                                                             \
    60000 /* after its last group nothing is taken for granted                 \
           */

/* A zeroed struct: nobody has. */
struct tellers {
    struct map until; /* key -> uint64_t, owned */
};

void tellers_fini(struct tellers *tellers);

/* tellers_note: a group of the aggregator's has come, and says so or not.  Of
 * more than TELLERS_MAX none is noted. */
void tellers_note(struct tellers *tellers, const struct public_key *aggregator,
                  bool is_told, uint64_t now_ms);

bool tellers_has(const struct tellers *tellers,
                 const struct public_key *aggregator, uint64_t now_ms);

#endif
