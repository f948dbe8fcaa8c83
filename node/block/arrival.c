#include "config.h"

#include "node/block/arrival.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "node/block/chain.h"
#include "node/block/headers.h"
#include "node/hold/holdings.h"
#include "node/hold/state_blobs.h"
#include "node/hold/stored.h"
#include "node/loop/offload.h"
#include "p2p/blob_fetch.h"
#include "p2p/sync.h"
#include "proto/codec.h"
#include "storage/store_install.h"

#include <stdlib.h>
#include <string.h>

/* Peers that hold all blocks may be about to connect. */
#define SETTLE_MS        1000
#define LOG_INTERVAL_MS  2000
#define WARN_INTERVAL_MS 60000
/* What does not come in this time is asked for again, or given up for a newer
 * snapshot. */
#define PART_TIMEOUT_MS 15000
#define CHUNKS_AT_ONCE  6
#define BLOBS_AT_ONCE   2 /* they may be large */

enum phase { RESTING, HEADERS, CHUNKS, BLOBS, INSTALLING };

/* A thing that is fetched by its hash and put into the store. */
struct part {
    struct offload offload;
    struct arrival *arrival;
    struct hash hash;
    enum { WANTED, ASKED, HELD } state;
    uint8_t *data; /* on its way to the store */
    size_t size;
    enum pot_err err;
};

struct arrival {
    struct arrival_config config;
    enum phase phase;
    bool is_stopped;
    uint64_t unserved_ms;     /* since when; 0: the next block can be had */
    bool is_unserved;         /* for long enough */
    bool is_awaiting;         /* what peers offer: block sync rests */
    uint64_t from;            /* the tip, when it began */
    uint64_t silent_until_ms; /* of progress in the log */
    struct store_snapshot snapshot;
    struct hash hash;                  /* of its header */
    struct hash digests[STATE_CHUNKS]; /* once has_index */
    bool has_index;
    struct part *parts;
    size_t part_count;
    size_t held;
    size_t asked;     /* or being stored */
    bool is_late;     /* a part did not come in time */
    uint64_t avoided; /* height of a snapshot of which one did not */

    /* Off the loop: is_working. */
    struct offload offload;
    bool is_working;
    struct state_blobs blobs; /* what the new state refers to */
    enum pot_err err;
};

static const char *const phase_names[] = {
    [RESTING] = "resting", [HEADERS] = "headers",       [CHUNKS] = "chunks",
    [BLOBS] = "blobs",     [INSTALLING] = "installing",
};

static struct store *store_of(const struct arrival *j)
{
    return j->config.holdings->store;
}

static uint64_t tip_height(const struct arrival *j)
{
    return chain_tip(j->config.chain)->height;
}

struct arrival *arrival_new(const struct arrival_config *config)
{
    struct arrival *j = pot_calloc(1, sizeof(*j));
    j->config = *config;
    sync_rest(config->header_sync, true);
    j->is_awaiting = config->is_preferred && tip_height(j) == 0;
    sync_rest(config->blocks, j->is_awaiting);
    return j;
}

void arrival_stop(struct arrival *arrival)
{
    if (arrival != NULL) {
        arrival->is_stopped = true;
    }
}

static void drop_parts(struct arrival *j)
{
    POT_ASSERT(j->asked == 0 || j->is_stopped);
    for (size_t i = 0; i < j->part_count; i++) {
        free(j->parts[i].data);
    }
    free(j->parts);
    j->parts = NULL;
    j->part_count = 0;
    j->held = 0;
}

void arrival_free(struct arrival *arrival)
{
    if (arrival != NULL) {
        POT_ASSERT(!arrival->is_working);
        drop_parts(arrival);
        state_blobs_fini(&arrival->blobs);
        free(arrival);
    }
}

/* ---- parts */

static void fail(struct arrival *j, enum pot_err err)
{
    j->config.failed(j->config.context, err);
}

static void on_store(void *context)
{
    struct part *part = context;
    const struct store_blob blob = {part->hash, part->data, part->size};
    part->err = store_blobs_hold(store_of(part->arrival), &blob, 1);
}

