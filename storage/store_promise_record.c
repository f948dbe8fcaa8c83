#include "config.h"

#include "storage/store_promise_record.h"

#include "base/bytes.h"
#include "base/map.h"
#include "storage/store_table.h"

#include <string.h>

#define PREFIX      "promise/"
#define PREFIX_SIZE (sizeof(PREFIX) - 1)

_Static_assert(PROMISE_KEY_SIZE == PREFIX_SIZE + 2 * (HASH_SIZE + 4),
               "the parts of a key");

void promise_key(uint8_t out[static PROMISE_KEY_SIZE],
                 const struct store_promise *promise)
{
    struct bytes_writer w;
    bytes_writer_init(&w, out, PROMISE_KEY_SIZE);
    bytes_write(&w, PREFIX, PREFIX_SIZE);
    bytes_write(&w, promise->task.b, HASH_SIZE);
    bytes_write_u32(&w, promise->round);
    bytes_write(&w, promise->name.b, HASH_SIZE);
    bytes_write_u32(&w, promise->part);
}

bool promise_read_key(struct store_promise *out, const MDB_val *key)
{
    struct bytes_reader r;
    const uint8_t *data = key->mv_data;
    if (key->mv_size != PROMISE_KEY_SIZE ||
        memcmp(data, PREFIX, PREFIX_SIZE) != 0) {
        return false;
    }
    bytes_reader_init(&r, data + PREFIX_SIZE, PROMISE_KEY_SIZE - PREFIX_SIZE);
    bytes_read(&r, out->task.b, HASH_SIZE);
    out->round = bytes_read_u32(&r);
    bytes_read(&r, out->name.b, HASH_SIZE);
    out->part = bytes_read_u32(&r);
    return true;
}

static enum pot_err add_hashes(void *context, const MDB_val *key,
                               const MDB_val *raw)
{
    struct store_promise promise;
    struct store_value value;
    if (!promise_read_key(&promise, key)) {
        return POT_OK;
    }
    enum pot_err err = store_table_open_value(&value, TABLE_META, key, raw);
    if (err == POT_OK && value.size % HASH_SIZE != 0) {
        err = POT_ECORRUPT;
    }
    for (size_t i = 0; err == POT_OK && i < value.size; i += HASH_SIZE) {
        (void)map_put(context, value.data + i, context);
    }
    return err;
}

enum pot_err promise_hashes(struct map *out, const struct store_read *read)
{
    return store_table_each(read, TABLE_META, add_hashes, out);
}
