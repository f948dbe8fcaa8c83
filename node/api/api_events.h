/* api_events: server-sent events: blocks, rounds, tasks, peers.
 *
 * Every stream has a queue of its own; one that does not keep up is ended
 * and may come back. */
#ifndef POT_NODE_API_API_EVENTS_H
#define POT_NODE_API_API_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct api;
struct api_events; /* opaque: node/api/api_events.c */
struct executed;
struct peer;

#define API_EVENT_STREAMS_MAX 32
#define API_EVENT_QUEUE_BYTES ((size_t)1 << 20)

struct api_events *api_events_new(struct api *api);
void api_events_free(struct api_events *events);

void api_events_block(struct api_events *events,
                      const struct executed *executed);
void api_events_peer(struct api_events *events, const struct peer *peer,
                     bool is_up);

/* api_events_tick: a comment to every stream now and then, which finds those
 * whose client is gone. */
void api_events_tick(struct api_events *events, uint64_t now_ms);

/* api_events_end: all streams end once their queue is sent. */
void api_events_end(struct api_events *events);

size_t api_events_count(const struct api_events *events);
uint64_t api_events_dropped(const struct api_events *events);

#endif
