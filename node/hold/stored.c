#include "config.h"

#include "node/hold/stored.h"

#include "base/buf.h"
#include "base/limits.h"
#include "proto/codec.h"
#include "storage/store.h"
#include "storage/store_prune.h"

static bool tip_get(void *context, const void *key, size_t key_size,
                    struct buf *value)
{
    struct store *store = context;
    return store_state_get(store, key, key_size, value) == POT_OK;
}

struct state stored_state(struct store *store)
{
    return (struct state){.context = store, .get = tip_get};
}

static bool view_get(void *context, const void *key, size_t key_size,
                     struct buf *value)
{
    struct stored_view *view = context;
    enum pot_err err = store_state_get(view->store, key, key_size, value);
    if (err != POT_OK && err != POT_ENOENT && view->err == POT_OK) {
        view->err = err;
    }
    return err == POT_OK;
}

struct state stored_view_state(struct stored_view *view)
{
    return (struct state){.context = view, .get = view_get};
}

enum pot_err stored_block(struct block **out, struct store *store,
                          uint64_t height)
{
    struct buf data;
    *out = NULL;
    if (height == 0) {
        return POT_ENOENT;
    }
    buf_init(&data, BLOCK_BYTES_MAX);
    enum pot_err err = store_get_block(store, height, &data);
    if (err == POT_ENOENT && store_get_header(store, height, &data) == POT_OK) {
        err = POT_EPRUNED;
    }
    if (err == POT_OK && block_decode(out, data.data, data.size) != POT_OK) {
        err = POT_ECORRUPT;
    }
    buf_fini(&data);
    return err;
}

enum pot_err stored_header_bytes(struct buf *out, struct store *store,
                                 uint64_t height)
{
    struct block *block;
    enum pot_err err = stored_block(&block, store, height);
    if (err == POT_EPRUNED) {
        return store_get_header(store, height, out);
    }
    if (err == POT_OK) {
        ProtobufCBinaryData header = block->body->header;
        buf_clear(out);
        buf_append(out, header.data, header.len);
        err = out->is_overflown ? POT_ELIMIT : POT_OK;
        block_free(block);
    }
    return err;
}

enum pot_err stored_header(Pot__BlockHeader **out, struct hash *hash,
                           struct store *store, uint64_t height)
{
    struct buf data;
    *out = NULL;
    buf_init(&data, BLOCK_HEADER_BYTES_MAX);
    enum pot_err err = stored_header_bytes(&data, store, height);
    if (err == POT_OK &&
        block_header_decode(out, hash, data.data, data.size) != POT_OK) {
        err = POT_ECORRUPT;
    }
    buf_fini(&data);
    return err;
}

enum pot_err stored_block_mark(struct stored_mark *out, struct store *store,
                               uint64_t height)
{
    Pot__BlockHeader *header;
    enum pot_err err = stored_header(&header, &out->hash, store, height);
    if (err == POT_OK) {
        out->time_ms = header->time_ms;
        codec_free(header);
    }
    return err;
}

enum pot_err stored_certificate(Pot__CommitCertificate **out,
                                struct store *store, uint64_t height)
{
    struct buf data;
    *out = NULL;
    if (height == 0) {
        return POT_ENOENT;
    }
    buf_init(&data, BLOCK_BYTES_MAX);
    enum pot_err err = store_get_certificate(store, height, &data);
    if (err == POT_OK && CODEC_DECODE(out, pot__commit_certificate, data.data,
                                      data.size) != POT_OK) {
        err = POT_ECORRUPT;
    }
    buf_fini(&data);
    return err;
}

enum pot_err stored_round_opening(uint64_t *height, struct store *store,
                                  const struct hash *task,
                                  const Pot__TaskRecord *record, uint32_t round)
{
    size_t count = 0;
    struct store_round before;
    *height = record->started_height;
    if (round == 0) {
        return POT_OK;
    }
    enum pot_err err = store_rounds(store, task, round - 1, &before, 1, &count);
    if (err == POT_OK) {
        bool is_there = count > 0 && before.round == round - 1;
        *height = is_there ? before.height : 0;
    }
    return err;
}
