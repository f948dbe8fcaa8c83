#include "config.h"

#include "node/round/join_pause.h"

#include "node/round/again.h"

bool join_pause_failed(struct join_pause *pause, uint64_t now_ms)
{
    bool is_new = pause->wait_ms == 0 || pause->has_joined;
    if (pause->wait_ms == 0) {
        pause->wait_ms = JOIN_PAUSE_MIN_MS;
    } else if (pause->has_joined) {
        pause->wait_ms = again_longer(pause->wait_ms, JOIN_PAUSE_MAX_MS);
    }
    pause->has_joined = false;
    pause->until_ms = now_ms + pause->wait_ms;
    return is_new;
}

void join_pause_done(struct join_pause *pause)
{
    *pause = (struct join_pause){0};
}

bool join_pause_is_over(const struct join_pause *pause, uint64_t now_ms)
{
    return now_ms >= pause->until_ms;
}

void join_pause_joined(struct join_pause *pause)
{
    pause->has_joined = true;
}
