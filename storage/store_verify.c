/* One pass over every table in one snapshot.  What a record means beyond its
 * checksum is checked by the table's own visitor; the tree is built again
 * from the buckets met on the way and compared at the end. */
#include "config.h"

#include "storage/store.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/hex.h"
#include "proto/block.h"
#include "proto/codec.h"
#include "storage/store_env.h"
#include "storage/store_record.h"
#include "storage/store_table.h"
#include "storage/store_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRESS_EVERY 1024

struct verify {
    struct store_read read;
    struct store_report *report;
    bool (*progress)(void *context, uint64_t done, uint64_t all);
    void *context;
    uint64_t all;
    struct store_tip tip;
    enum store_table table;                  /* that is passed now */
    struct store_total totals[STORE_TABLES]; /* as met */
    struct hash parent;       /* of the next block, zero before the first */
    uint64_t height;          /* of the last block met */
    uint64_t first;           /* height of the first block met, 0: none */
    struct hash first_parent; /* what it says of the one before */
    struct hash last_header;  /* of the headers below the blocks */
    uint64_t header_height;
    struct hash ahead_header; /* of those above the tip */
    uint64_t ahead_height;
    uint64_t bucket_entries;
    struct hash *digests; /* STATE_BUCKETS of them */
};

/* A record met on the way. */
struct met {
    enum store_table table;
    const uint8_t *key;
    size_t key_size;
    struct store_value value;
};

static void problem(struct verify *v, const struct met *met, const char *what)
{
    struct store_report *report = v->report;
    if (report->problem_count++ >= STORE_PROBLEMS_MAX) {
        return;
    }
    struct store_problem *p = &report->problems[report->problem_count - 1];
    p->table = store_table_name(met->table);
    p->what = what;
    if (met->key_size == RECORD_HEIGHT_SIZE &&
        (met->table == TABLE_BLOCKS || met->table == TABLE_CERTIFICATES)) {
        (void)snprintf(p->key, sizeof(p->key), "%llu",
                       (unsigned long long)store_record_read_height(met->key));
    } else {
        size_t shown = (sizeof(p->key) - 1) / 2;
        (void)hex_format(p->key, met->key,
                         met->key_size < shown ? met->key_size : shown);
    }
}

static bool has(struct verify *v, enum store_table table, const void *key,
                size_t key_size, struct store_value *value)
{
    return store_table_get(value, &v->read, table, key, key_size) == POT_OK;
}

/* ---- the chain */

/* What holds of a header, with its block or without. */
static void check_header(struct verify *v, const struct met *met,
                         const Pot__BlockHeader *header,
                         const struct hash *hash)
{
    struct store_value value;
    struct hash field;
    uint64_t height = store_record_read_height(met->key);
    uint64_t place;
    uint32_t index;
    if (header->height != height) {
        problem(v, met, "block has another height");
    }
    if (!has(v, TABLE_HEIGHTS, hash->b, HASH_SIZE, &value) ||
        !store_record_read_place(&place, &index, value.data, value.size) ||
        place != height) {
        problem(v, met, "block is not found by its hash");
    }
    if (v->tip.is_set && height == v->tip.height &&
        (!hash_equal(hash, &v->tip.hash) ||
         !codec_hash(&field, header->state_root) ||
         !hash_equal(&field, &v->tip.state_root))) {
        problem(v, met, "block is not the tip's");
    }
    if (!has(v, TABLE_CERTIFICATES, met->key, met->key_size, &value)) {
        problem(v, met, "block has no certificate");
    }
}

static void visit_header(struct verify *v, const struct met *met,
                         const struct block *block)
{
    bool is_right = true;
    uint64_t height = store_record_read_height(met->key);
    check_header(v, met, block->header, &block->hash);
    if (v->first == 0) {
        v->first = height;
        is_right = codec_hash(&v->first_parent, block->header->parent_hash);
    } else {
        is_right = height == v->height + 1 &&
                   codec_bytes_equal(block->header->parent_hash, v->parent.b,
                                     HASH_SIZE);
    }
    if (!is_right) {
        problem(v, met, "block is not chained to the one before it");
    }
    v->parent = block->hash;
    v->height = height;
}

