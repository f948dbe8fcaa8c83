/* group_waits: how long groups of a round are waited for: each until its
 * deadline, and all of them together.  Times are in ms, on the loop's clock. */
#ifndef POT_NODE_ROUND_GROUP_WAITS_H
#define POT_NODE_ROUND_GROUP_WAITS_H

#include <stddef.h>
#include <stdint.h>

/* A group's words and its sum are waited for a quarter of what closing would
 * give those who are missing, within these; no more than an eighth of the
 * round's time-out. */
#define GROUPS_WAIT_MIN_MS 100
#define GROUPS_WAIT_MAX_MS 2000

/* A zeroed struct: nothing was waited for. */
struct group_waits {
    size_t awaited;     /* groups now */
    uint64_t since_ms;  /* when any are */
    uint64_t waited_ms; /* before that */
};

/* group_waits_begin, _end: of one group. */
void group_waits_begin(struct group_waits *waits, uint64_t now_ms);
void group_waits_end(struct group_waits *waits, uint64_t now_ms);

/* group_waits_total: for how long it was for one or more. */
uint64_t group_waits_total(const struct group_waits *waits, uint64_t now_ms);

/* group_waits_deadline: when words on what is heard of now would be late, in a
 * round that was opened then and has that time-out. */
uint64_t group_waits_deadline(uint64_t opened_ms, uint64_t timeout_ms,
                              uint64_t now_ms);

#endif
