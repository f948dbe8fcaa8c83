#include "config.h"

#include "p2p/budget.h"

void budget_init(struct budget *budget, uint32_t per_second, uint64_t now_ms)
{
    budget->per_second = per_second;
    budget->left_milli = (int64_t)per_second * 1000;
    budget->at_ms = now_ms;
}

void budget_use(struct budget *budget, uint32_t amount)
{
    budget->left_milli -= (int64_t)amount * 1000;
}

void budget_refill(struct budget *budget, uint64_t now_ms)
{
    const int64_t full = (int64_t)budget->per_second * 1000;
    uint64_t passed = now_ms - budget->at_ms;
    budget->at_ms = now_ms;
    /* Beyond an hour it is full, whatever was owed: no product overflows. */
    if (passed > 3600000) {
        budget->left_milli = full;
        return;
    }
    budget->left_milli += (int64_t)passed * budget->per_second;
    budget->left_milli = budget->left_milli < full ? budget->left_milli : full;
}

bool budget_is_spent(const struct budget *budget)
{
    return budget->left_milli <= 0;
}
