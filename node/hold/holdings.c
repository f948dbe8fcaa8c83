#include "config.h"

#include "node/hold/holdings.h"

#include "node/hold/blob_pool.h"
#include "storage/store.h"

bool holdings_has_blob(const struct holdings *holdings, const struct hash *hash,
                       size_t *size)
{
    return blob_pool_has(holdings->pool, hash, size) ||
           blob_pool_has(holdings->recent, hash, size) ||
           store_blob_has(holdings->store, hash, size);
}

bool holdings_has_another(const struct holdings *holdings,
                          const struct hash *hash, uint64_t size)
{
    size_t held;
    return holdings_has_blob(holdings, hash, &held) && held != size;
}

bool holdings_get_memory_blob(const struct holdings *holdings,
                              const struct hash *hash, struct buf *out)
{
    return blob_pool_get(holdings->pool, hash, out) ||
           blob_pool_get(holdings->recent, hash, out);
}

bool holdings_get_blob(const struct holdings *holdings, const struct hash *hash,
                       struct buf *out)
{
    return holdings_get_memory_blob(holdings, hash, out) ||
           store_blob_get(holdings->store, hash, out) == POT_OK;
}

bool holdings_read_blob(const struct holdings *holdings,
                        const struct hash *hash, uint64_t offset, size_t size,
                        struct buf *out, uint64_t *total)
{
    size_t count = 0;
    if (blob_pool_read(holdings->pool, hash, offset, size, out, total) ||
        blob_pool_read(holdings->recent, hash, offset, size, out, total)) {
        return true;
    }
    uint8_t *at = buf_extend(out, size);
    if (at == NULL || store_blob_read(holdings->store, hash, offset, at, size,
                                      &count, total) != POT_OK) {
        out->size -= at != NULL ? size : 0;
        return false;
    }
    out->size -= size - count;
    return true;
}
