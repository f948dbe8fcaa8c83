/* budget: how much of something may be used in a second: what is used beyond
 * it is owed, and paid off by time.  Nobody is refused: who is in debt waits.
 */
#ifndef POT_P2P_BUDGET_H
#define POT_P2P_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct budget {
    uint32_t per_second;
    int64_t left_milli; /* < 0: owed */
    uint64_t at_ms;     /* of the last refill */
};

/* budget_init: full: a second's worth. */
void budget_init(struct budget *budget, uint32_t per_second, uint64_t now_ms);
void budget_use(struct budget *budget, uint32_t amount);
/* budget_refill: what the time since the last one is worth; it never holds
 * more than a second's worth. */
void budget_refill(struct budget *budget, uint64_t now_ms);
bool budget_is_spent(const struct budget *budget);

#endif
