#include "config.h"

#include "storage/store_snapshot.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/check.h"
#include "storage/store_blob.h"
#include "storage/store_env.h"
#include "storage/store_record.h"
#include "storage/store_snapshot_impl.h"
#include "storage/store_table.h"
#include "storage/store_tree.h"

#include <stdlib.h>
#include <string.h>

#define KEY      "snapshots"
#define KEY_SIZE (sizeof(KEY) - 1)

#define LIST_KEY      "snapshot-blobs/"
#define LIST_KEY_SIZE (sizeof(LIST_KEY) - 1 + sizeof(uint64_t))

/* ---- the state at the tip, in parts */

enum pot_err store_state_index(struct store *store,
                               struct hash digests[static STATE_CHUNKS],
                               struct hash *root, uint64_t *height)
{
    struct store_read read;
    struct store_tip tip;
    enum pot_err err = store_read_begin(&read, store);
    if (err != POT_OK) {
        return err;
    }
    err = store_read_tip(&tip, &read);
    if (err == POT_OK) {
        err = tip.is_set ? tree_read_index(digests, &read) : POT_ENOENT;
    }
    if (err == POT_OK) {
        *root = tip.state_root;
        *height = tip.height;
    }
    store_read_end(&read, err);
    return err;
}

static enum pot_err add_bucket(struct buf *out, const struct store_read *read,
                               unsigned bucket)
{
    struct store_value list;
    struct store_value value;
    struct state_entry entry;
    size_t offset = 0;
    enum pot_err err = tree_read_bucket(&list, read, bucket);
    while (err == POT_OK &&
           state_entry_next(&entry, list.data, list.size, &offset)) {
        err = store_table_get(&value, read, TABLE_STATE, entry.key,
                              entry.key_size);
        if (err == POT_OK) {
            state_chunk_add(out, entry.key, entry.key_size, value.data,
                            value.size);
        }
    }
    return err == POT_ENOENT ? POT_ECORRUPT : err;
}

enum pot_err store_state_chunk(struct store *store, unsigned chunk,
                               struct buf *out)
{
    struct store_read read;
    POT_ASSERT(chunk < STATE_CHUNKS);
    buf_clear(out);
    enum pot_err err = store_read_begin(&read, store);
    if (err != POT_OK) {
        return err;
    }
    for (unsigned i = 0; err == POT_OK && i < STATE_CHUNK_BUCKETS; i++) {
        err = add_bucket(out, &read, chunk * STATE_CHUNK_BUCKETS + i);
    }
    store_read_end(&read, err);
    return err == POT_OK && out->is_overflown ? POT_ELIMIT : err;
}

/* ---- those that are kept */

static enum pot_err read_list(struct store_snapshots *out,
                              const struct store_read *read)
{
    struct store_value value;
    out->count = 0;
    enum pot_err err = store_table_get(&value, read, TABLE_META, KEY, KEY_SIZE);
    if (err == POT_OK &&
        !store_record_read_snapshots(out, value.data, value.size)) {
        err = POT_ECORRUPT;
    }
    return err == POT_ENOENT ? POT_OK : err;
}

enum pot_err store_get_snapshots(struct store *store,
                                 struct store_snapshots *out)
{
    struct store_read read;
    enum pot_err err = store_read_begin(&read, store);
    if (err == POT_OK) {
        err = read_list(out, &read);
        store_read_end(&read, err);
    }
    return err;
}

/* Where the hashes of its blobs lie.  A snapshot of a state without any has no
 * such record. */
struct list_key {
    uint8_t b[LIST_KEY_SIZE];
};

static struct list_key list_key(const struct store_snapshot *snapshot)
{
    struct list_key key;
    struct bytes_writer w;
    bytes_writer_init(&w, key.b, sizeof(key.b));
    bytes_write(&w, LIST_KEY, LIST_KEY_SIZE - sizeof(uint64_t));
    bytes_write_u64(&w, snapshot->height);
    return key;
}

static enum pot_err drop_blobs(struct store_write *write,
                               const struct store_snapshot *snapshot)
{
    struct store_value value;
    struct list_key key = list_key(snapshot);
    enum pot_err err =
        store_table_get(&value, &write->read, TABLE_META, key.b, sizeof(key.b));
    if (err != POT_OK) {
        return err == POT_ENOENT ? POT_OK : err;
    }
    size_t count = value.size / HASH_SIZE;
    struct hash *blobs =
        pot_memdup(value.data, value.size); /* writes move it */
    for (size_t i = 0; err == POT_OK && i < count; i++) {
        err = store_blob_unrefer(write, &blobs[i]);
    }
    free(blobs);
    return err == POT_OK
               ? store_table_del(write, TABLE_META, key.b, sizeof(key.b))
               : err;
}

