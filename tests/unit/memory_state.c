#include "config.h"

#include "tests/unit/memory_state.h"

#include "base/alloc.h"
#include "base/check.h"
#include "ledger/task.h"
#include "proto/blob.h"
#include "proto/codec.h"

#include <stdlib.h>
#include <string.h>

static int compare(const struct memory_entry *e, const void *key, size_t size)
{
    size_t common = e->key_size < size ? e->key_size : size;
    int order = memcmp(e->key, key, common);
    return order != 0 ? order : (e->key_size > size) - (e->key_size < size);
}

static bool find(const struct memory_map *map, const void *key, size_t size,
                 size_t *index)
{
    size_t low = 0;
    size_t high = map->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(&map->entries[middle], key, size);
        if (order == 0) {
            *index = middle;
            return true;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *index = low;
    return false;
}

static bool map_read(const struct memory_map *map, const void *key, size_t size,
                     struct buf *value)
{
    size_t index;
    buf_clear(value);
    if (!find(map, key, size, &index) ||
        map->entries[index].value_size > value->size_max) {
        return false;
    }
    buf_append(value, map->entries[index].value,
               map->entries[index].value_size);
    return true;
}

static void map_write(struct memory_map *map, const void *key, size_t size,
                      const void *value, size_t value_size)
{
    size_t index;
    if (!find(map, key, size, &index)) {
        map->entries =
            pot_realloc(map->entries, map->count + 1, sizeof(*map->entries));
        memmove(&map->entries[index + 1], &map->entries[index],
                (map->count - index) * sizeof(*map->entries));
        map->entries[index] = (struct memory_entry){
            .key = pot_memdup(key, size), .key_size = size};
        map->count++;
    }
    free(map->entries[index].value);
    map->entries[index].value = pot_memdup(value, value_size);
    map->entries[index].value_size = value_size;
}

static void map_erase(struct memory_map *map, const void *key, size_t size)
{
    size_t index;
    if (!find(map, key, size, &index)) {
        return;
    }
    free(map->entries[index].key);
    free(map->entries[index].value);
    memmove(&map->entries[index], &map->entries[index + 1],
            (map->count - index - 1) * sizeof(*map->entries));
    map->count--;
}

static void map_clear(struct memory_map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        free(map->entries[i].key);
        free(map->entries[i].value);
    }
    free(map->entries);
    *map = (struct memory_map){NULL, 0};
}

static void note_write(struct memory_state *m, const void *key, size_t size,
                       const void *value, size_t value_size)
{
    struct hasher h;
    hasher_init(&h, "memory-write");
    hasher_add(&h, m->writes.b, HASH_SIZE);
    hasher_add_u64(&h, size);
    hasher_add(&h, key, size);
    hasher_add_u64(&h, value_size);
    hasher_add(&h, value, value_size);
    hasher_final(&h, &m->writes);
}

static bool memory_get(void *context, const void *key, size_t key_size,
                       struct buf *value)
{
    struct memory_state *m = context;
    return map_read(&m->map, key, key_size, value);
}

static void memory_put(void *context, const void *key, size_t key_size,
                       const void *value, size_t value_size)
{
    struct memory_state *m = context;
    note_write(m, key, key_size, value, value_size);
    map_write(&m->map, key, key_size, value, value_size);
}

static void memory_del(void *context, const void *key, size_t key_size)
{
    struct memory_state *m = context;
    note_write(m, key, key_size, "", 0);
    map_erase(&m->map, key, key_size);
}

static bool memory_blob_get(void *context, const struct hash *hash,
                            struct buf *value)
{
    struct memory_state *m = context;
    return map_read(&m->blobs, hash->b, HASH_SIZE, value);
}

static void memory_blob_put(void *context, const struct hash *hash,
                            const void *data, size_t size)
{
    struct memory_state *m = context;
    struct hash again;
    blob_hash(&again, data, size);
    POT_ASSERT(hash_equal(&again, hash));
    map_write(&m->blobs, hash->b, HASH_SIZE, data, size);
}

static void memory_blob_del(void *context, const struct hash *hash)
{
    struct memory_state *m = context;
    map_erase(&m->blobs, hash->b, HASH_SIZE);
}

static const struct dataset *memory_find(void *context,
                                         const struct hash *address)
{
    struct memory_state *m = context;
    for (size_t i = 0; i < m->dataset_count; i++) {
        if (hash_equal(&m->addresses[i], address)) {
            return m->datasets[i];
        }
    }
    return NULL;
}

void memory_state_fini(struct memory_state *m)
{
    map_clear(&m->map);
    map_clear(&m->blobs);
}

static void copy_map(struct memory_map *out, const struct memory_map *map)
{
    *out = (struct memory_map){NULL, 0};
    for (size_t i = map->count; i-- > 0;) {
        const struct memory_entry *e = &map->entries[i];
        map_write(out, e->key, e->key_size, e->value, e->value_size);
    }
}

void memory_state_copy(struct memory_state *out, const struct memory_state *m)
{
    *out = *m;
    copy_map(&out->map, &m->map);
    copy_map(&out->blobs, &m->blobs);
}

struct ledger_env memory_state_env(struct memory_state *m,
                                   const struct hash *chain)
{
    return (struct ledger_env){
        .chain = *chain,
        .state = {m, memory_get, memory_put, memory_del},
        .blobs = {m, memory_blob_get, memory_blob_put, memory_blob_del},
        .datasets = {m, memory_find},
    };
}

void memory_state_add_dataset(struct memory_state *m,
                              const struct hash *address,
                              const struct dataset *dataset)
{
    POT_ASSERT(m->dataset_count < MEMORY_DATASETS_MAX);
    m->addresses[m->dataset_count] = *address;
    m->datasets[m->dataset_count++] = dataset;
}

