#include "config.h"

#include "storage/store_tree.h"

#include "base/alloc.h"
#include "base/check.h"
#include "storage/store_record.h"
#include "storage/store_table.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_SIZE_BYTES (TREE_WIDTH * sizeof(struct hash))
/* The pages that hold the state's index. */
#define INDEX_TIER  1
#define INDEX_PAGES (STATE_CHUNKS / TREE_WIDTH)

_Static_assert(TREE_WIDTH *TREE_WIDTH == STATE_CHUNKS, "tier 1 is the index");

/* The digest of the part of the tree that a new state has at (tier, index),
 * going up one tier at a time. */
struct step {
    uint16_t index;
    struct hash digest;
};

void tree_page_digest(struct hash *out,
                      const struct hash digests[static TREE_WIDTH])
{
    state_fold(out, digests, TREE_WIDTH);
}

static enum pot_err read_page(struct hash digests[static TREE_WIDTH],
                              const struct store_read *read, unsigned tier,
                              unsigned index)
{
    uint8_t key[RECORD_NODE_KEY_SIZE];
    struct store_value value;
    store_record_node_key(key, tier, index);
    enum pot_err err =
        store_table_get(&value, read, TABLE_NODES, key, sizeof(key));
    memset(digests, 0, PAGE_SIZE_BYTES);
    if (err == POT_OK && value.size != PAGE_SIZE_BYTES) {
        err = POT_ECORRUPT;
    }
    if (err == POT_OK) {
        memcpy(digests, value.data, PAGE_SIZE_BYTES);
    }
    return err == POT_ENOENT ? POT_OK : err;
}

enum pot_err tree_read_bucket(struct store_value *out,
                              const struct store_read *read, unsigned bucket)
{
    uint8_t key[2];
    store_record_bucket_key(key, bucket);
    enum pot_err err =
        store_table_get(out, read, TABLE_BUCKETS, key, sizeof(key));
    if (err == POT_ENOENT) {
        *out = (struct store_value){.data = NULL};
        return POT_OK;
    }
    return err;
}

static void add_entry(struct buf *list, const uint8_t *key, size_t key_size,
                      const uint8_t *value_hash)
{
    uint8_t size = (uint8_t)key_size;
    buf_append(list, &size, 1);
    buf_append(list, key, key_size);
    buf_append(list, value_hash, HASH_SIZE);
}

/* The old list and the changes, both by ascending key, into a new list. */
static enum pot_err merge(struct buf *out, const struct store_value *old,
                          const struct tree_change *changes, size_t count)
{
    struct state_entry entry;
    size_t offset = 0;
    size_t next = 0;
    bool has_entry = state_entry_next(&entry, old->data, old->size, &offset);
    while (has_entry || next < count) {
        const struct tree_change *change = next < count ? &changes[next] : NULL;
        int order = -1; /* the old entry comes first */
        if (change != NULL) {
            order = !has_entry
                        ? 1
                        : state_key_compare(entry.key, entry.key_size,
                                            change->key, change->key_size);
        }
        if (order < 0) {
            add_entry(out, entry.key, entry.key_size, entry.value_hash);
        } else if (!change->is_deleted) {
            add_entry(out, change->key, change->key_size, change->value_hash.b);
        }
        next += order >= 0;
        if (order <= 0) {
            has_entry = state_entry_next(&entry, old->data, old->size, &offset);
        }
    }
    if (offset != old->size) {
        return POT_ECORRUPT;
    }
    return out->is_overflown ? POT_ELIMIT : POT_OK;
}

static enum pot_err compute_buckets(struct tree_delta *out, struct step *steps,
                                    const struct store_read *read,
                                    const struct tree_change *changes,
                                    size_t count)
{
    enum pot_err err = POT_OK;
    for (size_t first = 0, end; err == POT_OK && first < count; first = end) {
        uint16_t index = changes[first].bucket;
        for (end = first; end < count && changes[end].bucket == index; end++) {
        }
        struct tree_bucket *bucket = &out->buckets[out->bucket_count];
        struct step *step = &steps[out->bucket_count++];
        struct store_value old;
        bucket->index = index;
        buf_init(&bucket->list, STATE_BUCKET_MAX);
        err = tree_read_bucket(&old, read, index);
        if (err == POT_OK) {
            err = merge(&bucket->list, &old, changes + first, end - first);
        }
        step->index = index;
        state_bucket_digest(&step->digest, bucket->list.data,
                            bucket->list.size);
    }
    return err;
}

