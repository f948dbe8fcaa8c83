#include "config.h"

#include "ledger/task_blobs.h"

#include "base/bytes.h"
#include "base/check.h"
#include "ledger/keys.h"
#include "proto/blob.h"

static uint64_t load_count(const struct state *state, struct state_key key)
{
    struct buf value;
    struct bytes_reader r;
    buf_init(&value, sizeof(uint64_t));
    uint64_t count = 0;
    if (state->get(state->context, key.b, key.size, &value)) {
        bytes_reader_init(&r, value.data, value.size);
        count = bytes_read_u64(&r);
        POT_ASSERT(bytes_is_done(&r) && count > 0);
    }
    buf_fini(&value);
    return count;
}

static void store_count(const struct state *state, struct state_key key,
                        uint64_t count)
{
    uint8_t bytes[8];
    struct bytes_writer w;
    bytes_writer_init(&w, bytes, sizeof(bytes));
    bytes_write_u64(&w, count);
    state->put(state->context, key.b, key.size, bytes, sizeof(bytes));
}

void task_blobs_put(const struct ledger_env *env, struct hash *hash,
                    const void *data, size_t size)
{
    blob_hash(hash, data, size);
    task_blobs_put_named(env, hash, data, size);
}

void task_blobs_put_named(const struct ledger_env *env, const struct hash *hash,
                          const void *data, size_t size)
{
    struct state_key key = keys_blob(hash);
    uint64_t count = load_count(&env->state, key);
    store_count(&env->state, key, count + 1);
    if (count == 0) {
        env->blobs.put(env->blobs.context, hash, data, size);
    }
}

void task_blobs_hold(const struct ledger_env *env, const struct hash *hash)
{
    struct state_key key = keys_blob(hash);
    uint64_t count = load_count(&env->state, key);
    POT_ASSERT(count > 0);
    store_count(&env->state, key, count + 1);
}

void task_blobs_drop(const struct ledger_env *env, const struct hash *hash)
{
    struct state_key key = keys_blob(hash);
    uint64_t count = load_count(&env->state, key);
    POT_ASSERT(count > 0);
    if (count > 1) {
        store_count(&env->state, key, count - 1);
        return;
    }
    env->state.del(env->state.context, key.b, key.size);
    env->blobs.del(env->blobs.context, hash);
}
