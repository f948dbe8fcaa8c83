/* join_pause: how long a miner joins no task because its workers fail: whoever
 * joins and computes nothing pays a fee for each round that it misses, and the
 * others wait for it.
 *
 * A worker that starts tells nothing of how it will do: only a job that was
 * done ends it.  A miner outside all rosters has no job: so the pause ends by
 * itself, and one that joins in vain waits twice as long before the next
 * time. */
#ifndef POT_NODE_ROUND_JOIN_PAUSE_H
#define POT_NODE_ROUND_JOIN_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

#define JOIN_PAUSE_MIN_MS 5000
#define JOIN_PAUSE_MAX_MS 600000

/* Zeroed, there is none. */
struct join_pause {
    uint64_t wait_ms; /* 0: none since a job was done */
    uint64_t until_ms;
    bool has_joined; /* since it began */
};

/* join_pause_failed: a job came to nothing now, and workers are why.  True: a
 * pause begins with it, the first one or another one after a join. */
bool join_pause_failed(struct join_pause *pause, uint64_t now_ms);

/* join_pause_done: a job was done. */
void join_pause_done(struct join_pause *pause);

/* join_pause_is_over: a task may be joined.  join_pause_joined: it was. */
bool join_pause_is_over(const struct join_pause *pause, uint64_t now_ms);
void join_pause_joined(struct join_pause *pause);

#endif
