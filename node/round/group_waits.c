#include "config.h"

#include "node/round/group_waits.h"

#include "node/round/pledges.h"

void group_waits_begin(struct group_waits *waits, uint64_t now_ms)
{
    if (waits->awaited++ == 0) {
        waits->since_ms = now_ms;
    }
}

void group_waits_end(struct group_waits *waits, uint64_t now_ms)
{
    waits->waited_ms = group_waits_total(waits, now_ms);
    waits->since_ms = now_ms;
    waits->awaited--;
}

uint64_t group_waits_total(const struct group_waits *waits, uint64_t now_ms)
{
    return waits->waited_ms +
           (waits->awaited > 0 ? now_ms - waits->since_ms : 0);
}

uint64_t group_waits_deadline(uint64_t opened_ms, uint64_t timeout_ms,
                              uint64_t now_ms)
{
    uint64_t most = timeout_ms / 8;
    uint64_t wait = pledges_grace_ms(opened_ms, now_ms) / 4;
    wait = wait > GROUPS_WAIT_MIN_MS ? wait : GROUPS_WAIT_MIN_MS;
    wait = wait < GROUPS_WAIT_MAX_MS ? wait : GROUPS_WAIT_MAX_MS;
    return now_ms + (wait < most ? wait : most);
}
