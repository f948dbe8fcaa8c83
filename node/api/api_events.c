/* A stream is a response whose bytes come from a callback (give_bytes).
 * While its queue is empty the connection is suspended; an event wakes it
 * (push).  A queue that would grow beyond its maximum ends the stream. */
#include "config.h"

#include "node/api/api_events.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/check.h"
#include "ledger/ledger.h"
#include "node/api/api_json.h"
#include "node/api/api_record.h"
#include "node/api/api_route.h"
#include "node/api/api_server.h"
#include "node/block/chain.h"
#include "node/node.h"
#include "p2p/peer.h"
#include "proto/codec.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define HEARTBEAT_MS 15000
#define TIMES_MAX    256 /* block times kept */
#define PIECE_BYTES  4096
#define SOCKET_BYTES (64 << 10) /* of the kernel, for each stream */

enum event_type { EVENT_BLOCK, EVENT_ROUND, EVENT_TASK, EVENT_PEER };

static const char *const event_names[] = {"block", "round", "task", "peer"};

#define EVENT_TYPES (sizeof(event_names) / sizeof(*event_names))

struct stream {
    struct stream *next;
    struct stream *previous;
    struct api_events *events;
    struct MHD_Connection *connection;
    MHD_socket fd;
    struct buf queue;
    unsigned types; /* a bit for each wanted type */
    bool is_suspended;
    bool is_over; /* ends once its queue is sent */
};

struct block_time {
    uint64_t height;
    uint64_t time_ms;
};

struct api_events {
    struct api *api;
    struct stream *streams;
    size_t count;
    uint64_t dropped;
    uint64_t beat_ms; /* when the last heartbeat was */
    struct block_time times[TIMES_MAX];
    Pot__HashList *running; /* at the last block; NULL: not watched */
};

struct api_events *api_events_new(struct api *api)
{
    struct api_events *events = pot_calloc(1, sizeof(*events));
    events->api = api;
    return events;
}

void api_events_free(struct api_events *events)
{
    POT_ASSERT(events->streams == NULL);
    codec_free(events->running);
    free(events);
}

size_t api_events_count(const struct api_events *events)
{
    return events->count;
}

uint64_t api_events_dropped(const struct api_events *events)
{
    return events->dropped;
}

/* ---- streams */

static void wake(struct stream *stream)
{
    if (stream->is_suspended) {
        stream->is_suspended = false;
        MHD_resume_connection(stream->connection);
        api_kick(stream->events->api);
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
        stream->events->dropped++;
        buf_fini(&stream->queue);
        (void)shutdown(stream->fd, SHUT_RDWR);
    }
    wake(stream);
}

static void broadcast(struct api_events *events, unsigned types,
                      const struct buf *text)
{
    for (struct stream *s = events->streams; s != NULL; s = s->next) {
        if ((s->types & types) != 0) {
            push(s, text->data, text->size);
        }
    }
}

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

static void free_stream(void *context)
{
    struct stream *stream = context;
    struct api_events *events = stream->events;
    if (stream->previous != NULL) {
        stream->previous->next = stream->next;
    } else {
        events->streams = stream->next;
    }
    if (stream->next != NULL) {
        stream->next->previous = stream->previous;
    }
    events->count--;
    buf_fini(&stream->queue);
    free(stream);
}

static Pot__HashList *read_running(const struct api_events *events)
{
    struct execution_tip_context context = {events->api->node->store};
    const struct state state = execution_tip_state(&context);
    return ledger_running(&state);
}