static void on_stored(void *context)
{
    struct part *part = context;
    struct arrival *j = part->arrival;
    j->asked--;
    free(part->data);
    part->data = NULL;
    part->state = part->err == POT_OK ? HELD : WANTED;
    j->held += part->err == POT_OK;
    if (part->err != POT_OK && !j->is_stopped) {
        fail(j, part->err);
    }
}

static void on_part(void *context, const struct hash *hash, enum pot_err err,
                    const uint8_t *data, size_t size)
{
    struct part *part = context;
    struct arrival *j = part->arrival;
    (void)hash;
    if (err != POT_OK) {
        j->asked--;
        j->is_late = true;
        part->state = WANTED;
        return;
    }
    part->data = pot_memdup(data, size);
    part->size = size;
    offload_start(&part->offload, j->config.loop, on_store, on_stored, part);
}

/* What to ask for: the index, the chunks, or blobs. */
static bool ask(struct arrival *j, struct part *part)
{
    struct blob_request request = {
        .hash = part->hash,
        .size_max = STORE_BLOB_MAX,
        .timeout_ms = PART_TIMEOUT_MS,
        .context = part,
        .done = on_part,
    };
    if (j->phase == CHUNKS && !j->has_index) {
        request.size_max = STATE_INDEX_BYTES;
        request.verify = state_index_is;
    } else if (j->phase == CHUNKS) {
        request.size_max = STATE_CHUNK_MAX;
        request.verify = state_chunk_is;
    }
    /* A payload of a round may be under way for somebody else: later. */
    return blob_fetch_start(j->config.fetch, &request) == POT_OK;
}

static void ask_some(struct arrival *j)
{
    size_t most = j->phase == BLOBS ? BLOBS_AT_ONCE : CHUNKS_AT_ONCE;
    for (size_t i = 0; i < j->part_count && j->asked < most; i++) {
        struct part *part = &j->parts[i];
        if (part->state == WANTED && ask(j, part)) {
            part->state = ASKED;
            j->asked++;
        }
    }
}

/* These are wanted now; zero is nothing. */
static void want(struct arrival *j, const struct hash *hashes, size_t count)
{
    drop_parts(j);
    j->parts = pot_calloc(count > 0 ? count : 1, sizeof(*j->parts));
    for (size_t i = 0; i < count; i++) {
        if (hash_is_zero(&hashes[i])) {
            continue;
        }
        struct part *part = &j->parts[j->part_count++];
        bool is_held = store_blob_has(store_of(j), &hashes[i], NULL);
        *part = (struct part){
            .arrival = j, .hash = hashes[i], .state = is_held ? HELD : WANTED};
        j->held += is_held;
    }
}

/* ---- headers */

/* The one that most peers offer; one that could not be had only when there is
 * no other.  Who claims a height that it has no headers for is not believed
 * after a while. */
static uint64_t best(const struct arrival *j)
{
    const struct sync *sync = j->config.header_sync;
    uint64_t height = sync_best_snapshot(sync, UINT64_MAX, j->avoided);
    return height != 0 ? height : sync_best_snapshot(sync, UINT64_MAX, 0);
}

/* That one, if it is ahead and its header is there. */
static bool choose(struct arrival *j)
{
    struct hash hash;
    struct hash root;
    Pot__BlockHeader *header = NULL;
    uint64_t height = best(j);
    if (height <= j->from || height > headers_height(j->config.headers)) {
        return false;
    }
    enum pot_err err = stored_header(&header, &hash, store_of(j), height);
    if (err == POT_OK && !codec_hash(&root, header->state_root)) {
        err = POT_ECORRUPT;
    }
    codec_free(header);
    if (err != POT_OK) {
        fail(j, err);
        return false;
    }
    j->snapshot = (struct store_snapshot){height, root};
    j->hash = hash;
    j->has_index = false;
    j->is_late = false;
    return true;
}

static void begin(struct arrival *j)
{
    struct claim at = {.height = 0};
    enum pot_err err = headers_begin(j->config.headers);
    if (err != POT_OK) {
        fail(j, err);
        return;
    }
    LOG(LOG_INFO, "sync", "no peer holds the next block: taking a snapshot",
        log_u64("headers", headers_height(j->config.headers)));
    j->phase = HEADERS;
    j->from = tip_height(j);
    sync_rest(j->config.blocks, true);
    at.height = headers_height(j->config.headers);
    sync_rest(j->config.header_sync, false);
    sync_set_status(j->config.header_sync, &at);
}

