/* write_set: a hash table from keys to what was written under them. */
#ifndef POT_STORAGE_WRITE_SET_H
#define POT_STORAGE_WRITE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct write_entry {
    uint8_t *key;
    size_t key_size;
    uint8_t *value; /* NULL: nothing of its own */
    size_t value_size;
    bool is_deleted;
    uint32_t references; /* blobs: what the chain will hold */
};

struct write_set {
    struct write_entry *entries; /* in the order of the first write */
    size_t count;
    size_t capacity;
    uint32_t *slots; /* entry + 1, or 0; a power of two of them */
    size_t slot_count;
    uint8_t seed[16]; /* so that nobody chooses the collisions */
};

void write_set_init(struct write_set *set);
void write_set_fini(struct write_set *set);

/* write_set_find: borrowed until the next add; NULL when it is not there. */
struct write_entry *write_set_find(const struct write_set *set, const void *key,
                                   size_t key_size);

/* write_set_add: the entry under key, a fresh zeroed one if need be. */
struct write_entry *write_set_add(struct write_set *set, const void *key,
                                  size_t key_size);

/* write_entry_set: replaces an entry's value by a copy. */
void write_entry_set(struct write_entry *entry, const void *value,
                     size_t value_size);

#endif
