/* Before protobuf-c sees the bytes, scan() walks them along the descriptor:
 * every tag must be a known field of the right wire type, every length must
 * fit, nesting and elements are counted.  The walk keeps its own stack of
 * CODEC_NESTING_MAX frames. */
#include "config.h"

#include "proto/codec.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/check.h"

#include <stdlib.h>
#include <string.h>

/* Elements and sub-messages in one decode. */
#define ELEMENTS_MAX 1000000
/* A judgement of 36 bytes on the wire takes 104 of heap: 16 is generous. */
#define HEAP_PER_BYTE 16
#define HEAP_SPARE    4096

enum wire_type {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2,
    WIRE_FIXED32 = 5,
};

struct frame {
    const ProtobufCMessageDescriptor *type;
    size_t end; /* offset of the first byte behind the message */
};

struct scan {
    struct bytes_reader r;
    struct frame frames[CODEC_NESTING_MAX];
    size_t depth;
    size_t elements;
};

/* A varint of at most ten bytes; canonical form is checked by re-encoding. */
static uint64_t read_varint(struct bytes_reader *r)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        uint8_t byte = bytes_read_u8(r);
        if (shift < 64) {
            value |= (uint64_t)(byte & 127) << shift;
        }
        if (byte < 128) {
            return value;
        }
    }
    r->is_short = true;
    return 0;
}

static void skip(struct bytes_reader *r, unsigned wire)
{
    uint64_t size = 0;
    switch (wire) {
    case WIRE_VARINT:
        (void)read_varint(r);
        return;
    case WIRE_FIXED64:
        size = 8;
        break;
    case WIRE_BYTES:
        size = read_varint(r);
        break;
    case WIRE_FIXED32:
        size = 4;
        break;
    default:
        size = UINT64_MAX; /* beyond every end */
    }
    (void)bytes_borrow(r, size < SIZE_MAX ? (size_t)size : SIZE_MAX);
}

static enum wire_type wire_type_of(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return WIRE_FIXED32;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return WIRE_FIXED64;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return WIRE_BYTES;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM:
        break;
    }
    return WIRE_VARINT;
}

static enum pot_err scan_bytes(struct scan *s,
                               const ProtobufCFieldDescriptor *field)
{
    size_t end = s->frames[s->depth - 1].end;
    uint64_t size = read_varint(&s->r);
    if (s->r.is_short || size > end - s->r.offset) {
        return POT_EFORMAT;
    }
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        if (s->depth == CODEC_NESTING_MAX) {
            return POT_ELIMIT;
        }
        s->frames[s->depth++] = (struct frame){
            .type = field->descriptor,
            .end = s->r.offset + (size_t)size,
        };
        return POT_OK;
    }
    if (wire_type_of(field) != WIRE_BYTES) {
        s->elements += (size_t)size; /* packed: a byte an element at least */
    }
    (void)bytes_borrow(&s->r, (size_t)size);
    return POT_OK;
}

static enum pot_err scan_field(struct scan *s)
{
    const struct frame *frame = &s->frames[s->depth - 1];
    uint64_t tag = read_varint(&s->r);
    unsigned wire = (unsigned)(tag & 7);
    const ProtobufCFieldDescriptor *field =
        tag >> 3 > UINT32_MAX ? NULL
                              : protobuf_c_message_descriptor_get_field(
                                    frame->type, (unsigned)(tag >> 3));
    if (s->r.is_short || field == NULL) {
        return POT_EFORMAT;
    }
    if (++s->elements > ELEMENTS_MAX) {
        return POT_ELIMIT;
    }
    bool is_packed =
        field->label == PROTOBUF_C_LABEL_REPEATED && wire == WIRE_BYTES;
    if (wire != (unsigned)wire_type_of(field) && !is_packed) {
        return POT_EFORMAT;
    }
    if (wire == WIRE_BYTES) {
        return scan_bytes(s, field);
    }
    skip(&s->r, wire);
    return POT_OK;
}

static enum pot_err scan(const ProtobufCMessageDescriptor *type,
                         const void *data, size_t size)
{
    struct scan s = {.depth = 1};
    bytes_reader_init(&s.r, data, size);
    s.frames[0] = (struct frame){.type = type, .end = size};
    while (s.depth > 0) {
        size_t end = s.frames[s.depth - 1].end;
        if (s.r.is_short || s.r.offset > end) {
            return POT_EFORMAT;
        }
        if (s.r.offset == end) {
            s.depth--;
            continue;
        }
        enum pot_err err = scan_field(&s);
        if (err != POT_OK) {
            return err;
        }
        if (s.elements > ELEMENTS_MAX) {
            return POT_ELIMIT;
        }
    }
    return POT_OK;
}

