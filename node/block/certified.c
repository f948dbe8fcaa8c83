#include "config.h"

#include "node/block/certified.h"

#include "base/alloc.h"
#include "node/block/shared_block.h"
#include "proto/certificate.h"
#include "proto/codec.h"

#include <stdlib.h>

enum pot_err certified_take(struct certified **out, struct shared_block *block,
                            uint8_t *data, size_t size)
{
    struct certified *c = pot_calloc(1, sizeof(*c));
    c->block = block;
    c->data = data;
    c->size = size;
    enum pot_err err =
        block == NULL
            ? POT_EFORMAT
            : CODEC_DECODE(&c->commits, pot__commit_certificate, data, size);
    if (err != POT_OK) {
        certified_free(c);
        c = NULL;
    }
    *out = c;
    return err;
}

void certified_free(struct certified *certified)
{
    if (certified != NULL) {
        shared_block_unref(certified->block);
        codec_free(certified->commits);
        free(certified->data);
        free(certified);
    }
}

bool certified_verify(const struct certified *certified,
                      const struct hash *chain, const struct validator_set *set)
{
    const struct block *block = certified->block->block;
    return certificate_proves(set, chain, certified->commits,
                              block->header->height,
                              &block->hash) == CERTIFICATE_VALID;
}
