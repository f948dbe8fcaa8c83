/* Messages wait as parcels in the peer's queue and are sealed only when libuv
 * has done with the batch before, so that a consensus message overtakes all
 * that is not yet sealed. */
#include "config.h"

#include "p2p/net_internal.h"

#include "base/check.h"

static void on_written(uv_write_t *request, int status)
{
    struct peer *peer = request->data;
    peer->is_writing = false;
    if (peer->state == PEER_CLOSING) {
        return;
    }
    if (status != 0) {
        peer_close(peer, REASON_IO);
        return;
    }
    if (peer->batch.capacity > 2 * NET_BATCH_BYTES) {
        buf_fini(&peer->batch); /* a large frame has gone */
    }
    peer_send(peer);
}

static void seal_some(struct peer *peer)
{
    while (peer->outgoing.size < NET_BATCH_BYTES) {
        struct parcel *parcel = queue_pop(&peer->queue);
        if (parcel == NULL) {
            return;
        }
        struct net_type_stats *stats = &peer->net->stats.types[parcel->type];
        frame_seal(&peer->sending, &peer->outgoing, parcel->type, parcel->data,
                   parcel->size);
        stats->out_count++;
        stats->out_bytes += parcel->size + FRAME_OVERHEAD;
        peer->net->queued_bytes -= queue_cost(parcel->size);
        parcel_unref(parcel);
    }
}

void peer_send(struct peer *peer)
{
    POT_ASSERT(peer->state != PEER_CLOSING);
    if (peer->is_writing) {
        return;
    }
    if (peer->state == PEER_UP) {
        seal_some(peer);
    }
    if (peer->outgoing.size == 0) {
        return;
    }
    struct buf done = peer->batch;
    peer->batch = peer->outgoing;
    peer->outgoing = done;
    buf_clear(&peer->outgoing);
    uv_buf_t out =
        uv_buf_init((char *)peer->batch.data, (unsigned)peer->batch.size);
    peer->bytes_out += peer->batch.size;
    peer->is_writing = true;
    peer->write_left = peer->batch.size;
    peer->write_moved_ms = net_now_ms(peer->net);
    int rc =
        uv_write(&peer->write, (uv_stream_t *)&peer->tcp, &out, 1, on_written);
    if (rc != 0) {
        peer->is_writing = false;
        peer->doom = REASON_IO; /* our caller may be walking the peers */
    }
}

static bool is_over_total(const struct peer *peer, const struct parcel *parcel)
{
    const struct net *net = peer->net;
    return message_rule(parcel->type)->priority != P2P_CONSENSUS &&
           net->queued_bytes + queue_cost(parcel->size) >
               net->config.queue_bytes_total;
}

bool peer_push(struct peer *peer, struct parcel *parcel)
{
    struct net_type_stats *stats = &peer->net->stats.types[parcel->type];
    if (peer->state != PEER_UP || peer->doom != REASON_NONE) {
        return false;
    }
    if (is_over_total(peer, parcel) || !queue_push(&peer->queue, parcel)) {
        stats->dropped++;
        if (message_rule(parcel->type)->priority == P2P_CONSENSUS) {
            peer->doom = REASON_QUEUE_FULL;
        }
        return false;
    }
    peer->net->queued_bytes += queue_cost(parcel->size);
    peer_send(peer);
    return true;
}
