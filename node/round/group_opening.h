/* group_opening: a group that this validator is drawn to open: its members'
 * payloads are summed up, and its word is said on what its aggregator signed.
 */
#ifndef POT_NODE_ROUND_GROUP_OPENING_H
#define POT_NODE_ROUND_GROUP_OPENING_H

struct group_heard;

/* group_opening_try: once all payloads are here, if it is drawn. */
void group_opening_try(struct group_heard *h);

/* group_opening_malformed: a member's payload is no gradient; drawn or not. */
void group_opening_malformed(struct group_heard *h);

#endif
