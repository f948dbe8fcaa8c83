#include "config.h"

#include "node/tx/evidence_pool.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/log.h"
#include "ledger/ledger.h"
#include "node/block/chain.h"
#include "node/block/owed.h"
#include "node/block/proposal.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "node/loop/offload.h"
#include "node/tx/evidence_file.h"
#include "p2p/gossip.h"
#include "p2p/net.h"
#include "proto/codec.h"
#include "proto/evidence.h"
#include "proto/signed.h"

#include <stdlib.h>
#include <string.h>

#define HELD_MAX       VALIDATORS_MAX
#define QUEUE_MAX      64 /* of all peers */
#define PEER_QUEUE_MAX 8
#define OWN_QUEUE_MAX  HELD_MAX

struct held {
    struct public_key accused;
    Pot__Signed *proof;
    bool is_ready; /* the next block may take it: at the tip of the last call
                    * of evidence_pool_applied */
    struct owed owed;
};

/* One under its check. */
struct item {
    struct item *next;
    uint64_t peer_id; /* 0: our own */
    Pot__Signed *proof;
    struct public_key accused;
    enum evidence_verdict verdict;
};

struct evidence_pool {
    struct evidence_pool_config config;
    struct held held[HELD_MAX];
    size_t count;
    struct hash overdue;
    struct item *queue; /* the first is under way while is_checking */
    bool is_checking;
    uint64_t height; /* of the tip when the check began */
    struct offload offload;
    struct evidence_file file;
    bool is_stopped;
    struct evidence_pool_stats stats;
};

struct evidence_pool *evidence_pool_new(
    const struct evidence_pool_config *config)
{
    struct evidence_pool *pool = pot_calloc(1, sizeof(*pool));
    pool->config = *config;
    evidence_file_init(&pool->file, config->loop, config->path);
    return pool;
}

static void item_free(struct item *item)
{
    codec_free(item->proof);
    free(item);
}

void evidence_pool_stop(struct evidence_pool *pool)
{
    pool->is_stopped = true;
}

void evidence_pool_free(struct evidence_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    POT_ASSERT(!pool->is_checking);
    while (pool->queue != NULL) {
        struct item *next = pool->queue->next;
        item_free(pool->queue);
        pool->queue = next;
    }
    for (size_t i = 0; i < pool->count; i++) {
        codec_free(pool->held[i].proof);
    }
    evidence_file_fini(&pool->file);
    free(pool);
}

/* ---- what is held */

static bool is_held(const struct evidence_pool *pool,
                    const struct public_key *accused)
{
    for (size_t i = 0; i < pool->count; i++) {
        if (public_key_equal(&pool->held[i].accused, accused)) {
            return true;
        }
    }
    return false;
}

static void save(struct evidence_pool *pool)
{
    Pot__Signed *list[HELD_MAX];
    for (size_t i = 0; i < pool->count; i++) {
        list[i] = pool->held[i].proof;
    }
    evidence_file_save(&pool->file, list, pool->count);
}

/* What a state that cannot be read would say is not final. */
static enum evidence_verdict judge(const struct evidence_pool *pool,
                                   uint64_t height, const Pot__Signed *proof,
                                   bool is_verified)
{
    struct stored_view view = {.store = pool->config.holdings->store};
    const struct ledger_env ledger = {
        .chain = pool->config.holdings->chain,
        .state = stored_view_state(&view),
    };
    enum evidence_verdict verdict =
        ledger_check_evidence(&ledger, height, proof, is_verified);
    return view.err == POT_OK ? verdict : EVIDENCE_EARLY;
}

/* ---- checking, one at a time */

static void on_work(void *context)
{
    const struct evidence_pool *pool = context;
    struct item *item = pool->queue;
    item->verdict = judge(pool, pool->height + 1, item->proof, false);
}

static void log_held(const struct item *item)
{
    char accused[ADDRESS_TEXT_SIZE];
    Pot__EvidenceBody *body = evidence_decode(item->proof);
    if (body != NULL) {
        LOG(LOG_ERROR, "consensus", "a validator contradicted itself",
            log_text("validator", address_format(&item->accused, accused)),
            log_u64("height", body->height),
            log_text("kind", evidence_kind(body)));
    }
    codec_free(body);
}

