/* end_log: why connections ended, one line in ten seconds a reason:
 * whoever connects a thousand times fills a counter, not the disk.  The loop
 * alone. */
#ifndef POT_P2P_END_LOG_H
#define POT_P2P_END_LOG_H

#include <stdint.h>

#include "p2p/peer_table.h"
#include "p2p/reason.h"

/* Zeroed at first. */
struct end_log {
    struct {
        uint64_t next_ms;
        uint64_t suppressed; /* since the last line */
    } reasons[REASON_COUNT];
};

/* end_log_add: entry's connection ends; before it leaves the table. */
void end_log_add(struct end_log *log, const struct peer_entry *entry,
                 enum reason reason, uint64_t now_ms);

#endif
