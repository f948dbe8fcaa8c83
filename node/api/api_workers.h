/* api_workers: what the node's training processes do, those of its miner and
 * those that audit.  The loop's thread only. */
#ifndef POT_NODE_API_API_WORKERS_H
#define POT_NODE_API_API_WORKERS_H

struct api_config;
struct workers_stats;

/* api_workers_stats: of all of them; the core is the miner's, if it is known.
 */
void api_workers_stats(const struct api_config *config,
                       struct workers_stats *out);

#endif
