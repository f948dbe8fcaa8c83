#include "config.h"

#include "node/block/headers.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "node/block/chain_tip.h"
#include "node/block/validator_sets.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "node/loop/offload.h"
#include "p2p/blob_fetch.h"
#include "proto/certificate.h"
#include "proto/codec.h"
#include "proto/validator_set.h"
#include "storage/store_install.h"

#include <stdlib.h>

#define SET_BYTES_MAX 8192 /* of VALIDATORS_MAX keys */

_Static_assert(VALIDATORS_MAX *(PUBLIC_KEY_SIZE + 2) <= SET_BYTES_MAX,
               "a validator set fits");

struct queued {
    struct queued *next;
    uint64_t height;
    uint8_t *header;
    size_t header_size;
    uint8_t *certificate;
    size_t certificate_size;
};

/* A set that a header names and the store does not have yet. */
struct fresh_set {
    struct hash key;
    struct buf data; /* empty: none */
};

struct headers {
    struct headers_config config;
    struct queued *first; /* those that wait */
    uint64_t taken;       /* height of the last one that came */
    uint64_t height;      /* that is stored */
    bool is_stopped;

    /* Those off the loop: is_working. */
    struct offload offload;
    bool is_working;
    struct queued *batch;
    struct chain_tip at; /* the last one that is stored */
    struct validator_set set;
    struct hash set_key; /* of set */
    struct fresh_set fresh;
    uint64_t verified; /* height of the last one that is right */
    enum pot_err err;  /* of the next; POT_ENOENT: needed is to be fetched */
    struct hash needed;
};

static void go_on(struct headers *h);

struct headers *headers_new(const struct headers_config *config)
{
    struct headers *h = pot_calloc(1, sizeof(*h));
    h->config = *config;
    buf_init(&h->fresh.data, SET_BYTES_MAX);
    return h;
}

static void pop(struct queued **list)
{
    struct queued *q = *list;
    *list = q->next;
    free(q->header);
    free(q->certificate);
    free(q);
}

static void drop_all(struct queued **list)
{
    while (*list != NULL) {
        pop(list);
    }
}

void headers_stop(struct headers *headers)
{
    headers->is_stopped = true;
}

void headers_free(struct headers *headers)
{
    if (headers != NULL) {
        POT_ASSERT(!headers->is_working);
        drop_all(&headers->first);
        drop_all(&headers->batch);
        buf_fini(&headers->fresh.data);
        free(headers);
    }
}

static enum pot_err read_last(struct headers *h, uint64_t height)
{
    const struct holdings *holdings = h->config.holdings;
    struct hash hash;
    Pot__BlockHeader *header = NULL;
    enum pot_err err = stored_header(&header, &hash, holdings->store, height);
    if (err == POT_OK) {
        chain_tip_follow(&h->at, header, &hash, 0);
    }
    codec_free(header);
    return err;
}

enum pot_err headers_begin(struct headers *h)
{
    POT_ASSERT(!h->is_working && h->first == NULL);
    h->height = store_last_header(h->config.holdings->store);
    h->taken = h->height;
    h->at = (struct chain_tip){
        .time_ms = h->config.genesis_time_ms,
        .hash = h->config.holdings->genesis_hash,
        .next_signers = h->config.holdings->genesis_hash,
    };
    return h->height > 0 ? read_last(h, h->height) : POT_OK;
}

uint64_t headers_height(const struct headers *headers)
{
    return headers->height;
}

/* ---- off the loop */

/* Who signs the header behind `at`. */
static enum pot_err find_set(struct headers *h, const struct chain_tip *at)
{
    const struct hash *key = &at->next_signers;
    enum pot_err err = POT_OK;
    if (hash_equal(&h->set_key, key)) {
        return POT_OK;
    }
    if (hash_equal(&h->fresh.key, key) && h->fresh.data.size > 0) {
        err = validator_set_decode(&h->set, h->fresh.data.data,
                                   h->fresh.data.size);
        POT_ASSERT(err == POT_OK); /* it was looked at when it came */
    } else {
        err = validator_sets_read(h->config.holdings, key, &h->set);
    }
    h->set_key = err == POT_OK ? *key : (struct hash){{0}};
    return err;
}

static enum pot_err verify_certificate(struct headers *h,
                                       const struct queued *q,
                                       const struct hash *hash)
{
    Pot__CommitCertificate *certificate = NULL;
    enum pot_err err = CODEC_DECODE(&certificate, pot__commit_certificate,
                                    q->certificate, q->certificate_size);
    if (err == POT_OK &&
        certificate_proves(&h->set, &h->config.holdings->chain, certificate,
                           q->height, hash) != CERTIFICATE_VALID) {
        err = POT_EFORMAT;
    }
    codec_free(certificate);
    return err == POT_OK ? POT_OK : POT_EFORMAT;
}

/* The set that a header names is kept with it, unless it is kept already. */
static enum pot_err attach_set(struct headers *h, struct store_header *out,
                               const struct chain_tip *before,
                               const struct hash *named)
{
    if (hash_equal(named, &before->next_signers) ||
        store_blob_has(h->config.holdings->store, named, NULL)) {
        return POT_OK;
    }
    if (!hash_equal(named, &h->fresh.key) || h->fresh.data.size == 0) {
        h->needed = *named;
        return POT_ENOENT;
    }
    out->validators =
        (struct store_blob){*named, h->fresh.data.data, h->fresh.data.size};
    return POT_OK;
}

