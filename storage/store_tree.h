/* store_tree: the state's Merkle tree as it is stored (proto/state_proof.h
 * says what it is).
 *
 * The 16 levels are kept in four tiers of pages; a page holds the 16 digests
 * below it, and what lies between them and its own digest is computed.  The
 * pages of tier 3 hold buckets' digests, the one page of tier 0 the root's. */
#ifndef POT_STORAGE_STORE_TREE_H
#define POT_STORAGE_STORE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/state_chunk.h"
#include "proto/state_proof.h"
#include "storage/store_env.h"
#include "storage/store_table.h"

#define TREE_TIERS 4
#define TREE_WIDTH 16

struct tree_change {
    uint16_t bucket;
    const uint8_t *key; /* borrowed */
    size_t key_size;
    bool is_deleted;
    struct hash value_hash;
};

struct tree_bucket {
    uint16_t index;
    struct buf list;
};

struct tree_page {
    uint16_t index; /* in its tier */
    struct hash digests[TREE_WIDTH];
};

/* What changes lead to.  A zeroed one is empty. */
struct tree_delta {
    struct tree_bucket *buckets;
    size_t bucket_count;
    struct tree_page *pages[TREE_TIERS];
    size_t page_counts[TREE_TIERS];
    struct hash root;
};

/* tree_compute: the buckets, pages and root after changes, sorted by bucket,
 * then by key, without two of one key.
 *
 * Owns:   *out, also on failure: tree_delta_fini releases it
 * Errors: POT_ECORRUPT, POT_ELIMIT a bucket is full, POT_EIO */
POT_MUST_USE enum pot_err tree_compute(struct tree_delta *out,
                                       const struct store_read *read,
                                       const struct tree_change *changes,
                                       size_t count);
void tree_delta_fini(struct tree_delta *delta);

/* tree_write: stores a delta that was computed over the same tip. */
POT_MUST_USE enum pot_err tree_write(struct store_write *write,
                                     const struct tree_delta *delta);

/* tree_read_bucket: the stored list of a bucket, in place; empty when there is
 * none. */
POT_MUST_USE enum pot_err tree_read_bucket(struct store_value *out,
                                           const struct store_read *read,
                                           unsigned bucket);

/* tree_read_index: the state's index (proto/state_chunk.h). */
POT_MUST_USE enum pot_err tree_read_index(struct hash out[static STATE_CHUNKS],
                                          const struct store_read *read);

/* tree_rebuild: the pages over the buckets as they are stored, each bucket
 * compared with the values that are stored under its keys, and these with the
 * number of all values.
 *
 * Out:    root
 * Errors: POT_EFORMAT they do not fit; POT_ECORRUPT, POT_EIO */
POT_MUST_USE enum pot_err tree_rebuild(struct store_write *write,
                                       struct hash *root);

/* tree_prove: fills an initialised proof for a key's bucket. */
POT_MUST_USE enum pot_err tree_prove(struct state_proof *proof,
                                     const struct store_read *read,
                                     uint16_t bucket);

/* tree_page_digest: what a page says to the tier above. */
void tree_page_digest(struct hash *out,
                      const struct hash digests[static TREE_WIDTH]);

#endif
