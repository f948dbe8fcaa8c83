/* group_vouching: a group that others open: once enough of them say that it is
 * right, its sum stands for its members' payloads (node/hold/known_parts.h). */
#ifndef POT_NODE_ROUND_GROUP_VOUCHING_H
#define POT_NODE_ROUND_GROUP_VOUCHING_H

struct group_heard;

/* group_vouching_try: fetches the sum if it has its words and somebody waits
 * for it. */
void group_vouching_try(struct group_heard *h);

#endif
