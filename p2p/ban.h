/* ban: node keys that are refused for a while.
 *
 * Bans are by node key: whoever is banned has proven that key, so nobody can
 * get somebody else banned.  When BANS_MAX hold, a new one takes the place of
 * the oldest.  The loop alone. */
#ifndef POT_P2P_BAN_H
#define POT_P2P_BAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/key.h"

#define BANS_MAX 256

/* A zeroed list bans nobody. */
struct ban_list {
    struct {
        struct public_key key;
        uint64_t until_ms;
    } bans[BANS_MAX];
    size_t next; /* < BANS_MAX: the place of the next ban */
};

/* ban_add: until_ms, as now_ms, is the time of the loop. */
void ban_add(struct ban_list *list, const struct public_key *key,
             uint64_t until_ms);
bool ban_holds(const struct ban_list *list, const struct public_key *key,
               uint64_t now_ms);

#endif
