/* A chunk of the state from anyone: what is taken for one has one encoding. */
#include "config.h"

#include "base/check.h"
#include "proto/state_chunk.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(void *context, uint16_t bucket, const struct buf *list)
{
    unsigned *buckets = context;
    (void)bucket;
    POT_ASSERT(list->size > 0);
    (*buckets)++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf again;
    struct state_record record;
    struct hash digest = {{0}};
    unsigned buckets = 0;
    size_t offset = 0;
    bool is_chunk = state_chunk_buckets(&digest, data, size, count, &buckets);
    buf_init(&again, size);
    while (state_chunk_next(&record, data, size, &offset)) {
        POT_ASSERT(offset <= size);
        state_chunk_add(&again, record.key, record.key_size, record.value,
                        record.value_size);
    }
    POT_ASSERT(again.size == offset && !again.is_overflown);
    POT_ASSERT(offset == 0 || memcmp(again.data, data, offset) == 0);
    POT_ASSERT(!is_chunk || (offset == size && buckets > 0));
    POT_ASSERT(state_chunk_is(&digest, data, size) == is_chunk);
    POT_ASSERT(!state_index_is(&digest, data, size));
    buf_fini(&again);
    return 0;
}