/* Behind the blocks: the headers of those that are pruned. */
static void visit_old_header(struct verify *v, const struct met *met)
{
    struct hash hash;
    Pot__BlockHeader *header = NULL;
    if (met->key_size != RECORD_HEIGHT_SIZE ||
        block_header_decode(&header, &hash, met->value.data, met->value.size) !=
            POT_OK) {
        problem(v, met, "not a header");
        return;
    }
    check_header(v, met, header, &hash);
    bool is_ahead = v->tip.is_set && header->height > v->tip.height;
    uint64_t *height = is_ahead ? &v->ahead_height : &v->header_height;
    struct hash *last = is_ahead ? &v->ahead_header : &v->last_header;
    if (is_ahead && *height == 0) {
        *height = v->tip.height;
        *last = v->tip.hash;
    }
    if (header->height != *height + 1 ||
        ((*height > 0 || is_ahead) &&
         !codec_bytes_equal(header->parent_hash, last->b, HASH_SIZE))) {
        problem(v, met, "header is not chained to the one before it");
    }
    *height = header->height;
    *last = hash;
    codec_free(header);
}

static void visit_block(struct verify *v, const struct met *met)
{
    struct block *block;
    v->report->blocks++;
    if (met->key_size != RECORD_HEIGHT_SIZE ||
        block_decode(&block, met->value.data, met->value.size) != POT_OK) {
        problem(v, met, "not a block");
        return;
    }
    visit_header(v, met, block);
    block_free(block);
}

static void visit_certificate(struct verify *v, const struct met *met)
{
    Pot__CommitCertificate *certificate;
    enum pot_err err = CODEC_DECODE(&certificate, pot__commit_certificate,
                                    met->value.data, met->value.size);
    if (err != POT_OK || met->key_size != RECORD_HEIGHT_SIZE ||
        certificate->height != store_record_read_height(met->key)) {
        problem(v, met, "not a certificate of this height");
    }
    codec_free(certificate);
}

/* Ahead of the tip there are headers only. */
static bool is_block_at(struct verify *v, enum store_table table,
                        uint64_t height)
{
    uint8_t key[RECORD_HEIGHT_SIZE];
    struct store_value value;
    store_record_height(key, height);
    return v->tip.is_set && (height <= v->tip.height ||
                             (table == TABLE_HEIGHTS &&
                              has(v, TABLE_HEADERS, key, sizeof(key), &value)));
}

static void visit_place(struct verify *v, const struct met *met)
{
    uint64_t height;
    uint32_t index;
    if (met->key_size != HASH_SIZE ||
        !store_record_read_place(&height, &index, met->value.data,
                                 met->value.size) ||
        !is_block_at(v, met->table, height)) {
        problem(v, met, "names no block");
    }
}

static void visit_reward(struct verify *v, const struct met *met)
{
    struct store_reward reward;
    struct store_reward twin;
    struct store_value value;
    uint8_t key[RECORD_REWARD_KEY_SIZE];
    bool is_by_task = met->table == TABLE_REWARDS_TASK;
    enum store_table other =
        is_by_task ? TABLE_REWARDS_ADDRESS : TABLE_REWARDS_TASK;
    if (!store_record_read_reward(&reward, met->table, met->key, met->key_size,
                                  met->value.data, met->value.size)) {
        problem(v, met, "not a reward");
        return;
    }
    store_record_reward_key(key, is_by_task ? reward.to.b : reward.task.b,
                            reward.height, reward.index);
    if (!has(v, other, key, sizeof(key), &value) ||
        !store_record_read_reward(&twin, other, key, sizeof(key), value.data,
                                  value.size) ||
        twin.amount != reward.amount || twin.round != reward.round ||
        twin.reason != reward.reason) {
        problem(v, met, "reward has no twin");
    }
}

static void visit_round(struct verify *v, const struct met *met)
{
    struct store_round round;
    if (!store_record_read_round(&round, met->key, met->key_size,
                                 met->value.data, met->value.size) ||
        !v->tip.is_set || round.height > v->tip.height) {
        problem(v, met, "not a round");
    }
}

/* ---- the state */

static void visit_state(struct verify *v, const struct met *met)
{
    struct store_value list;
    struct state_entry entry;
    struct hash hash;
    uint8_t key[2];
    size_t offset = 0;
    v->report->state_keys++;
    state_value_hash(&hash, met->value.data, met->value.size);
    store_record_bucket_key(key, state_bucket(met->key, met->key_size));
    if (has(v, TABLE_BUCKETS, key, sizeof(key), &list)) {
        while (state_entry_next(&entry, list.data, list.size, &offset)) {
            if (state_key_compare(entry.key, entry.key_size, met->key,
                                  met->key_size) == 0 &&
                memcmp(entry.value_hash, hash.b, HASH_SIZE) == 0) {
                return;
            }
        }
    }
    problem(v, met, "value is not the one in its bucket");
}

