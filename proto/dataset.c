#include "config.h"

#include "proto/dataset.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/fixed.h"
#include "base/limits.h"
#include "proto/codec.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC       UINT32_C(0x31534450) /* "PDS1", little-endian */
#define FIXED_BYTES DATASET_HEAD_BYTES
#define ROWS_OFFSET 8

static size_t feature_size(enum dataset_type type)
{
    return type == DATASET_U8 ? 1 : 4;
}

static size_t label_size(uint32_t classes)
{
    return classes > 0 ? 2 : 4;
}

/* Reads the fields before the names; counts come out within the limits. */
static enum pot_err read_fields(struct dataset *d, uint32_t *header_size,
                                struct bytes_reader *r)
{
    uint32_t magic = bytes_read_u32(r);
    *header_size = bytes_read_u32(r);
    d->rows = bytes_read_u64(r);
    d->features = bytes_read_u32(r);
    d->classes = bytes_read_u32(r);
    uint8_t type = bytes_read_u8(r);
    uint8_t zero8 = bytes_read_u8(r);
    uint16_t zero16 = bytes_read_u16(r);
    d->divisor = bytes_read_u32(r);
    if (r->is_short || magic != MAGIC || zero8 != 0 || zero16 != 0 ||
        (type != DATASET_U8 && type != DATASET_Q24)) {
        return POT_EFORMAT;
    }
    d->type = (enum dataset_type)type;
    if (d->rows == 0 || d->features == 0 || d->classes == 1 ||
        d->divisor == 0 || (type == DATASET_Q24 && d->divisor != 1)) {
        return POT_EFORMAT;
    }
    if (d->rows > DATASET_ROWS_MAX || d->features > DATASET_FEATURES_MAX ||
        d->classes > DATASET_CLASSES_MAX || d->divisor > INT32_MAX) {
        return POT_ELIMIT;
    }
    return POT_OK;
}

static enum pot_err read_names(struct dataset *d, uint32_t header_size,
                               struct bytes_reader *r)
{
    d->names = r->data + r->offset;
    for (uint32_t i = 0; i < d->classes; i++) {
        (void)bytes_borrow(r, bytes_read_u8(r));
    }
    if (r->is_short || header_size != (r->offset + 7) / 8 * 8) {
        return POT_EFORMAT;
    }
    while (r->offset < header_size) {
        if (bytes_read_u8(r) != 0 || r->is_short) {
            return POT_EFORMAT;
        }
    }
    return POT_OK;
}

static bool labels_are_in_range(const struct dataset *d)
{
    for (uint64_t row = 0; row < d->rows && d->classes > 0; row++) {
        if (dataset_class(d, row) >= d->classes) {
            return false;
        }
    }
    return true;
}

static enum pot_err read_head(struct dataset *d, struct bytes_reader *r)
{
    uint32_t header_size;
    enum pot_err err = read_fields(d, &header_size, r);
    return err == POT_OK ? read_names(d, header_size, r) : err;
}

enum pot_err dataset_view_head(struct dataset *out, const void *data,
                               size_t size)
{
    struct bytes_reader r;
    struct dataset d = {0};
    bytes_reader_init(&r, data, size);
    enum pot_err err = read_head(&d, &r);
    if (err == POT_OK) {
        *out = d;
    }
    return err;
}

enum pot_err dataset_view(struct dataset *out, const void *data, size_t size)
{
    struct bytes_reader r;
    struct dataset d = {.size = size};
    bytes_reader_init(&r, data, size);
    enum pot_err err = read_head(&d, &r);
    if (err != POT_OK) {
        return err;
    }
    size_t row_bytes =
        d.features * feature_size(d.type) + label_size(d.classes);
    if (bytes_left(&r) / row_bytes != d.rows ||
        bytes_left(&r) % row_bytes != 0) {
        return POT_EFORMAT;
    }
    size_t feature_bytes = d.rows * d.features * feature_size(d.type);
    d.feature_data = bytes_borrow(&r, feature_bytes);
    d.label_data = bytes_borrow(&r, d.rows * label_size(d.classes));
    POT_ASSERT(bytes_is_done(&r));
    if (!labels_are_in_range(&d)) {
        return POT_EFORMAT;
    }
    for (int64_t byte = 0; byte < 256; byte++) {
        d.of_byte[byte] =
            fixed_saturate(fixed_divide(byte << FIXED_BITS, d.divisor));
    }
    *out = d;
    return POT_OK;
}

enum pot_err dataset_layout_read(struct dataset_layout *out,
                                 const uint8_t head[static DATASET_HEAD_BYTES],
                                 uint64_t size)
{
    struct bytes_reader r;
    struct dataset d = {0};
    uint32_t header_size;
    bytes_reader_init(&r, head, DATASET_HEAD_BYTES);
    enum pot_err err = read_fields(&d, &header_size, &r);
    if (err != POT_OK) {
        return err;
    }
    size_t feature_bytes = d.features * feature_size(d.type);
    size_t row_bytes = feature_bytes + label_size(d.classes);
    if (header_size < DATASET_HEAD_BYTES || header_size > size ||
        (size - header_size) / row_bytes != d.rows ||
        (size - header_size) % row_bytes != 0) {
        return POT_EFORMAT;
    }
    *out = (struct dataset_layout){
        .rows = d.rows,
        .header_size = header_size,
        .feature_bytes = feature_bytes,
        .label_bytes = label_size(d.classes),
    };
    return POT_OK;
}

