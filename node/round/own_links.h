/* own_links: the links (proto/draw.h) of this node's key.  The secret behind
 * those of a task is a signature's hash: the same after a restart and with
 * another disk, and nobody else can make it.  The loop's thread only. */
#ifndef POT_NODE_ROUND_OWN_LINKS_H
#define POT_NODE_ROUND_OWN_LINKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"

struct key;
struct own_links; /* opaque: node/round/own_links.c */

/* own_links_new: all borrowed, and outlive it; what tells a key's chains apart:
 * the domain of the signature. */
struct own_links *own_links_new(const struct key *key, const struct hash *chain,
                                const char *what);

/* own_links_free: NULL is none. */
void own_links_free(struct own_links *links);

/* own_links_get: of a round of a task that has so many; round <= rounds, which
 * is the secret.  False: the key did not sign.  The first time a hash is
 * computed for each round of the task, later a thousand at most. */
bool own_links_get(struct own_links *links, const struct hash *task,
                   uint32_t rounds, uint32_t round, struct hash *out);

#endif
