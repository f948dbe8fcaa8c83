/* A connection is two ends.  What is sent to an end lies on its wire until it
 * is due, then in its input until the node reads it.
 *
 *   uv_write -> wire -> [due, and the link is not blocked] -> input -> read
 *
 * A write is told to be done once no more than a window is under way. */
#include "config.h"

#include "tests/vsim/vsim_tcp.h"

#include "base/alloc.h"
#include "base/check.h"
#include "tests/vsim/vsim_loop.h"
#include "tests/vsim/vsim_network.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW       ((size_t)256 << 10)
#define READ_SIZE    65536
#define SPLIT_CHANCE 30 /* permille of the reads get less than there is */
#define PORT_FIRST   20000

enum piece_type { PIECE_DATA, PIECE_END, PIECE_RESET };

struct piece {
    struct piece *next;
    enum piece_type type;
    uint64_t due_us;
    size_t size;
    size_t taken;
    uint8_t data[];
};

struct pieces {
    struct piece *first;
    struct piece *last;
};

struct vsim_end {
    struct vsim_end *next; /* of all there are */
    struct vsim_end *other;
    struct vsim_end *behind; /* in a backlog */
    uint32_t node;
    uint16_t port;
    struct vsim_handle *handle; /* NULL: not accepted yet, or closed */
    bool is_closed;
    bool is_reset;
    struct pieces wire;
    struct pieces input;
    struct vsim_event *arrival;
    uint64_t last_due_us;
    size_t under_way;    /* bytes sent to it and not read yet */
    uv_write_t *waiting; /* this end's write, for the window */
};

static struct vsim_end *ends;
static uint16_t next_port;

static void pieces_add(struct pieces *pieces, struct piece *piece)
{
    piece->next = NULL;
    if (pieces->last != NULL) {
        pieces->last->next = piece;
    } else {
        pieces->first = piece;
    }
    pieces->last = piece;
}

static struct piece *pieces_take(struct pieces *pieces)
{
    struct piece *piece = pieces->first;
    pieces->first = piece->next;
    if (pieces->first == NULL) {
        pieces->last = NULL;
    }
    return piece;
}

static void pieces_drop(struct pieces *pieces)
{
    while (pieces->first != NULL) {
        free(pieces_take(pieces));
    }
}

static struct vsim_end *end_new(uint32_t node, uint16_t port)
{
    struct vsim_end *end = pot_calloc(1, sizeof(*end));
    end->node = node;
    end->port = port;
    end->next = ends;
    ends = end;
    return end;
}

void vsim_tcp_fini(void)
{
    while (ends != NULL) {
        struct vsim_end *end = ends;
        ends = end->next;
        pieces_drop(&end->wire);
        pieces_drop(&end->input);
        free(end);
    }
    next_port = 0;
}

/* ---- out */

static void on_written(struct vsim_event *event)
{
    uv_write_t *request = event->context;
    struct vsim_handle *handle = vsim_handle_of((uv_handle_t *)request->handle);
    handle->loop->requests--;
    request->cb(request, (int)(int64_t)event->number);
}

static void tell_written(uv_write_t *request, int status)
{
    const struct vsim_handle *handle =
        vsim_handle_of((uv_handle_t *)request->handle);
    vsim_schedule(handle->loop->node, 0, on_written, request)->number =
        (uint64_t)status;
}

/* What comes over the network does not wait for the node, nor the node for
 * it. */
static struct vsim_event *schedule_outside(uint32_t node, uint64_t delay_us,
                                           vsim_event_fn *run, void *context)
{
    struct vsim_event *event = vsim_schedule(node, delay_us, run, context);
    event->is_outside = true;
    return event;
}

static void on_arrival(struct vsim_event *event);

static void await_arrival(struct vsim_end *end)
{
    if (end->arrival == NULL && end->wire.first != NULL) {
        uint64_t due = end->wire.first->due_us;
        uint64_t left = due > vsim.now_us ? due - vsim.now_us : 0;
        end->arrival = schedule_outside(end->node, left, on_arrival, end);
    }
}

static void send_piece(struct vsim_end *to, enum piece_type type,
                       const void *data, size_t size)
{
    uint32_t from = to->other->node;
    struct piece *piece = pot_calloc(1, sizeof(*piece) + size);
    piece->type = type;
    piece->size = size;
    if (size > 0) {
        memcpy(piece->data, data, size);
    }
    uint64_t due = vsim.now_us + vsim_network_delay_us(from, to->node, size);
    to->last_due_us = due > to->last_due_us ? due : to->last_due_us;
    piece->due_us = to->last_due_us;
    to->under_way += size;
    pieces_add(&to->wire, piece);
    await_arrival(to);
}

