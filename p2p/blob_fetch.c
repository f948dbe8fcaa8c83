/* A fetch, and what moves it:
 *
 *   WAITING --a peer is chosen--> ASKING --whole and right--> done(POT_OK)
 *   ASKING --not held, silent, gone, wrong--> WAITING
 *   either --its time is up--> done(POT_ETIMEOUT)
 *
 * Pieces come from one source at a time, in order, up to BLOB_WINDOW asked
 * for ahead.  What a source sent before it failed is kept for the next one;
 * the hash at the end decides.  If bytes of several sources do not fit it,
 * nobody is proven wrong: the fetch is strict from then on, and begins anew
 * with each source until one delivers alone. */
#include "config.h"

#include "p2p/blob_fetch.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "proto/codec.h"
#include "proto/named.h"
#include "proto/wire.pb-c.h"

#include <sodium.h>
#include <stdlib.h>

#define TRIED_MAX 32
/* Once every peer was asked; the next ones are twice as long each, up to
 * retry_ms.  Whoever told of a blob may be fetching it himself. */
#define PAUSE_FIRST_MS 50
/* A peer whose queue holds as much is served no more pieces for now. */
#define SERVE_QUEUE_MAX ((size_t)6 << 20)

_Static_assert(BLOB_ACTIVE_BYTES <= SERVE_QUEUE_MAX,
               "one peer may be asked for all that is under way");

struct blob_fetch_entry {
    struct blob_fetch_entry *next;
    struct blob_request request;
    uint64_t deadline_ms;      /* 0: none */
    uint64_t source_id;        /* 0: WAITING */
    uint64_t resume_ms;        /* WAITING: not before */
    uint64_t pause_ms;         /* before that; 0: there was none */
    uint64_t moved_ms;         /* ASKING: last progress */
    uint64_t asked;            /* offset behind the last piece asked for */
    uint64_t total;            /* of the blob, as its source says; 0: unknown */
    struct buf data;           /* data.size <= asked, <= total */
    struct hasher hasher;      /* over data, when there is no verify */
    bool is_mixed;             /* data is from more than one source */
    bool is_strict;            /* may not be mixed again */
    uint64_t tried[TRIED_MAX]; /* peer ids, in this turn */
    size_t tried_count;
};

struct blob_fetch {
    struct blob_fetch_config config;
    struct blob_fetch_entry *first;
    size_t count;        /* entries, <= BLOB_FETCHES_MAX */
    size_t asking_bytes; /* <= BLOB_ACTIVE_BYTES */
};

struct blob_fetch *blob_fetch_new(const struct blob_fetch_config *config)
{
    struct blob_fetch *fetch = pot_calloc(1, sizeof(*fetch));
    fetch->config = *config;
    if (fetch->config.piece_timeout_ms == 0) {
        fetch->config.piece_timeout_ms = 4000;
    }
    if (fetch->config.retry_ms == 0) {
        fetch->config.retry_ms = 1000;
    }
    return fetch;
}

static uint64_t now_ms(const struct blob_fetch *fetch)
{
    return net_now_ms(fetch->config.net);
}

static struct blob_fetch_entry *find(const struct blob_fetch *fetch,
                                     const struct hash *hash)
{
    struct blob_fetch_entry *e = fetch->first;
    while (e != NULL && !hash_equal(&e->request.hash, hash)) {
        e = e->next;
    }
    return e;
}

/* What may be asked for of it at once. */
static size_t claim_of(const struct blob_fetch_entry *e)
{
    size_t window = (size_t)BLOB_WINDOW * BLOB_PIECE_BYTES;
    return e->request.size_max < window ? e->request.size_max : window;
}

/* Takes e out of the list; its memory is the caller's then. */
static void unlink_entry(struct blob_fetch *fetch, struct blob_fetch_entry *e)
{
    struct blob_fetch_entry **at = &fetch->first;
    while (*at != e) {
        at = &(*at)->next;
    }
    *at = e->next;
    fetch->count--;
    fetch->asking_bytes -= e->source_id != 0 ? claim_of(e) : 0;
}

static void entry_free(struct blob_fetch_entry *e)
{
    buf_fini(&e->data);
    free(e);
}

void blob_fetch_free(struct blob_fetch *fetch)
{
    if (fetch == NULL) {
        return;
    }
    while (fetch->first != NULL) {
        struct blob_fetch_entry *e = fetch->first;
        unlink_entry(fetch, e);
        entry_free(e);
    }
    free(fetch);
}

