/* Chunks of one that is being made, and the blobs that they name, are held in
 * the store; kept with it when it is whole.  A crash leaves it unfinished: what
 * is held goes behind the first block of the next start, and the next snapshot
 * is another. */
#include "config.h"

#include "node/hold/snapshots.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "node/hold/state_blobs.h"
#include "storage/overlay.h"
#include "storage/store.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Behind each block so much is read and written, and one chunk at least.  To
 * read one that is stored is less: it lies in one place. */
#define STEP_BYTES   ((size_t)8 << 20)
#define STORED_SHARE 4

/* The one that is being made. */
struct making {
    struct store_snapshot snapshot;
    struct hash digests[STATE_CHUNKS];
    bool is_missing[STATE_CHUNKS];
    bool is_stored[STATE_CHUNKS]; /* another one has it */
    size_t missing;
    struct state_blobs blobs; /* named by the chunks that are not missing */
    size_t held;              /* of blobs, the first ones */
    bool is_under_way;
};

struct snapshots {
    struct store *store;
    uint64_t interval;
    size_t most;
    struct making making;
    pthread_mutex_t lock;
    struct store_snapshots kept;  /* under lock */
    struct snapshots_stats stats; /* likewise */
};

struct snapshots *snapshots_new(struct store *store, uint64_t interval,
                                size_t most)
{
    struct snapshots *s = pot_calloc(1, sizeof(*s));
    POT_ASSERT(interval > 0 && most >= 1 && most <= STORE_SNAPSHOTS_MAX);
    s->store = store;
    s->interval = interval;
    s->most = most;
    int rc = pthread_mutex_init(&s->lock, NULL);
    POT_ASSERT(rc == 0);
    snapshots_reload(s);
    return s;
}

void snapshots_free(struct snapshots *snapshots)
{
    if (snapshots != NULL) {
        (void)pthread_mutex_destroy(&snapshots->lock);
        state_blobs_fini(&snapshots->making.blobs);
        free(snapshots);
    }
}

void snapshots_reload(struct snapshots *s)
{
    struct store_snapshots kept;
    if (s == NULL || store_get_snapshots(s->store, &kept) != POT_OK) {
        return;
    }
    (void)pthread_mutex_lock(&s->lock);
    s->kept = kept;
    (void)pthread_mutex_unlock(&s->lock);
}

/* ---- one that is being made */

/* Its parts, but for those that others have, are nobody's. */
static void release(struct snapshots *s)
{
    const struct making *m = &s->making;
    size_t count = m->held;
    struct hash *held =
        pot_calloc(STATE_CHUNKS + m->blobs.count, sizeof(*held));
    if (count > 0) {
        memcpy(held, m->blobs.list, count * sizeof(*held));
    }
    for (unsigned i = 0; i < STATE_CHUNKS; i++) {
        if (!hash_is_zero(&m->digests[i]) && !m->is_missing[i]) {
            held[count++] = m->digests[i];
        }
    }
    enum pot_err err = store_blobs_release(s->store, held, count);
    free(held);
    if (err != POT_OK) { /* the next start releases them */
        LOG(LOG_DEBUG, "node", "chunks are held still",
            log_text("why", err_text(err)));
    }
}

static void give_up(struct snapshots *s, enum pot_err err)
{
    LOG(LOG_WARN, "node", "snapshot given up",
        log_u64("height", s->making.snapshot.height),
        log_u64("missing", s->making.missing), log_text("why", err_text(err)));
    release(s);
    s->making.is_under_way = false;
    (void)pthread_mutex_lock(&s->lock);
    s->stats.given_up++;
    (void)pthread_mutex_unlock(&s->lock);
}

static void finish(struct snapshots *s)
{
    struct making *m = &s->making;
    const struct store_snapshot_parts parts = {m->digests, m->blobs.list,
                                               m->blobs.count};
    enum pot_err err =
        store_snapshot_keep(s->store, &m->snapshot, &parts, s->most);
    if (err != POT_OK) {
        give_up(s, err);
        return;
    }
    m->is_under_way = false;
    LOG(LOG_INFO, "node", "snapshot made",
        log_u64("height", m->snapshot.height));
    (void)pthread_mutex_lock(&s->lock);
    s->stats.made++;
    (void)pthread_mutex_unlock(&s->lock);
    snapshots_reload(s);
}

/* Chunks on their way to the store. */
struct batch {
    struct store_blob blobs[STATE_CHUNKS];
    struct buf bytes[STATE_CHUNKS];
    size_t count;
    size_t size;    /* of a step's */
    size_t written; /* what is not there yet */
};

/* It is what the root of its height vouches for, or the snapshot ends. */
static enum pot_err read_chunk(struct snapshots *s, struct batch *batch,
                               unsigned chunk)
{
    struct making *m = &s->making;
    const struct hash *digest = &m->digests[chunk];
    struct buf *bytes = &batch->bytes[batch->count];
    buf_init(bytes, STATE_CHUNK_MAX);
    enum pot_err err = m->is_stored[chunk]
                           ? store_blob_get(s->store, digest, bytes)
                           : store_state_chunk(s->store, chunk, bytes);
    if (err == POT_OK && !state_chunk_is(digest, bytes->data, bytes->size)) {
        err = POT_EFORMAT;
    }
    batch->blobs[batch->count++] =
        (struct store_blob){*digest, bytes->data, bytes->size};
    if (m->is_stored[chunk]) {
        batch->size += bytes->size / STORED_SHARE;
    } else {
        batch->size += bytes->size;
        batch->written += bytes->size;
    }
    m->is_missing[chunk] = false;
    m->missing--;
    if (err == POT_OK) {
        state_blobs_add(&m->blobs, bytes);
    }
    return err;
}

