#include "config.h"

#include "consensus/body.h"

#include "base/alloc.h"
#include "base/check.h"
#include "proto/block.h"
#include "proto/codec.h"

#include <stdlib.h>
#include <string.h>

struct body *body_new(const void *data, size_t size)
{
    struct block *block;
    if (size == 0 || block_decode(&block, data, size) != POT_OK) {
        return NULL;
    }
    struct body *body = pot_calloc(1, sizeof(*body));
    body->refs = 1;
    body->digest = block->hash;
    body->height = block->header->height;
    body->view = block->header->view;
    memcpy(body->parent.b, block->header->parent_hash.data, HASH_SIZE);
    memcpy(body->chain.b, block->header->chain_id.data, HASH_SIZE);
    memcpy(body->proposer.b, block->header->proposer.data, PUBLIC_KEY_SIZE);
    body->data = pot_memdup(data, size);
    body->size = size;
    block_free(block);
    return body;
}

struct body *body_ref(struct body *body)
{
    POT_ASSERT(body->refs > 0);
    body->refs++;
    return body;
}

void body_unref(struct body *body)
{
    if (body == NULL) {
        return;
    }
    POT_ASSERT(body->refs > 0);
    if (--body->refs == 0) {
        free(body->data);
        free(body);
    }
}

void body_set(struct body **slot, struct body *body)
{
    struct body *old = *slot;
    *slot = body == NULL ? NULL : body_ref(body);
    body_unref(old);
}
