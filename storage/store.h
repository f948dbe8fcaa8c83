/* store: the chain, its state and its blobs on disk, in LMDB.
 *
 * One commit a block holds everything that the block changes: it is there
 * as a whole after a crash, or not at all.  LMDB has no checksums, so every
 * value carries one of its own, bound to its table and key, and every table
 * a digest over its keys and checksums: what a read gives back is right, or
 * the read says POT_ECORRUPT.
 *
 * Threads: every function may be called from any thread; writes wait for
 * each other.  What is handed out are copies.  A store is not used in a
 * forked child.
 *
 * Common errors, unless a function says otherwise:
 *   POT_ENOENT    there is no such record
 *   POT_ECORRUPT  what is stored fails its checksum
 *   POT_ELIMIT    the record is longer than out->size_max
 *   POT_EFULL     writes: the disk, the map or the file size limit is full;
 *                 nothing has changed, reads go on
 *   POT_EIO       the disk failed
 *
 * After a write that fails so, and after any read of damaged data, no write is
 * tried until store_cure mended it.
 */
#ifndef POT_STORAGE_STORE_H
#define POT_STORAGE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"
#include "proto/state_proof.h"

/* A memory map has a multiple of this, at least one. */
#define STORE_MAP_MIN ((size_t)1 << 20)

struct store;   /* opaque: storage/store_env.h */
struct overlay; /* storage/overlay.h */

/* store_open: the store in folder, which is made if it is missing.
 *
 * In:     map_bytes: size of the memory map to begin with; it grows by itself
 * Out:    why: one line for a person when it fails, may be NULL
 * Errors: POT_EBUSY    another process has it open; why names it
 *         POT_ECORRUPT the file is truncated or its pages are damaged, or it
 *                      is older than the tip that was acknowledged
 *         POT_EFORMAT  made by a later version of this program, or by one
 *                      whose format cannot be raised
 *         POT_EACCESS, POT_EFULL, POT_EIO
 *
 * Reads every page of the B-trees once, though not the large values. */
POT_MUST_USE enum pot_err store_open(struct store **out, const char *folder,
                                     size_t map_bytes, char *why,
                                     size_t why_size);

/* store_close: no other call may be in progress; NULL is fine. */
void store_close(struct store *store);

/* ---- the chain */

/* store_tip: the last commit; any out may be NULL.  False: nothing has been
 * committed yet. */
bool store_tip(struct store *store, uint64_t *height, struct hash *hash,
               struct hash *state_root);

/* store_get_block, store_get_certificate: out is cleared and filled. */
POT_MUST_USE enum pot_err store_get_block(struct store *store, uint64_t height,
                                          struct buf *out);
POT_MUST_USE enum pot_err store_get_certificate(struct store *store,
                                                uint64_t height,
                                                struct buf *out);
POT_MUST_USE enum pot_err store_get_block_height(struct store *store,
                                                 const struct hash *hash,
                                                 uint64_t *height);

/* store_find_tx: the block that holds a transaction, and its place in it. */
POT_MUST_USE enum pot_err store_find_tx(struct store *store,
                                        const struct hash *tx, uint64_t *height,
                                        uint32_t *index);

struct store_reward {
    struct hash task;
    struct public_key to;
    uint64_t height;
    uint32_t index; /* in the block */
    uint32_t round;
    uint64_t amount;
    uint32_t reason; /* Pot__RewardFor */
};

/* store_rewards_of_task, _of_address: the newest first, at most limit of
 * them.
 *
 * In:     before: go on behind this record of an earlier call; NULL: from
 *         the newest one
 * Out:    out (limit places), *count of them filled; 0 at the end
 * Errors: POT_ECORRUPT, POT_EIO; *count is 0 then */
POT_MUST_USE enum pot_err store_rewards_of_task(
    struct store *store, const struct hash *task,
    const struct store_reward *before, struct store_reward *out, size_t limit,
    size_t *count);
POT_MUST_USE enum pot_err store_rewards_of_address(
    struct store *store, const struct public_key *to,
    const struct store_reward *before, struct store_reward *out, size_t limit,
    size_t *count);

struct store_round {
    struct hash task;
    uint32_t round;
    uint32_t index;  /* of the round update in its block */
    uint64_t height; /* of the block that closed the round */
};

/* store_rounds: closed rounds of a task in their order, from round `from`
 * on; out, *count and errors as for rewards. */
POT_MUST_USE enum pot_err store_rounds(struct store *store,
                                       const struct hash *task, uint32_t from,
                                       struct store_round *out, size_t limit,
                                       size_t *count);

/* ---- the state at the tip */

#define STORE_VALUE_MAX ((size_t)64 << 20)

/* store_state_get: out is cleared and filled with the value under key. */
POT_MUST_USE enum pot_err store_state_get(struct store *store, const void *key,
                                          size_t key_size, struct buf *out);

