/* A stored value is 16 bytes of checksum and the value; the checksum covers
 * the table and the key too, so that a value which LMDB finds under another
 * key, or a page that was written to another place, is noticed.  It is a
 * Poly1305 under a key that everybody knows: it notices what a disk does, in a
 * quarter of a hash's time, and is not asked about what a person does, who
 * could write a hash as well. */
#include "config.h"

#include "storage/store_table.h"

#include "base/bytes.h"
#include "base/check.h"
#include "storage/store_layer.h"
#include "storage/store_record.h"

#include <errno.h>
#include <string.h>

const char *store_table_name(enum store_table table)
{
    static const char *const names[STORE_TABLES] = {
#define X(table, text, visit) text,
        STORE_TABLE_MAP(X)
#undef X
    };
    return names[table];
}

enum pot_err store_err(int rc)
{
    switch (rc) {
    case MDB_SUCCESS:
        return POT_OK;
    case MDB_NOTFOUND:
        return POT_ENOENT;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_INCOMPATIBLE:
        return POT_ECORRUPT;
    case MDB_VERSION_MISMATCH:
        return POT_EFORMAT;
    case MDB_MAP_FULL:
    case EFBIG:
        return POT_EFULL;
    case MDB_TXN_FULL:
    case ENOMEM:
        return POT_ELIMIT;
    case MDB_READERS_FULL:
        return POT_EBUSY;
    default:
        break;
    }
    return rc > 0 ? err_from_errno(rc) : POT_EIO;
}

_Static_assert(STORE_SUM_SIZE == crypto_onetimeauth_BYTES, "a tag is a sum");

/* What is stored in front of a record's value. */
static void checksum(uint8_t out[static STORE_SUM_SIZE], enum store_table table,
                     const void *key, size_t key_size, const void *value,
                     size_t value_size)
{
    static const uint8_t known[crypto_onetimeauth_KEYBYTES] =
        "pot/1/stored: known to everybody";
    const uint8_t head[] = {(uint8_t)table, (uint8_t)key_size};
    crypto_onetimeauth_state state;
    POT_ASSERT(key_size <= STORE_TABLE_KEY_MAX);
    (void)crypto_onetimeauth_init(&state, known);
    (void)crypto_onetimeauth_update(&state, head, sizeof(head));
    (void)crypto_onetimeauth_update(&state, key, key_size);
    (void)crypto_onetimeauth_update(&state, value, value_size);
    (void)crypto_onetimeauth_final(&state, out);
}

uint64_t store_total_hash(enum store_table table, const void *key,
                          size_t key_size,
                          const uint8_t sum[static STORE_SUM_SIZE])
{
    static const uint8_t seed[crypto_shorthash_KEYBYTES] = "pot/1/total";
    uint8_t input[1 + STORE_SUM_SIZE + STORE_TABLE_KEY_MAX];
    uint8_t output[crypto_shorthash_BYTES];
    struct bytes_reader r;
    POT_ASSERT(key_size <= STORE_TABLE_KEY_MAX);
    input[0] = (uint8_t)table;
    memcpy(input + 1, sum, STORE_SUM_SIZE);
    memcpy(input + 1 + STORE_SUM_SIZE, key, key_size);
    (void)crypto_shorthash(output, input, 1 + STORE_SUM_SIZE + key_size, seed);
    bytes_reader_init(&r, output, sizeof(output));
    return bytes_read_u64(&r);
}

bool store_total_equal(const struct store_total *a, const struct store_total *b)
{
    return a->count == b->count && a->sum == b->sum;
}

static MDB_val value_of(const void *data, size_t size)
{
    /* LMDB has one type for what it reads and what it hands out. */
    union {
        const void *in;
        void *out;
    } borrowed = {.in = data};
    return (MDB_val){.mv_size = size, .mv_data = borrowed.out};
}

enum pot_err store_table_open_value(struct store_value *out,
                                    enum store_table table, const MDB_val *key,
                                    const MDB_val *raw)
{
    uint8_t sum[STORE_SUM_SIZE];
    const uint8_t *data = raw->mv_data;
    if (raw->mv_size < STORE_SUM_SIZE) {
        return POT_ECORRUPT;
    }
    out->data = data + STORE_SUM_SIZE;
    out->size = raw->mv_size - STORE_SUM_SIZE;
    checksum(sum, table, key->mv_data, key->mv_size, out->data, out->size);
    return memcmp(sum, data, sizeof(sum)) == 0 ? POT_OK : POT_ECORRUPT;
}

/* A record as the layers have it, else as LMDB has it. */
static enum pot_err find_raw(MDB_val *raw, const struct store_read *read,
                             enum store_table table, MDB_val *key)
{
    const struct layer_record *record =
        store_layer_find(read->top, table, key->mv_data, key->mv_size);
    if (record == NULL) {
        return store_err(
            mdb_get(read->txn, read->store->tables[table], key, raw));
    }
    *raw = (MDB_val){.mv_size = record->size, .mv_data = record->raw};
    return record->raw != NULL ? POT_OK : POT_ENOENT;
}

enum pot_err store_table_get(struct store_value *out,
                             const struct store_read *read,
                             enum store_table table, const void *key,
                             size_t key_size)
{
    MDB_val name = value_of(key, key_size);
    MDB_val raw;
    POT_ASSERT(key_size >= 1 && key_size <= STORE_TABLE_KEY_MAX);
    enum pot_err err = find_raw(&raw, read, table, &name);
    return err == POT_OK ? store_table_open_value(out, table, &name, &raw)
                         : err;
}

