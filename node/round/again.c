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

uint64_t again_longer(uint64_t wait_ms, uint64_t most_ms)
{
    return wait_ms < most_ms / 2 ? 2 * wait_ms : most_ms;
}

bool again_is_due(struct again *again, uint64_t now_ms)
{
    if (now_ms < again->due_ms) {
        return false;
    }
    again_start(again, now_ms, again_longer(again->wait_ms, AGAIN_MAX_MS));
    return true;
}