static void hold(struct evidence_pool *pool, struct item *item)
{
    size_t size;
    log_held(item);
    pool->held[pool->count++] =
        (struct held){.accused = item->accused, .proof = item->proof};
    uint8_t *data = codec_encode(&size, item->proof);
    if (item->peer_id == 0) {
        gossip_publish(pool->config.gossip, MESSAGE_EVIDENCE, data, size);
    } else {
        gossip_forward(pool->config.gossip, MESSAGE_EVIDENCE, data, size,
                       item->peer_id);
    }
    free(data);
    item->proof = NULL;
    save(pool);
    pool->config.on_work(pool->config.context);
}

/* No honest node passes on what it can tell to be wrong without the state. */
static void refuse(struct evidence_pool *pool, uint64_t peer_id,
                   enum evidence_verdict verdict)
{
    pool->stats.refused++;
    if (peer_id != 0 && !evidence_verdict_is_of_state(verdict)) {
        pool->config.on_breach(pool->config.context, peer_id);
    }
}

/* What may be good in a later state is taken when it comes again. */
static void forget_mark(const struct evidence_pool *pool,
                        const struct item *item)
{
    size_t size;
    if (!evidence_verdict_is_final(item->verdict)) {
        uint8_t *data = codec_encode(&size, item->proof);
        gossip_forget(pool->config.gossip, MESSAGE_EVIDENCE, data, size);
        free(data);
    }
}

static void check_next(struct evidence_pool *pool);

static void on_worked(void *context)
{
    struct evidence_pool *pool = context;
    struct item *item = pool->queue;
    pool->queue = item->next;
    pool->is_checking = false;
    if (!pool->is_stopped) {
        if (item->verdict == EVIDENCE_PROVES && pool->count < HELD_MAX &&
            !is_held(pool, &item->accused)) {
            hold(pool, item);
        } else {
            refuse(pool, item->peer_id, item->verdict);
            forget_mark(pool, item);
        }
    }
    item_free(item);
    check_next(pool);
}

static void check_next(struct evidence_pool *pool)
{
    if (pool->is_stopped || pool->is_checking || pool->queue == NULL) {
        return;
    }
    pool->is_checking = true;
    pool->height = chain_tip(pool->config.chain)->height;
    offload_start(&pool->offload, pool->config.loop, on_work, on_worked, pool);
}

static bool has_room(const struct evidence_pool *pool, uint64_t peer_id)
{
    size_t of_peers = 0;
    size_t of_it = 0;
    for (const struct item *i = pool->queue; i != NULL; i = i->next) {
        of_peers += i->peer_id != 0;
        of_it += i->peer_id == peer_id;
    }
    return peer_id == 0 ? of_it < OWN_QUEUE_MAX
                        : of_it < PEER_QUEUE_MAX && of_peers < QUEUE_MAX;
}

/* Where the next one waits: our own before those of peers, but for the one
 * under way. */
static struct item **find_place(struct evidence_pool *pool, uint64_t peer_id)
{
    struct item **at = &pool->queue;
    if (pool->is_checking) {
        at = &(*at)->next;
    }
    while (*at != NULL && (peer_id != 0 || (*at)->peer_id == 0)) {
        at = &(*at)->next;
    }
    return at;
}

/* Takes proof. */
static void enqueue(struct evidence_pool *pool, Pot__Signed *proof,
                    const struct public_key *accused, uint64_t peer_id)
{
    struct item *item = pot_calloc(1, sizeof(*item));
    struct item **place = find_place(pool, peer_id);
    item->proof = proof;
    item->accused = *accused;
    item->peer_id = peer_id;
    item->next = *place;
    *place = item;
    check_next(pool);
}

/* Takes proof; who stands accused already needs no second one. */
static void take(struct evidence_pool *pool, Pot__Signed *proof,
                 uint64_t peer_id)
{
    struct public_key accused;
    Pot__EvidenceBody *body = evidence_decode(proof);
    bool is_readable = body != NULL && codec_key(&accused, body->validator);
    codec_free(body);
    if (!is_readable || is_held(pool, &accused)) {
        codec_free(proof);
        refuse(pool, peer_id,
               is_readable ? EVIDENCE_PUNISHED : EVIDENCE_MALFORMED);
    } else if (!has_room(pool, peer_id)) {
        pool->stats.dropped++;
        codec_free(proof);
    } else {
        enqueue(pool, proof, &accused, peer_id);
    }
}

