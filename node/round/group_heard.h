/* group_heard: one group that this validator has heard of, and how it ends.
 * Its way, with the function on each edge:
 *
 *              group_heard_new
 *                     |
 *          drawn      v      others
 *       .---------- HEARD ----------.
 *       |                           | group_vouching_try: f + 1 say right
 *       | group_opening_try:        v
 *       v all members are here   FETCHING the sum
 *     OPENING                       |
 *       |                           | on_sum
 *       | on_opened: says a word    v
 *       v                        VOUCHED --groups_dissolve--.
 *     OPENED                                                v
 *     from any other than OPENED: wrong or too late ---> DROPPED
 *
 * Each module that has one reads all of it, and writes what is marked as its
 * own. */
#ifndef POT_NODE_ROUND_GROUP_HEARD_H
#define POT_NODE_ROUND_GROUP_HEARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/key.h"
#include "proto/group.h"

struct group_member;
struct group_sum;
struct groups_shared;
struct round_submission;

enum group_heard_state { HEARD, OPENING, OPENED, FETCHING, VOUCHED, DROPPED };

struct group_voice {
    struct public_key validator;
    bool is_right; /* as it says */
};

struct group_heard {
    struct groups_shared *shared; /* borrowed */
    struct group group;           /* owned */
    bool is_drawn;                /* this validator is to open it */
    bool is_awaited;              /* among the shared waits */
    enum group_heard_state state; /* each module's on its own edges */

    /* groups.c */
    bool is_known;        /* a submission of its has been here */
    bool is_waiting;      /* there are submissions that would wait for it */
    bool is_dissolved;    /* its members' payloads are needed */
    uint64_t deadline_ms; /* of its words, and of the wait */

    /* group_talk.c */
    struct group_voice *voices; /* one of a validator; owned */
    size_t voice_count;
    uint64_t peer_id; /* who said last that it is right; 0: nobody */

    struct group_sum *sum; /* OPENING: group_opening.c */
    struct hash known_by;  /* VOUCHED: one of its members' submissions;
                              group_vouching.c */
};

/* group_heard_new: takes what is in the group; its sum stays in the pool while
 * it is there. */
struct group_heard *group_heard_new(struct groups_shared *shared,
                                    struct group *group);

/* group_heard_free: its members are told nothing. */
void group_heard_free(struct group_heard *h);

/* group_heard_find, _members: see struct groups_calls, of the member at i; and
 * all of them in fresh memory, NULL if one is not held. */
const struct round_submission *group_heard_find(const struct group_heard *h,
                                                size_t i, bool *is_open);
struct group_member *group_heard_members(const struct group_heard *h);

/* group_heard_waits_here: members wait for it that this validator does not
 * fetch. */
bool group_heard_waits_here(const struct group_heard *h);

/* group_heard_begin_wait, _end_wait: for as long as members wait for it,
 * here or where it is not opened; to end what is not begun is fine. */
void group_heard_begin_wait(struct group_heard *h);
void group_heard_end_wait(struct group_heard *h);

/* group_heard_tell: to the log. */
void group_heard_tell(const struct group_heard *h, const char *what,
                      const char *why);

/* group_heard_drop: what is under way for it ends, and its members are on their
 * own again, those that waited; nothing once it is opened. */
void group_heard_drop(struct group_heard *h);

/* group_heard_give_up: it came to nothing, and nobody is convicted of it. */
void group_heard_give_up(struct group_heard *h, const char *why);

#endif
