/* known_parts: parts of open rounds whose sums this node knows to be right
 * without having their members' payloads (node/round/groups.h).  Any thread. */
#ifndef POT_NODE_HOLD_KNOWN_PARTS_H
#define POT_NODE_HOLD_KNOWN_PARTS_H

#include "ledger/state.h"

struct holdings;
struct known_parts; /* opaque: node/hold/known_parts.c */

/* known_parts_new: holdings are borrowed: its sums lie among them. */
struct known_parts *known_parts_new(const struct holdings *holdings);
void known_parts_free(struct known_parts *parts); /* NULL is fine */

/* known_parts_add: copies it.  In: none of its members is in one. */
void known_parts_add(struct known_parts *parts, const struct round_part *part);

/* known_parts_remove: the one that the submission is in, if any. */
void known_parts_remove(struct known_parts *parts,
                        const struct hash *submission);

/* known_parts_source: those whose sums are held; NULL: there are none. */
struct part_source known_parts_source(struct known_parts *parts);

#endif
