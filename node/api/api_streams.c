/* A stream is a response whose bytes come from a callback (give_bytes).
 * While its queue is empty the connection is suspended; what is sent to it
 * wakes it (push).  A queue that would grow beyond its maximum ends the
 * stream. */
#include "config.h"

#include "node/api/api_streams.h"

#include "base/alloc.h"
#include "base/check.h"
#include "node/api/api_connection.h"
#include "node/api/api_request.h"
#include "node/api/api_server.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define STREAMS_MAX  32 /* unless told otherwise */
#define HEARTBEAT_MS 15000
#define PIECE_BYTES  4096
#define SOCKET_BYTES (64 << 10) /* of the kernel, for each stream */

struct stream {
    struct stream *next;
    struct api_streams *all;
    struct MHD_Connection *connection;
    MHD_socket fd;
    struct buf queue;
    unsigned types; /* a bit for each wanted type */
    bool is_suspended;
    bool is_over; /* ends once its queue is sent */
};

struct api_streams {
    struct api_server *server;
    uint64_t max;
    struct stream *first;
    struct api_streams_stats stats;
    uint64_t beat_ms; /* when the last heartbeat was */
};

struct api_streams *api_streams_new(struct api_server *server, uint64_t max)
{
    struct api_streams *streams = pot_calloc(1, sizeof(*streams));
    streams->server = server;
    streams->max = max != 0 ? max : STREAMS_MAX;
    return streams;
}

void api_streams_free(struct api_streams *streams)
{
    POT_ASSERT(streams->first == NULL);
    free(streams);
}

/* ---- sending */

static void wake(struct stream *stream)
{
    if (stream->is_suspended) {
        stream->is_suspended = false;
        api_server_resume(stream->all->server, stream->connection);
    }
}

static void push(struct stream *stream, const void *data, size_t size)
{
    if (stream->is_over) {
        return;
    }
    buf_append(&stream->queue, data, size);
    if (stream->queue.is_overflown) {
        stream->is_over = true;
        stream->all->stats.dropped++;
        buf_fini(&stream->queue);
        (void)shutdown(stream->fd, SHUT_RDWR);
    }
    wake(stream);
}

void api_streams_send(struct api_streams *streams, unsigned types,
                      const struct buf *text)
{
    for (struct stream *s = streams->first; s != NULL; s = s->next) {
        if ((s->types & types) != 0) {
            push(s, text->data, text->size);
        }
    }
}

void api_streams_tick(struct api_streams *streams, uint64_t now_ms)
{
    if (now_ms - streams->beat_ms < HEARTBEAT_MS) {
        return;
    }
    streams->beat_ms = now_ms;
    for (struct stream *s = streams->first; s != NULL; s = s->next) {
        push(s, ":\n\n", 3);
    }
}

/* ---- streams */

static ssize_t give_bytes(void *context, uint64_t position, char *out,
                          size_t size)
{
    struct stream *stream = context;
    struct buf *queue = &stream->queue;
    (void)position;
    if (queue->size > 0) {
        size = size < queue->size ? size : queue->size;
        memcpy(out, queue->data, size);
        buf_consume(queue, size);
        return (ssize_t)size;
    }
    if (stream->is_over) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    stream->is_suspended = true;
    MHD_suspend_connection(stream->connection);
    return 0;
}

static struct stream *new_stream(struct api_streams *streams,
                                 struct MHD_Connection *connection,
                                 unsigned types)
{
    int bytes = SOCKET_BYTES;
    struct stream *stream = pot_calloc(1, sizeof(*stream));
    stream->all = streams;
    stream->connection = connection;
    stream->fd = api_connection_of(connection)->fd;
    stream->types = types;
    buf_init(&stream->queue, API_STREAM_BYTES_MAX);
    (void)setsockopt(stream->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    stream->next = streams->first;
    streams->first = stream;
    streams->stats.open++;
    push(stream, ": welcome\n\n", 11);
    return stream;
}

static void free_stream(void *context)
{
    struct stream *stream = context;
    struct api_streams *streams = stream->all;
    struct stream **at = &streams->first;
    while (*at != stream) {
        at = &(*at)->next;
    }
    *at = stream->next;
    streams->stats.open--;
    buf_fini(&stream->queue);
    free(stream);
}

void api_streams_open(struct api_streams *streams, struct api_request *request,
                      unsigned types)
{
    if (streams->stats.open >= streams->max) {
        api_reply_error(request, 503, "too_many",
                        "at most %" PRIu64 " event streams", streams->max);
        return;
    }
    struct stream *stream = new_stream(streams, request->connection, types);
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, PIECE_BYTES, give_bytes, stream, free_stream);
    POT_ASSERT(response != NULL);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                  "text/event-stream");
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
                                  "no-store");
    request->is_stream = true;
    api_reply_response(request, 200, response);
}

void api_streams_end(struct api_streams *streams)
{
    for (struct stream *s = streams->first; s != NULL; s = s->next) {
        s->is_over = true;
        wake(s);
    }
}

void api_streams_stats(const struct api_streams *streams,
                       struct api_streams_stats *out)
{
    *out = streams->stats;
}