/* store_state_proof: what proves the value under key, or that there is none,
 * against *root, which is the tip's state root at *height.
 *
 * Owns: the caller calls state_proof_fini */
POT_MUST_USE enum pot_err store_state_proof(struct store *store,
                                            const void *key, size_t key_size,
                                            struct state_proof *proof,
                                            struct hash *root,
                                            uint64_t *height);

/* ---- blobs
 *
 * Large values by their hash, which is not computed here.  A blob stays while
 * it has one of three uses, which do not touch each other:
 *
 *   the chain refers to it   overlay_blob_put counts up, overlay_blob_del
 *                            down: two tasks may have the same parameters
 *   the node keeps it        store_blob_put, for good: chunks of data sets
 *   a block needs it         store_blobs_hold until a release: what the node
 *                            voted for must be there when the block stands
 */

#define STORE_BLOB_MAX ((size_t)1 << 30)

struct store_blob {
    struct hash hash;
    const void *data;
    size_t size;
};

/* store_blob_get: out is cleared and filled. */
POT_MUST_USE enum pot_err store_blob_get(struct store *store,
                                         const struct hash *hash,
                                         struct buf *out);

/* store_blob_read: up to size bytes from offset on, for serving pieces; the
 * whole blob is checked at the first one of them.
 *
 * Out:    *count bytes in data, *total the blob's size
 * Errors: POT_ERANGE offset is beyond its end */
POT_MUST_USE enum pot_err store_blob_read(struct store *store,
                                          const struct hash *hash,
                                          uint64_t offset, void *data,
                                          size_t size, size_t *count,
                                          uint64_t *total);

/* store_blob_has: whether it is there, unread; *size may be NULL. */
bool store_blob_has(struct store *store, const struct hash *hash, size_t *size);

/* store_blob_put: the node keeps this blob from now on. */
POT_MUST_USE enum pot_err store_blob_put(struct store *store,
                                         const struct hash *hash,
                                         const void *data, size_t size);

/* store_blobs_hold: these are held for a block from now on, all in one
 * commit.  A blob is held or is not: this does not count. */
POT_MUST_USE enum pot_err store_blobs_hold(struct store *store,
                                           const struct store_blob *blobs,
                                           size_t count);

/* store_blobs_release: no block needs these any more; fine for those that
 * were not held.  What is promised stays (storage/store_promise.h). */
POT_MUST_USE enum pot_err store_blobs_release(struct store *store,
                                              const struct hash *hashes,
                                              size_t count);

/* store_blobs_release_all: no block needs any of them.  For a start: which
 * blocks they were held for, a crash made forget.  What is promised stays. */
POT_MUST_USE enum pot_err store_blobs_release_all(struct store *store);

/* store_copy_kept: what the node keeps in from, it keeps in to as well. */
POT_MUST_USE enum pot_err store_copy_kept(struct store *to, struct store *from);

/* ---- the commit of a block */

struct store_commit {
    uint64_t height;    /* the tip's + 1; 0 in an empty store: the genesis */
    struct hash parent; /* the tip's hash; not looked at in an empty store */
    struct hash hash;
    struct hash state_root; /* overlay_root's answer */
    const void *block;      /* its bytes; none at the genesis */
    size_t block_size;
    const void *certificate;
    size_t certificate_size;
    const struct hash *txs; /* in the block's order */
    size_t tx_count;
    const struct store_reward *rewards; /* height and index are filled in */
    size_t reward_count;
    const struct store_round *rounds; /* height and index are filled in */
    size_t round_count;
};

/* store_commit: all of it and the overlay's writes, durably.  The overlay
 * was made from this store at the tip and is spent by a commit that
 * succeeds: only overlay_free is left to do with it.
 *
 * Errors: POT_EBUSY the tip moved since the overlay was made;
 *         the overlay's own error (see overlay_error); those above.
 *         The store is unchanged then, and so is the overlay. */
POT_MUST_USE enum pot_err store_commit(struct store *store,
                                       const struct store_commit *commit,
                                       struct overlay *overlay);

/* store_commit_soon: the same, but a crash may take it back until store_sync,
 * or a later write of any other kind, has come back with POT_OK.  A small
 * block is in memory alone till then.
 *
 * In:     may_wait  for other writers, and for the disk
 * Errors: POT_EAGAIN it would have to, and may not */
POT_MUST_USE enum pot_err store_commit_soon(struct store *store,
                                            const struct store_commit *commit,
                                            struct overlay *overlay,
                                            bool may_wait);

/* store_sync: all that was committed is durable at POT_OK.  After an error the
 * tip stands in memory, and store_cure writes it.  Errors: those of a write */
POT_MUST_USE enum pot_err store_sync(struct store *store);

/* store_unsynced: how many blocks a crash may take back; *first (may be NULL)
 * is the height of the lowest. */
uint64_t store_unsynced(struct store *store, uint64_t *first);

/* ---- its health */