/* Steps below a tier's pages become steps of the pages themselves. */
static enum pot_err compute_tier(struct tree_delta *out, struct step *steps,
                                 size_t *count, unsigned tier,
                                 const struct store_read *read)
{
    enum pot_err err = POT_OK;
    size_t made = 0;
    struct tree_page *pages = pot_calloc(*count, sizeof(*pages));
    out->pages[tier] = pages;
    for (size_t i = 0; err == POT_OK && i < *count;) {
        struct tree_page *page = &pages[made];
        page->index = steps[i].index / TREE_WIDTH;
        err = read_page(page->digests, read, tier, page->index);
        for (; i < *count && steps[i].index / TREE_WIDTH == page->index; i++) {
            page->digests[steps[i].index % TREE_WIDTH] = steps[i].digest;
        }
        steps[made].index = page->index;
        tree_page_digest(&steps[made].digest, page->digests);
        made++;
    }
    out->page_counts[tier] = made;
    *count = made;
    return err;
}

static enum pot_err read_root(struct hash *root, const struct store_read *read)
{
    struct hash digests[TREE_WIDTH];
    enum pot_err err = read_page(digests, read, 0, 0);
    tree_page_digest(root, digests);
    return err;
}

enum pot_err tree_compute(struct tree_delta *out, const struct store_read *read,
                          const struct tree_change *changes, size_t count)
{
    *out = (struct tree_delta){.bucket_count = 0};
    if (count == 0) {
        return read_root(&out->root, read);
    }
    struct step *steps = pot_calloc(count, sizeof(*steps));
    out->buckets = pot_calloc(count, sizeof(*out->buckets));
    enum pot_err err = compute_buckets(out, steps, read, changes, count);
    size_t left = out->bucket_count;
    for (unsigned tier = TREE_TIERS; err == POT_OK && tier > 0; tier--) {
        err = compute_tier(out, steps, &left, tier - 1, read);
    }
    if (err == POT_OK) {
        POT_ASSERT(left == 1 && steps[0].index == 0);
        out->root = steps[0].digest;
    }
    free(steps);
    return err;
}

void tree_delta_fini(struct tree_delta *delta)
{
    for (size_t i = 0; i < delta->bucket_count; i++) {
        buf_fini(&delta->buckets[i].list);
    }
    free(delta->buckets);
    for (size_t tier = 0; tier < TREE_TIERS; tier++) {
        free(delta->pages[tier]);
    }
    *delta = (struct tree_delta){.bucket_count = 0};
}

static enum pot_err write_page(struct store_write *write, unsigned tier,
                               const struct tree_page *page)
{
    static const struct hash zeros[TREE_WIDTH];
    uint8_t key[RECORD_NODE_KEY_SIZE];
    store_record_node_key(key, tier, page->index);
    if (memcmp(page->digests, zeros, sizeof(zeros)) == 0) {
        return store_table_del(write, TABLE_NODES, key, sizeof(key));
    }
    return store_table_put(write, TABLE_NODES, key, sizeof(key), page->digests,
                           PAGE_SIZE_BYTES);
}

enum pot_err tree_write(struct store_write *write,
                        const struct tree_delta *delta)
{
    enum pot_err err = POT_OK;
    for (size_t i = 0; err == POT_OK && i < delta->bucket_count; i++) {
        const struct tree_bucket *bucket = &delta->buckets[i];
        uint8_t key[2];
        store_record_bucket_key(key, bucket->index);
        err = bucket->list.size == 0
                  ? store_table_del(write, TABLE_BUCKETS, key, sizeof(key))
                  : store_table_put(write, TABLE_BUCKETS, key, sizeof(key),
                                    bucket->list.data, bucket->list.size);
    }
    for (unsigned tier = 0; tier < TREE_TIERS; tier++) {
        for (size_t i = 0; err == POT_OK && i < delta->page_counts[tier]; i++) {
            err = write_page(write, tier, &delta->pages[tier][i]);
        }
    }
    return err;
}

