#include "config.h"

#include "node/hold/stored.h"

#include "base/buf.h"
#include "base/limits.h"
#include "proto/codec.h"
#include "storage/store.h"

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
    if (err == POT_OK && block_decode(out, data.data, data.size) != POT_OK) {
        err = POT_ECORRUPT;
    }
    buf_fini(&data);
    return err;
}

enum pot_err stored_block_hash(struct hash *out, struct store *store,
                               uint64_t height)
{
    struct block *block;
    enum pot_err err = stored_block(&block, store, height);
    if (err == POT_OK) {
        *out = block->hash;
        block_free(block);
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
