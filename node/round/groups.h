/* groups: sums that aggregators have made of parts of one open round, as a
 * validator sees them.
 *
 * Of each group f + 1 validators are drawn to open it (proto/group.h): they
 * fetch every member's payload as they would without it, sum them up, put them
 * into their stores, where they stay until the round is over
 * (node/block/held_blobs.h), and say whether the group is right.  One of them
 * is honest. So who has the word of each of them takes the sum in place of the
 * payloads (node/hold/known_parts.h).  Where words or the sum do not come in
 * time, where one of them says that it is wrong, or where a round counts some
 * of its members only, payloads are fetched after all: a group saves bytes or
 * nothing. The loop's thread only. */
#ifndef POT_NODE_ROUND_GROUPS_H
#define POT_NODE_ROUND_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "proto/chain.pb-c.h"
#include "proto/state.pb-c.h"

struct group;
struct group_word;
struct model_shape;
struct round_submission;
struct rounds_shared;
struct groups; /* opaque: node/round/groups.c */

/* What a group asks of the submissions (node/round/judging.h), by the names
 * that groups have for them (proto/group.h). */
struct groups_calls {
    void *context;
    /* The submission, if it is held; *is_open: its payload is, too, and it is a
     * gradient.  NULL: it is not. */
    const struct round_submission *(*find)(void *context,
                                           const struct hash *member,
                                           bool *is_open);
    /* The submission was waited for: its payload is not needed; or it is. */
    void (*vouched)(void *context, const struct hash *member);
    void (*lone)(void *context, const struct hash *member);
};

/* groups_new: of a task's open round; all is borrowed and outlives it. */
struct groups *groups_new(struct rounds_shared *shared,
                          const Pot__TaskRecord *task,
                          const struct model_shape *shape,
                          const struct groups_calls *calls);

/* groups_free: parts that it knew are known no more.  NULL is none. */
void groups_free(struct groups *groups);

/* groups_take: takes what is in it, a verified one of this round; true: it is
 * new and worth passing on. */
bool groups_take(struct groups *groups, struct group *group);

/* groups_word: a verified one of this round; peer_id brought it, and has the
 * sum if it says so. */
void groups_word(struct groups *groups, const struct group_word *word,
                 uint64_t peer_id);

/* groups_waits: whether the member is in a group that is worth waiting for:
 * vouched or lone will tell.  Not from within them. */
bool groups_waits(struct groups *groups, const struct hash *member);

/* groups_waited_ms: how long members were waited for so far, of one group or
 * more, here or by those who do not open what this validator opens. */
uint64_t groups_waited_ms(const struct groups *groups);

/* groups_opened: the member's payload is held now, and a gradient.
 * groups_malformed: it is held, or was, and is none. */
void groups_opened(struct groups *groups, const struct hash *member);
void groups_malformed(struct groups *groups, const struct hash *member);

/* groups_refresh: behind a block that left the round open. */
void groups_refresh(struct groups *groups);

/* groups_count: these submissions, by their hashes, are what the round would
 * count now.  groups_are_split: of a group some are, and others are not; not of
 * one that was dissolved. */
void groups_count(struct groups *groups, const struct hash *counted,
                  size_t count);
bool groups_are_split(const struct groups *groups);

/* groups_dissolve: the payloads are needed of those that are split; or of all,
 * and of no group a sum is taken any more. */
void groups_dissolve(struct groups *groups, bool are_all);

void groups_tick(struct groups *groups, uint64_t now_ms);

#endif
