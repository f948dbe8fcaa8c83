/* end_log: why connections ended, one line in END_LOG_EVERY_MS a reason:
 * whoever connects a thousand times fills a counter, not the disk.  The loop
 * alone. */
#ifndef POT_P2P_END_LOG_H
#define POT_P2P_END_LOG_H

#include <stdint.h>

#include "p2p/peer_table.h"
#include "p2p/reason.h"

#define END_LOG_EVERY_MS 10000

/* Zeroed at first. */
struct end_log {
    struct {
        uint64_t next_ms;
        uint64_t suppressed; /* since the last line */
    } reasons[REASON_COUNT];
};

void end_log_add(struct end_log *log, const struct peer_entry *entry,
                 enum reason reason, uint64_t now_ms);

#endif