/* The sender's write is done once the window has room again. */
static void advance(struct vsim_end *from)
{
    if (from->waiting != NULL && from->other->under_way <= WINDOW) {
        uv_write_t *request = from->waiting;
        from->waiting = NULL;
        tell_written(request, 0);
    }
}

static bool is_frozen(uint32_t node)
{
    return vsim.nodes[node].disk.is_frozen;
}

int uv_write(uv_write_t *request, uv_stream_t *stream, const uv_buf_t *bufs,
             unsigned count, uv_write_cb done)
{
    struct vsim_handle *handle = vsim_handle_of((uv_handle_t *)stream);
    struct vsim_end *end = handle->end;
    request->handle = stream;
    request->cb = done;
    request->type = UV_WRITE;
    handle->loop->requests++;
    if (end == NULL || end->is_reset) {
        tell_written(request, UV_EPIPE);
        return 0;
    }
    for (unsigned i = 0; i < count && !is_frozen(end->node); i++) {
        send_piece(end->other, PIECE_DATA, bufs[i].base, bufs[i].len);
    }
    POT_ASSERT(end->waiting == NULL); /* p2p/ writes one batch at a time */
    end->waiting = request;
    advance(end);
    return 0;
}

int uv_try_write(uv_stream_t *stream, const uv_buf_t *bufs, unsigned count)
{
    struct vsim_end *end = vsim_handle_of((uv_handle_t *)stream)->end;
    if (end == NULL || end->is_reset) {
        return UV_EPIPE;
    }
    if (end->waiting != NULL || end->other->under_way > WINDOW) {
        return UV_EAGAIN;
    }
    POT_ASSERT(count == 1);
    if (!is_frozen(end->node)) {
        send_piece(end->other, PIECE_DATA, bufs[0].base, bufs[0].len);
    }
    return (int)bufs[0].len;
}

size_t uv_stream_get_write_queue_size(const uv_stream_t *stream)
{
    const struct vsim_end *end =
        vsim_handle_of((const uv_handle_t *)stream)->end;
    return end != NULL && end->waiting != NULL && end->other->under_way > WINDOW
               ? end->other->under_way - WINDOW
               : 0;
}

/* ---- in */

static void tell_end(struct vsim_end *end, int status)
{
    struct vsim_handle *handle = end->handle;
    uv_buf_t none = {0};
    handle->is_reading = false;
    handle->read((uv_stream_t *)handle->uv, status, &none);
}

static void read_piece(struct vsim_end *end, struct piece *piece)
{
    uv_stream_t *stream = (uv_stream_t *)end->handle->uv;
    uv_buf_t buf = {0};
    end->handle->alloc((uv_handle_t *)stream, READ_SIZE, &buf);
    size_t left = piece->size - piece->taken;
    size_t size = left < buf.len ? left : buf.len;
    if (size > 1 && vsim_chance(SPLIT_CHANCE)) {
        size = 1 + vsim_below(size - 1);
    }
    memcpy(buf.base, piece->data + piece->taken, size);
    piece->taken += size;
    end->under_way -= size;
    if (piece->taken == piece->size) {
        free(pieces_take(&end->input));
    }
    advance(end->other);
    end->handle->read(stream, (ssize_t)size, &buf);
}

/* Gives the node what has come, as long as it reads. */
static void deliver(struct vsim_end *end)
{
    while (end->handle != NULL && end->handle->is_reading &&
           end->input.first != NULL) {
        struct piece *piece = end->input.first;
        if (piece->type == PIECE_DATA) {
            read_piece(end, piece);
        } else {
            int status = piece->type == PIECE_END ? UV_EOF : UV_ECONNRESET;
            free(pieces_take(&end->input));
            tell_end(end, status);
        }
    }
}

static void reset(struct vsim_end *end)
{
    end->is_reset = true;
    pieces_drop(&end->input);
    if (end->waiting != NULL) {
        tell_written(end->waiting, UV_ECONNRESET);
        end->waiting = NULL;
    }
}

static void arrive(struct vsim_end *end, struct piece *piece)
{
    if (end->is_closed) { /* nobody is there any more: say so */
        bool is_asked = piece->type == PIECE_DATA && !end->other->is_reset &&
                        !end->other->is_closed &&
                        !vsim.nodes[end->node].is_dark;
        free(piece);
        if (is_asked) {
            send_piece(end->other, PIECE_RESET, NULL, 0);
        }
        return;
    }
    if (piece->type == PIECE_RESET) {
        reset(end);
    }
    pieces_add(&end->input, piece);
}

