#include "config.h"

#include "node/block/shared_block.h"

#include "base/alloc.h"
#include "base/cpu_time.h"

#include <stdatomic.h>
#include <stdlib.h>

struct shared_block *shared_block_of(struct block *opened, uint8_t *data,
                                     size_t size)
{
    struct shared_block *shared = pot_calloc(1, sizeof(*shared));
    shared->block = opened;
    shared->data = data;
    shared->size = size;
    atomic_init(&shared->references, 1);
    return shared;
}

enum pot_err shared_block_take(struct shared_block **out, uint8_t *data,
                               size_t size)
{
    struct block *block;
    enum cpu_part before = cpu_time_enter(CPU_DECODING);
    enum pot_err err = block_decode(&block, data, size);
    (void)cpu_time_enter(before);
    *out = NULL;
    if (err != POT_OK) {
        free(data);
        return err;
    }
    *out = shared_block_of(block, data, size);
    return POT_OK;
}

struct shared_block *shared_block_ref(struct shared_block *shared)
{
    (void)atomic_fetch_add(&shared->references, 1);
    return shared;
}

void shared_block_unref(struct shared_block *shared)
{
    if (shared != NULL && atomic_fetch_sub(&shared->references, 1) == 1) {
        block_free(shared->block);
        free(shared->data);
        free(shared);
    }
}