enum pot_err tree_prove(struct state_proof *proof,
                        const struct store_read *read, uint16_t bucket)
{
    struct store_value list;
    struct hash level[TREE_WIDTH];
    size_t index = bucket;
    size_t filled = 0;
    enum pot_err err = tree_read_bucket(&list, read, bucket);
    if (err == POT_OK) {
        buf_append(&proof->bucket, list.data, list.size);
    }
    for (unsigned tier = TREE_TIERS; err == POT_OK && tier > 0; tier--) {
        err = read_page(level, read, tier - 1, (unsigned)(index / TREE_WIDTH));
        size_t place = index % TREE_WIDTH;
        for (size_t width = TREE_WIDTH; width > 1; width /= 2) {
            proof->siblings[filled++] = level[place ^ 1];
            for (size_t i = 0; i < width / 2; i++) {
                struct hash left = level[2 * i];
                struct hash right = level[2 * i + 1];
                state_node(&level[i], &left, &right);
            }
            place /= 2;
        }
        index /= TREE_WIDTH;
    }
    return err;
}

enum pot_err tree_read_index(struct hash out[static STATE_CHUNKS],
                             const struct store_read *read)
{
    enum pot_err err = POT_OK;
    for (unsigned i = 0; err == POT_OK && i < INDEX_PAGES; i++) {
        err = read_page(&out[i * TREE_WIDTH], read, INDEX_TIER, i);
    }
    return err;
}

/* ---- the tree anew */

/* The digest of a bucket whose entries are those of stored values. */
static enum pot_err check_bucket(struct hash *digest, uint64_t *count,
                                 const struct store_read *read, unsigned bucket)
{
    struct store_value list;
    struct store_value value;
    struct state_entry entry;
    struct hash hash;
    size_t offset = 0;
    enum pot_err err = tree_read_bucket(&list, read, bucket);
    while (err == POT_OK &&
           state_entry_next(&entry, list.data, list.size, &offset)) {
        err = store_table_get(&value, read, TABLE_STATE, entry.key,
                              entry.key_size);
        if (err == POT_OK) {
            state_value_hash(&hash, value.data, value.size);
        }
        if (err == POT_ENOENT ||
            (err == POT_OK &&
             memcmp(hash.b, entry.value_hash, HASH_SIZE) != 0)) {
            err = POT_EFORMAT;
        }
        (*count)++;
    }
    if (err == POT_OK) {
        state_bucket_digest(digest, list.data, list.size);
    }
    return err;
}

/* Digests of a tier's pages in the place of those below them. */
static enum pot_err rebuild_tier(struct store_write *write, unsigned tier,
                                 struct hash *digests, unsigned pages)
{
    enum pot_err err = POT_OK;
    for (unsigned i = 0; err == POT_OK && i < pages; i++) {
        struct tree_page page = {.index = (uint16_t)i};
        memcpy(page.digests, &digests[i * TREE_WIDTH], PAGE_SIZE_BYTES);
        err = write_page(write, tier, &page);
        tree_page_digest(&digests[i], page.digests);
    }
    return err;
}

enum pot_err tree_rebuild(struct store_write *write, struct hash *root)
{
    uint64_t count = 0;
    unsigned pages = STATE_BUCKETS;
    enum pot_err err = POT_OK;
    struct hash *digests = pot_calloc(STATE_BUCKETS, sizeof(*digests));
    for (unsigned i = 0; err == POT_OK && i < STATE_BUCKETS; i++) {
        err = check_bucket(&digests[i], &count, &write->read, i);
    }
    if (err == POT_OK && count != write->totals[TABLE_STATE].count) {
        err = POT_EFORMAT;
    }
    for (unsigned tier = TREE_TIERS; err == POT_OK && tier > 0; tier--) {
        pages /= TREE_WIDTH;
        err = rebuild_tier(write, tier - 1, digests, pages);
    }
    *root = digests[0];
    free(digests);
    return err;
}
