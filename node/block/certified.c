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
    c->certificate_data = data;
    c->certificate_size = size;
    enum pot_err err = block == NULL
                           ? POT_EFORMAT
                           : CODEC_DECODE(&c->certificate,
                                          pot__commit_certificate, data, size);
    if (err != POT_OK) {
        certified_free(c);
        c = NULL;
    }
    *out = c;
    return err;
}

enum pot_err certified_take_bytes(struct certified **out, uint8_t *block,
                                  size_t block_size, uint8_t *certificate,
                                  size_t certificate_size)
{
    struct shared_block *shared;
    enum pot_err err = shared_block_take(&shared, block, block_size);
    enum pot_err also =
        certified_take(out, shared, certificate, certificate_size);
    return err != POT_OK ? err : also;
}

void certified_free(struct certified *certified)
{
    if (certified != NULL) {
        shared_block_unref(certified->block);
        codec_free(certified->certificate);
        free(certified->certificate_data);
        free(certified);
    }
}

bool certified_verify(const struct certified *certified,
                      const struct hash *chain, const struct validator_set *set)
{
    const struct block *block = certified->block->block;
    return certificate_proves(set, chain, certified->certificate,
                              block->header->height,
                              &block->hash) == CERTIFICATE_VALID;
}
