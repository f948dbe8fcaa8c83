/* sync_plan: which blocks are wanted, who was asked for them, and what has
 * come, for a window of heights above our own.
 *
 *   WANTED --asked--> ASKED --answer--> HELD --take--> TAKEN --tip--> gone
 *      ^                |                 |              |
 *      +---- the peer stalls, goes, lies; the owner gives it back ----+
 *
 * Pure: no peers, clock or sockets here.  Every height comes out once, in
 * order, however often it was asked for; what is held is bounded. */
#ifndef POT_P2P_SYNC_PLAN_H
#define POT_P2P_SYNC_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define PLAN_WINDOW    256 /* heights */
#define PLAN_RUN_MIN   16  /* worth a question, if more will be wanted */
#define PLAN_ASKS_MAX  16  /* questions that are open */
#define PLAN_BYTES_MAX ((size_t)64 << 20)

struct plan_ask {
    uint64_t peer_id;
    uint64_t from;
    uint32_t count;
    uint64_t asked_ms; /* the three are the owner's, for its deadline */
    uint64_t bytes;
    uint32_t turns;
};

/* A block that has come. */
struct plan_item {
    uint64_t height;
    uint64_t peer_id; /* who sent it */
    struct buf block;
    struct buf certificate;
};

struct sync_plan; /* opaque: p2p/sync_plan.c */

/* sync_plan_new: what is at or below tip is not wanted. */
struct sync_plan *sync_plan_new(uint64_t tip);
void sync_plan_free(struct sync_plan *plan);

/* sync_plan_set_tip: never lower than it was. */
void sync_plan_set_tip(struct sync_plan *plan, uint64_t tip);

/* sync_plan_wanted: the first wanted height from `after` + 1 to `last` that
 * may be asked for now; 0: none, or no room for an answer. */
uint64_t sync_plan_wanted(const struct sync_plan *plan, uint64_t after,
                          uint64_t last);

/* sync_plan_ask: the peer is asked for up to `most` wanted heights from
 * `from` on, which sync_plan_wanted gave. */
const struct plan_ask *sync_plan_ask(struct sync_plan *plan, uint64_t peer_id,
                                     uint64_t from, uint32_t most,
                                     uint64_t now_ms, uint64_t bytes);

/* sync_plan_find_ask: the question that an answer is to; NULL: none. */
struct plan_ask *sync_plan_find_ask(struct sync_plan *plan, uint64_t peer_id,
                                    uint64_t from);

/* sync_plan_hold: a block of the answer to ask; bytes are copied.  One that is
 * not wanted any more is ignored. */
void sync_plan_hold(struct sync_plan *plan, const struct plan_ask *ask,
                    uint64_t height, const struct buf *block,
                    const struct buf *certificate);

/* sync_plan_close: the question is answered or given up: what of it has not
 * come is wanted again.  ask is gone. */
void sync_plan_close(struct sync_plan *plan, struct plan_ask *ask);

/* sync_plan_asks, sync_plan_ask_at: the open questions; index < count. */
size_t sync_plan_asks(const struct sync_plan *plan);
struct plan_ask *sync_plan_ask_at(struct sync_plan *plan, size_t index);

/* sync_plan_take: the next block in order, which the caller owns
 * (plan_item_fini); at most `ahead` of them are out above the tip, and
 * `bytes` in all unless it is the only one.  False: it has not come, or those
 * are out. */
bool sync_plan_take(struct sync_plan *plan, uint64_t ahead, size_t bytes,
                    struct plan_item *out);
void plan_item_fini(struct plan_item *item);

/* sync_plan_give_back: what was taken at this height and above is wanted
 * again.  Returns who sent the block at `height`, 0: it was not out. */
uint64_t sync_plan_give_back(struct sync_plan *plan, uint64_t height);

/* sync_plan_sender: who sent the block at a height that is held or out; 0. */
uint64_t sync_plan_sender(const struct sync_plan *plan, uint64_t height);

/* sync_plan_cancel: the peer's questions are closed.  sync_plan_forget: and
 * what it sent counts for nothing, but for what the owner has taken. */
void sync_plan_cancel(struct sync_plan *plan, uint64_t peer_id);
void sync_plan_forget(struct sync_plan *plan, uint64_t peer_id);

#endif
