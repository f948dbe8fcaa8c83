#include "config.h"

#include "ctl/tx_reply.h"

#include <stdio.h>

void tx_behind(char out[static TX_BEHIND_SIZE], const json_t *reply)
{
    const json_t *behind = json_object_get(reply, "behind");
    out[0] = '\0';
    if (behind != NULL) {
        (void)snprintf(out, TX_BEHIND_SIZE,
                       "an earlier transaction of this account, %s, could not"
                       " be executed: %s",
                       client_text(behind, "tx"), client_text(behind, "why"));
    }
}

enum exit_code tx_dropped(struct ctl *ctl, const struct client_reply *reply,
                          const char *behind)
{
    const json_t *error = json_object_get(reply->json, "error");
    return ctl_fail(ctl, EXIT_CODE_REJECTED, "%s%s%s",
                    client_text(error, "message"),
                    behind[0] == '\0' ? "" : "; ", behind);
}