static void visit_bucket(struct verify *v, const struct met *met)
{
    struct state_entry entry;
    struct state_entry last = {.key_size = 0};
    const struct store_value *list = &met->value;
    size_t offset = 0;
    if (met->key_size != 2) {
        problem(v, met, "not a bucket");
        return;
    }
    unsigned bucket = (unsigned)met->key[0] << 8 | met->key[1];
    while (state_entry_next(&entry, list->data, list->size, &offset)) {
        bool is_ascending = last.key_size == 0 ||
                            state_key_compare(last.key, last.key_size,
                                              entry.key, entry.key_size) < 0;
        if (!is_ascending ||
            state_bucket(entry.key, entry.key_size) != bucket) {
            problem(v, met, "bucket has an entry in a wrong place");
        }
        v->bucket_entries++;
        last = entry;
    }
    if (offset != list->size || list->size == 0) {
        problem(v, met, "not a bucket");
    }
    state_bucket_digest(&v->digests[bucket], list->data, list->size);
}

/* ---- blobs */

static void visit_blob(struct verify *v, const struct met *met)
{
    struct store_value value;
    v->report->blobs++;
    if (!has(v, TABLE_BLOB_USES, met->key, met->key_size, &value)) {
        problem(v, met, "nobody uses this blob");
    }
}

static void visit_uses(struct verify *v, const struct met *met)
{
    struct store_uses uses;
    struct hash hash;
    if (hash_from_bytes(&hash, met->key, met->key_size) != POT_OK ||
        !store_record_read_uses(&uses, met->value.data, met->value.size) ||
        !store_uses_any(&uses)) {
        problem(v, met, "not a blob's uses");
        return;
    }
    MDB_val key = {.mv_size = HASH_SIZE, .mv_data = hash.b};
    MDB_val raw;
    if (mdb_get(v->read.txn, v->read.store->tables[TABLE_BLOBS], &key, &raw) !=
        0) {
        problem(v, met, "blob is missing");
    }
}

static void visit_nothing(struct verify *v, const struct met *met)
{
    (void)v;
    (void)met;
}

/* ---- the pass */

static void (*const visitors[STORE_TABLES])(struct verify *,
                                            const struct met *) = {
#define X(table, text, visit) [table] = visit,
    STORE_TABLE_MAP(X)
#undef X
};

static bool go_on(struct verify *v)
{
    return v->progress == NULL || v->report->records % PROGRESS_EVERY != 0 ||
           v->progress(v->context, v->report->records, v->all);
}

static enum pot_err pass_record(void *context, const MDB_val *key,
                                const MDB_val *raw)
{
    struct verify *v = context;
    struct met met = {
        .table = v->table, .key = key->mv_data, .key_size = key->mv_size};
    if (!go_on(v)) {
        return POT_ECANCELLED;
    }
    v->report->records++;
    v->report->bytes += raw->mv_size;
    if (store_table_open_value(&met.value, v->table, key, raw) != POT_OK) {
        problem(v, &met, "checksum does not fit");
        return POT_OK;
    }
    if (v->table != TABLE_META) {
        v->totals[v->table].count++;
        v->totals[v->table].sum += store_total_hash(v->table, key->mv_data,
                                                    key->mv_size, raw->mv_data);
    }
    visitors[v->table](v, &met);
    return POT_OK;
}

static void compare_totals(struct verify *v)
{
    struct store_total totals[STORE_TABLES];
    struct met meta = {.table = TABLE_META};
    if (store_read_totals(totals, &v->read) != POT_OK) {
        problem(v, &meta, "totals are missing");
        return;
    }
    for (unsigned i = TABLE_META + 1; i < STORE_TABLES; i++) {
        struct met table = {.table = (enum store_table)i};
        if (!store_total_equal(&v->totals[i], &totals[i])) {
            problem(v, &table, "table lost or changed a record");
        }
    }
}

