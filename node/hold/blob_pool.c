#include "config.h"

#include "node/hold/blob_pool.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/map.h"

#include <stdlib.h>
#include <uv.h>

struct blob {
    struct hash hash;
    uint8_t *data;
    size_t size;
    uint64_t turn; /* in which it was last put or read */
    struct blob *older;
    struct blob *newer;
};

struct blob_pool {
    uv_mutex_t mutex;
    struct map blobs;    /* hash -> struct blob */
    struct map claims;   /* hash -> their number */
    struct blob *oldest; /* by that */
    struct blob *newest;
    uint64_t turn;
    size_t bytes; /* <= bytes_max */
    size_t bytes_max;
};

struct blob_pool *blob_pool_new(size_t bytes_max)
{
    struct blob_pool *pool = pot_calloc(1, sizeof(*pool));
    int rc = uv_mutex_init(&pool->mutex);
    POT_ASSERT(rc == 0);
    pool->bytes_max = bytes_max;
    return pool;
}

static void take_out(struct blob_pool *pool, const struct blob *blob)
{
    *(blob->older != NULL ? &blob->older->newer : &pool->oldest) = blob->newer;
    *(blob->newer != NULL ? &blob->newer->older : &pool->newest) = blob->older;
}

static void append(struct blob_pool *pool, struct blob *blob)
{
    blob->turn = pool->turn;
    blob->older = pool->newest;
    blob->newer = NULL;
    *(pool->newest != NULL ? &pool->newest->newer : &pool->oldest) = blob;
    pool->newest = blob;
}

/* The blob, used now; NULL: it is not held. */
static const struct blob *use(struct blob_pool *pool, const struct hash *hash)
{
    struct blob *blob = map_get(&pool->blobs, hash->b);
    if (blob != NULL) {
        take_out(pool, blob);
        append(pool, blob);
    }
    return blob;
}

static void drop(struct blob_pool *pool, struct blob *blob)
{
    take_out(pool, blob);
    (void)map_remove(&pool->blobs, blob->hash.b);
    pool->bytes -= blob->size;
    free(blob->data);
    free(blob);
}

void blob_pool_free(struct blob_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    while (pool->oldest != NULL) {
        drop(pool, pool->oldest);
    }
    map_fini(&pool->blobs);
    map_fini(&pool->claims);
    uv_mutex_destroy(&pool->mutex);
    free(pool);
}

/* One that is not held, and not larger than the pool; takes data. */
static void add(struct blob_pool *pool, const struct hash *hash, uint8_t *data,
                size_t size)
{
    while (pool->bytes + size > pool->bytes_max) {
        drop(pool, pool->oldest);
    }
    struct blob *blob = pot_calloc(1, sizeof(*blob));
    blob->hash = *hash;
    blob->data = data;
    blob->size = size;
    append(pool, blob);
    pool->bytes += size;
    (void)map_put(&pool->blobs, hash->b, blob);
}

bool blob_pool_put(struct blob_pool *pool, const struct hash *hash,
                   const void *data, size_t size)
{
    if (size > pool->bytes_max) {
        return false;
    }
    uv_mutex_lock(&pool->mutex);
    if (use(pool, hash) == NULL) {
        add(pool, hash, pot_memdup(data, size), size);
    }
    uv_mutex_unlock(&pool->mutex);
    return true;
}

void blob_pool_take(struct blob_pool *pool, const struct hash *hash,
                    uint8_t *data, size_t size)
{
    uv_mutex_lock(&pool->mutex);
    if (size > pool->bytes_max || use(pool, hash) != NULL) {
        free(data);
    } else {
        add(pool, hash, data, size);
    }
    uv_mutex_unlock(&pool->mutex);
}

bool blob_pool_get(struct blob_pool *pool, const struct hash *hash,
                   struct buf *out)
{
    uv_mutex_lock(&pool->mutex);
    const struct blob *blob = use(pool, hash);
    buf_clear(out);
    if (blob != NULL) {
        buf_append(out, blob->data, blob->size);
    }
    uv_mutex_unlock(&pool->mutex);
    return blob != NULL && !out->is_overflown;
}

bool blob_pool_read(struct blob_pool *pool, const struct hash *hash,
                    uint64_t offset, size_t size, struct buf *out,
                    uint64_t *total)
{
    uv_mutex_lock(&pool->mutex);
    const struct blob *blob = use(pool, hash);
    if (blob != NULL) {
        uint64_t from = offset < blob->size ? offset : blob->size;
        uint64_t left = blob->size - from;
        buf_append(out, blob->data + from, left < size ? left : size);
        *total = blob->size;
    }
    uv_mutex_unlock(&pool->mutex);
    return blob != NULL;
}

bool blob_pool_has(struct blob_pool *pool, const struct hash *hash,
                   size_t *size)
{
    uv_mutex_lock(&pool->mutex);
    const struct blob *blob = map_get(&pool->blobs, hash->b);
    if (blob != NULL && size != NULL) {
        *size = blob->size;
    }
    uv_mutex_unlock(&pool->mutex);
    return blob != NULL;
}

static uintptr_t claims_on(const struct blob_pool *pool,
                           const struct hash *hash)
{
    return (uintptr_t)map_get(&pool->claims, hash->b);
}

void blob_pool_claim(struct blob_pool *pool, const struct hash *hash)
{
    uv_mutex_lock(&pool->mutex);
    (void)map_put(&pool->claims, hash->b, (void *)(claims_on(pool, hash) + 1));
    uv_mutex_unlock(&pool->mutex);
}

void blob_pool_release(struct blob_pool *pool, const struct hash *hash)
{
    uv_mutex_lock(&pool->mutex);
    uintptr_t count = claims_on(pool, hash);
    struct blob *blob = map_get(&pool->blobs, hash->b);
    POT_ASSERT(count > 0);
    if (count > 1) {
        (void)map_put(&pool->claims, hash->b, (void *)(count - 1));
    } else {
        (void)map_remove(&pool->claims, hash->b);
    }
    if (count == 1 && blob != NULL) {
        drop(pool, blob);
    }
    uv_mutex_unlock(&pool->mutex);
}

void blob_pool_age(struct blob_pool *pool, unsigned turns)
{
    uv_mutex_lock(&pool->mutex);
    pool->turn++;
    while (pool->oldest != NULL && pool->oldest->turn + turns < pool->turn) {
        drop(pool, pool->oldest);
    }
    uv_mutex_unlock(&pool->mutex);
}

size_t blob_pool_bytes(struct blob_pool *pool)
{
    uv_mutex_lock(&pool->mutex);
    size_t bytes = pool->bytes;
    uv_mutex_unlock(&pool->mutex);
    return bytes;
}
