#include "config.h"

#include "proto/state_chunk.h"

#include "base/bytes.h"
#include "base/check.h"

#include <string.h>

unsigned state_chunk_of(uint16_t bucket)
{
    return bucket / STATE_CHUNK_BUCKETS;
}

void state_chunk_add(struct buf *chunk, const void *key, size_t key_size,
                     const void *value, size_t value_size)
{
    uint8_t head[1 + STATE_KEY_MAX + 4];
    struct bytes_writer w;
    POT_ASSERT(key_size >= 1 && key_size <= STATE_KEY_MAX);
    POT_ASSERT(value_size <= UINT32_MAX);
    bytes_writer_init(&w, head, sizeof(head));
    bytes_write_u8(&w, (uint8_t)key_size);
    bytes_write(&w, key, key_size);
    bytes_write_u32(&w, (uint32_t)value_size);
    buf_append(chunk, head, w.offset);
    buf_append(chunk, value, value_size);
}

bool state_chunk_next(struct state_record *out, const void *chunk, size_t size,
                      size_t *offset)
{
    struct bytes_reader r;
    if (*offset >= size) {
        return false;
    }
    bytes_reader_init(&r, (const uint8_t *)chunk + *offset, size - *offset);
    out->key_size = bytes_read_u8(&r);
    out->key = bytes_borrow(&r, out->key_size);
    out->value_size = bytes_read_u32(&r);
    out->value = bytes_borrow(&r, out->value_size);
    if (r.is_short || out->key_size == 0) {
        return false;
    }
    *offset += r.offset;
    return true;
}

const struct hash *state_index_next(
    const struct hash digests[static STATE_CHUNKS], unsigned *at)
{
    while (*at < STATE_CHUNKS && hash_is_zero(&digests[*at])) {
        ++*at;
    }
    return *at < STATE_CHUNKS ? &digests[(*at)++] : NULL;
}

void state_fold(struct hash *out, const struct hash *digests, size_t count)
{
    struct hash level[STATE_CHUNKS];
    POT_ASSERT(count >= 1 && count <= STATE_CHUNKS);
    POT_ASSERT((count & (count - 1)) == 0);
    memcpy(level, digests, count * sizeof(*digests));
    for (size_t width = count; width > 1; width /= 2) {
        for (size_t i = 0; i < width / 2; i++) {
            struct hash left = level[2 * i];
            struct hash right = level[2 * i + 1];
            state_node(&level[i], &left, &right);
        }
    }
    *out = level[0];
}

/* A chunk on its way to its digest. */
struct walk {
    struct hash digests[STATE_CHUNK_BUCKETS];
    struct buf list; /* of the bucket that is being read */
    uint16_t bucket;
    struct state_record last; /* in it */
    void (*visit)(void *context, uint16_t bucket, const struct buf *list);
    void *context;
};

static void end_bucket(struct walk *walk)
{
    state_bucket_digest(&walk->digests[walk->bucket % STATE_CHUNK_BUCKETS],
                        walk->list.data, walk->list.size);
    if (walk->visit != NULL) {
        walk->visit(walk->context, walk->bucket, &walk->list);
    }
    buf_clear(&walk->list);
}

/* False: it may not stand behind the one before. */
static bool walk_record(struct walk *walk, const struct state_record *record)
{
    struct hash hash;
    uint8_t key_size = (uint8_t)record->key_size;
    uint16_t bucket = state_bucket(record->key, record->key_size);
    bool is_first = walk->last.key == NULL;
    if (!is_first && bucket != walk->bucket) {
        if (bucket < walk->bucket ||
            state_chunk_of(bucket) != state_chunk_of(walk->bucket)) {
            return false;
        }
        end_bucket(walk);
    } else if (!is_first &&
               state_key_compare(walk->last.key, walk->last.key_size,
                                 record->key, record->key_size) >= 0) {
        return false;
    }
    walk->bucket = bucket;
    walk->last = *record;
    state_value_hash(&hash, record->value, record->value_size);
    buf_append(&walk->list, &key_size, 1);
    buf_append(&walk->list, record->key, record->key_size);
    buf_append(&walk->list, hash.b, HASH_SIZE);
    return !walk->list.is_overflown;
}

bool state_chunk_buckets(struct hash *digest, const void *chunk, size_t size,
                         void (*visit)(void *context, uint16_t bucket,
                                       const struct buf *list),
                         void *context)
{
    struct walk walk = {.visit = visit, .context = context};
    struct state_record record;
    size_t offset = 0;
    bool is_right = true;
    buf_init(&walk.list, STATE_BUCKET_MAX);
    while (is_right && state_chunk_next(&record, chunk, size, &offset)) {
        is_right = walk_record(&walk, &record);
    }
    is_right = is_right && offset == size && size > 0;
    if (is_right) {
        end_bucket(&walk);
    }
    if (is_right && digest != NULL) {
        state_fold(digest, walk.digests, STATE_CHUNK_BUCKETS);
    }
    buf_fini(&walk.list);
    return is_right;
}

bool state_chunk_is(const struct hash *digest, const void *chunk, size_t size)
{
    struct hash found;
    return state_chunk_buckets(&found, chunk, size, NULL, NULL) &&
           hash_equal(&found, digest);
}

bool state_index_is(const struct hash *root, const void *index, size_t size)
{
    struct hash digests[STATE_CHUNKS];
    struct hash found;
    if (size != STATE_INDEX_BYTES) {
        return false;
    }
    memcpy(digests, index, size);
    state_fold(&found, digests, STATE_CHUNKS);
    return hash_equal(&found, root);
}
