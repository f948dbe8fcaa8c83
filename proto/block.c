#include "config.h"

#include "proto/block.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "proto/codec.h"
#include "proto/signed.h"

#include <stdlib.h>
#include <string.h>

/* The root over a list: leaves are the hashes of the elements' encodings;
 * transactions have hashes of their own. */
static void list_root(struct hash *out, const char *what,
                      ProtobufCMessage *const *elements, size_t count)
{
    struct hash *leaves = pot_calloc(count, sizeof(*leaves));
    for (size_t i = 0; i < count; i++) {
        size_t size;
        uint8_t *data = codec_encode(&size, elements[i]);
        hash_bytes(&leaves[i], what, data, size);
        free(data);
    }
    hash_merkle_root(out, leaves, count);
    free(leaves);
}

struct roots {
    struct hash txs;
    struct hash round_updates;
    struct hash evidence;
    struct hash last_commit; /* zero when there is none */
};

/* The hash of each transaction, in fresh memory. */
static struct hash *hash_txs(const Pot__Block *body)
{
    struct hash *hashes = pot_calloc(body->n_txs, sizeof(*hashes));
    for (size_t i = 0; i < body->n_txs; i++) {
        signed_hash(&hashes[i], SIGNED_TX, body->txs[i]);
    }
    return hashes;
}

/* txs: their hashes. */
static void roots_of(struct roots *out, const Pot__Block *body,
                     const struct hash *txs)
{
    struct hash *leaves = pot_calloc(body->n_txs, sizeof(*leaves));
    if (body->n_txs > 0) {
        memcpy(leaves, txs, body->n_txs * sizeof(*leaves));
    }
    hash_merkle_root(&out->txs, leaves, body->n_txs);
    free(leaves);
    list_root(&out->round_updates, "round-update",
              (ProtobufCMessage **)body->round_updates, body->n_round_updates);
    list_root(&out->evidence, "block-evidence",
              (ProtobufCMessage **)body->evidence, body->n_evidence);
    memset(&out->last_commit, 0, sizeof(out->last_commit));
    if (body->last_commit != NULL) {
        size_t size;
        uint8_t *data = codec_encode(&size, body->last_commit);
        hash_bytes(&out->last_commit, "last-commit", data, size);
        free(data);
    }
}

static bool header_is_well_formed(const Pot__BlockHeader *h)
{
    const ProtobufCBinaryData fields[] = {
        h->chain_id,         h->parent_hash,   h->proposer,
        h->txs_root,         h->evidence_root, h->round_updates_root,
        h->last_commit_hash, h->state_root,    h->validators_hash,
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        if (fields[i].len != HASH_SIZE) {
            return false;
        }
    }
    return h->version == PROTOCOL_VERSION && h->height > 0;
}

static bool hash_is_field(const struct hash *hash, ProtobufCBinaryData field)
{
    return codec_bytes_equal(field, hash->b, HASH_SIZE);
}

static bool body_fits_header(const struct block *block)
{
    struct roots roots;
    const Pot__BlockHeader *header = block->header;
    roots_of(&roots, block->body, block->txs);
    return hash_is_field(&roots.txs, header->txs_root) &&
           hash_is_field(&roots.round_updates, header->round_updates_root) &&
           hash_is_field(&roots.evidence, header->evidence_root) &&
           hash_is_field(&roots.last_commit, header->last_commit_hash);
}

enum pot_err block_header_decode(Pot__BlockHeader **out, struct hash *hash,
                                 const void *data, size_t size)
{
    enum pot_err err = CODEC_DECODE(out, pot__block_header, data, size);
    if (err != POT_OK) {
        return err;
    }
    if (!header_is_well_formed(*out)) {
        codec_free(*out);
        *out = NULL;
        return POT_EFORMAT;
    }
    hash_bytes(hash, "block", data, size);
    return POT_OK;
}

enum pot_err block_decode(struct block **out, const void *data, size_t size)
{
    *out = NULL;
    if (size > BLOCK_BYTES_MAX) {
        return POT_ELIMIT;
    }
    struct block *block = pot_calloc(1, sizeof(*block));
    enum pot_err err = CODEC_DECODE(&block->body, pot__block, data, size);
    if (err == POT_OK) {
        err = block_header_decode(&block->header, &block->hash,
                                  block->body->header.data,
                                  block->body->header.len);
    }
    if (err == POT_OK && (block->body->n_txs > BLOCK_TXS_MAX ||
                          block->body->n_round_updates > ROUND_UPDATES_MAX ||
                          block->body->n_evidence > EVIDENCE_MAX)) {
        err = POT_ELIMIT;
    }
    if (err == POT_OK) {
        block->txs = hash_txs(block->body);
        err = body_fits_header(block) ? POT_OK : POT_EFORMAT;
    }
    if (err != POT_OK) {
        block_free(block);
        return err;
    }
    *out = block;
    return POT_OK;
}

void block_free(struct block *block)
{
    if (block != NULL) {
        codec_free(block->header);
        codec_free(block->body);
        free(block->txs);
        free(block);
    }
}

static void seal(struct hash *hash, Pot__Block *body, Pot__BlockHeader *header,
                 const struct hash *txs)
{
    struct roots roots;
    roots_of(&roots, body, txs);
    codec_set_hash(&header->txs_root, &roots.txs);
    codec_set_hash(&header->round_updates_root, &roots.round_updates);
    codec_set_hash(&header->evidence_root, &roots.evidence);
    codec_set_hash(&header->last_commit_hash, &roots.last_commit);
    POT_ASSERT(header_is_well_formed(header));
    free(body->header.data);
    body->header.data = codec_encode(&body->header.len, header);
    hash_bytes(hash, "block", body->header.data, body->header.len);
}

void block_seal(struct hash *hash, Pot__Block *body, Pot__BlockHeader *header)
{
    struct hash *txs = hash_txs(body);
    seal(hash, body, header, txs);
    free(txs);
}

struct block *block_make(Pot__Block *body, Pot__BlockHeader *header)
{
    struct block *block = pot_calloc(1, sizeof(*block));
    block->header = header;
    block->body = body;
    block->txs = hash_txs(body);
    seal(&block->hash, body, header, block->txs);
    return block;
}

enum header_fault header_follows(const Pot__BlockHeader *header,
                                 const struct hash *chain,
                                 const struct block_parent *parent)
{
    if (!hash_is_field(chain, header->chain_id)) {
        return HEADER_CHAIN;
    }
    if (header->height != parent->height + 1) {
        return HEADER_HEIGHT;
    }
    if (!hash_is_field(&parent->hash, header->parent_hash)) {
        return HEADER_PARENT;
    }
    return header->time_ms > parent->time_ms ? HEADER_FOLLOWS : HEADER_TIME;
}
