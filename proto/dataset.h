/* dataset: the canonical form of a data set, a .pds file.
 *
 *   u32  magic "PDS1"
 *   u32  header size, a multiple of 8
 *   u64  rows
 *   u32  features
 *   u32  classes; 0: labels are numbers
 *   u8   feature type, DATASET_U8 or DATASET_Q24
 *   u8   0, u16 0
 *   u32  divisor: a DATASET_U8 feature is byte / divisor; 1 for DATASET_Q24
 *        for each class: u8 size, its name
 *        zeros up to the header size
 *   ...  features, row-major (rows, features), little-endian
 *   ...  labels (rows): u16 class index, or i32 Q8.24 when classes is 0
 *
 * The address of a data set is the Merkle root over the hashes of its
 * chunks of DATASET_CHUNK_BYTES bytes. */
#ifndef POT_PROTO_DATASET_H
#define POT_PROTO_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "proto/chain.pb-c.h"

enum dataset_type {
    DATASET_U8 = 1,
    DATASET_Q24 = 2,
};

struct dataset {
    uint64_t size; /* bytes of the file */
    uint64_t rows;
    uint32_t features;
    uint32_t classes;
    enum dataset_type type;
    uint32_t divisor;
    const uint8_t *names;        /* borrowed, as in the file */
    const uint8_t *feature_data; /* borrowed; may be unaligned */
    const uint8_t *label_data;
    int32_t of_byte[256]; /* DATASET_U8: Q8.24 value of each byte */
};

/* dataset_view: a view into data, which must outlive it; checks all of it,
 * labels too.  Errors: POT_EFORMAT; POT_ELIMIT. */
POT_MUST_USE enum pot_err dataset_view(struct dataset *out, const void *data,
                                       size_t size);

/* dataset_view_head: the same of its first bytes alone, as far as the names
 * reach: counts, type, divisor and names; no row is there. */
POT_MUST_USE enum pot_err dataset_view_head(struct dataset *out,
                                            const void *data, size_t size);

/* Where the rows lie in a file. */
#define DATASET_HEAD_BYTES 32
struct dataset_layout {
    uint64_t rows;
    size_t header_size;   /* the features of row 0 begin there */
    size_t feature_bytes; /* of a row */
    size_t label_bytes;   /* of a row; labels begin behind all features */
};

/* dataset_layout_read: by the first DATASET_HEAD_BYTES of a file of size
 * bytes.  Errors: POT_EFORMAT; POT_ELIMIT. */
POT_MUST_USE enum pot_err dataset_layout_read(
    struct dataset_layout *out, const uint8_t head[static DATASET_HEAD_BYTES],
    uint64_t size);

/* dataset_head_set_rows: the same header for another number of rows. */
void dataset_head_set_rows(uint8_t head[static DATASET_HEAD_BYTES],
                           uint64_t rows);

/* dataset_row: features of one row as Q8.24; row < rows. */
void dataset_row(int32_t *out, const struct dataset *d, uint64_t row);

/* dataset_class: label of a row; classes > 0.  dataset_target: the same for
 * classes == 0, Q8.24. */
uint32_t dataset_class(const struct dataset *d, uint64_t row);
int32_t dataset_target(const struct dataset *d, uint64_t row);

/* dataset_class_name: copies it into text as a C string. */
void dataset_class_name(char text[static 256], const struct dataset *d,
                        uint32_t index);

/* dataset_header: the header's encoding for these fields, fresh
 * memory; names has classes entries of at most 255 bytes. */
uint8_t *dataset_header(size_t *size, uint64_t rows, uint32_t features,
                        uint32_t classes, enum dataset_type type,
                        uint32_t divisor, const char *const *names);

/* dataset_chunk_hash: of one chunk's bytes; dataset_is_chunk: whether it is
 * that.  dataset_address: of all. */
void dataset_chunk_hash(struct hash *out, const void *data, size_t size);
bool dataset_is_chunk(const struct hash *hash, const void *data, size_t size);
void dataset_address(struct hash *out, const struct hash *chunks, size_t count);

/* dataset_chunk_count: chunks of a data set of size bytes.
 * dataset_chunk_size: bytes of one, index < dataset_chunk_count. */
uint64_t dataset_chunk_count(uint64_t size);
size_t dataset_chunk_size(uint64_t size, size_t index);

/* dataset_shard_rows: a shard of a data set of size bytes is as many rows, one
 * after another, as a chunk has bytes for; at least one. */
uint64_t dataset_shard_rows(uint64_t size, uint64_t rows);

/* dataset_description_chunks: the hashes of a description's chunks, n_chunks
 * of them in fresh memory; NULL unless there are as many as its size asks
 * for, and at most DATASET_CHUNKS_MAX, and its address is theirs. */
struct hash *dataset_description_chunks(const Pot__PublishDataset *dataset);

#endif
