#include "config.h"

#include "p2p/sync_serve.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "proto/codec.h"
#include "proto/wire.pb-c.h"

#include <stdlib.h>

/* A peer whose queue holds as much is served no more blocks for now. */
#define SERVE_QUEUE_MAX ((size_t)4 << 20)
#define BLOCKS_OVERHEAD 1024 /* what wraps blocks in a Blocks message */
#define BLOCK_OVERHEAD  32   /* and what each of them adds */

struct answer {
    Pot__SyncBlock blocks[SYNC_BLOCKS_MAX];
    Pot__SyncBlock *list[SYNC_BLOCKS_MAX];
    struct buf bytes[2 * SYNC_BLOCKS_MAX]; /* block, certificate, block... */
    size_t count;
};

static void answer_free(struct answer *a)
{
    for (size_t i = 0; i < sizeof(a->bytes) / sizeof(*a->bytes); i++) {
        buf_fini(&a->bytes[i]);
    }
    free(a);
}

static void answer_add(struct answer *a, const struct buf *block,
                       const struct buf *certificate)
{
    Pot__SyncBlock *out = &a->blocks[a->count];
    pot__sync_block__init(out);
    out->block = codec_bytes(block->data, block->size);
    out->certificate = codec_bytes(certificate->data, certificate->size);
    a->list[a->count++] = out;
}

/* As many blocks as are held and fit into one frame. */
static void answer_fill(struct answer *a, const Pot__GetBlocks *request,
                        sync_read_fn *read, void *context)
{
    size_t total = BLOCKS_OVERHEAD;
    while (a->count < SYNC_BLOCKS_MAX && a->count < request->count &&
           request->from <= UINT64_MAX - a->count) {
        struct buf *block = &a->bytes[2 * a->count];
        struct buf *certificate = block + 1;
        buf_init(block, FRAME_BYTES_MAX);
        buf_init(certificate, FRAME_BYTES_MAX);
        bool is_held =
            read(context, request->from + a->count, block, certificate);
        total += block->size + certificate->size + BLOCK_OVERHEAD;
        if (!is_held || total > FRAME_BYTES_MAX) {
            return;
        }
        answer_add(a, block, certificate);
    }
}

static void answer_send(struct answer *a, struct net *net, struct peer *peer,
                        uint8_t type, uint64_t from)
{
    Pot__Blocks message = POT__BLOCKS__INIT;
    struct buf out;
    message.from = from;
    message.n_blocks = a->count;
    message.blocks = a->list;
    buf_init(&out, FRAME_BYTES_MAX);
    codec_append(&out, &message);
    POT_ASSERT(!out.is_overflown);
    (void)net_send(net, peer, type, out.data, out.size);
    buf_fini(&out);
}

void sync_serve(struct net *net, struct peer *peer, uint8_t answer,
                const uint8_t *data, size_t size, sync_read_fn *read,
                void *context)
{
    Pot__GetBlocks *request;
    if (CODEC_DECODE(&request, pot__get_blocks, data, size) != POT_OK) {
        net_ban(net, peer, "malformed GetBlocks");
        return;
    }
    if (peer_queue_bytes(peer, PRIORITY_BULK) < SERVE_QUEUE_MAX) {
        struct answer *a = pot_calloc(1, sizeof(*a));
        if (read != NULL) {
            answer_fill(a, request, read, context);
        }
        answer_send(a, net, peer, answer, request->from);
        answer_free(a);
    }
    codec_free(request);
}
