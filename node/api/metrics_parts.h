/* metrics_parts: the numbers of each part of the node, for metrics.c. */
#ifndef POT_NODE_API_METRICS_PARTS_H
#define POT_NODE_API_METRICS_PARTS_H

#include "base/buf.h"

struct api_config;
struct api_history;
struct holdings;
struct net;

/* Consensus, evidence, block sync, snapshots. */
void metrics_chain_write(struct buf *out, const struct api_config *config,
                         const struct api_history *history);

/* Peers, and what goes to and fro. */
void metrics_net_write(struct buf *out, const struct net *net);

/* The store, and blobs in memory. */
void metrics_store_write(struct buf *out, const struct holdings *holdings);

/* Workers, rounds and the running tasks. */
void metrics_training_write(struct buf *out, const struct api_config *config);

#endif
