/* metrics: the node's numbers in the Prometheus text format, 0.0.4. */
#ifndef POT_NODE_API_METRICS_H
#define POT_NODE_API_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct api;
struct block;
struct metrics; /* opaque: node/api/metrics.c */

#define METRICS_BYTES_MAX ((size_t)4 << 20)

struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics);

/* metrics_block: a block became the tip at now_ms since the epoch; is_live:
 * it is not an old one that block sync brought. */
void metrics_block(struct metrics *metrics, const struct block *block,
                   uint64_t now_ms, bool is_live);

/* metrics_write: all of them, as they stand now. */
void metrics_write(struct buf *out, const struct metrics *metrics,
                   const struct api *api);

#endif
