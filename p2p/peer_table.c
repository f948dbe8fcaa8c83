#include "config.h"

#include "p2p/peer_table.h"

#include "base/alloc.h"
#include "base/check.h"
#include "p2p/peer.h"

#include <stdlib.h>

void peer_table_fini(struct peer_table *table)
{
    POT_ASSERT(table->first == NULL && table->member_count == 0);
    map_fini(&table->by_key);
    free(table->members);
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
    POT_ASSERT(!entry->is_member);
    if (entry->previous != NULL) {
        entry->previous->next = entry->next;
    } else {
        table->first = entry->next;
    }
    if (entry->next != NULL) {
        entry->next->previous = entry->previous;
    }
}

void peer_table_join(struct peer_table *table, struct peer_entry *entry)
{
    if (table->member_count == table->member_capacity) {
        table->member_capacity = 2 * table->member_capacity + 8;
        table->members = pot_realloc(table->members, table->member_capacity,
                                     sizeof(*table->members));
    }
    entry->index = table->member_count;
    table->members[table->member_count++] = entry;
    void *before = map_put(&table->by_key, peer_key(entry->peer)->b, entry);
    POT_ASSERT(before == NULL);
    entry->is_member = true;
    table->guest_count += entry->is_guest;
}

void peer_table_leave(struct peer_table *table, struct peer_entry *entry)
{
    POT_ASSERT(entry->is_member && table->members[entry->index] == entry);
    struct peer_entry *last = table->members[--table->member_count];
    table->members[entry->index] = last;
    last->index = entry->index;
    (void)map_remove(&table->by_key, peer_key(entry->peer)->b);
    entry->is_member = false;
    table->guest_count -= entry->is_guest;
}

void peer_table_set_guest(struct peer_table *table, struct peer_entry *entry,
                          bool is_guest)
{
    POT_ASSERT(entry->is_member);
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
    for (size_t i = 0; i < table->member_count; i++) {
        if (peer_id(table->members[i]->peer) == id) {
            return table->members[i];
        }
    }
    return NULL;
}
