#include "config.h"

#include "p2p/peer_table.h"

#include "base/alloc.h"
#include "base/check.h"
#include "p2p/peer.h"

#include <stdlib.h>

void peer_table_fini(struct peer_table *table)
{
    POT_ASSERT(table->first == NULL && table->peer_count == 0);
    map_fini(&table->by_key);
    free(table->peers);
}

void peer_table_add(struct peer_table *table, struct peer_entry *entry)
{
    entry->next = table->first;
    if (table->first != NULL) {
        table->first->previous = entry;
    }
    table->first = entry;
}

void peer_table_remove(struct peer_table *table, struct peer_entry *entry)
{
    POT_ASSERT(!entry->is_announced);
    if (entry->previous != NULL) {
        entry->previous->next = entry->next;
    } else {
        table->first = entry->next;
    }
    if (entry->next != NULL) {
        entry->next->previous = entry->previous;
    }
}

void peer_table_announce(struct peer_table *table, struct peer_entry *entry)
{
    if (table->peer_count == table->peer_capacity) {
        table->peer_capacity = 2 * table->peer_capacity + 8;
        table->peers = pot_realloc(table->peers, table->peer_capacity,
                                   sizeof(*table->peers));
    }
    entry->index = table->peer_count;
    table->peers[table->peer_count++] = entry;
    void *before = map_put(&table->by_key, peer_key(entry->peer)->b, entry);
    POT_ASSERT(before == NULL);
    entry->is_announced = true;
    table->guest_count += entry->is_guest;
}

void peer_table_dismiss(struct peer_table *table, struct peer_entry *entry)
{
    POT_ASSERT(entry->is_announced && table->peers[entry->index] == entry);
    struct peer_entry *last = table->peers[--table->peer_count];
    table->peers[entry->index] = last;
    last->index = entry->index;
    (void)map_remove(&table->by_key, peer_key(entry->peer)->b);
    entry->is_announced = false;
    table->guest_count -= entry->is_guest;
}

void peer_table_set_guest(struct peer_table *table, struct peer_entry *entry,
                          bool is_guest)
{
    POT_ASSERT(entry->is_announced);
    table->guest_count -= entry->is_guest;
    table->guest_count += is_guest;
    entry->is_guest = is_guest;
}

struct peer_entry *peer_table_find(const struct peer_table *table,
                                   const struct public_key *key)
{
    return map_get(&table->by_key, key->b);
}

struct peer_entry *peer_table_find_id(const struct peer_table *table,
                                      uint64_t id)
{
    for (size_t i = 0; i < table->peer_count; i++) {
        if (peer_id(table->peers[i]->peer) == id) {
            return table->peers[i];
        }
    }
    return NULL;
}