/* Compares a page of the tree with the digests below it. */
static bool check_page(struct verify *v, unsigned tier, unsigned index,
                       const struct hash digests[static TREE_WIDTH],
                       struct hash *digest)
{
    uint8_t key[RECORD_NODE_KEY_SIZE];
    struct store_value value;
    const size_t size = TREE_WIDTH * sizeof(*digests);
    store_record_node_key(key, tier, index);
    struct met met = {
        .table = TABLE_NODES, .key = key, .key_size = sizeof(key)};
    tree_page_digest(digest, digests);
    bool is_there = has(v, TABLE_NODES, key, sizeof(key), &value);
    bool is_right = hash_is_zero(digest)
                        ? !is_there
                        : is_there && value.size == size &&
                              memcmp(value.data, digests, size) == 0;
    if (!is_right) {
        problem(v, &met, "node of the state tree is wrong");
    }
    return is_there;
}

static void check_tree(struct verify *v)
{
    struct met met = {.table = TABLE_NODES};
    struct hash *level = v->digests;
    uint64_t found = 0;
    unsigned width = STATE_BUCKETS;
    for (unsigned tier = TREE_TIERS; tier > 0; tier--) {
        width /= TREE_WIDTH;
        for (unsigned i = 0; i < width; i++) {
            struct hash digest;
            found +=
                check_page(v, tier - 1, i, &level[i * TREE_WIDTH], &digest);
            level[i] = digest;
        }
    }
    if (found != v->totals[TABLE_NODES].count) {
        problem(v, &met, "the state tree has nodes too many");
    }
    if (v->tip.is_set && !hash_equal(&level[0], &v->tip.state_root)) {
        problem(v, &met, "the state root is not the tip's");
    }
    if (v->bucket_entries != v->report->state_keys) {
        met.table = TABLE_BUCKETS;
        problem(v, &met, "buckets do not hold what the state holds");
    }
}

static uint64_t count_all(struct verify *v)
{
    uint64_t all = 0;
    for (unsigned i = 0; i < STORE_TABLES; i++) {
        MDB_stat stat;
        if (mdb_stat(v->read.txn, v->read.store->tables[i], &stat) == 0) {
            all += stat.ms_entries;
        }
    }
    return all;
}

/* Headers without blocks end where the blocks begin, or, where a snapshot was
 * installed and no block came yet, at the tip. */
static void check_ends(struct verify *v, const struct met *tip)
{
    uint64_t last = v->first > 0 ? v->height : v->header_height;
    if (v->tip.is_set && last != v->tip.height) {
        problem(v, tip, "the last block is not the tip");
    }
    bool is_pruned = v->first > 1 || (v->first > 0 && v->header_height > 0);
    if (is_pruned && (v->first != v->header_height + 1 ||
                      !hash_equal(&v->first_parent, &v->last_header))) {
        problem(v, tip, "blocks below the first one have no headers");
    }
}

static enum pot_err pass(struct verify *v)
{
    struct met tip = {.table = TABLE_META, .key = (const uint8_t *)"tip"};
    tip.key_size = 3;
    v->all = count_all(v);
    enum pot_err err = store_read_tip(&v->tip, &v->read);
    if (err == POT_ECORRUPT) {
        problem(v, &tip, "tip is damaged");
        err = POT_OK;
    }
    for (unsigned i = 0; err == POT_OK && i < STORE_TABLES; i++) {
        v->table = (enum store_table)i;
        err = store_table_each(&v->read, v->table, pass_record, v);
    }
    if (err != POT_OK) {
        return err;
    }
    compare_totals(v);
    check_ends(v, &tip);
    check_tree(v);
    if (v->progress != NULL) {
        (void)v->progress(v->context, v->report->records, v->all);
    }
    return v->report->problem_count == 0 ? POT_OK : POT_ECORRUPT;
}

enum pot_err store_verify(struct store *store, struct store_report *report,
                          bool (*progress)(void *context, uint64_t done,
                                           uint64_t all),
                          void *context)
{
    struct verify v = {
        .report = report, .progress = progress, .context = context};
    *report = (struct store_report){.records = 0};
    enum pot_err err = store_read_begin(&v.read, store);
    if (err != POT_OK) {
        return err;
    }
    store_read_lower(&v.read); /* layers are in memory alone */
    v.digests = pot_calloc(STATE_BUCKETS, sizeof(*v.digests));
    err = pass(&v);
    free(v.digests);
    store_read_end(&v.read, err);
    return err;
}
