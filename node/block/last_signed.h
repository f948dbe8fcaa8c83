/* last_signed: what was last seen signed by each validator, by the order of
 * consensus/pbft_mark.h: for those who ask (node/block/guard.h).  In memory
 * only, at most as many keys as LAST_SIGNED_MAX. */
#ifndef POT_NODE_BLOCK_LAST_SIGNED_H
#define POT_NODE_BLOCK_LAST_SIGNED_H

#include <stddef.h>

#include "base/key.h"
#include "base/limits.h"
#include "consensus/pbft.h"

#define LAST_SIGNED_MAX ((size_t)2 * VALIDATORS_MAX)

struct last_signed {
    struct public_key key;
    struct pbft_mark mark;
    struct signature signature;
};

/* A zeroed struct is empty. */
struct last_signed_table {
    struct last_signed entries[LAST_SIGNED_MAX];
    size_t count;
};

/* last_signed_note: a verified signature.  When the table is full, the key
 * seen at the lowest height is forgotten. */
void last_signed_note(struct last_signed_table *table,
                      const struct public_key *key,
                      const struct pbft_mark *mark,
                      const struct signature *signature);

/* last_signed_find: NULL: nothing was seen. */
const struct last_signed *last_signed_find(
    const struct last_signed_table *table, const struct public_key *key);

#endif