static void on_arrival(struct vsim_event *event)
{
    struct vsim_end *end = event->context;
    end->arrival = NULL;
    if (vsim.is_blocked[end->other->node][end->node]) {
        end->arrival = schedule_outside(end->node, vsim_network_resend_us(),
                                        on_arrival, end);
        return;
    }
    while (end->wire.first != NULL && end->wire.first->due_us <= vsim.now_us) {
        arrive(end, pieces_take(&end->wire));
    }
    await_arrival(end);
    deliver(end);
}

static void on_readable(struct vsim_event *event)
{
    deliver(event->context);
}

int uv_read_start(uv_stream_t *stream, uv_alloc_cb alloc, uv_read_cb read)
{
    struct vsim_handle *handle = vsim_handle_of((uv_handle_t *)stream);
    if (handle->end == NULL || handle->is_closing) {
        return UV_ENOTCONN;
    }
    handle->alloc = alloc;
    handle->read = read;
    handle->is_reading = true;
    handle->is_active = true;
    if (handle->end->input.first != NULL) {
        (void)vsim_schedule(handle->loop->node, 0, on_readable, handle->end);
    }
    return 0;
}

int uv_read_stop(uv_stream_t *stream)
{
    vsim_handle_of((uv_handle_t *)stream)->is_reading = false;
    return 0;
}

/* ---- the end */

static void end_close(struct vsim_end *end, bool is_told)
{
    if (end->is_closed) {
        return;
    }
    end->is_closed = true;
    end->handle = NULL;
    pieces_drop(&end->input);
    if (is_told && !end->is_reset) {
        send_piece(end->other, PIECE_END, NULL, 0);
    }
}

static void on_connected(struct vsim_event *event)
{
    uv_connect_t *request = event->context;
    vsim_handle_of((uv_handle_t *)request->handle)->loop->requests--;
    request->cb(request, (int)(int64_t)event->number);
}

static void tell_connected(struct vsim_handle *handle, int status)
{
    uv_connect_t *request = handle->connect;
    handle->connect = NULL;
    vsim_schedule(handle->loop->node, 0, on_connected, request)->number =
        (uint64_t)status;
}

static void on_close(struct vsim_handle *handle)
{
    struct vsim_end *end = handle->end;
    if (vsim.nodes[handle->loop->node].listener == handle) {
        vsim.nodes[handle->loop->node].listener = NULL;
    }
    if (handle->connect != NULL) {
        tell_connected(handle, UV_ECANCELED);
    }
    while (handle->backlog != NULL) {
        struct vsim_end *waits = handle->backlog;
        handle->backlog = waits->behind;
        end_close(waits, !is_frozen(waits->node));
    }
    if (end != NULL) {
        if (end->waiting != NULL) {
            tell_written(end->waiting, UV_ECANCELED);
            end->waiting = NULL;
        }
        handle->end = NULL;
        end_close(end, !is_frozen(end->node));
    }
}

void vsim_tcp_die(uint32_t node, bool is_silent)
{
    for (struct vsim_end *e = ends; e != NULL; e = e->next) {
        if (e->node == node && !e->is_closed && !e->is_reset && !is_silent &&
            !e->other->is_closed) {
            send_piece(e->other, PIECE_RESET, NULL, 0);
        }
    }
}

unsigned vsim_tcp_cut(uint32_t a, uint32_t b)
{
    unsigned count = 0;
    for (struct vsim_end *e = ends; e != NULL; e = e->next) {
        if (e->node == a && e->other->node == b && !e->is_closed &&
            !e->other->is_closed) {
            pieces_drop(&e->wire);
            pieces_drop(&e->other->wire);
            send_piece(e, PIECE_RESET, NULL, 0);
            send_piece(e->other, PIECE_RESET, NULL, 0);
            count++;
        }
    }
    return count;
}

/* ---- the beginning */

int uv_tcp_init(uv_loop_t *loop, uv_tcp_t *tcp)
{
    struct vsim_handle *handle =
        vsim_handle_new(loop, (uv_handle_t *)tcp, UV_TCP);
    handle->on_close = on_close;
    return 0;
}

int uv_tcp_nodelay(uv_tcp_t *tcp, int is_on)
{
    (void)tcp;
    (void)is_on;
    return 0;
}

int uv_tcp_bind(uv_tcp_t *tcp, const struct sockaddr *address, unsigned flags)
{
    struct vsim_handle *handle = vsim_handle_of((uv_handle_t *)tcp);
    const void *any = address;
    const struct sockaddr_in *in = any;
    (void)flags;
    if (vsim_network_node(address) != handle->loop->node) {
        return UV_EADDRNOTAVAIL;
    }
    handle->port = ntohs(in->sin_port);
    return 0;
}

