/* again: when something is said again that may have been lost: ever more
 * seldom, as most often it was not. */
#ifndef POT_NODE_ROUND_AGAIN_H
#define POT_NODE_ROUND_AGAIN_H

#include <stdbool.h>
#include <stdint.h>

#define AGAIN_MAX_MS 12000 /* no longer than that between two times */

struct again {
    uint64_t due_ms;
    uint64_t wait_ms; /* before that */
};

/* again_start: it was said now, and is due in wait_ms, which is not 0. */
void again_start(struct again *again, uint64_t now_ms, uint64_t wait_ms);

/* again_hasten: more of it was said now, or somebody new may lack it: as if it
 * was said now, but what was due before that stays so. */
void again_hasten(struct again *again, uint64_t now_ms, uint64_t wait_ms);

/* again_longer: twice as long a wait, but no longer than most_ms. */
uint64_t again_longer(uint64_t wait_ms, uint64_t most_ms);

/* again_is_due: it is to be said now: once, and then after twice as long. */
bool again_is_due(struct again *again, uint64_t now_ms);

#endif
