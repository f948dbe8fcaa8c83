#include "config.h"

#include "node/block/proposal.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/cpu_time.h"
#include "base/limits.h"
#include "ledger/ledger.h"
#include "node/block/executed.h"
#include "node/block/ledger_view.h"
#include "node/block/shared_block.h"
#include "node/block/validator_sets.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "proto/codec.h"
#include "proto/signed.h"
#include "storage/overlay.h"

#include <stdlib.h>

/* Room in a block for its header, the parent's certificate and tags. */
#define BLOCK_FRAME_BYTES (4096 + 80 * VALIDATORS_MAX)
/* Tag and length of a transaction in a block. */
#define TX_FRAME_BYTES 6
/* The same for evidence, and its amounts. */
#define EVIDENCE_FRAME_BYTES 32

void proposal_request_free(struct proposal_request *request)
{
    if (request == NULL) {
        return;
    }
    signed_list_free(request->txs, request->tx_count);
    signed_list_free(request->evidence, request->evidence_count);
    for (size_t i = 0; i < request->round_count; i++) {
        round_candidate_fini(&request->rounds[i]);
    }
    free(request->rounds);
    free(request->refused);
    free(request);
}

struct maker {
    struct proposal_request *request;
    struct ledger_env env;
    struct ledger_block block;
    Pot__Block *body;
    size_t bytes;
};

/* One always fits: the least that a chain allows has room for it, whatever
 * this node would like. */
static void add_evidence(struct maker *m)
{
    const struct proposal_request *r = m->request;
    m->body->evidence =
        pot_calloc(r->evidence_count, sizeof(*m->body->evidence));
    for (size_t i = 0;
         i < r->evidence_count && m->body->n_evidence < EVIDENCE_MAX; i++) {
        Pot__Evidence *evidence;
        size_t size =
            pot__signed__get_packed_size(r->evidence[i]) + EVIDENCE_FRAME_BYTES;
        bool is_full =
            m->body->n_evidence > 0 && m->bytes + size > r->bytes_max;
        if (is_full || ledger_make_evidence(&m->env, &m->block, r->evidence[i],
                                            &evidence) != EVIDENCE_PROVES) {
            continue;
        }
        m->bytes += size;
        m->body->evidence[m->body->n_evidence++] = evidence;
    }
}

static void add_rounds(struct maker *m)
{
    const struct proposal_request *r = m->request;
    m->body->round_updates =
        pot_calloc(r->round_count, sizeof(*m->body->round_updates));
    for (size_t i = 0; i < r->round_count; i++) {
        Pot__RoundUpdate *update = NULL;
        uint64_t most = r->chain_bytes_max;
        size_t left = most > m->bytes ? most - m->bytes : 0;
        if (ledger_make_round(&m->env, &m->block, &r->rounds[i], left,
                              &update) != ROUND_ACCEPTED) {
            continue;
        }
        m->bytes += pot__round_update__get_packed_size(update) + TX_FRAME_BYTES;
        m->body->round_updates[m->body->n_round_updates++] = update;
    }
}

static void add_tx(struct maker *m, Pot__Signed *tx)
{
    struct proposal_request *r = m->request;
    size_t size = pot__signed__get_packed_size(tx) + TX_FRAME_BYTES;
    if (m->bytes + size > r->bytes_max) {
        return;
    }
    enum tx_verdict verdict = ledger_apply_tx(&m->env, &m->block, tx, true);
    if (verdict == TX_ACCEPTED) {
        m->bytes += size;
        m->body->txs[m->body->n_txs++] = signed_copy(tx);
    } else {
        struct proposal_refused *refused = &r->refused[r->refused_count++];
        signed_hash(&refused->tx, SIGNED_TX, tx);
        refused->verdict = verdict;
    }
}