/* What the chunks name is there yet, and held with them: the next block may
 * let go of it. */
static enum pot_err hold(struct snapshots *s, const struct batch *batch)
{
    struct making *m = &s->making;
    size_t count = batch->count;
    enum pot_err err = POT_OK;
    struct store_blob *all =
        pot_calloc(count + m->blobs.count - m->held, sizeof(*all));
    memcpy(all, batch->blobs, count * sizeof(*all));
    for (size_t i = m->held; err == POT_OK && i < m->blobs.count; i++) {
        const struct hash *hash = &m->blobs.list[i];
        err = store_blob_has(s->store, hash, NULL) ? POT_OK : POT_ENOENT;
        all[count++] = (struct store_blob){.hash = *hash};
    }
    if (err == POT_OK) {
        err = store_blobs_hold(s->store, all, count);
    }
    if (err == POT_OK) {
        m->held = m->blobs.count;
    }
    free(all);
    return err;
}

static enum pot_err write_batch(struct snapshots *s, struct batch *batch,
                                enum pot_err err)
{
    if (err == POT_OK && batch->count > 0) {
        err = hold(s, batch);
    }
    for (size_t i = 0; i < batch->count; i++) {
        buf_fini(&batch->bytes[i]);
    }
    (void)pthread_mutex_lock(&s->lock);
    s->stats.chunk_bytes += batch->written;
    (void)pthread_mutex_unlock(&s->lock);
    return err;
}

/* A step: of those that are missing and wanted, NULL: all; at most STEP_BYTES
 * and no more than one chunk beyond.  False: it is over with the snapshot. */
static bool step(struct snapshots *s, const bool *wanted)
{
    struct making *m = &s->making;
    enum pot_err err = POT_OK;
    struct batch *batch = pot_calloc(1, sizeof(*batch));
    for (unsigned i = 0;
         err == POT_OK && i < STATE_CHUNKS && batch->size < STEP_BYTES; i++) {
        if (m->is_missing[i] && (wanted == NULL || wanted[i])) {
            err = read_chunk(s, batch, i);
        }
    }
    err = write_batch(s, batch, err);
    free(batch);
    if (err != POT_OK) {
        give_up(s, err);
    }
    return err == POT_OK;
}

static bool is_any_missing(const struct making *m, const bool *wanted)
{
    for (unsigned i = 0; i < STATE_CHUNKS; i++) {
        if (m->is_missing[i] && wanted[i]) {
            return true;
        }
    }
    return false;
}

static void begin(struct snapshots *s)
{
    struct making *m = &s->making;
    enum pot_err err = store_state_index(
        s->store, m->digests, &m->snapshot.root, &m->snapshot.height);
    m->missing = 0;
    m->held = 0;
    state_blobs_fini(&m->blobs);
    for (unsigned i = 0; err == POT_OK && i < STATE_CHUNKS; i++) {
        m->is_missing[i] = !hash_is_zero(&m->digests[i]);
        m->is_stored[i] =
            m->is_missing[i] && store_blob_has(s->store, &m->digests[i], NULL);
        m->missing += m->is_missing[i];
    }
    m->is_under_way = err == POT_OK;
}

bool snapshots_are_idle(const struct snapshots *s, uint64_t height)
{
    return s == NULL || (!s->making.is_under_way && height % s->interval != 0);
}

void snapshots_before(struct snapshots *s, const struct overlay *overlay)
{
    bool changed[STATE_CHUNKS] = {false};
    if (s == NULL || !s->making.is_under_way) {
        return;
    }
    overlay_chunks(overlay, changed);
    while (is_any_missing(&s->making, changed) && step(s, changed)) {
    }
}

void snapshots_after(struct snapshots *s)
{
    uint64_t height = 0;
    if (s == NULL || !store_tip(s->store, &height, NULL, NULL)) {
        return;
    }
    if (height > 0 && height % s->interval == 0) {
        if (s->making.is_under_way) {
            give_up(s, POT_ETIMEOUT);
        }
        begin(s);
    }
    if (s->making.is_under_way && step(s, NULL) && s->making.missing == 0) {
        finish(s);
    }
}

/* ---- what others ask */

uint64_t snapshots_newest(struct snapshots *s)
{
    uint64_t height = 0;
    if (s != NULL) {
        (void)pthread_mutex_lock(&s->lock);
        if (s->kept.count > 0) {
            height = s->kept.list[s->kept.count - 1].height;
        }
        (void)pthread_mutex_unlock(&s->lock);
    }
    return height;
}

uint64_t snapshots_oldest(struct snapshots *s)
{
    uint64_t height = 0;
    if (s != NULL) {
        (void)pthread_mutex_lock(&s->lock);
        height = s->kept.count > 0 ? s->kept.list[0].height : 0;
        (void)pthread_mutex_unlock(&s->lock);
    }
    return height;
}

void snapshots_stats(struct snapshots *s, struct snapshots_stats *out)
{
    *out = (struct snapshots_stats){.kept = 0};
    if (s != NULL) {
        uint64_t newest = snapshots_newest(s);
        (void)pthread_mutex_lock(&s->lock);
        *out = s->stats;
        out->kept = s->kept.count;
        out->newest = newest;
        (void)pthread_mutex_unlock(&s->lock);
    }
}
