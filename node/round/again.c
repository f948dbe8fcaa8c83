#include "config.h"

#include "node/round/again.h"

void again_start(struct again *again, uint64_t now_ms, uint64_t wait_ms)
{
    *again = (struct again){now_ms + wait_ms, wait_ms};
}

void again_hasten(struct again *again, uint64_t now_ms, uint64_t wait_ms)
{
    uint64_t due_ms = again->due_ms;
    again_start(again, now_ms, wait_ms);
    if (due_ms < again->due_ms) {
        again->due_ms = due_ms;
    }
}

bool again_is_due(struct again *again, uint64_t now_ms)
{
    if (now_ms < again->due_ms) {
        return false;
    }
    uint64_t twice = 2 * again->wait_ms;
    again_start(again, now_ms, twice < AGAIN_MAX_MS ? twice : AGAIN_MAX_MS);
    return true;
}