void dataset_head_set_rows(uint8_t head[static DATASET_HEAD_BYTES],
                           uint64_t rows)
{
    struct bytes_writer w;
    bytes_writer_init(&w, head + ROWS_OFFSET, sizeof(rows));
    bytes_write_u64(&w, rows);
}

void dataset_row(int32_t *out, const struct dataset *d, uint64_t row)
{
    POT_ASSERT(row < d->rows);
    const uint8_t *at =
        d->feature_data + row * d->features * feature_size(d->type);
    for (uint32_t i = 0; i < d->features; i++) {
        out[i] = d->type == DATASET_U8 ? d->of_byte[at[i]]
                                       : (int32_t)bytes_u32_at(at + 4 * i);
    }
}

uint32_t dataset_class(const struct dataset *d, uint64_t row)
{
    POT_ASSERT(row < d->rows && d->classes > 0);
    return bytes_u16_at(d->label_data + 2 * row);
}

int32_t dataset_target(const struct dataset *d, uint64_t row)
{
    POT_ASSERT(row < d->rows && d->classes == 0);
    return (int32_t)bytes_u32_at(d->label_data + 4 * row);
}

void dataset_class_name(char text[static 256], const struct dataset *d,
                        uint32_t index)
{
    POT_ASSERT(index < d->classes);
    const uint8_t *at = d->names;
    for (uint32_t i = 0; i < index; i++) {
        at += 1 + at[0];
    }
    memcpy(text, at + 1, at[0]);
    text[at[0]] = '\0';
}

uint8_t *dataset_header(size_t *size, uint64_t rows, uint32_t features,
                        uint32_t classes, enum dataset_type type,
                        uint32_t divisor, const char *const *names)
{
    struct bytes_writer w;
    size_t total = FIXED_BYTES;
    for (uint32_t i = 0; i < classes; i++) {
        POT_ASSERT(strlen(names[i]) < 256);
        total += 1 + strlen(names[i]);
    }
    total = (total + 7) / 8 * 8;
    uint8_t *data = pot_calloc(total, 1);
    bytes_writer_init(&w, data, total);
    bytes_write_u32(&w, MAGIC);
    bytes_write_u32(&w, (uint32_t)total);
    bytes_write_u64(&w, rows);
    bytes_write_u32(&w, features);
    bytes_write_u32(&w, classes);
    bytes_write_u8(&w, (uint8_t)type);
    bytes_write_u8(&w, 0);
    bytes_write_u16(&w, 0);
    bytes_write_u32(&w, divisor);
    for (uint32_t i = 0; i < classes; i++) {
        bytes_write_u8(&w, (uint8_t)strlen(names[i]));
        bytes_write(&w, names[i], strlen(names[i]));
    }
    *size = total;
    return data;
}

void dataset_chunk_hash(struct hash *out, const void *data, size_t size)
{
    hash_bytes(out, "dataset-chunk", data, size);
}

bool dataset_is_chunk(const struct hash *hash, const void *data, size_t size)
{
    struct hash made;
    dataset_chunk_hash(&made, data, size);
    return hash_equal(&made, hash);
}

void dataset_address(struct hash *out, const struct hash *chunks, size_t count)
{
    struct hash *leaves = pot_calloc(count, sizeof(*leaves));
    if (count > 0) {
        memcpy(leaves, chunks, count * sizeof(*leaves));
    }
    hash_merkle_root(out, leaves, count);
    free(leaves);
}

uint64_t dataset_chunk_count(uint64_t size)
{
    return size / DATASET_CHUNK_BYTES +
           (size % DATASET_CHUNK_BYTES > 0 ? 1 : 0);
}

size_t dataset_chunk_size(uint64_t size, size_t index)
{
    uint64_t at = (uint64_t)index * DATASET_CHUNK_BYTES;
    POT_ASSERT(at < size);
    return size - at < DATASET_CHUNK_BYTES ? (size_t)(size - at)
                                           : DATASET_CHUNK_BYTES;
}

uint64_t dataset_shard_rows(uint64_t size, uint64_t rows)
{
    POT_ASSERT(size > 0 && rows <= DATASET_ROWS_MAX);
    uint64_t count = rows * DATASET_CHUNK_BYTES / size;
    return count > 0 ? count : 1;
}

static bool read_chunks(struct hash *chunks, const Pot__PublishDataset *dataset)
{
    struct hash address;
    for (size_t i = 0; i < dataset->n_chunks; i++) {
        if (!codec_hash(&chunks[i], dataset->chunks[i])) {
            return false;
        }
    }
    dataset_address(&address, chunks, dataset->n_chunks);
    return codec_bytes_equal(dataset->dataset, address.b, HASH_SIZE);
}

struct hash *dataset_description_chunks(const Pot__PublishDataset *dataset)
{
    uint64_t count = dataset_chunk_count(dataset->size_bytes);
    if (count == 0 || count > DATASET_CHUNKS_MAX ||
        dataset->n_chunks != count) {
        return NULL;
    }
    struct hash *chunks = pot_calloc(dataset->n_chunks, sizeof(*chunks));
    if (!read_chunks(chunks, dataset)) {
        free(chunks);
        return NULL;
    }
    return chunks;
}