/* X(code, name, text): the name is for scripts; in the order of how bad it
 * is. */
#define STORE_HEALTH_MAP(X)                                                    \
    X(STORE_SOUND, "ok", "nothing is wrong")                                   \
    X(STORE_DISK_FULL, "disk_full", "the disk has no room left")               \
    X(STORE_MAP_FULL, "map_full", "the store has reached storage.max_size_mb") \
    X(STORE_FAILED, "disk_failed", "the disk failed to write or sync")         \
    X(STORE_CORRUPT, "store_corrupt",                                          \
      "stored data is damaged: stop the node, and `potctl resync --config"     \
      " FILE`")                                                                \
    X(STORE_DIVERGED, "diverged",                                              \
      "the validators agreed on a state that this node does not come to:"      \
      " `potctl debug dump`, and `potctl debug compare` with another node")

enum store_health {
#define X(code, name, text) code,
    STORE_HEALTH_MAP(X)
#undef X
};
#define STORE_HEALTHS 6

/* store_health: any thread, at once.  Unless it is STORE_SOUND every write
 * fails; reads go on, and damaged records alone are not read. */
enum store_health store_health(const struct store *store);
const char *store_health_name(enum store_health health);

/* store_health_text: what is wrong, for a person, and what must be there for
 * it to go on, or what to do where it does not by itself; returns text. */
#define STORE_HEALTH_TEXT_SIZE 160
const char *store_health_text(char text[static STORE_HEALTH_TEXT_SIZE],
                              const struct store *store,
                              enum store_health health);

/* store_is_at_work: this thread is inside the store, or inside LMDB: what goes
 * wrong there is a damaged page.  For signal handlers. */
bool store_is_at_work(void);

/* store_ail: it worsens to that: something else on its disk failed, or what is
 * in it turned out to be wrong. */
void store_ail(struct store *store, enum store_health health);

/* store_watch_disk: it is full when the disk has less room than the limit
 * asks for, though nothing was written. */
void store_watch_disk(struct store *store);

/* store_set_limits: the store is full when its disk has less than
 * min_free_bytes left, or when it would grow beyond size_max; 0: no limit. */
void store_set_limits(struct store *store, uint64_t min_free_bytes,
                      uint64_t size_max);

/* store_cure: tries whether the store can be written again.  A full one is
 * when there is room, a quarter more than the limit asks for, and a file can
 * be written.  A failed one is closed and opened anew, as at a start: what
 * the failed write left is not trusted.  The tip may be the next block then,
 * if its commit stood after all.  Neither damage
 * nor a wrong state is cured.
 *
 * Out:    why: one line for a person when it fails, may be NULL
 * Errors: what ails it still; takes as long as store_open.  Off the loop */
POT_MUST_USE enum pot_err store_cure(struct store *store, char *why,
                                     size_t why_size);

/* ---- looking after it */

/* store_tend: every now and then: takes the snapshots of dead processes, a
 * killed backup's, off the list; they keep pages from being used again. */
void store_tend(struct store *store);

struct store_stats {
    uint64_t map_bytes;  /* size of the memory map */
    uint64_t used_bytes; /* pages in use */
    uint64_t file_bytes;
    uint64_t disk_free_bytes;
    uint64_t min_free_bytes; /* the limit: store_set_limits */
    uint64_t blocks;
    uint64_t state_keys;
    uint64_t blobs;
    uint64_t commits; /* since it was opened, blobs of the node's too */
    uint64_t grown;   /* times that the map grew since then */
    uint64_t lag;     /* commits since the oldest open snapshot */
};

POT_MUST_USE enum pot_err store_stats(struct store *store,
                                      struct store_stats *out);

#define STORE_PROBLEMS_MAX 32

struct store_problem {
    const char *table; /* static text */
    char key[96];      /* for people: a height, a hash, or hex */
    const char *what;  /* static text */
};

struct store_report {
    uint64_t records; /* checked */
    uint64_t bytes;
    uint64_t blocks;
    uint64_t state_keys;
    uint64_t blobs;
    uint64_t problem_count; /* may exceed STORE_PROBLEMS_MAX */
    struct store_problem problems[STORE_PROBLEMS_MAX];
};

/* store_verify: reads every value and checks its checksum, every table's
 * digest, that blocks are chained by their hashes from the tip down to the
 * first, that every block has its certificate and its place by hash, every
 * bucket and node of the state tree, and the root against the tip's.
 * Certificates' signatures and execution are the node's to check.
 *
 * In:     progress: called now and then with records done and in all; false
 *         stops the check.  May be NULL.
 * Errors: POT_ECORRUPT the report says what is wrong; POT_ECANCELLED; POT_EIO
 *
 * It reads from one snapshot: pages are not reused while it runs. */
POT_MUST_USE enum pot_err store_verify(
    struct store *store, struct store_report *report,
    bool (*progress)(void *context, uint64_t done, uint64_t all),
    void *context);

#endif
