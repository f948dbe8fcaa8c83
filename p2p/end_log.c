#include "config.h"

#include "p2p/end_log.h"

#include "base/log.h"
#include "p2p/peer.h"

#define EVERY_MS 10000

void end_log_add(struct end_log *log, const struct peer_entry *entry,
                 enum reason reason, uint64_t now_ms)
{
    if (peer_is_outbound(entry->peer) && !entry->is_announced) {
        return; /* the dial tells */
    }
    if (now_ms < log->reasons[reason].next_ms) {
        log->reasons[reason].suppressed++;
        return;
    }
    LOG(entry->is_announced ? LOG_INFO : LOG_WARN, "p2p",
        entry->is_announced ? "peer down" : "connection refused",
        log_text("address", peer_address(entry->peer)),
        log_text("why", reason_text(reason)),
        log_u64("unlogged_before", log->reasons[reason].suppressed));
    log->reasons[reason].next_ms = now_ms + EVERY_MS;
    log->reasons[reason].suppressed = 0;
}
