/* peer_table: all connections of a net; those announced as peers stand in
 * an array, too, and by their key.  The loop alone. */
#ifndef POT_P2P_PEER_TABLE_H
#define POT_P2P_PEER_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/key.h"
#include "base/map.h"

struct dial;
struct net;
struct peer;

/* A connection's place in its net; from peer_new to on_freed. */
struct peer_entry {
    struct peer_entry *next;
    struct peer_entry *previous;
    struct net *net;
    struct peer *peer;
    struct dial *dial; /* NULL: inbound, or not configured any more */
    bool is_announced;
    bool is_guest;       /* not configured: counts against guests_max */
    const char *offence; /* what it is banned for; NULL: as its end says */
    size_t index;        /* in peers */
    uint64_t rival;      /* the last instance that wants its place, and when */
    uint64_t rival_ms;   /* it was pinged for that; 0: nobody came yet */
};

/* A zeroed table is empty. */
struct peer_table {
    struct peer_entry *first; /* every connection, closing ones too */
    struct peer_entry **peers;
    size_t peer_count;
    size_t peer_capacity;
    size_t guest_count; /* of the peers */
    struct map by_key;  /* the peers */
};

/* peer_table_fini: of an empty table. */
void peer_table_fini(struct peer_table *table);

/* The entry stays the caller's; it is not announced when it is removed. */
void peer_table_add(struct peer_table *table, struct peer_entry *entry);
void peer_table_remove(struct peer_table *table, struct peer_entry *entry);

/* peer_table_announce: its peer is proven, and no other has its key. */
void peer_table_announce(struct peer_table *table, struct peer_entry *entry);
void peer_table_dismiss(struct peer_table *table, struct peer_entry *entry);

/* peer_table_set_guest: of an announced one. */
void peer_table_set_guest(struct peer_table *table, struct peer_entry *entry,
                          bool is_guest);

/* An announced one, or NULL. */
struct peer_entry *peer_table_find(const struct peer_table *table,
                                   const struct public_key *key);
struct peer_entry *peer_table_find_id(const struct peer_table *table,
                                      uint64_t id);

#endif
