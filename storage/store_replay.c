#include "config.h"

#include "storage/store_replay.h"

#include "storage/journal.h"
#include "storage/store_layer.h"
#include "storage/store_table.h"

#include <stdlib.h>

struct entry {
    struct layer_reader records;
    struct hash parent;
    struct store_tip tip;
};

static enum pot_err put_records(struct store_write *write, void *context)
{
    struct entry *entry = context;
    struct layer_item item;
    enum pot_err err = POT_OK;
    while (err == POT_OK && store_layer_next(&entry->records, &item)) {
        err = item.is_deleted
                  ? store_table_del(write, item.table, item.key, item.key_size)
                  : store_table_put(write, item.table, item.key, item.key_size,
                                    item.raw + STORE_SUM_SIZE,
                                    item.size - STORE_SUM_SIZE);
    }
    write->tip = entry->tip;
    return err == POT_OK && entry->records.is_bad ? POT_ECORRUPT : err;
}

static bool follows(const struct store_tip *tip, const struct entry *entry)
{
    return tip->is_set && entry->tip.height == tip->height + 1 &&
           hash_equal(&entry->parent, &tip->hash);
}

/* Nobody else uses the store yet.  The first entry is on LMDB's tip or of no
 * use, and so are all behind it: LMDB gets them at once.  Nothing is looked for
 * beyond one that does not follow: there may be what a stranger had put into a
 * block, made to look like an entry. */
enum pot_err store_replay(struct store *store)
{
    uint8_t *file;
    const uint8_t *data;
    struct entry entry;
    size_t file_size;
    size_t size;
    size_t at = 0;
    size_t end = 0;
    enum pot_err err = journal_read(store->journal, &file, &file_size);
    while (err == POT_OK && journal_next(file, file_size, &at, &data, &size)) {
        if (!store_layer_open(&entry.records, data, size, &entry.parent,
                              &entry.tip) ||
            !follows(&store->tip, &entry)) {
            break;
        }
        err = store_layer_again(store, put_records, &entry);
        end = at;
    }
    journal_seek(store->journal, end);
    free(file);
    return err;
}
