/* api_streams: replies without an end, to which text is sent as things
 * happen: server-sent events.
 *
 * Every stream has a queue of its own; one that does not keep up is ended
 * and may come back.  All of it is on the loop. */
#ifndef POT_NODE_API_API_STREAMS_H
#define POT_NODE_API_API_STREAMS_H

#include <stdint.h>

#include "base/buf.h"

struct api_request;
struct api_server;
struct api_streams; /* opaque: node/api/api_streams.c */

#define API_STREAM_BYTES_MAX ((size_t)1 << 20) /* that wait to be read */

/* api_streams_new: server is borrowed; api_streams_free: when it is closed. */
struct api_streams *api_streams_new(struct api_server *server, uint64_t max);
void api_streams_free(struct api_streams *streams);

/* api_streams_open: replies with a stream of what is sent to one of types, a
 * bit each; with 503 when there are too many. */
void api_streams_open(struct api_streams *streams, struct api_request *request,
                      unsigned types);

void api_streams_send(struct api_streams *streams, unsigned types,
                      const struct buf *text);

/* api_streams_tick: a comment to every stream now and then, which finds those
 * whose client is gone. */
void api_streams_tick(struct api_streams *streams, uint64_t now_ms);

/* api_streams_end: all of them end once their queue is sent. */
void api_streams_end(struct api_streams *streams);

struct api_streams_stats {
    uint64_t open;
    uint64_t dropped; /* did not keep up */
};

void api_streams_stats(const struct api_streams *streams,
                       struct api_streams_stats *out);

#endif