static struct stream *new_stream(struct api_request *request, unsigned types)
{
    int bytes = SOCKET_BYTES;
    struct api_events *events = request->api->events;
    struct stream *stream = pot_calloc(1, sizeof(*stream));
    stream->events = events;
    stream->connection = request->connection;
    stream->fd = api_connection_of(request->connection)->fd;
    stream->types = types;
    buf_init(&stream->queue, API_EVENT_QUEUE_BYTES);
    (void)setsockopt(stream->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    stream->next = events->streams;
    if (stream->next != NULL) {
        stream->next->previous = stream;
    }
    if (events->streams == NULL) {
        codec_free(events->running);
        events->running = read_running(events);
    }
    events->streams = stream;
    events->count++;
    push(stream, ": welcome\n\n", 11);
    return stream;
}

/* "block,task" as bits; 0: a name that is none. */
static unsigned parse_types(const char *text)
{
    unsigned types = 0;
    while (*text != '\0') {
        size_t size = strcspn(text, ",");
        unsigned found = 0;
        for (unsigned i = 0; i < EVENT_TYPES; i++) {
            if (size == strlen(event_names[i]) &&
                strncmp(text, event_names[i], size) == 0) {
                found = 1U << i;
            }
        }
        if (found == 0) {
            return 0;
        }
        types |= found;
        text += size;
        text += *text == ',' ? 1 : 0;
    }
    return types;
}

void api_get_events(struct api_request *request)
{
    char text[API_VALUE_SIZE];
    struct api_events *events = request->api->events;
    bool is_filtered = api_query_text(request->url.query, "type", text);
    unsigned types = is_filtered ? parse_types(text) : (1U << EVENT_TYPES) - 1;
    if (types == 0) {
        api_reply_error(request, 400, "malformed",
                        "type: block, round, task, peer, with commas between");
        return;
    }
    if (events->count >= API_EVENT_STREAMS_MAX) {
        api_reply_error(request, 503, "too_many", "at most %d event streams",
                        API_EVENT_STREAMS_MAX);
        return;
    }
    struct stream *stream = new_stream(request, types);
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, PIECE_BYTES, give_bytes, stream, free_stream);
    POT_ASSERT(response != NULL);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                  "text/event-stream");
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
                                  "no-store");
    api_reply_response(request, 200, response);
}

void api_events_tick(struct api_events *events, uint64_t now_ms)
{
    if (now_ms - events->beat_ms < HEARTBEAT_MS) {
        return;
    }
    events->beat_ms = now_ms;
    for (struct stream *s = events->streams; s != NULL; s = s->next) {
        push(s, ":\n\n", 3);
    }
}

void api_events_end(struct api_events *events)
{
    for (struct stream *s = events->streams; s != NULL; s = s->next) {
        s->is_over = true;
        wake(s);
    }
}

/* ---- events */

static void tell(struct api_events *events, enum event_type type,
                 uint64_t height, json_t *data)
{
    struct buf text;
    buf_init(&text, API_EVENT_QUEUE_BYTES);
    buf_printf(&text, "event: %s\nid: %llu\ndata: ", event_names[type],
               (unsigned long long)height);
    api_json_write(&text, data);
    buf_append(&text, "\n\n", 2);
    if (!text.is_overflown) {
        broadcast(events, 1U << type, &text);
    }
    buf_fini(&text);
}

static uint64_t time_of(const struct api_events *events, uint64_t height)
{
    uint64_t time_ms;
    const struct block_time *kept = &events->times[height % TIMES_MAX];
    if (kept->height == height && height > 0) {
        return kept->time_ms;
    }
    return api_read_block_time(&time_ms, events->api->node->store, height) ==
                   POT_OK
               ? time_ms
               : 0;
}

/* The block that opened a round: the one that closed the round before. */
static uint64_t opening_height(const struct api_events *events,
                               const struct hash *task, uint32_t round)
{
    size_t count = 0;
    struct store_round before;
    struct store *store = events->api->node->store;
    struct execution_tip_context context = {store};
    const struct state state = execution_tip_state(&context);
    if (round > 0) {
        bool is_found = store_rounds(store, task, round - 1, &before, 1,
                                     &count) == POT_OK &&
                        count == 1;
        return is_found ? before.height : 0;
    }
    Pot__TaskRecord *record = ledger_task(&state, task);
    uint64_t height = record != NULL ? record->started_height : 0;
    codec_free(record);
    return height;
}

