#include "config.h"

#include "node/block/held_blobs.h"

#include "base/alloc.h"
#include "node/block/executed.h"
#include "node/block/shared_block.h"
#include "node/hold/blob_pool.h"
#include "node/hold/holdings.h"
#include "proto/codec.h"
#include "proto/round.h"
#include "storage/overlay.h"
#include "storage/store.h"

#include <stdlib.h>

void held_blobs_fini(struct held_blobs *held)
{
    free(held->hashes);
    *held = (struct held_blobs){0};
}

static void add(struct held_blobs *held, const struct hash *hash)
{
    held->hashes =
        pot_realloc(held->hashes, held->count + 1, sizeof(*held->hashes));
    held->hashes[held->count++] = *hash;
}

void held_blobs_move(struct held_blobs *to, struct held_blobs *from)
{
    for (size_t i = 0; i < from->count; i++) {
        add(to, &from->hashes[i]);
    }
    held_blobs_fini(from);
}

/* The blobs of a block's rounds, gathered for one write. */
struct holding {
    struct store_blob *blobs;
    struct buf *bytes; /* behind them */
    size_t count;
};

static size_t holding_max(const Pot__Block *body)
{
    size_t count = 0;
    for (size_t i = 0; i < body->n_round_updates; i++) {
        count += body->round_updates[i]->n_submissions + 1;
    }
    return count;
}

static void hold_blob(struct holding *h, const struct holdings *holdings,
                      struct overlay *overlay, const struct hash *hash,
                      size_t size)
{
    struct buf *data = &h->bytes[h->count];
    buf_init(data, size);
    if (blob_pool_get(holdings->pool, hash, data) ||
        overlay_blob_get(overlay, hash, data)) {
        h->blobs[h->count++] =
            (struct store_blob){*hash, data->data, data->size};
    } else {
        buf_fini(data);
    }
}

static void hold_round(struct holding *h, const struct holdings *holdings,
                       struct overlay *overlay, const Pot__RoundUpdate *update)
{
    struct hash aggregate;
    if (update->n_submissions > 0 &&
        codec_hash(&aggregate, update->aggregate_hash)) {
        hold_blob(h, holdings, overlay, &aggregate, update->aggregate_bytes);
    }
    for (size_t i = 0; i < update->n_submissions; i++) {
        struct round_submission s;
        if (round_submission_decode(&s, update->submissions[i]) == POT_OK) {
            hold_blob(h, holdings, overlay, &s.payload, s.body->payload_bytes);
            round_submission_fini(&s);
        }
    }
}

enum pot_err held_blobs_hold(struct held_blobs *held,
                             const struct holdings *holdings,
                             const struct executed *executed)
{
    const Pot__Block *body = executed->block->block->body;
    size_t most = holding_max(body);
    if (most == 0) {
        return POT_OK;
    }
    struct holding h = {
        .blobs = pot_calloc(most, sizeof(*h.blobs)),
        .bytes = pot_calloc(most, sizeof(*h.bytes)),
    };
    for (size_t i = 0; i < body->n_round_updates; i++) {
        hold_round(&h, holdings, executed->overlay, body->round_updates[i]);
    }
    enum pot_err err = store_blobs_hold(holdings->store, h.blobs, h.count);
    for (size_t i = 0; i < h.count; i++) {
        if (err == POT_OK) {
            add(held, &h.blobs[i].hash);
        }
        buf_fini(&h.bytes[i]);
    }
    free(h.bytes);
    free(h.blobs);
    return err;
}