static void add_txs(struct maker *m)
{
    struct proposal_request *r = m->request;
    uint64_t deadline_ms = clock_steady_ms() + r->work_max_ms;
    m->body->txs = pot_calloc(r->tx_count, sizeof(*m->body->txs));
    r->refused = pot_calloc(r->tx_count, sizeof(*r->refused));
    for (size_t i = 0; i < r->tx_count && m->body->n_txs < BLOCK_TXS_MAX &&
                       clock_steady_ms() <= deadline_ms;
         i++) {
        add_tx(m, r->txs[i]);
    }
}

static enum pot_err add_last_commit(struct maker *m, struct store *store)
{
    uint64_t parent = m->request->parent.height;
    if (parent == 0) {
        return POT_OK;
    }
    return stored_certificate(&m->body->last_commit, store, parent);
}

/* The body becomes the block's. */
static struct block *seal(struct maker *m, const struct hash *chain,
                          const struct hash *state_root)
{
    const struct proposal_request *r = m->request;
    struct hash validators;
    validator_sets_next(&validators, &m->env.state);
    Pot__BlockHeader *header = pot_alloc(sizeof(*header));
    pot__block_header__init(header);
    header->version = PROTOCOL_VERSION;
    header->chain_id = codec_copy_bytes(chain->b, HASH_SIZE);
    header->height = m->block.height;
    header->view = r->view;
    header->time_ms = m->block.time_ms;
    header->parent_hash = codec_copy_bytes(r->parent.hash.b, HASH_SIZE);
    header->proposer = codec_copy_bytes(r->proposer.b, PUBLIC_KEY_SIZE);
    header->validators_hash = codec_copy_bytes(validators.b, HASH_SIZE);
    header->state_root = codec_copy_bytes(state_root->b, HASH_SIZE);
    Pot__Block *body = m->body;
    m->body = NULL;
    return block_make(body, header);
}

static enum pot_err fill(struct block **out, struct maker *m,
                         const struct holdings *holdings,
                         struct overlay *overlay)
{
    struct hash root;
    m->bytes = BLOCK_FRAME_BYTES;
    enum pot_err err = add_last_commit(m, holdings->store);
    if (err != POT_OK) {
        return err;
    }
    add_evidence(m);
    add_rounds(m);
    add_txs(m);
    ledger_end_block(&m->env, &m->block);
    enum cpu_part before = cpu_time_enter(CPU_HASHING);
    err = overlay_root(overlay, &root);
    if (err == POT_OK) {
        *out = seal(m, &holdings->chain, &root);
    }
    (void)cpu_time_enter(before);
    return err;
}

/* Takes block. */
static enum pot_err encode(struct shared_block **out, struct block *block)
{
    size_t size;
    uint8_t *data = codec_encode(&size, block->body);
    if (size > BLOCK_BYTES_MAX) { /* bytes_max was too large, or a part of it */
        free(data);
        block_free(block);
        return POT_ELIMIT;
    }
    *out = shared_block_of(block, data, size);
    return POT_OK;
}

enum pot_err proposal_make(struct executed **out,
                           const struct holdings *holdings,
                           struct proposal_request *request)
{
    const struct chain_tip *parent = &request->parent;
    struct executed *made = executed_new(holdings->store);
    struct ledger_view view = {holdings, made->overlay};
    struct maker m = {.request = request, .env = ledger_view_env(&view)};
    m.block.height = parent->height + 1;
    m.block.time_ms = request->now_ms > parent->time_ms ? request->now_ms
                                                        : parent->time_ms + 1;
    m.block.proposer = request->proposer;
    m.body = pot_alloc(sizeof(*m.body));
    pot__block__init(m.body);
    struct block *block;
    enum pot_err err = fill(&block, &m, holdings, made->overlay);
    codec_free(m.body);
    if (err == POT_OK) {
        err = encode(&made->block, block);
    }
    if (err != POT_OK) {
        executed_free(made);
        made = NULL;
    }
    *out = made;
    return err;
}