int uv_listen(uv_stream_t *stream, int backlog, uv_connection_cb arrived)
{
    struct vsim_handle *handle = vsim_handle_of((uv_handle_t *)stream);
    (void)backlog;
    stream->connection_cb = arrived;
    handle->is_active = true;
    vsim.nodes[handle->loop->node].listener = handle;
    return 0;
}

static void give_address(struct sockaddr *out, int *size, uint32_t node,
                         uint16_t port)
{
    struct sockaddr_in in;
    vsim_network_address(&in, node, port);
    POT_ASSERT((size_t)*size >= sizeof(in));
    memcpy(out, &in, sizeof(in));
    *size = (int)sizeof(in);
}

int uv_tcp_getsockname(const uv_tcp_t *tcp, struct sockaddr *out, int *size)
{
    const struct vsim_handle *handle = vsim_handle_of((const uv_handle_t *)tcp);
    give_address(out, size, handle->loop->node, handle->port);
    return 0;
}

int uv_tcp_getpeername(const uv_tcp_t *tcp, struct sockaddr *out, int *size)
{
    const struct vsim_handle *handle = vsim_handle_of((const uv_handle_t *)tcp);
    if (handle->end == NULL || handle->end->is_reset) {
        return UV_ENOTCONN;
    }
    give_address(out, size, handle->end->other->node, handle->end->other->port);
    return 0;
}

/* A connection that is asked for; a, the one who asks, may close meanwhile. */
static void on_answer(struct vsim_event *event)
{
    struct vsim_end *a = event->context;
    if (a->handle != NULL && a->handle->connect != NULL) {
        if (event->number != 0) {
            a->is_closed = true;
            a->handle->end = NULL;
            tell_connected(a->handle, UV_ECONNREFUSED);
            a->handle = NULL;
        } else {
            tell_connected(a->handle, 0);
        }
    }
}

static void on_asked(struct vsim_event *event)
{
    struct vsim_end *a = event->context;
    struct vsim_end *b = a->other;
    struct vsim_node *node = &vsim.nodes[b->node];
    bool is_lost = vsim.is_blocked[a->node][b->node] ||
                   vsim.is_blocked[b->node][a->node] || node->is_dark;
    if (a->is_closed) {
        b->is_closed = true;
        return;
    }
    if (is_lost) {
        (void)schedule_outside(b->node, vsim_network_resend_us(), on_asked, a);
        return;
    }
    struct vsim_handle *listener = node->listener;
    struct vsim_event *answer = schedule_outside(
        a->node, vsim_network_delay_us(b->node, a->node, 0), on_answer, a);
    answer->number = listener == NULL;
    b->is_closed = listener == NULL;
    if (listener != NULL) {
        uv_stream_t *stream = (uv_stream_t *)listener->uv;
        b->behind = listener->backlog;
        listener->backlog = b;
        stream->connection_cb(stream, 0);
    }
}

int uv_accept(uv_stream_t *stream, uv_stream_t *client)
{
    struct vsim_handle *listener = vsim_handle_of((uv_handle_t *)stream);
    struct vsim_handle *handle = vsim_handle_of((uv_handle_t *)client);
    struct vsim_end *end = listener->backlog;
    if (end == NULL) {
        return UV_EAGAIN;
    }
    listener->backlog = end->behind;
    end->handle = handle;
    handle->end = end;
    handle->port = end->port;
    handle->is_active = true;
    return 0;
}

int uv_tcp_connect(uv_connect_t *request, uv_tcp_t *tcp,
                   const struct sockaddr *address, uv_connect_cb done)
{
    struct vsim_handle *handle = vsim_handle_of((uv_handle_t *)tcp);
    uint32_t to = vsim_network_node(address);
    if (to == VSIM_NOBODY) {
        return UV_ENETUNREACH;
    }
    uint16_t port = (uint16_t)(PORT_FIRST + next_port++ % 40000);
    struct vsim_end *a = end_new(handle->loop->node, port);
    struct vsim_end *b = end_new(to, VSIM_PORT);
    a->other = b;
    b->other = a;
    a->handle = handle;
    handle->end = a;
    handle->port = port;
    handle->connect = request;
    handle->loop->requests++;
    request->handle = (uv_stream_t *)tcp;
    request->cb = done;
    request->type = UV_CONNECT;
    (void)schedule_outside(to, vsim_network_delay_us(a->node, to, 0), on_asked,
                           a);
    return 0;
}
