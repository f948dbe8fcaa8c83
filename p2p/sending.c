#include "config.h"

#include "p2p/sending.h"

#include "base/check.h"
#include "base/cpu_time.h"
#include "p2p/handshake.h"

#define BATCH_BYTES (64 << 10) /* sealed at once; one frame may exceed */
/* A batch: what may stand before the last frame, and that frame. */
#define OUTGOING_MAX                                                           \
    (BATCH_BYTES + FRAME_BYTES_MAX + FRAME_OVERHEAD + HANDSHAKE_OUTPUT_MAX)

void sending_init(struct sending *sending, const struct sending_config *config,
                  uv_stream_t *stream)
{
    *sending = (struct sending){.config = config, .stream = stream};
    queue_init(&sending->queue, config->queue_bytes_max);
    buf_init(&sending->outgoing, OUTGOING_MAX);
    buf_init(&sending->batch, OUTGOING_MAX);
    sending->write.data = sending;
}

void sending_stop(struct sending *sending)
{
    sending->is_open = false;
    sending->stream = NULL;
    sending->config->stats->queued_bytes -= queue_bytes(&sending->queue);
    queue_fini(&sending->queue);
    buf_fini(&sending->outgoing);
}

void sending_fini(struct sending *sending)
{
    POT_ASSERT(sending->stream == NULL);
    buf_fini(&sending->batch);
    frame_cipher_fini(&sending->cipher);
}

static void seal_some(struct sending *s)
{
    struct net_stats *stats = s->config->stats;
    while (s->outgoing.size < BATCH_BYTES) {
        struct parcel *parcel = queue_pop(&s->queue);
        if (parcel == NULL) {
            return;
        }
        frame_seal(&s->cipher, &s->outgoing, parcel->type, parcel->data,
                   parcel->size);
        stats->types[parcel->type].out_count++;
        stats->types[parcel->type].out_bytes += parcel->size + FRAME_OVERHEAD;
        stats->queued_bytes -= queue_cost(parcel->size);
        parcel_unref(parcel);
    }
}

static void batch_done(struct sending *s)
{
    s->is_writing = false;
    if (s->batch.capacity > 2 * BATCH_BYTES) {
        buf_fini(&s->batch); /* a large frame has gone */
    }
}

static void on_written(uv_write_t *request, int status)
{
    struct sending *s = request->data;
    s->is_writing = false;
    if (s->stream == NULL) {
        return;
    }
    if (status != 0) {
        s->failure = REASON_IO;
        return;
    }
    batch_done(s);
    sending_flush(s);
}

/* libuv tells of a write that it did in the loop's next turn.  The first of a
 * millisecond, often the only one, is done without; what comes until that
 * turn goes together.  Returns how much is done. */
static size_t write_at_once(struct sending *s, const uv_buf_t *out)
{
    uint64_t now_ms = uv_now(s->stream->loop);
    bool is_first = s->at_once_ms != now_ms;
    s->at_once_ms = now_ms;
    int count = is_first ? uv_try_write(s->stream, out, 1) : 0;
    return count > 0 ? (size_t)count : 0; /* uv_write will say why */
}

/* What is sealed becomes the batch in libuv's hands. */
static void write_batch(struct sending *s)
{
    struct buf done = s->batch;
    s->batch = s->outgoing;
    s->outgoing = done;
    buf_clear(&s->outgoing);
    uv_buf_t out = uv_buf_init((char *)s->batch.data, (unsigned)s->batch.size);
    s->bytes_out += s->batch.size;
    size_t count = write_at_once(s, &out);
    if (count == s->batch.size) {
        batch_done(s);
        return;
    }
    out = uv_buf_init(out.base + count, (unsigned)(s->batch.size - count));
    s->is_writing = true;
    s->write_left = out.len;
    s->write_moved_ms = uv_now(s->stream->loop);
    if (uv_write(&s->write, s->stream, &out, 1, on_written) != 0) {
        s->is_writing = false;
        s->failure = REASON_IO;
    }
}

static void flush_some(struct sending *s)
{
    if (s->is_open) {
        seal_some(s);
    }
    if (s->outgoing.size > 0) {
        write_batch(s);
    }
}

static bool has_some(const struct sending *s)
{
    return s->outgoing.size > 0 || queue_bytes(&s->queue) > 0;
}

void sending_flush(struct sending *sending)
{
    POT_ASSERT(sending->stream != NULL);
    if (sending->is_writing || !has_some(sending)) {
        return;
    }
    enum cpu_part before = cpu_time_enter(CPU_NETWORK);
    flush_some(sending);
    if (!sending->is_writing && has_some(sending)) {
        flush_some(sending);
    }
    (void)cpu_time_enter(before);
}

bool sending_push(struct sending *sending, struct parcel *parcel)
{
    const struct sending_config *config = sending->config;
    struct net_stats *stats = config->stats;
    size_t cost = queue_cost(parcel->size);
    bool is_consensus =
        message_rule(parcel->type)->priority == PRIORITY_CONSENSUS;
    if (!sending->is_open || sending->failure != REASON_NONE) {
        return false;
    }
    if ((!is_consensus &&
         stats->queued_bytes + cost > config->queue_bytes_total) ||
        !queue_push(&sending->queue, parcel)) {
        stats->types[parcel->type].dropped++;
        if (is_consensus) {
            sending->failure = REASON_QUEUE_FULL;
        }
        return false;
    }
    stats->queued_bytes += cost;
    sending_flush(sending);
    return true;
}

/* Who hangs up itself, or cannot be who it seems, is told nothing. */
static bool is_told(enum reason reason)
{
    return reason != REASON_CLOSED && reason != REASON_IO &&
           reason != REASON_FORGED;
}

void sending_last(struct sending *sending, enum reason reason)
{
    uint8_t body = (uint8_t)reason;
    /* A batch that is with the kernel is in nobody's way, told of or not. */
    if (uv_stream_get_write_queue_size(sending->stream) > 0) {
        return;
    }
    if (sending->is_open && is_told(reason)) {
        frame_seal(&sending->cipher, &sending->outgoing, MESSAGE_BYE, &body,
                   sizeof(body));
    }
    if (sending->outgoing.size > 0) {
        uv_buf_t out = uv_buf_init((char *)sending->outgoing.data,
                                   (unsigned)sending->outgoing.size);
        (void)uv_try_write(sending->stream, &out, 1);
    }
}

bool sending_is_stalled(struct sending *sending, uint64_t now_ms,
                        uint32_t limit_ms)
{
    if (!sending->is_writing) {
        return false;
    }
    size_t left = uv_stream_get_write_queue_size(sending->stream);
    if (left != sending->write_left) {
        sending->write_left = left;
        sending->write_moved_ms = now_ms;
    }
    return now_ms - sending->write_moved_ms > limit_ms;
}
