/* certified: a block and the commit certificate that makes it final. */
#ifndef POT_NODE_BLOCK_CERTIFIED_H
#define POT_NODE_BLOCK_CERTIFIED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "proto/chain.pb-c.h"

struct shared_block;
struct validator_set;

struct certified {
    struct shared_block *block;
    Pot__CommitCertificate *certificate;
    uint8_t *certificate_data; /* its bytes */
    size_t certificate_size;
};

/* certified_take: takes a reference to the block and the certificate's
 * bytes, also when it fails; block may be NULL, which is POT_EFORMAT.  Nothing
 * is verified.
 *
 * Owns:   *out; certified_free
 * Errors: POT_EFORMAT, POT_ELIMIT; *out is NULL then */
POT_MUST_USE enum pot_err certified_take(struct certified **out,
                                         struct shared_block *block,
                                         uint8_t *data, size_t size);

/* certified_take_bytes: the same from the bytes of both. */
POT_MUST_USE enum pot_err certified_take_bytes(struct certified **out,
                                               uint8_t *block,
                                               size_t block_size,
                                               uint8_t *certificate,
                                               size_t certificate_size);
void certified_free(struct certified *certified);

/* certified_verify: the certificate is a quorum's of this set on this very
 * block.  As many signatures as a quorum has: off the loop. */
bool certified_verify(const struct certified *certified,
                      const struct hash *chain,
                      const struct validator_set *set);

#endif
