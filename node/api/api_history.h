/* api_history: what the API saw happen since it was opened. */
#ifndef POT_NODE_API_API_HISTORY_H
#define POT_NODE_API_API_HISTORY_H

#include <stdint.h>

#include "base/err.h"
#include "node/api/metrics_text.h"

struct block;

struct api_history {
    uint64_t opened_ms;  /* on the loop's clock, as the next one */
    uint64_t applied_ms; /* when the tip became the tip, or opened_ms */
    uint64_t blocks;
    uint64_t txs;
    uint64_t round_updates;
    uint64_t last_time_ms;             /* of the latest block; 0: none yet */
    struct metrics_histogram interval; /* s, a block's time to the next's */
    struct metrics_histogram commit;   /* s, a block's time until stored */
};

void api_history_init(struct api_history *history, uint64_t now_ms);

/* api_history_age_ms: how old a block of this time is by the wall clock, which
 * may be behind that of its proposer: 0 then. */
uint64_t api_history_age_ms(uint64_t time_ms);

/* api_history_block: a block became the tip at now_ms on the loop's clock. */
void api_history_block(struct api_history *history, const struct block *block,
                       uint64_t now_ms);

#endif