static void add_map(struct hasher *h, const struct memory_map *map)
{
    hasher_add_u64(h, map->count);
    for (size_t i = 0; i < map->count; i++) {
        const struct memory_entry *e = &map->entries[i];
        hasher_add_u64(h, e->key_size);
        hasher_add(h, e->key, e->key_size);
        hasher_add_u64(h, e->value_size);
        hasher_add(h, e->value, e->value_size);
    }
}

void memory_state_digest(struct hash *out, const struct memory_state *m)
{
    struct hasher h;
    hasher_init(&h, "memory-state");
    add_map(&h, &m->map);
    add_map(&h, &m->blobs);
    hasher_final(&h, out);
}

void memory_state_digest_map(struct hash *out, const struct memory_state *m)
{
    struct hasher h;
    hasher_init(&h, "memory-map");
    add_map(&h, &m->map);
    hasher_final(&h, out);
}

void memory_state_take_blobs(struct memory_state *m,
                             const struct memory_state *from)
{
    for (size_t i = 0; i < from->blobs.count; i++) {
        const struct memory_entry *e = &from->blobs.entries[i];
        map_write(&m->blobs, e->key, e->key_size, e->value, e->value_size);
    }
}

static bool has_prefix(const struct memory_entry *e, const char *prefix)
{
    size_t size = strlen(prefix);
    return e->key_size >= size && memcmp(e->key, prefix, size) == 0;
}

static void *decode(const struct memory_entry *e,
                    const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *message;
    enum pot_err err = codec_decode(&message, type, e->value, e->value_size);
    POT_ASSERT(err == POT_OK);
    return message;
}

size_t memory_state_count(const struct memory_state *m, const char *prefix)
{
    size_t count = 0;
    for (size_t i = 0; i < m->map.count; i++) {
        count += has_prefix(&m->map.entries[i], prefix);
    }
    return count;
}

uint64_t memory_state_total(const struct memory_state *m)
{
    uint64_t total = 0;
    for (size_t i = 0; i < m->map.count; i++) {
        const struct memory_entry *e = &m->map.entries[i];
        if (has_prefix(e, "account/")) {
            Pot__AccountRecord *a = decode(e, &pot__account_record__descriptor);
            total += a->balance + a->stake_validator + a->stake_miner;
            for (size_t k = 0; k < a->n_unbonding; k++) {
                total += a->unbonding[k]->amount;
            }
            codec_free(a);
        } else if (has_prefix(e, "task/")) {
            Pot__TaskRecord *t = decode(e, &pot__task_record__descriptor);
            POT_ASSERT(t->escrow + t->paid <= t->budget);
            total += t->escrow;
            codec_free(t);
        } else if (has_prefix(e, "challenge/")) {
            Pot__ChallengeRecord *c =
                decode(e, &pot__challenge_record__descriptor);
            total += c->deposit;
            codec_free(c);
        } else if (has_prefix(e, "supply")) {
            Pot__SupplyRecord *s = decode(e, &pot__supply_record__descriptor);
            total += s->burnt;
            codec_free(s);
        }
    }
    return total;
}

static uint32_t memberships_of(const struct memory_state *m,
                               const uint8_t *account)
{
    uint32_t count = 0;
    for (size_t i = 0; i < m->map.count; i++) {
        if (!has_prefix(&m->map.entries[i], "task/")) {
            continue;
        }
        Pot__TaskRecord *t =
            decode(&m->map.entries[i], &pot__task_record__descriptor);
        for (size_t k = 0; k < t->n_members; k++) {
            POT_ASSERT(t->status == POT__TASK_STATUS__TASK_RUNNING);
            count += memcmp(t->members[k]->miner.data, account, 32) == 0;
        }
        codec_free(t);
    }
    return count;
}

void memory_state_check(struct memory_state *m)
{
    for (size_t i = 0; i < m->map.count; i++) {
        const struct memory_entry *e = &m->map.entries[i];
        if (has_prefix(e, "account/")) {
            Pot__AccountRecord *a = decode(e, &pot__account_record__descriptor);
            POT_ASSERT(a->tasks_joined == memberships_of(m, e->key + 8));
            POT_ASSERT(a->tasks_joined == 0 || a->stake_miner > 0);
            POT_ASSERT(a->stake_joined <= a->stake_miner);
            POT_ASSERT((a->stake_joined == 0) == (a->tasks_joined == 0));
            codec_free(a);
        } else if (has_prefix(e, "task/")) {
            struct buf blob;
            struct hash hash;
            Pot__TaskRecord *t = decode(e, &pot__task_record__descriptor);
            buf_init(&blob, 1 << 20);
            POT_ASSERT(codec_hash(&hash, t->parameters_hash));
            POT_ASSERT(memory_blob_get(m, &hash, &blob));
            for (unsigned k = 0; k < SPEC_MOMENTS_MAX; k++) {
                ProtobufCBinaryData moment = *task_moment(t, k);
                POT_ASSERT(moment.len == 0 ||
                           (codec_hash(&hash, moment) &&
                            memory_blob_get(m, &hash, &blob)));
            }
            buf_fini(&blob);
            codec_free(t);
        } else if (has_prefix(e, "closed/")) {
            struct buf blob;
            struct hash hash;
            Pot__ClosedRecord *c = decode(e, &pot__closed_record__descriptor);
            buf_init(&blob, 1 << 20);
            POT_ASSERT(codec_hash(&hash, c->parameters_hash));
            POT_ASSERT(memory_blob_get(m, &hash, &blob));
            buf_fini(&blob);
            codec_free(c);
        }
    }
}