static bool has_classes(const struct api_events *events,
                        const struct hash *task)
{
    struct execution_tip_context context = {events->api->node->store};
    const struct state state = execution_tip_state(&context);
    Pot__TaskRecord *record = ledger_task(&state, task);
    bool has = record != NULL && api_record_has_classes(record->spec);
    codec_free(record);
    return has;
}

static void tell_round(struct api_events *events,
                       const Pot__BlockHeader *header,
                       const Pot__RoundUpdate *update)
{
    struct hash task;
    if (!codec_hash(&task, update->task)) {
        return;
    }
    uint64_t opened_ms =
        time_of(events, opening_height(events, &task, update->round));
    uint64_t ms = opened_ms > 0 && header->time_ms > opened_ms
                      ? header->time_ms - opened_ms
                      : 0;
    json_t *data = api_record_round(update, has_classes(events, &task),
                                    header->height, ms);
    api_json_set(data, "task", api_json_hash(&task));
    tell(events, EVENT_ROUND, header->height, data);
}

static void tell_block(struct api_events *events, const struct block *block)
{
    const Pot__BlockHeader *header = block->header;
    json_t *data = json_object();
    api_json_set(data, "height", api_json_count(header->height));
    api_json_set(data, "hash", api_json_hash(&block->hash));
    api_json_set(data, "time_ms", api_json_count(header->time_ms));
    api_json_set(data, "view", api_json_count(header->view));
    api_json_set(data, "proposer", api_json_address_field(header->proposer));
    api_json_set(data, "txs", api_json_count(block->body->n_txs));
    api_json_set(data, "round_updates",
                 api_json_count(block->body->n_round_updates));
    tell(events, EVENT_BLOCK, header->height, data);
}

static bool list_has(const Pot__HashList *list, ProtobufCBinaryData hash)
{
    for (size_t i = 0; i < list->n_hashes; i++) {
        if (codec_bytes_equal(hash, list->hashes[i].data,
                              list->hashes[i].len)) {
            return true;
        }
    }
    return false;
}

/* Tells of tasks that are in one list and not in the other. */
static void tell_changed(struct api_events *events, uint64_t height,
                         const Pot__HashList *from, const Pot__HashList *other)
{
    struct execution_tip_context context = {events->api->node->store};
    const struct state state = execution_tip_state(&context);
    for (size_t i = 0; i < from->n_hashes; i++) {
        struct hash hash;
        if (list_has(other, from->hashes[i]) ||
            !codec_hash(&hash, from->hashes[i])) {
            continue;
        }
        Pot__TaskRecord *task = ledger_task(&state, &hash);
        if (task != NULL) {
            tell(events, EVENT_TASK, height, api_record_task(task));
        }
        codec_free(task);
    }
}

static void tell_tasks(struct api_events *events, uint64_t height)
{
    Pot__HashList *now = read_running(events);
    tell_changed(events, height, now, events->running);
    tell_changed(events, height, events->running, now);
    codec_free(events->running);
    events->running = now;
}

void api_events_block(struct api_events *events,
                      const struct executed *executed)
{
    const struct block *block = executed->block;
    uint64_t height = block->header->height;
    events->times[height % TIMES_MAX] =
        (struct block_time){height, block->header->time_ms};
    if (events->streams == NULL) {
        return;
    }
    tell_block(events, block);
    for (size_t i = 0; i < block->body->n_round_updates; i++) {
        tell_round(events, block->header, block->body->round_updates[i]);
    }
    tell_tasks(events, height);
}

void api_events_peer(struct api_events *events, const struct peer *peer,
                     bool is_up)
{
    if (events->streams == NULL) {
        return;
    }
    json_t *data = json_object();
    api_json_set(data, "address", api_json_address(peer_key(peer)));
    api_json_set(data, "moniker", api_json_text(peer_moniker(peer)));
    api_json_set(data, "host", api_json_text(peer_address(peer)));
    api_json_set(data, "up", json_boolean(is_up));
    tell(events, EVENT_PEER, chain_tip(events->api->node->chain)->height, data);
}
