/* Lies to those who fetch blocks. */
#include "config.h"

#include "base/limits.h"
#include "p2p/message.h"
#include "proto/codec.h"
#include "proto/state_chunk.h"
#include "proto/wire.pb-c.h"
#include "tests/byz/byz.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define LIE_HEIGHT 1000000

/* "I have a million blocks more." */
static bool boast(const uint8_t *data, size_t size, struct buf *out)
{
    Pot__PeerStatus *status;
    if (CODEC_DECODE(&status, pot__peer_status, data, size) != POT_OK) {
        return false;
    }
    status->height += LIE_HEIGHT;
    codec_append(out, status);
    codec_free(status);
    return true;
}

/* Each block with a certificate spoilt by fn. */
static bool spoil_blocks(const uint8_t *data, size_t size, struct buf *out,
                         void (*fn)(Pot__CommitCertificate *certificate))
{
    Pot__Blocks *blocks;
    if (CODEC_DECODE(&blocks, pot__blocks, data, size) != POT_OK) {
        return false;
    }
    for (size_t i = 0; i < blocks->n_blocks; i++) {
        Pot__SyncBlock *block = blocks->blocks[i];
        Pot__CommitCertificate *certificate;
        if (CODEC_DECODE(&certificate, pot__commit_certificate,
                         block->certificate.data,
                         block->certificate.len) == POT_OK) {
            fn(certificate);
            free(block->certificate.data);
            block->certificate.data =
                codec_encode(&block->certificate.len, certificate);
            codec_free(certificate);
        }
    }
    codec_append(out, blocks);
    codec_free(blocks);
    return true;
}

/* One signature for all. */
static void forge(Pot__CommitCertificate *c)
{
    for (size_t i = 1; i < c->n_signatures; i++) {
        memcpy(c->signatures[i]->signature.data,
               c->signatures[0]->signature.data, SIGNATURE_SIZE);
    }
}

static void shorten(Pot__CommitCertificate *c)
{
    while (c->n_signatures > 1) {
        codec_free(c->signatures[--c->n_signatures]);
    }
}

static void change_view(Pot__CommitCertificate *c)
{
    c->view++;
}

static void change_digest(Pot__CommitCertificate *c)
{
    c->digest.data[0] ^= 1;
}

static bool lie(struct byz *b, uint8_t type, const uint8_t *data, size_t size,
                struct buf *out)
{
    static void (*const lies[])(Pot__CommitCertificate *) = {
        forge, shorten, change_view, change_digest};
    (void)b;
    return type == MESSAGE_BLOCKS &&
           spoil_blocks(data, size, out, lies[randombytes_uniform(4)]);
}

/* Holds all blocks, and gives nothing. */
static bool starve(struct byz *b, uint8_t type, const uint8_t *data,
                   size_t size, struct buf *out)
{
    Pot__Blocks *blocks;
    (void)b;
    if (type == MESSAGE_STATUS) {
        return boast(data, size, out);
    }
    if (type != MESSAGE_BLOCKS ||
        CODEC_DECODE(&blocks, pot__blocks, data, size) != POT_OK) {
        return false;
    }
    while (blocks->n_blocks > 0) {
        codec_free(blocks->blocks[--blocks->n_blocks]);
    }
    codec_append(out, blocks);
    codec_free(blocks);
    return true;
}

static void change_byte(Pot__BlobPiece *piece)
{
    piece->data.data[randombytes_uniform((uint32_t)piece->data.len)] ^= 1;
}

/* Another byte in every chunk.  What comes before is left alone, or nobody
 * would ask for the chunks. */
static void spoil_chunk(Pot__BlobPiece *piece)
{
    if (state_chunk_buckets(NULL, piece->data.data, piece->data.len, NULL,
                            NULL)) {
        change_byte(piece);
    }
}

static bool lie_of_snapshot(struct byz *b, uint8_t type, const uint8_t *data,
                            size_t size, struct buf *out)
{
    (void)b;
    return byz_twist_piece(type, data, size, out, spoil_chunk);
}

static bool lie_of_headers(struct byz *b, uint8_t type, const uint8_t *data,
                           size_t size, struct buf *out)
{
    (void)b;
    return type == MESSAGE_HEADERS && spoil_blocks(data, size, out, forge);
}

/* What nobody asked for: no answer, in effect. */
static void shift(Pot__BlobPiece *piece)
{
    piece->offset++;
}

/* Has a snapshot, and gives nothing of it. */
static bool starve_of_snapshot(struct byz *b, uint8_t type, const uint8_t *data,
                               size_t size, struct buf *out)
{
    (void)b;
    return byz_twist_piece(type, data, size, out, shift);
}

/* Another byte in every piece of a data set's chunk, each of which is full. */
static void spoil_data(Pot__BlobPiece *piece)
{
    if (piece->total == DATASET_CHUNK_BYTES) {
        change_byte(piece);
    }
}

static bool lie_of_data(struct byz *b, uint8_t type, const uint8_t *data,
                        size_t size, struct buf *out)
{
    (void)b;
    return byz_twist_piece(type, data, size, out, spoil_data);
}

const struct byz_trick byz_sync_tricks[] = {
    {"data-lies", "chunks of data sets with a wrong byte", .send = lie_of_data},
    {"snapshot-lies", "chunks with a wrong byte", .send = lie_of_snapshot},
    {"snapshot-headers", "headers with forged certificates",
     .send = lie_of_headers},
    {"snapshot-starves", "answers no question for chunks and blobs",
     .send = starve_of_snapshot},
    {"sync-lies", "blocks with spoilt certificates", .send = lie},
    {"sync-starves", "claims a great height and gives no block",
     .send = starve},
    {.name = NULL},
};