enum pot_err store_table_each(const struct store_read *read,
                              enum store_table table,
                              enum pot_err (*visit)(void *context,
                                                    const MDB_val *key,
                                                    const MDB_val *raw),
                              void *context)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val raw;
    enum pot_err err = POT_OK;
    int rc = mdb_cursor_open(read->txn, read->store->tables[table], &cursor);
    if (rc != 0) {
        return store_err(rc);
    }
    rc = mdb_cursor_get(cursor, &key, &raw, MDB_FIRST);
    while (rc == 0 && err == POT_OK) {
        err = visit(context, &key, &raw);
        rc = mdb_cursor_get(cursor, &key, &raw, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return err == POT_OK && rc != MDB_NOTFOUND ? store_err(rc) : err;
}

static enum pot_err failed(struct store_write *write, int rc)
{
    if (rc == MDB_MAP_FULL) {
        write->is_map_full = true;
    }
    return store_err(rc);
}

/* Takes a record that is there out of its table's total. */
static enum pot_err forget(struct store_write *write, enum store_table table,
                           const MDB_val *key, const MDB_val *raw)
{
    if (raw->mv_size < STORE_SUM_SIZE) {
        return POT_ECORRUPT;
    }
    if (table != TABLE_META) { /* the totals stand there */
        write->totals[table].count--;
        write->totals[table].sum -=
            store_total_hash(table, key->mv_data, key->mv_size, raw->mv_data);
    }
    return POT_OK;
}

/* Makes room for a record in one search when it is new, as most are. */
static enum pot_err reserve(struct store_write *write, enum store_table table,
                            MDB_val *key, MDB_val *raw)
{
    MDB_dbi dbi = write->read.store->tables[table];
    size_t size = raw->mv_size;
    int rc =
        mdb_put(write->read.txn, dbi, key, raw, MDB_RESERVE | MDB_NOOVERWRITE);
    if (rc == MDB_KEYEXIST) {
        enum pot_err err = forget(write, table, key, raw);
        if (err != POT_OK) {
            return err;
        }
        raw->mv_size = size;
        rc = mdb_put(write->read.txn, dbi, key, raw, MDB_RESERVE);
    }
    return rc == 0 ? POT_OK : failed(write, rc);
}

/* The same in the layer that is written. */
static enum pot_err reserve_in_layer(struct store_write *write,
                                     enum store_table table, MDB_val *key,
                                     MDB_val *raw)
{
    MDB_val old;
    enum pot_err err = find_raw(&old, &write->read, table, key);
    if (err == POT_OK) {
        err = forget(write, table, key, &old);
    }
    if (err == POT_OK || err == POT_ENOENT) {
        raw->mv_data = store_layer_put(write->layer, table, key->mv_data,
                                       key->mv_size, raw->mv_size);
        err = POT_OK;
    }
    return err;
}

enum pot_err store_table_put(struct store_write *write, enum store_table table,
                             const void *key, size_t key_size,
                             const void *value, size_t value_size)
{
    MDB_val name = value_of(key, key_size);
    MDB_val raw = {.mv_size = STORE_SUM_SIZE + value_size};
    POT_ASSERT(key_size >= 1 && key_size <= STORE_TABLE_KEY_MAX);
    enum pot_err err = write->layer != NULL
                           ? reserve_in_layer(write, table, &name, &raw)
                           : reserve(write, table, &name, &raw);
    if (err != POT_OK) {
        return err;
    }
    uint8_t *data = raw.mv_data;
    checksum(data, table, key, key_size, value, value_size);
    if (value_size > 0) {
        memcpy(data + STORE_SUM_SIZE, value, value_size);
    }
    if (table != TABLE_META) {
        write->totals[table].count++;
        write->totals[table].sum +=
            store_total_hash(table, key, key_size, data);
    }
    return POT_OK;
}

enum pot_err store_table_del(struct store_write *write, enum store_table table,
                             const void *key, size_t key_size)
{
    MDB_val name = value_of(key, key_size);
    MDB_val raw;
    enum pot_err err = find_raw(&raw, &write->read, table, &name);
    if (err == POT_ENOENT) {
        return POT_OK;
    }
    if (err == POT_OK) {
        err = forget(write, table, &name, &raw);
    }
    if (err == POT_OK && write->layer != NULL) {
        store_layer_del(write->layer, table, key, key_size);
    } else if (err == POT_OK) {
        int rc = mdb_del(write->read.txn, write->read.store->tables[table],
                         &name, NULL);
        err = rc == 0 ? POT_OK : failed(write, rc);
    }
    return err;
}

enum pot_err store_read_tip(struct store_tip *out,
                            const struct store_read *read)
{
    struct store_value value;
    if (read->top != NULL) {
        *out = read->top->tip;
        return POT_OK;
    }
    enum pot_err err = store_table_get(&value, read, TABLE_META, "tip", 3);
    if (err == POT_ENOENT) {
        *out = (struct store_tip){.is_set = false};
        return POT_OK;
    }
    if (err != POT_OK) {
        return err;
    }
    return store_record_read_tip(out, value.data, value.size) ? POT_OK
                                                              : POT_ECORRUPT;
}

enum pot_err store_read_totals(struct store_total out[static STORE_TABLES],
                               const struct store_read *read)
{
    struct store_value value;
    if (read->top != NULL) {
        memcpy(out, read->top->totals, sizeof(read->top->totals));
        return POT_OK;
    }
    enum pot_err err = store_table_get(&value, read, TABLE_META, "totals", 6);
    if (err == POT_ENOENT ||
        (err == POT_OK &&
         !store_record_read_totals(out, value.data, value.size))) {
        return POT_ECORRUPT;
    }
    return err;
}
