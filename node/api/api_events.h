/* api_events: what the event streams tell: blocks, rounds, tasks, peers. */
#ifndef POT_NODE_API_API_EVENTS_H
#define POT_NODE_API_API_EVENTS_H

#include <stdbool.h>

struct api_config;
struct api_events; /* opaque: node/api/api_events.c */
struct api_streams;
struct block;
struct peer;

/* api_events_new: both are borrowed. */
struct api_events *api_events_new(const struct api_config *config,
                                  struct api_streams *streams);
void api_events_free(struct api_events *events);

/* api_events_block: it is the tip. */
void api_events_block(struct api_events *events, const struct block *block);
void api_events_peer(struct api_events *events, const struct peer *peer,
                     bool is_up);

#endif
