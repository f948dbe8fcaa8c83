#include "config.h"

#include "node/hold/state_blobs.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "ledger/ledger.h"
#include "storage/store.h"
#include "storage/store_snapshot.h"

#include <stdlib.h>

void state_blobs_add(struct state_blobs *out, const struct buf *chunk)
{
    struct state_record record;
    struct hash hash;
    size_t offset = 0;
    while (state_chunk_next(&record, chunk->data, chunk->size, &offset)) {
        if (ledger_is_blob_key(&hash, record.key, record.key_size)) {
            out->list =
                pot_realloc(out->list, out->count + 1, sizeof(*out->list));
            out->list[out->count++] = hash;
        }
    }
}

enum pot_err state_blobs_of_chunks(
    struct state_blobs *out, struct store *store,
    const struct hash digests[static STATE_CHUNKS])
{
    struct buf chunk;
    const struct hash *digest;
    unsigned at = 0;
    enum pot_err err = POT_OK;
    buf_init(&chunk, STATE_CHUNK_MAX);
    while (err == POT_OK && (digest = state_index_next(digests, &at)) != NULL) {
        err = store_blob_get(store, digest, &chunk);
        if (err == POT_OK) {
            state_blobs_add(out, &chunk);
        }
    }
    buf_fini(&chunk);
    return err;
}

enum pot_err state_blobs_of_tip(struct state_blobs *out, struct store *store)
{
    struct buf chunk;
    enum pot_err err = POT_OK;
    buf_init(&chunk, STATE_CHUNK_MAX);
    for (unsigned i = 0; err == POT_OK && i < STATE_CHUNKS; i++) {
        err = store_state_chunk(store, i, &chunk);
        if (err == POT_OK) {
            state_blobs_add(out, &chunk);
        }
    }
    buf_fini(&chunk);
    return err;
}

void state_blobs_fini(struct state_blobs *blobs)
{
    free(blobs->list);
    *blobs = (struct state_blobs){.count = 0};
}
