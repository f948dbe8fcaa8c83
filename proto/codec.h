/* codec: protobuf under caps, and one encoding a message.
 *
 * protobuf-c alone turns 1 MiB of wire into 96 MiB of heap and follows
 * nesting until the stack ends.  Here a decode runs under a heap cap, a
 * nesting cap and a count cap, and what does not pack again to the same
 * bytes is refused: unknown fields, defaults written out, fields out of
 * order.  So an encoding is unique and may be hashed. */
#ifndef POT_PROTO_CODEC_H
#define POT_PROTO_CODEC_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"

#define CODEC_NESTING_MAX 8

/* codec_decode: *out is fresh and released by codec_free.
 *
 * Errors: POT_EFORMAT  not this message's one encoding
 *         POT_ELIMIT   more nesting, elements or heap than the caps allow
 * *out is NULL then. */
POT_MUST_USE enum pot_err codec_decode(ProtobufCMessage **out,
                                       const ProtobufCMessageDescriptor *type,
                                       const void *data, size_t size);

/* CODEC_DECODE: the same, typed:
 *   Pot__Block *block;
 *   err = CODEC_DECODE(&block, pot__block, data, size); */
#define CODEC_DECODE(out, type, data, size)                                    \
    codec_decode((ProtobufCMessage **)(out), &type##__descriptor, data, size)

/* codec_has_field: whether a message has this field, at its top: by the tags
 * alone, so the message may not decode all the same. */
bool codec_has_field(const void *data, size_t size, uint32_t number);

/* codec_open: what this program encoded itself, and got back as it was: the
 * checks that strangers' bytes need are left out.  NULL: it was not. */
void *codec_open(const ProtobufCMessageDescriptor *type, const void *data,
                 size_t size);

/* codec_free: any message of codec_decode or codec_open; takes a pointer to
 * its struct; NULL is fine. */
void codec_free(void *message);

/* codec_encode: the message's bytes, fresh memory; free() releases them. */
uint8_t *codec_encode(size_t *size, const void *message);

/* codec_append: the same at the end of buf. */
void codec_append(struct buf *buf, const void *message);

/* codec_bytes: a bytes field that borrows data. */
ProtobufCBinaryData codec_bytes(const void *data, size_t size);

/* codec_copy_bytes: a bytes field that owns a copy. */
ProtobufCBinaryData codec_copy_bytes(const void *data, size_t size);

/* codec_set_hash: a field that owns a copy of hash in place of what it
 * owned. */
void codec_set_hash(ProtobufCBinaryData *field, const struct hash *hash);

/* codec_hash, codec_key, codec_signature: a bytes field as a value; false,
 * and out untouched, when its size is wrong. */
POT_MUST_USE bool codec_hash(struct hash *out, ProtobufCBinaryData field);
POT_MUST_USE bool codec_key(struct public_key *out, ProtobufCBinaryData field);
POT_MUST_USE bool codec_signature(struct signature *out,
                                  ProtobufCBinaryData field);

bool codec_bytes_equal(ProtobufCBinaryData field, const void *data,
                       size_t size);

#endif
