/* block: what binds a block together.
 *
 * A block's hash is the hash of its header's bytes; the header holds the
 * roots of everything else, so a header and a certificate prove a block. */
#ifndef POT_PROTO_BLOCK_H
#define POT_PROTO_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "proto/chain.pb-c.h"

struct block {
    struct hash hash;
    Pot__BlockHeader *header;
    Pot__Block *body; /* body->header: the bytes that were hashed */
    struct hash *txs; /* signed_hash of each of body's transactions */
};

/* block_decode: decodes a block and its header under the caps, and checks all
 * that needs no state: sizes of the header's fields, the roots and the
 * last-commit hash against the body.
 *
 * Owns:   *out is fresh; block_free releases it
 * Errors: POT_EFORMAT, POT_ELIMIT; *out is NULL then */
POT_MUST_USE enum pot_err block_decode(struct block **out, const void *data,
                                       size_t size);
void block_free(struct block *block);

/* block_seal: fills header's roots and last-commit hash from body and packs
 * the header into body->header (fresh memory, an old one is freed); *hash is
 * the block's. */
void block_seal(struct hash *hash, Pot__Block *body, Pot__BlockHeader *header);

/* block_make: the block of these parts, sealed, as if it had been decoded;
 * takes both, which codec_free could release. */
struct block *block_make(Pot__Block *body, Pot__BlockHeader *header);

/* block_header_decode: a header alone, with its hash; codec_free. */
POT_MUST_USE enum pot_err block_header_decode(Pot__BlockHeader **out,
                                              struct hash *hash,
                                              const void *data, size_t size);

/* What a block stands on. */
struct block_parent {
    uint64_t height; /* 0: the genesis */
    uint64_t time_ms;
    struct hash hash;
};

enum header_fault {
    HEADER_FOLLOWS,
    HEADER_CHAIN,
    HEADER_HEIGHT,
    HEADER_PARENT,
    HEADER_TIME, /* not later */
};

/* header_follows: whether it is of chain and the next one after parent. */
enum header_fault header_follows(const Pot__BlockHeader *header,
                                 const struct hash *chain,
                                 const struct block_parent *parent);

#endif