void evidence_pool_start(struct evidence_pool *pool)
{
    size_t count;
    Pot__Signed **list = evidence_file_load(&pool->file, &count);
    for (size_t i = 0; i < count; i++) {
        take(pool, list[i], 0);
    }
    free(list);
}

void evidence_pool_found(struct evidence_pool *pool, const void *body,
                         size_t size)
{
    Pot__EvidenceBody *opened;
    if (pool->is_stopped || pool->config.key == NULL) {
        return;
    }
    pool->stats.found++;
    enum pot_err err = CODEC_DECODE(&opened, pot__evidence_body, body, size);
    POT_ASSERT(err == POT_OK);
    Pot__Signed *proof =
        signed_make(SIGNED_EVIDENCE, &pool->config.holdings->chain,
                    pool->config.key, opened);
    if (proof != NULL) {
        take(pool, proof, 0);
    }
    codec_free(opened);
}

void evidence_pool_receive(struct evidence_pool *pool, const void *data,
                           size_t size, uint64_t peer_id)
{
    Pot__Signed *proof;
    if (pool->is_stopped) {
        return;
    }
    pool->stats.received++;
    if (CODEC_DECODE(&proof, pot__signed, data, size) == POT_OK) {
        take(pool, proof, peer_id);
    } else {
        refuse(pool, peer_id, EVIDENCE_MALFORMED);
    }
}

void evidence_pool_greet(const struct evidence_pool *pool, struct peer *peer)
{
    for (size_t i = 0; i < pool->count; i++) {
        size_t size;
        uint8_t *data = codec_encode(&size, pool->held[i].proof);
        (void)net_send(pool->config.net, peer, MESSAGE_EVIDENCE, data, size);
        free(data);
    }
}

/* ---- blocks */

void evidence_pool_collect(const struct evidence_pool *pool,
                           struct proposal_request *request)
{
    size_t count = pool->count < EVIDENCE_MAX ? pool->count : EVIDENCE_MAX;
    request->evidence = pot_calloc(count, sizeof(*request->evidence));
    request->evidence_count = count;
    for (size_t i = 0; i < count; i++) {
        request->evidence[i] = signed_copy(pool->held[i].proof);
    }
}

static void publish(const struct evidence_pool *pool, const Pot__Signed *proof)
{
    size_t size;
    uint8_t *data = codec_encode(&size, proof);
    gossip_publish(pool->config.gossip, MESSAGE_EVIDENCE, data, size);
    free(data);
}

/* The block could have taken it and did not.  Evidence goes before all else
 * into a block: a full one is no excuse. */
static bool is_overdue(const struct evidence_pool *pool, struct held *held,
                       const struct owed_rule *rule)
{
    bool is_overdue = owed_pass(&held->owed, rule);
    if (held->owed.passed == 1) {
        publish(pool, held->proof); /* the primary may have missed it */
    }
    return is_overdue;
}

bool evidence_pool_applied(struct evidence_pool *pool, const Pot__Block *block,
                           const struct owed_rule *rule,
                           const struct hash **overdue)
{
    uint64_t height = chain_tip(pool->config.chain)->height + 1;
    bool is_judged = rule != NULL && block->n_evidence < EVIDENCE_MAX;
    size_t kept = 0;
    *overdue = NULL;
    for (size_t i = 0; i < pool->count; i++) {
        struct held held = pool->held[i];
        enum evidence_verdict verdict = judge(pool, height, held.proof, true);
        if (evidence_verdict_is_final(verdict)) {
            codec_free(held.proof);
            continue;
        }
        if (is_judged && held.is_ready && is_overdue(pool, &held, rule)) {
            signed_hash(&pool->overdue, SIGNED_EVIDENCE, held.proof);
            *overdue = &pool->overdue;
        }
        held.is_ready = verdict == EVIDENCE_PROVES;
        pool->held[kept++] = held;
    }
    if (kept < pool->count) {
        pool->count = kept;
        save(pool);
    }
    return kept > 0;
}

size_t evidence_pool_count(const struct evidence_pool *pool)
{
    return pool->count;
}

const Pot__Signed *evidence_pool_at(const struct evidence_pool *pool,
                                    size_t index)
{
    POT_ASSERT(index < pool->count);
    return pool->held[index].proof;
}

void evidence_pool_stats(const struct evidence_pool *pool,
                         struct evidence_pool_stats *out)
{
    *out = pool->stats;
}
