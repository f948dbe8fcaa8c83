/* store_env: the LMDB environment beneath a store, and the layers on it; for
 * storage/ only.
 *
 * Which tables there are, and transactions on them; storage/store_table.h is
 * for the records in them.
 *
 *   a commit of little: journal, synced -> a layer in memory, the new tip
 *   any other write:    all layers and what it writes, in one transaction of
 *                       LMDB: its pages, synced, then its meta page, synced
 *
 * So LMDB's two syncs and its scattered pages come once for many blocks.  The
 * layers hold upon the transaction that they were put on, their base, and
 * nowhere else: the next one has all of them in it, so whoever reads that has
 * no use for them, and the journal is written over from its beginning. */
#ifndef POT_STORAGE_STORE_ENV_H
#define POT_STORAGE_STORE_ENV_H

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "storage/store.h"

/* The tables: X(table, text, visit): its name in the file, and what looks at
 * its records in storage/store_verify.c.  A file that was made before a table
 * came does not have it: raise STORE_FORMAT and _OLDEST with this list.
 *
 * A file of format 3 has no journal; it is raised to 4 by the first transaction
 * of LMDB, before anything goes to a journal that who knows 3 would not read.
 */
#define STORE_FORMAT        4
#define STORE_FORMAT_OLDEST 3 /* that is raised in place */
#define STORE_TABLE_MAP(X)                                                     \
    /* "tip", "totals", "version", "snapshots", "promise/..." */               \
    X(TABLE_META, "meta", visit_nothing)                                       \
    /* u64 height: block */                                                    \
    X(TABLE_BLOCKS, "blocks", visit_block)                                     \
    /* block hash: u64 height */                                               \
    X(TABLE_HEIGHTS, "heights", visit_place)                                   \
    /* u64 height: certificate */                                              \
    X(TABLE_CERTIFICATES, "certificates", visit_certificate)                   \
    /* tx hash: height, index */                                               \
    X(TABLE_TXS, "txs", visit_place)                                           \
    /* task, height, index: reward; to, height, index: reward */               \
    X(TABLE_REWARDS_TASK, "rewards_task", visit_reward)                        \
    X(TABLE_REWARDS_ADDRESS, "rewards_address", visit_reward)                  \
    /* task, u32 round: height, index */                                       \
    X(TABLE_ROUNDS, "rounds", visit_round)                                     \
    /* key: value */                                                           \
    X(TABLE_STATE, "state", visit_state)                                       \
    /* u16 bucket: list of entries */                                          \
    X(TABLE_BUCKETS, "buckets", visit_bucket)                                  \
    /* u8 tier, u16 index: 16 digests */                                       \
    X(TABLE_NODES, "nodes", visit_nothing)                                     \
    /* hash: bytes */                                                          \
    X(TABLE_BLOBS, "blobs", visit_blob)                                        \
    /* hash: struct store_uses */                                              \
    X(TABLE_BLOB_USES, "blob_uses", visit_uses)                                \
    /* u64 height: header of a block that is not held */                       \
    X(TABLE_HEADERS, "headers", visit_old_header)

enum store_table {
#define X(table, text, visit) table,
    STORE_TABLE_MAP(X)
#undef X
        STORE_TABLES
};

_Static_assert(STORE_TABLES == 14, "another list of tables: another format");

struct store_total {
    uint64_t count;
    uint64_t sum; /* modulo 2^64, of a hash over each record */
};

struct journal;
struct store_layer;

struct store_tip {
    bool is_set;
    uint64_t height;
    struct hash hash;
    struct hash state_root;
};

struct store {
    char *folder;
    int lock_fd;
    MDB_env *env; /* NULL: store_cure could not open it again */
    MDB_dbi tables[STORE_TABLES];
    struct slot_file *tip_file;
    uint8_t format; /* of the file; under writer */
    /* Held shared by readers, exclusively while the map is resized. */
    pthread_rwlock_t map_lock;
    pthread_mutex_t writer;
    _Atomic int health; /* enum store_health: storage/store_health.h */
    _Atomic uint64_t min_free_bytes; /* store_set_limits */
    _Atomic uint64_t size_max;
    struct journal *journal; /* under writer */
    pthread_mutex_t tip_lock;
    struct store_tip tip;     /* under tip_lock */
    uint64_t synced;          /* likewise: the height that is on the disk */
    struct store_layer *top;  /* likewise; NULL: LMDB has all */
    struct hash checked_blob; /* under tip_lock: see store_blob_read */
    _Atomic uint64_t commits;
    _Atomic uint64_t grown;
};

/* ---- reading */

struct store_read {
    struct store *store;
    MDB_txn *txn;
    struct store_layer *top; /* NULL: all is in LMDB */
};

/* store_read_begin, _end: a snapshot; keep it short.  While one is open the
 * thread must not begin another one.  The end is told how it went: damage
 * makes the store ail.  store_read_lower: from now on it is what LMDB has,
 * some blocks ago. */
POT_MUST_USE enum pot_err store_read_begin(struct store_read *read,
                                           struct store *store);
void store_read_lower(struct store_read *read);
void store_read_end(struct store_read *read, enum pot_err err);

/* store_read_value: out is cleared and filled with the value under key, in a
 * snapshot of its own.  Errors: store_table_get's, POT_ELIMIT */
POT_MUST_USE enum pot_err store_read_value(struct store *store,
                                           enum store_table table,
                                           const void *key, size_t key_size,
                                           struct buf *out);

/* ---- writing */

struct store_write {
    struct store_read read;    /* what is there, with what it has written */
    struct store_layer *layer; /* that it writes; NULL: it writes to LMDB */
    bool is_map_full;     /* an error came from the map: grow it, try again */
    struct store_tip tip; /* written with the rest */
    struct store_total totals[STORE_TABLES];
};

/* store_write_meta: the totals and the tip as they are in write, and the format
 * if the file has another; for
 * store_write_run and store_make_file. */
POT_MUST_USE enum pot_err store_write_meta(struct store_write *write);

/* store_write_run: runs body in a write transaction and commits it.  When the
 * map is full, body runs again from the start in a larger one: it changes
 * nothing outside the transaction.  Errors: body's and those of a write.
 *
 * store_write_layer: the same for a body that moves the tip by a block and
 * writes little, and by nothing but store_table_put and store_table_del: it
 * comes into a layer if there is room for one, and is durable with store_sync.
 * Not may_wait: POT_EAGAIN if another writes, or if there is no room. */
POT_MUST_USE enum pot_err store_write_run(
    struct store *store,
    enum pot_err (*body)(struct store_write *write, void *context),
    void *context);
POT_MUST_USE enum pot_err store_write_layer(
    struct store *store,
    enum pot_err (*body)(struct store_write *write, void *context),
    void *context, bool may_wait);

/* store_layer_again: a layer that the journal has, at a start. */
POT_MUST_USE enum pot_err store_layer_again(
    struct store *store,
    enum pot_err (*body)(struct store_write *write, void *context),
    void *context);

/* store_write_nothing: LMDB has all layers then.  Errors: those of a write */
POT_MUST_USE enum pot_err store_write_nothing(struct store *store);

#endif
