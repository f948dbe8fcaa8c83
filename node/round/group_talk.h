/* group_talk: what validators say of a group, this one and others: who is
 * believed, and who is blamed for it (node/round/group_trust.h). */
#ifndef POT_NODE_ROUND_GROUP_TALK_H
#define POT_NODE_ROUND_GROUP_TALK_H

#include <stdbool.h>
#include <stdint.h>

struct group_heard;
struct public_key;

/* group_talk_say: this validator's word, to all others. */
void group_talk_say(const struct group_heard *h, bool is_right);

/* group_talk_right, _wrong: a validator that is drawn says so; peer_id brought
 * it.  Its first word is heard only.  group_talk_right: false: it had said
 * something. */
bool group_talk_right(struct group_heard *h, const struct public_key *validator,
                      uint64_t peer_id);
void group_talk_wrong(struct group_heard *h,
                      const struct public_key *validator);

/* group_talk_is_enough: f + 1 that are drawn say right, this one among them. */
bool group_talk_is_enough(const struct group_heard *h);

/* group_talk_blame_false: who called it wrong that is found to be right: by
 * this validator, or as all others say. */
void group_talk_blame_false(const struct group_heard *h);

/* group_talk_blame_silent: who was drawn, and has not said right. */
void group_talk_blame_silent(const struct group_heard *h);

#endif