static enum pot_err drop(struct store_write *write,
                         const struct store_snapshot *snapshot)
{
    const struct hash *root = &snapshot->root;
    struct store_value value;
    struct hash digests[STATE_CHUNKS];
    const struct hash *digest;
    unsigned at = 0;
    enum pot_err err =
        store_table_get(&value, &write->read, TABLE_BLOBS, root->b, HASH_SIZE);
    if (err == POT_ENOENT || (err == POT_OK && value.size != sizeof(digests))) {
        return POT_ECORRUPT;
    }
    if (err == POT_OK) {
        memcpy(digests, value.data, sizeof(digests));
        err = store_blob_unrefer(write, root);
    }
    while (err == POT_OK && (digest = state_index_next(digests, &at)) != NULL) {
        err = store_blob_unrefer(write, digest);
    }
    return err == POT_OK ? drop_blobs(write, snapshot) : err;
}

static enum pot_err add_blobs(struct store_write *write,
                              const struct store_snapshot *snapshot,
                              const struct store_snapshot_parts *parts)
{
    struct list_key key = list_key(snapshot);
    enum pot_err err = POT_OK;
    for (size_t i = 0; err == POT_OK && i < parts->blob_count; i++) {
        const struct store_blob blob = {.hash = parts->blobs[i]};
        err = store_blob_pin(write, &blob);
    }
    return err == POT_OK && parts->blob_count > 0
               ? store_table_put(write, TABLE_META, key.b, sizeof(key.b),
                                 parts->blobs,
                                 parts->blob_count * sizeof(*parts->blobs))
               : err;
}

static enum pot_err add(struct store_write *write,
                        const struct store_snapshot *snapshot,
                        const struct store_snapshot_parts *parts)
{
    const struct store_blob index = {snapshot->root, parts->digests,
                                     STATE_INDEX_BYTES};
    const struct hash *digest;
    unsigned at = 0;
    enum pot_err err = store_blob_pin(write, &index);
    while (err == POT_OK &&
           (digest = state_index_next(parts->digests, &at)) != NULL) {
        const struct store_blob chunk = {.hash = *digest};
        err = store_blob_pin(write, &chunk);
    }
    return err == POT_OK ? add_blobs(write, snapshot, parts) : err;
}

enum pot_err snapshot_write(struct store_write *write,
                            const struct store_snapshot *snapshot,
                            const struct store_snapshot_parts *parts,
                            size_t most)
{
    uint8_t raw[RECORD_SNAPSHOTS_MAX];
    struct store_snapshots kept;
    POT_ASSERT(most >= 1 && most <= STORE_SNAPSHOTS_MAX);
    enum pot_err err = read_list(&kept, &write->read);
    if (err == POT_OK && kept.count > 0 &&
        kept.list[kept.count - 1].height >= snapshot->height) {
        return POT_EEXIST;
    }
    if (err == POT_OK) { /* before others go: they may share parts */
        err = add(write, snapshot, parts);
    }
    while (err == POT_OK && kept.count >= most) {
        err = drop(write, &kept.list[0]);
        kept.count--;
        memmove(&kept.list[0], &kept.list[1], kept.count * sizeof(*kept.list));
    }
    if (err == POT_OK) {
        kept.list[kept.count++] = *snapshot;
        err = store_table_put(write, TABLE_META, KEY, KEY_SIZE, raw,
                              store_record_snapshots(raw, &kept));
    }
    return err;
}

struct keeping {
    const struct store_snapshot *snapshot;
    const struct store_snapshot_parts *parts;
    size_t most;
};

static enum pot_err keep(struct store_write *write, void *context)
{
    const struct keeping *k = context;
    return snapshot_write(write, k->snapshot, k->parts, k->most);
}

enum pot_err store_snapshot_keep(struct store *store,
                                 const struct store_snapshot *snapshot,
                                 const struct store_snapshot_parts *parts,
                                 size_t most)
{
    struct keeping keeping = {snapshot, parts, most};
    return store_write_run(store, keep, &keeping);
}