static void rest(struct arrival *j)
{
    j->phase = RESTING;
    j->unserved_ms = 0;
    j->is_unserved = false;
    drop_parts(j);
    sync_rest(j->config.header_sync, true);
    sync_rest(j->config.blocks, false);
    /* Parts of snapshots that were given up on the way. */
    chain_release_all(j->config.chain);
}

void arrival_header(struct arrival *j, uint64_t height, enum pot_err err)
{
    struct claim at = {.height = height};
    if (err == POT_OK) {
        sync_set_status(j->config.header_sync, &at);
    } else if (err == POT_EFORMAT) {
        sync_refused(j->config.header_sync, height);
    } else {
        sync_postponed(j->config.header_sync, height);
        fail(j, err);
    }
}

/* ---- chunks and blobs */

static void take_index(struct arrival *j)
{
    struct buf index;
    buf_init(&index, STATE_INDEX_BYTES);
    enum pot_err err = store_blob_get(store_of(j), &j->snapshot.root, &index);
    if (err == POT_OK &&
        !state_index_is(&j->snapshot.root, index.data, index.size)) {
        err = POT_ECORRUPT;
    }
    if (err == POT_OK) {
        memcpy(j->digests, index.data, sizeof(j->digests));
        j->has_index = true;
        want(j, j->digests, STATE_CHUNKS);
    } else {
        fail(j, err);
    }
    buf_fini(&index);
}

/* Off the loop. */
static void on_scan(void *context)
{
    struct arrival *j = context;
    j->err = state_blobs_of_chunks(&j->blobs, store_of(j), j->digests);
}

static void on_scanned(void *context)
{
    struct arrival *j = context;
    j->is_working = false;
    if (j->is_stopped || tip_height(j) > j->from) {
        return; /* with the tip that moved the parts may have gone */
    }
    if (j->err != POT_OK) {
        fail(j, j->err);
        rest(j);
        return;
    }
    j->phase = BLOBS;
    want(j, j->blobs.list, j->blobs.count);
}

static void scan(struct arrival *j)
{
    state_blobs_fini(&j->blobs);
    j->is_working = true;
    offload_start(&j->offload, j->config.loop, on_scan, on_scanned, j);
}

/* ---- the install */

static void on_installed(void *context, enum pot_err err, const char *why)
{
    struct arrival *j = context;
    j->is_working = false;
    if (j->is_stopped) {
        return;
    }
    rest(j);
    if (err == POT_OK) {
        LOG(LOG_INFO, "sync", "snapshot installed",
            log_u64("height", tip_height(j)));
        j->config.installed(j->config.context);
    } else if (err == POT_EBUSY) { /* a block came another way */
        j->config.left(j->config.context);
    } else {
        LOG(LOG_ERROR, "sync", "snapshot not installed", log_text("why", why));
        fail(j, err);
    }
}

static void install(struct arrival *j)
{
    const struct store_install in = {
        .snapshot = j->snapshot,
        .hash = j->hash,
        .digests = j->digests,
        .blobs = j->blobs.list,
        .blob_count = j->blobs.count,
    };
    if (!j->config.hush(j->config.context) ||
        !j->config.give_up(j->config.context)) {
        return;
    }
    j->is_working = true;
    chain_install(j->config.chain, &in, on_installed, j);
}

/* ---- time */

static bool is_whole(const struct arrival *j)
{
    return j->held == j->part_count && j->asked == 0;
}

/* What it takes does not come: another one may be had. */
static bool is_stale(const struct arrival *j)
{
    return j->is_late && j->asked == 0;
}

static void go_on(struct arrival *j)
{
    if (is_stale(j)) {
        LOG(LOG_INFO, "sync", "the snapshot cannot be had now",
            log_u64("height", j->snapshot.height));
        drop_parts(j);
        j->avoided = j->snapshot.height;
        j->phase = HEADERS;
    } else if (!is_whole(j)) {
        if (!j->is_late) {
            ask_some(j);
        }
    } else if (!j->has_index) {
        take_index(j);
    } else if (j->phase == CHUNKS) {
        scan(j);
    } else {
        j->phase = INSTALLING;
    }
}

