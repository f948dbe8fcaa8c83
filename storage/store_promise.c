#include "config.h"

#include "storage/store_promise.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/limits.h"
#include "storage/store_blob.h"
#include "storage/store_env.h"
#include "storage/store_promise_record.h"
#include "storage/store_table.h"

#include <stdlib.h>

#define VALUE_MAX ((size_t)ROSTER_MAX * HASH_SIZE)

/* ---- making one */

struct holding {
    const struct store_promise *promise;
    const struct store_blob *blobs;
    size_t count;
};

static enum pot_err put_record(struct store_write *write,
                               const struct holding *h)
{
    uint8_t key[PROMISE_KEY_SIZE];
    struct hash *hashes = pot_calloc(h->count, sizeof(*hashes));
    for (size_t i = 0; i < h->count; i++) {
        hashes[i] = h->blobs[i].hash;
    }
    promise_key(key, h->promise);
    enum pot_err err = store_table_put(write, TABLE_META, key, PROMISE_KEY_SIZE,
                                       hashes, h->count * sizeof(*hashes));
    free(hashes);
    return err;
}

static enum pot_err hold(struct store_write *write, void *context)
{
    const struct holding *h = context;
    enum pot_err err = put_record(write, h);
    return err == POT_OK ? store_blob_hold(write, h->blobs, h->count) : err;
}

enum pot_err store_promise_hold(struct store *store,
                                const struct store_promise *promise,
                                const struct store_blob *blobs, size_t count)
{
    struct holding holding = {promise, blobs, count};
    POT_ASSERT(count <= ROSTER_MAX);
    return store_write_run(store, hold, &holding);
}

/* ---- reading them */

struct listing {
    struct store_promise *list;
    size_t count;
};

static enum pot_err add_promise(void *context, const MDB_val *key,
                                const MDB_val *raw)
{
    struct listing *l = context;
    struct store_promise promise;
    (void)raw;
    if (promise_read_key(&promise, key)) {
        l->list = pot_realloc(l->list, l->count + 1, sizeof(*l->list));
        l->list[l->count++] = promise;
    }
    return POT_OK;
}

enum pot_err store_promises(struct store *store, struct store_promise **list,
                            size_t *count)
{
    struct store_read read;
    struct listing listing = {0};
    enum pot_err err = store_read_begin(&read, store);
    if (err == POT_OK) {
        err = store_table_each(&read, TABLE_META, add_promise, &listing);
        store_read_end(&read, err);
    }
    *list = listing.list;
    *count = listing.count;
    return err;
}

/* ---- ending them */

/* The blobs that it named, behind those in out. */
static enum pot_err take_record(struct store_write *write, struct buf *out,
                                const struct store_promise *promise)
{
    uint8_t key[PROMISE_KEY_SIZE];
    struct store_value value;
    promise_key(key, promise);
    enum pot_err err = store_table_get(&value, &write->read, TABLE_META, key,
                                       PROMISE_KEY_SIZE);
    if (err != POT_OK) {
        return err == POT_ENOENT ? POT_OK : err;
    }
    if (value.size % HASH_SIZE != 0) {
        return POT_ECORRUPT;
    }
    buf_append(out, value.data, value.size);
    return store_table_del(write, TABLE_META, key, PROMISE_KEY_SIZE);
}

struct ending {
    const struct store_promise *list;
    size_t count;
};

static enum pot_err end(struct store_write *write, void *context)
{
    const struct ending *ended = context;
    struct buf hashes;
    enum pot_err err = POT_OK;
    buf_init(&hashes, ended->count * VALUE_MAX);
    for (size_t i = 0; err == POT_OK && i < ended->count; i++) {
        err = take_record(write, &hashes, &ended->list[i]);
    }
    if (err == POT_OK) {
        err = store_blob_release(write, (const struct hash *)hashes.data,
                                 hashes.size / HASH_SIZE);
    }
    buf_fini(&hashes);
    return err;
}

enum pot_err store_promises_end(struct store *store,
                                const struct store_promise *list, size_t count)
{
    struct ending ending = {list, count};
    return count > 0 ? store_write_run(store, end, &ending) : POT_OK;
}
