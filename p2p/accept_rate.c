#include "config.h"

#include "p2p/accept_rate.h"

#include <stdio.h>
#include <string.h>

/* The one of this ip, or the place that it is to have. */
static struct accept_address *place_of(struct accept_rate *rate, const char *ip)
{
    struct accept_address *oldest = &rate->addresses[0];
    for (size_t i = 0; i < ACCEPT_RATE_ADDRESSES; i++) {
        struct accept_address *a = &rate->addresses[i];
        if (strcmp(a->ip, ip) == 0) {
            return a;
        }
        if (a->budget.at_ms < oldest->budget.at_ms) {
            oldest = a;
        }
    }
    return oldest;
}

bool accept_rate_admit(struct accept_rate *rate, const char *ip,
                       uint32_t per_second, uint64_t now_ms)
{
    struct accept_address *a = place_of(rate, ip);
    if (strcmp(a->ip, ip) != 0) {
        (void)snprintf(a->ip, sizeof(a->ip), "%s", ip);
        budget_init(&a->budget, per_second, now_ms);
    }
    budget_refill(&a->budget, now_ms);
    if (budget_is_spent(&a->budget)) {
        return false;
    }
    budget_use(&a->budget, 1);
    return true;
}