/* Who prefers a snapshot waits with block sync until peers have said whether
 * they have one. */
static void await_offer(struct arrival *j, uint64_t now)
{
    bool is_anyone = sync_target(j->config.header_sync) > 0;
    if (!is_anyone) {
        j->unserved_ms = now;
    }
    if (best(j) > 0 && tip_height(j) == 0) {
        j->is_awaiting = false;
        begin(j);
    } else if (now - j->unserved_ms >= SETTLE_MS || tip_height(j) > 0) {
        j->is_awaiting = false;
        rest(j);
    }
}

/* How long nobody holds the next block. */
static void note_unserved(struct arrival *j, uint64_t now)
{
    struct sync_progress blocks;
    sync_progress(j->config.blocks, &blocks);
    if (!blocks.is_unserved || best(j) <= tip_height(j)) {
        j->unserved_ms = 0;
    } else if (j->unserved_ms == 0) {
        j->unserved_ms = now;
    }
    j->is_unserved = j->unserved_ms != 0 && now - j->unserved_ms >= SETTLE_MS;
}

/* Whether it may: with a tip, only who is ready to give that up. */
static bool may_begin(const struct arrival *j)
{
    return tip_height(j) == 0 || j->config.gives_up;
}

static void look(struct arrival *j, uint64_t now)
{
    note_unserved(j, now);
    if (j->phase == RESTING && j->is_unserved && may_begin(j)) {
        begin(j);
    } else if (j->phase == HEADERS && j->unserved_ms == 0 &&
               !j->config.is_preferred) {
        rest(j); /* a peer with all blocks came */
    } else if (j->phase == HEADERS && choose(j)) {
        j->phase = CHUNKS;
        want(j, &j->snapshot.root, 1);
    }
}

static void log_progress(struct arrival *j, uint64_t now)
{
    struct arrival_progress p;
    arrival_progress(j, &p);
    if (now < j->silent_until_ms || (j->phase == RESTING && !p.is_stranded)) {
        return;
    }
    j->silent_until_ms =
        now + (p.is_stranded ? WARN_INTERVAL_MS : LOG_INTERVAL_MS);
    if (p.is_stranded) {
        LOG(LOG_WARN, "sync",
            "no peer holds the next block: run `potctl resync --config FILE`, "
            "and this node begins with a snapshot",
            log_u64("height", tip_height(j)));
    } else {
        LOG(LOG_INFO, "sync", "taking a snapshot", log_text("part", p.phase),
            log_u64("height", p.height), log_u64("done", p.done),
            log_u64("of", p.all));
    }
}

static void leave(struct arrival *j)
{
    bool is_hushed = j->phase == INSTALLING;
    if (j->asked > 0 || (is_hushed && !j->config.hush(j->config.context))) {
        return;
    }
    rest(j);
    if (is_hushed) {
        j->config.left(j->config.context);
    }
}

void arrival_tick(struct arrival *j, uint64_t now)
{
    if (j->is_stopped) {
        return;
    }
    if (j->is_working) {
        /* off the loop */
    } else if (j->is_awaiting) {
        await_offer(j, now);
    } else if (j->phase != RESTING && tip_height(j) > j->from) {
        leave(j); /* blocks came another way */
    } else if (j->phase == RESTING || j->phase == HEADERS) {
        look(j, now);
    } else if (j->phase == INSTALLING) {
        install(j);
    } else {
        go_on(j);
    }
    log_progress(j, now);
}

void arrival_progress(const struct arrival *j, struct arrival_progress *out)
{
    bool is_headers = j->phase == HEADERS;
    *out = (struct arrival_progress){
        .phase = phase_names[j->phase],
        .height = j->phase > HEADERS ? j->snapshot.height : 0,
        .done = is_headers ? headers_height(j->config.headers) : j->held,
        .all = is_headers ? best(j) : j->part_count,
        .is_under_way = j->phase != RESTING,
        .is_stranded = j->phase == RESTING && j->is_unserved && !may_begin(j),
    };
}