/* The next one behind *at, which becomes it. */
static enum pot_err verify(struct headers *h, const struct queued *q,
                           struct chain_tip *at, struct store_header *out)
{
    const struct block_parent parent = {at->height, at->time_ms, at->hash};
    struct chain_tip next = *at;
    Pot__BlockHeader *header = NULL;
    *out = (struct store_header){q->height,      {{0}},
                                 q->header,      q->header_size,
                                 q->certificate, q->certificate_size,
                                 {.data = NULL}};
    enum pot_err err =
        block_header_decode(&header, &out->hash, q->header, q->header_size);
    if (err != POT_OK || header_follows(header, &h->config.holdings->chain,
                                        &parent) != HEADER_FOLLOWS) {
        codec_free(header);
        return POT_EFORMAT;
    }
    err = find_set(h, at);
    if (err == POT_OK) {
        err = verify_certificate(h, q, &out->hash);
    }
    if (err == POT_OK) {
        chain_tip_follow(&next, header, &out->hash, 0);
        err = attach_set(h, out, at, &next.next_signers);
    }
    if (err == POT_OK) {
        *at = next;
    }
    codec_free(header);
    return err;
}

static void on_work(void *context)
{
    struct headers *h = context;
    struct store_header list[HEADERS_AHEAD];
    struct chain_tip at = h->at;
    size_t count = 0;
    h->err = POT_OK;
    for (const struct queued *q = h->batch; h->err == POT_OK && q != NULL;
         q = q->next) {
        h->err = verify(h, q, &at, &list[count]);
        count += h->err == POT_OK;
    }
    h->verified = h->at.height;
    enum pot_err err =
        count > 0 ? store_put_headers(h->config.holdings->store, list, count)
                  : POT_OK;
    if (err != POT_OK) {
        h->err = err;
        h->needed = (struct hash){{0}}; /* by one behind those */
    } else if (count > 0) {
        h->at = at;
        h->verified = at.height;
    }
}

/* ---- on the loop */

static void fetch_set(struct headers *h);

static void on_set(void *context, const struct hash *hash, enum pot_err err,
                   const uint8_t *data, size_t size)
{
    struct headers *h = context;
    if (h->is_stopped) {
        return;
    }
    if (err != POT_OK) {
        fetch_set(h);
        return;
    }
    h->fresh.key = *hash;
    buf_clear(&h->fresh.data);
    buf_append(&h->fresh.data, data, size);
    h->needed = (struct hash){{0}};
    go_on(h);
}

static void fetch_set(struct headers *h)
{
    const struct blob_request request = {
        .hash = h->needed,
        .size_max = SET_BYTES_MAX,
        .verify = validator_set_is,
        .context = h,
        .done = on_set,
    };
    if (blob_fetch_start(h->config.fetch, &request) != POT_OK) {
        h->needed = (struct hash){{0}}; /* the next take tries again */
    }
}

/* What of the batch is not done waits again, before the others. */
static void put_back(struct headers *h)
{
    struct queued **end = &h->batch;
    while (h->batch != NULL && h->batch->height <= h->verified) {
        pop(&h->batch);
    }
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = h->first;
    h->first = h->batch;
    h->batch = NULL;
}

/* Who is told gives more at once, and a thread is at work on it then: what this
 * batch came to is known before. */
static void on_worked(void *context)
{
    struct headers *h = context;
    uint64_t height = h->verified;
    enum pot_err err = h->err;
    bool is_news = height > h->height;
    h->is_working = false;
    if (h->is_stopped) {
        return;
    }
    put_back(h);
    h->height = height;
    if (err != POT_OK && err != POT_ENOENT) {
        drop_all(&h->first);
        h->taken = height;
    }
    if (is_news) {
        h->config.done(h->config.context, height, POT_OK);
    }
    if (err == POT_ENOENT) {
        fetch_set(h);
    } else if (err != POT_OK) {
        h->config.done(h->config.context, height + 1, err);
    } else {
        go_on(h);
    }
}

static void go_on(struct headers *h)
{
    if (h->is_working || h->is_stopped || h->first == NULL ||
        !hash_is_zero(&h->needed)) {
        return;
    }
    struct queued **end = &h->first;
    for (size_t i = 0; i < HEADERS_AHEAD && *end != NULL; i++) {
        end = &(*end)->next;
    }
    h->batch = h->first;
    h->first = *end;
    *end = NULL;
    h->is_working = true;
    offload_start(&h->offload, h->config.loop, on_work, on_worked, h);
}

void headers_take(struct headers *h, uint64_t height, const void *header,
                  size_t header_size, const void *certificate,
                  size_t certificate_size)
{
    struct queued **end = &h->first;
    if (height != h->taken + 1) {
        return;
    }
    while (*end != NULL) {
        end = &(*end)->next;
    }
    h->taken = height;
    struct queued *q = pot_calloc(1, sizeof(*q));
    q->height = height;
    q->header = pot_memdup(header, header_size);
    q->header_size = header_size;
    q->certificate = pot_memdup(certificate, certificate_size);
    q->certificate_size = certificate_size;
    *end = q;
    go_on(h);
}
