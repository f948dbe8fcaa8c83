/* A journal, and the layer in each of its entries: nothing is read beyond
 * what is there, and what decodes was all that stood there. */
#include "config.h"

#include "base/alloc.h"
#include "base/check.h"
#include "storage/journal.h"
#include "storage/store_layer.h"
#include "storage/store_table.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_layer(const uint8_t *data, size_t size)
{
    struct layer_reader reader;
    struct layer_item item;
    struct hash parent;
    struct store_tip tip;
    size_t met = 0;
    if (!store_layer_open(&reader, data, size, &parent, &tip)) {
        return;
    }
    size_t head = reader.offset;
    while (store_layer_next(&reader, &item)) {
        POT_ASSERT(item.key >= data && item.key + item.key_size <= data + size);
        POT_ASSERT(item.is_deleted || item.raw + item.size <= data + size);
        POT_ASSERT(item.is_deleted || item.size >= STORE_SUM_SIZE);
        POT_ASSERT(item.table > TABLE_META && item.table < STORE_TABLES);
        met += 6 + item.key_size + item.size;
    }
    POT_ASSERT(reader.is_bad || head + met == size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *entry;
    size_t entry_size;
    size_t at = 0;
    size_t last = 0;
    while (journal_next(data, size, &at, &entry, &entry_size)) {
        POT_ASSERT(entry > data && entry + entry_size <= data + size);
        POT_ASSERT(at > last && at % 4096 == 0);
        read_layer(entry, entry_size);
        last = at;
    }
    /* The checksum keeps noise out of the layers. */
    read_layer(data, size);
    return 0;
}