/* Out of the list first: the callback may start the same blob again. */
static void finish(struct blob_fetch *fetch, struct blob_fetch_entry *e,
                   enum pot_err err)
{
    const struct blob_request *r = &e->request;
    unlink_entry(fetch, e);
    if (err == POT_OK) {
        r->done(r->context, &r->hash, POT_OK, e->data.data, e->data.size);
    } else {
        r->done(r->context, &r->hash, err, NULL, 0);
    }
    entry_free(e);
}

static void restart(struct blob_fetch_entry *e)
{
    buf_clear(&e->data);
    hasher_init(&e->hasher, "blob");
    e->total = 0;
    e->asked = 0;
    e->is_mixed = false;
}

/* The source is done with, for whatever reason. */
static void leave_source(struct blob_fetch *fetch, struct blob_fetch_entry *e)
{
    POT_ASSERT(e->source_id != 0);
    e->source_id = 0;
    fetch->asking_bytes -= claim_of(e);
    e->asked = e->data.size;
    if (e->is_strict) {
        restart(e);
    }
}

static bool was_tried(const struct blob_fetch_entry *e, uint64_t id)
{
    for (size_t i = 0; i < e->tried_count; i++) {
        if (e->tried[i] == id) {
            return true;
        }
    }
    return false;
}

/* The peer named first, then those not asked in this turn, from any place in
 * the list on, so that the load spreads.  Who does not follow the chain has
 * what it brought itself and no more. */
