#include "config.h"

#include "node/block/last_signed.h"

static size_t find(const struct last_signed_table *table,
                   const struct public_key *key)
{
    size_t i = 0;
    while (i < table->count && !public_key_equal(&table->entries[i].key, key)) {
        i++;
    }
    return i;
}

static size_t find_lowest(const struct last_signed_table *table)
{
    size_t lowest = 0;
    for (size_t i = 1; i < table->count; i++) {
        if (table->entries[i].mark.height <
            table->entries[lowest].mark.height) {
            lowest = i;
        }
    }
    return lowest;
}

void last_signed_note(struct last_signed_table *table,
                      const struct public_key *key,
                      const struct pbft_mark *mark,
                      const struct signature *signature)
{
    size_t at = find(table, key);
    if (at < table->count &&
        pbft_mark_compare(mark, &table->entries[at].mark) <= 0) {
        return;
    }
    if (at == LAST_SIGNED_MAX) {
        at = find_lowest(table);
    } else if (at == table->count) {
        table->count++;
    }
    table->entries[at] = (struct last_signed){*key, *mark, *signature};
}

const struct last_signed *last_signed_find(
    const struct last_signed_table *table, const struct public_key *key)
{
    size_t at = find(table, key);
    return at < table->count ? &table->entries[at] : NULL;
}
