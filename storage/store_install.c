#include "config.h"

#include "storage/store_install.h"

#include "base/check.h"
#include "storage/store_blob.h"
#include "storage/store_env.h"
#include "storage/store_record.h"
#include "storage/store_snapshot_impl.h"
#include "storage/store_table.h"
#include "storage/store_tree.h"

/* ---- headers ahead of the tip */

/* The last height in the table, or the tip. */
static enum pot_err last_header(uint64_t *out, const struct store_read *read,
                                const struct store_tip *tip)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    int rc =
        mdb_cursor_open(read->txn, read->store->tables[TABLE_HEADERS], &cursor);
    *out = tip->height;
    if (rc != 0) {
        return store_err(rc);
    }
    rc = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
    if (rc == 0 && key.mv_size == RECORD_HEIGHT_SIZE) {
        uint64_t height = store_record_read_height(key.mv_data);
        *out = height > tip->height ? height : tip->height;
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? POT_OK : store_err(rc);
}

uint64_t store_last_header(struct store *store)
{
    struct store_read read;
    struct store_tip tip;
    uint64_t height = 0;
    enum pot_err err = store_read_begin(&read, store);
    if (err != POT_OK) {
        return 0;
    }
    err = store_read_tip(&tip, &read);
    if (err == POT_OK) {
        err = last_header(&height, &read, &tip);
    }
    store_read_end(&read, err);
    return height;
}

static enum pot_err put_header(struct store_write *write,
                               const struct store_header *header)
{
    uint8_t key[RECORD_HEIGHT_SIZE];
    uint8_t place[RECORD_PLACE_SIZE];
    store_record_height(key, header->height);
    store_record_place(place, header->height, 0);
    enum pot_err err = store_table_put(write, TABLE_HEADERS, key, sizeof(key),
                                       header->header, header->header_size);
    if (err == POT_OK) {
        err = store_table_put(write, TABLE_CERTIFICATES, key, sizeof(key),
                              header->certificate, header->certificate_size);
    }
    if (err == POT_OK) {
        err = store_table_put(write, TABLE_HEIGHTS, header->hash.b, HASH_SIZE,
                              place, sizeof(place));
    }
    if (err == POT_OK && header->validators.data != NULL) {
        err = store_blob_pin(write, &header->validators);
    }
    return err;
}

struct putting {
    const struct store_header *headers;
    size_t count;
};

static enum pot_err put_headers(struct store_write *write, void *context)
{
    const struct putting *p = context;
    uint64_t last;
    enum pot_err err = last_header(&last, &write->read, &write->tip);
    if (err == POT_OK && p->count > 0 && p->headers[0].height != last + 1) {
        err = POT_EBUSY;
    }
    for (size_t i = 0; err == POT_OK && i < p->count; i++) {
        POT_ASSERT(p->headers[i].height == last + 1 + i);
        err = put_header(write, &p->headers[i]);
    }
    return err;
}

enum pot_err store_put_headers(struct store *store,
                               const struct store_header *headers, size_t count)
{
    struct putting putting = {headers, count};
    return store_write_run(store, put_headers, &putting);
}

/* ---- the state of one of them */

/* An empty table. */
static enum pot_err clear(struct store_write *write, enum store_table table)
{
    int rc = mdb_drop(write->read.txn, write->read.store->tables[table], 0);
    write->totals[table] = (struct store_total){.count = 0};
    return store_err(rc);
}

struct filling {
    struct store_write *write;
    enum pot_err err;
};

static void put_bucket(void *context, uint16_t bucket, const struct buf *list)
{
    struct filling *f = context;
    uint8_t key[2];
    store_record_bucket_key(key, bucket);
    if (f->err == POT_OK) {
        f->err = store_table_put(f->write, TABLE_BUCKETS, key, sizeof(key),
                                 list->data, list->size);
    }
}

static enum pot_err put_chunk(struct store_write *write,
                              const struct hash *digest,
                              const struct buf *chunk)
{
    struct filling filling = {write, POT_OK};
    struct state_record record;
    struct hash found;
    size_t offset = 0;
    bool is_chunk = state_chunk_buckets(&found, chunk->data, chunk->size,
                                        put_bucket, &filling);
    enum pot_err err = filling.err;
    if (err == POT_OK && (!is_chunk || !hash_equal(&found, digest))) {
        err = POT_EFORMAT;
    }
    while (err == POT_OK &&
           state_chunk_next(&record, chunk->data, chunk->size, &offset)) {
        err = store_table_put(write, TABLE_STATE, record.key, record.key_size,
                              record.value, record.value_size);
    }
    return err;
}

static enum pot_err put_state(struct store_write *write,
                              const struct hash *digests)
{
    struct store_value value;
    struct buf chunk;
    const struct hash *digest;
    unsigned at = 0;
    enum pot_err err = POT_OK;
    buf_init(&chunk, STATE_CHUNK_MAX);
    while (err == POT_OK && (digest = state_index_next(digests, &at)) != NULL) {
        err = store_table_get(&value, &write->read, TABLE_BLOBS, digest->b,
                              HASH_SIZE);
        if (err == POT_OK) { /* writes move what lies in the map */
            buf_clear(&chunk);
            buf_append(&chunk, value.data, value.size);
            err = put_chunk(write, digest, &chunk);
        }
    }
    buf_fini(&chunk);
    return err;
}

/* The new ones first: the two may share some. */
static enum pot_err put_blobs(struct store_write *write,
                              const struct store_install *install)
{
    enum pot_err err = POT_OK;
    for (size_t i = 0; err == POT_OK && i < install->blob_count; i++) {
        const struct store_blob blob = {.hash = install->blobs[i]};
        err = store_blob_pin(write, &blob);
    }
    for (size_t i = 0; err == POT_OK && i < install->old_blob_count; i++) {
        err = store_blob_unrefer(write, &install->old_blobs[i]);
    }
    return err;
}

static bool has_room(const struct store_write *write,
                     const struct store_install *install)
{
    return write->tip.is_set && write->totals[TABLE_BLOCKS].count == 0 &&
           write->tip.height < install->snapshot.height;
}

static enum pot_err install(struct store_write *write, void *context)
{
    static const enum store_table tables[] = {TABLE_STATE, TABLE_BUCKETS,
                                              TABLE_NODES};
    const struct store_install *in = context;
    struct hash root;
    enum pot_err err = has_room(write, in) ? POT_OK : POT_EBUSY;
    for (size_t i = 0; err == POT_OK && i < sizeof(tables) / sizeof(*tables);
         i++) {
        err = clear(write, tables[i]);
    }
    if (err == POT_OK) {
        err = put_state(write, in->digests);
    }
    if (err == POT_OK) {
        err = tree_rebuild(write, &root);
    }
    if (err == POT_OK && !hash_equal(&root, &in->snapshot.root)) {
        err = POT_EFORMAT;
    }
    if (err == POT_OK) {
        err = put_blobs(write, in);
    }
    if (err == POT_OK) {
        const struct store_snapshot_parts parts = {in->digests, in->blobs,
                                                   in->blob_count};
        err = snapshot_write(write, &in->snapshot, &parts, 1);
    }
    write->tip = (struct store_tip){
        .is_set = true,
        .height = in->snapshot.height,
        .hash = in->hash,
        .state_root = in->snapshot.root,
    };
    return err;
}

enum pot_err store_install(struct store *store, const struct store_install *in)
{
    struct store_install copy = *in;
    return store_write_run(store, install, &copy);
}
