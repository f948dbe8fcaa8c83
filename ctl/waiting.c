#include "config.h"

#include "ctl/waiting.h"

#include "base/clock.h"
#include "ctl/client.h"

#define LOOK_MS 5000 /* a block that takes so long deserves a question */

bool waiting_tell(struct waiting *waiting, struct ctl *ctl, const char *before)
{
    struct client_reply reply;
    uint64_t now = clock_steady_ms();
    bool is_due = waiting->due_ms != 0 && now >= waiting->due_ms;
    if (is_due || waiting->due_ms == 0) {
        waiting->due_ms = now + LOOK_MS;
    }
    /* Whether it can be reached at all is seen by who waits. */
    if (!is_due || ctl->is_quiet ||
        client_ask(&reply, ctl, "GET", "/readyz", NULL, 0) != EXIT_CODE_DONE) {
        return false;
    }
    const json_t *reason =
        json_array_get(json_object_get(reply.json, "reasons"), 0);
    bool is_told = reply.status == 503 && reason != NULL;
    if (is_told) {
        ctl_note(ctl, "%sstill waiting: the node is not ready: %s", before,
                 client_text(reason, "message"));
    }
    client_reply_fini(&reply);
    return is_told;
}