static struct peer *choose(const struct blob_fetch *fetch,
                           const struct blob_fetch_entry *e)
{
    struct net *net = fetch->config.net;
    size_t count = net_peer_count(net);
    uint64_t first = e->request.first_peer_id;
    if (e->tried_count == TRIED_MAX) {
        return NULL;
    }
    if (first != 0 && !was_tried(e, first) && net_find_id(net, first) != NULL) {
        return net_find_id(net, first);
    }
    uint32_t start = randombytes_uniform((uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        struct peer *peer = net_peer_at(net, (start + i) % count);
        if (peer_follows(peer) && !was_tried(e, peer_id(peer))) {
            return peer;
        }
    }
    return NULL;
}

static bool ask(struct blob_fetch *fetch, struct blob_fetch_entry *e,
                struct peer *peer)
{
    Pot__GetBlob message = POT__GET_BLOB__INIT;
    message.hash = codec_bytes(e->request.hash.b, HASH_SIZE);
    message.offset = e->asked;
    struct buf out;
    buf_init(&out, 128);
    codec_append(&out, &message);
    POT_ASSERT(!out.is_overflown);
    bool is_sent =
        net_send(fetch->config.net, peer, MESSAGE_GET_BLOB, out.data, out.size);
    buf_fini(&out);
    e->asked += BLOB_PIECE_BYTES;
    return is_sent;
}

/* Keeps the window full; a request that does not go out is asked again when
 * the source is found silent. */
static void ask_ahead(struct blob_fetch *fetch, struct blob_fetch_entry *e,
                      struct peer *peer)
{
    while (e->asked < e->total &&
           e->asked - e->data.size < BLOB_WINDOW * BLOB_PIECE_BYTES) {
        (void)ask(fetch, e, peer);
    }
}

/* Every peer was asked. */
static void take_pause(struct blob_fetch_entry *e, uint64_t now,
                       uint64_t longest)
{
    uint64_t next = e->pause_ms == 0 ? PAUSE_FIRST_MS : 2 * e->pause_ms;
    e->pause_ms = next < longest ? next : longest;
    e->resume_ms = now + e->pause_ms;
    e->tried_count = 0;
}

static void advance(struct blob_fetch *fetch, struct blob_fetch_entry *e)
{
    uint64_t now = now_ms(fetch);
    if (e->source_id != 0 || now < e->resume_ms ||
        fetch->asking_bytes + claim_of(e) > BLOB_ACTIVE_BYTES) {
        return;
    }
    struct peer *peer = choose(fetch, e);
    if (peer == NULL) {
        take_pause(e, now, fetch->config.retry_ms);
        return;
    }
    e->tried[e->tried_count++] = peer_id(peer);
    e->source_id = peer_id(peer);
    e->moved_ms = now;
    e->is_mixed = e->data.size > 0;
    fetch->asking_bytes += claim_of(e);
    if (!ask(fetch, e, peer)) {
        leave_source(fetch, e);
    }
}

enum pot_err blob_fetch_start(struct blob_fetch *fetch,
                              const struct blob_request *request)
{
    POT_ASSERT(request->done != NULL);
    if (find(fetch, &request->hash) != NULL) {
        return POT_EEXIST;
    }
    if (fetch->count == BLOB_FETCHES_MAX) {
        return POT_ELIMIT;
    }
    struct blob_fetch_entry *e = pot_calloc(1, sizeof(*e));
    e->request = *request;
    if (request->timeout_ms > 0) {
        e->deadline_ms = now_ms(fetch) + request->timeout_ms;
    }
    buf_init(&e->data, request->size_max);
    restart(e);
    struct blob_fetch_entry **end = &fetch->first;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = e;
    fetch->count++;
    advance(fetch, e);
    return POT_OK;
}

/* Those whose blob was too large are asked again, and none is suspected of a
 * lie about its size any more. */
static void widen(struct blob_fetch_entry *e, size_t size_max)
{
    e->request.size_max = size_max;
    e->data.size_max = size_max;
    e->is_strict = false;
}

void blob_fetch_join(struct blob_fetch *fetch, const struct hash *hash,
                     size_t size_max, uint64_t peer_id)
{
    struct blob_fetch_entry *e = find(fetch, hash);
    bool is_larger = e != NULL && size_max > e->request.size_max;
    bool is_other =
        e != NULL && peer_id != 0 && peer_id != e->request.first_peer_id;
    if (!is_larger && !is_other) {
        return;
    }
    if (e->source_id != 0 && (is_larger || e->data.size == 0)) {
        leave_source(fetch, e);
    }
    if (is_larger) {
        widen(e, size_max);
    }
    if (is_other) {
        e->request.first_peer_id = peer_id;
    }
    if (e->request.timeout_ms > 0) {
        e->deadline_ms = now_ms(fetch) + e->request.timeout_ms;
    }
    e->tried_count = 0;
    e->resume_ms = 0;
    e->pause_ms = 0;
    advance(fetch, e);
}

static bool is_right(struct blob_fetch_entry *e)
{
    const struct blob_request *r = &e->request;
    struct hash hash;
    if (r->verify != NULL) {
        return r->verify(&r->hash, e->data.data, e->data.size);
    }
    hasher_final(&e->hasher, &hash);
    return hash_equal(&hash, &r->hash);
}

static void complete(struct blob_fetch *fetch, struct blob_fetch_entry *e,
                     struct peer *peer)
{
    if (is_right(e)) {
        finish(fetch, e, POT_OK);
        return;
    }
    if (named_is(&e->request.hash, e->data.data, e->data.size)) {
        finish(fetch, e, POT_EFORMAT);
        return;
    }
    bool is_mixed = e->is_mixed;
    e->is_strict = e->is_strict || is_mixed;
    leave_source(fetch, e);
    restart(e);
    if (!is_mixed) {
        net_ban(fetch->config.net, peer, "sent a blob that is not its hash's");
    }
}

/* Whether the piece fits what was asked for and heard so far. */
static bool fits(struct blob_fetch_entry *e, const Pot__BlobPiece *piece)
{
    uint64_t left = piece->total - piece->offset;
    uint64_t size = left < BLOB_PIECE_BYTES ? left : BLOB_PIECE_BYTES;
    return piece->total <= e->request.size_max &&
           (e->total == 0 || piece->total == e->total) &&
           piece->data.len == size;
}

static void take_piece(struct blob_fetch *fetch, struct blob_fetch_entry *e,
                       struct peer *peer, const Pot__BlobPiece *piece)
{
    if (piece->total == 0) {
        leave_source(fetch, e); /* not held */
        return;
    }
    if (piece->offset != e->data.size || piece->offset >= piece->total) {
        return; /* asked for before something changed: late, no harm */
    }
    if (!fits(e, piece)) {
        /* One of two sources lies about the size: this one starts it anew
         * alone, when its turn comes again. */
        e->is_strict = true;
        leave_source(fetch, e);
        return;
    }
    e->total = piece->total;
    e->moved_ms = now_ms(fetch);
    buf_append(&e->data, piece->data.data, piece->data.len);
    POT_ASSERT(!e->data.is_overflown);
    if (e->request.verify == NULL) {
        hasher_add(&e->hasher, piece->data.data, piece->data.len);
    }
    if (e->data.size == e->total) {
        complete(fetch, e, peer);
    } else {
        ask_ahead(fetch, e, peer);
    }
}

static void on_piece(struct blob_fetch *fetch, struct peer *peer,
                     const uint8_t *data, size_t size)
{
    Pot__BlobPiece *piece;
    struct hash hash;
    if (CODEC_DECODE(&piece, pot__blob_piece, data, size) != POT_OK ||
        !codec_hash(&hash, piece->hash)) {
        codec_free(piece);
        net_ban(fetch->config.net, peer, "malformed BlobPiece");
        return;
    }
    struct blob_fetch_entry *e = find(fetch, &hash);
    if (e != NULL && e->source_id == peer_id(peer)) {
        take_piece(fetch, e, peer, piece);
    }
    codec_free(piece);
}

static void serve(struct blob_fetch *fetch, struct peer *peer,
                  const Pot__GetBlob *request, const struct hash *hash)
{
    const struct blob_fetch_config *config = &fetch->config;
    Pot__BlobPiece piece = POT__BLOB_PIECE__INIT;
    struct buf bytes;
    struct buf out;
    uint64_t total = 0;
    buf_init(&bytes, BLOB_PIECE_BYTES);
    buf_init(&out, BLOB_PIECE_BYTES + 128);
    piece.hash = request->hash;
    piece.offset = request->offset;
    if (config->read != NULL &&
        config->read(config->context, hash, request->offset, BLOB_PIECE_BYTES,
                     &bytes, &total)) {
        POT_ASSERT(!bytes.is_overflown);
        piece.total = total;
        piece.data = codec_bytes(bytes.data, bytes.size);
    }
    codec_append(&out, &piece);
    POT_ASSERT(!out.is_overflown);
    (void)net_send(config->net, peer, MESSAGE_BLOB_PIECE, out.data, out.size);
    buf_fini(&out);
    buf_fini(&bytes);
}

static void on_request(struct blob_fetch *fetch, struct peer *peer,
                       const uint8_t *data, size_t size)
{
    Pot__GetBlob *request;
    struct hash hash;
    if (CODEC_DECODE(&request, pot__get_blob, data, size) != POT_OK ||
        !codec_hash(&hash, request->hash)) {
        codec_free(request);
        net_ban(fetch->config.net, peer, "malformed GetBlob");
        return;
    }
    if (peer_queue_bytes(peer, PRIORITY_BULK) < SERVE_QUEUE_MAX) {
        serve(fetch, peer, request, &hash);
    }
    codec_free(request);
}

void blob_fetch_on_message(struct blob_fetch *fetch, struct peer *peer,
                           uint8_t type, const uint8_t *data, size_t size)
{
    POT_ASSERT(type == MESSAGE_GET_BLOB || type == MESSAGE_BLOB_PIECE);
    if (type == MESSAGE_GET_BLOB) {
        on_request(fetch, peer, data, size);
    } else {
        on_piece(fetch, peer, data, size);
    }
}

void blob_fetch_on_peer(struct blob_fetch *fetch, struct peer *peer, bool is_up)
{
    uint64_t id = peer_id(peer);
    for (struct blob_fetch_entry *e = fetch->first; e != NULL; e = e->next) {
        if (is_up) {
            e->resume_ms = 0; /* a new one may hold it */
        } else if (e->source_id == id) {
            leave_source(fetch, e);
        }
    }
}

/* The first fetch whose time is up; NULL: none. */
static struct blob_fetch_entry *find_late(const struct blob_fetch *fetch,
                                          uint64_t now)
{
    for (struct blob_fetch_entry *e = fetch->first; e != NULL; e = e->next) {
        if (e->deadline_ms != 0 && now >= e->deadline_ms) {
            return e;
        }
    }
    return NULL;
}

void blob_fetch_tick(struct blob_fetch *fetch, uint64_t now)
{
    struct blob_fetch_entry *late = find_late(fetch, now);
    while (late != NULL) {
        finish(fetch, late, POT_ETIMEOUT);
        late = find_late(fetch, now);
    }
    for (struct blob_fetch_entry *e = fetch->first; e != NULL; e = e->next) {
        if (e->source_id != 0 &&
            now - e->moved_ms >= fetch->config.piece_timeout_ms) {
            leave_source(fetch, e);
        }
        advance(fetch, e);
    }
}