struct heap {
    size_t left;
    bool is_exhausted;
};

static void *heap_alloc(void *data, size_t size)
{
    struct heap *heap = data;
    if (size > heap->left) {
        heap->is_exhausted = true;
        return NULL;
    }
    heap->left -= size;
    return pot_alloc(size);
}

static void heap_free(void *data, void *pointer)
{
    (void)data;
    free(pointer);
}

static bool packs_to(const ProtobufCMessage *message, const void *data,
                     size_t size)
{
    if (protobuf_c_message_get_packed_size(message) != size) {
        return false;
    }
    uint8_t *again = pot_alloc(size);
    size_t packed = protobuf_c_message_pack(message, again);
    bool is_same =
        packed == size && (size == 0 || memcmp(again, data, size) == 0);
    free(again);
    return is_same;
}

enum pot_err codec_decode(ProtobufCMessage **out,
                          const ProtobufCMessageDescriptor *type,
                          const void *data, size_t size)
{
    *out = NULL;
    enum pot_err err = scan(type, data, size);
    if (err != POT_OK) {
        return err;
    }
    struct heap heap = {.left = HEAP_PER_BYTE * size + HEAP_SPARE};
    ProtobufCAllocator allocator = {heap_alloc, heap_free, &heap};
    static const uint8_t nothing[1];
    ProtobufCMessage *message = protobuf_c_message_unpack(
        type, &allocator, size, size > 0 ? data : nothing);
    if (message == NULL) {
        return heap.is_exhausted ? POT_ELIMIT : POT_EFORMAT;
    }
    if (!packs_to(message, data, size)) {
        codec_free(message);
        return POT_EFORMAT;
    }
    *out = message;
    return POT_OK;
}

bool codec_has_field(const void *data, size_t size, uint32_t number)
{
    struct bytes_reader r;
    bool has = false;
    bytes_reader_init(&r, data, size);
    while (!has && !r.is_short && bytes_left(&r) > 0) {
        uint64_t tag = read_varint(&r);
        has = !r.is_short && tag >> 3 == number;
        skip(&r, (unsigned)(tag & 7));
    }
    return has;
}

void *codec_open(const ProtobufCMessageDescriptor *type, const void *data,
                 size_t size)
{
    static const uint8_t nothing[1];
    return protobuf_c_message_unpack(type, NULL, size,
                                     size > 0 ? data : nothing);
}

void codec_free(void *message)
{
    if (message != NULL) {
        protobuf_c_message_free_unpacked(message, NULL);
    }
}

uint8_t *codec_encode(size_t *size, const void *message)
{
    *size = protobuf_c_message_get_packed_size(message);
    uint8_t *data = pot_alloc(*size);
    size_t packed = protobuf_c_message_pack(message, data);
    POT_ASSERT(packed == *size);
    return data;
}

void codec_append(struct buf *buf, const void *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *at = buf_extend(buf, size);
    if (at != NULL) {
        (void)protobuf_c_message_pack(message, at);
    }
}

ProtobufCBinaryData codec_bytes(const void *data, size_t size)
{
    /* protobuf-c has one type for what it owns and what it only packs. */
    union {
        const void *in;
        uint8_t *out;
    } borrowed = {.in = data};
    return (ProtobufCBinaryData){.len = size, .data = borrowed.out};
}

ProtobufCBinaryData codec_copy_bytes(const void *data, size_t size)
{
    return (ProtobufCBinaryData){.len = size, .data = pot_memdup(data, size)};
}

void codec_set_hash(ProtobufCBinaryData *field, const struct hash *hash)
{
    free(field->data);
    *field = codec_copy_bytes(hash->b, HASH_SIZE);
}

bool codec_hash(struct hash *out, ProtobufCBinaryData field)
{
    return hash_from_bytes(out, field.data, field.len) == POT_OK;
}

bool codec_key(struct public_key *out, ProtobufCBinaryData field)
{
    return public_key_from_bytes(out, field.data, field.len) == POT_OK;
}

bool codec_signature(struct signature *out, ProtobufCBinaryData field)
{
    return signature_from_bytes(out, field.data, field.len) == POT_OK;
}

bool codec_bytes_equal(ProtobufCBinaryData field, const void *data, size_t size)
{
    return field.len == size &&
           (size == 0 || memcmp(field.data, data, size) == 0);
}
