#include "config.h"

#include "node/tx/pending.h"

#include "base/alloc.h"
#include "ledger/ledger.h"
#include "node/block/needs.h"
#include "node/block/proposal.h"
#include "node/block/shared_block.h"
#include "node/hold/datasets.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "node/tx/left_out.h"
#include "proto/codec.h"
#include "proto/signed.h"

#include <stdlib.h>

/* Anyone may publish data that nobody has: only so many are looked for at a
 * time, so that rounds still get their payloads. */
#define FETCHES_MAX 8
/* Judged anew behind a block: each executes a transaction on the loop. */
#define SWEEP_MAX 64

struct pending {
    struct pending_config config;
    unsigned fetches; /* data sets of publications, under way */
    bool has_new;     /* since the last block */
    struct left_out left_out;
    struct hash swept; /* the first one that the next sweep judges... */
    bool is_swept;     /* ...if the last one did not reach the end */
};

struct pending *pending_new(const struct pending_config *config)
{
    struct pending *c = pot_calloc(1, sizeof(*c));
    c->config = *config;
    return c;
}

void pending_free(struct pending *c)
{
    free(c);
}

/* ---- publications */

static void on_dataset(void *context, bool is_held)
{
    struct pending *c = context;
    c->fetches--;
    if (is_held) {
        c->config.on_work(c->config.context);
    }
}

static void fetch(struct pending *c, const struct mempool_entry *entry,
                  const Pot__PublishDataset *description)
{
    if (c->config.is_fetching && c->fetches < FETCHES_MAX) {
        c->fetches++;
        needs_dataset(c->config.needs, &entry->dataset, description, on_dataset,
                      c);
    }
}

/* The data is here and is what the publication says; what is not here yet is
 * fetched. */
static bool is_held(struct pending *c, const struct mempool_entry *entry)
{
    Pot__TxBody *body = NULL;
    enum pot_err err = CODEC_DECODE(&body, pot__tx_body, entry->tx->body.data,
                                    entry->tx->body.len);
    if (err == POT_OK) {
        err =
            datasets_check(c->config.holdings->datasets, body->publish_dataset);
    }
    if (err == POT_ENOENT) {
        fetch(c, entry, body->publish_dataset);
    }
    codec_free(body);
    return err == POT_OK;
}

static bool is_ready(void *context, const struct mempool_entry *entry)
{
    struct pending *c = context;
    return !entry->is_publication || is_held(c, entry);
}

static void tell(void *context, const struct mempool_entry *entry)
{
    const struct pending *c = context;
    c->config.tell(c->config.context, entry->tx);
}

/* ---- in */

enum mempool_verdict pending_add(struct pending *c, const struct hash *hash,
                                 const Pot__Signed *tx, const Pot__TxBody *body,
                                 size_t bytes)
{
    struct mempool *pool = c->config.mempool;
    enum mempool_verdict verdict =
        mempool_add(pool, hash, tx, body, bytes, uv_now(c->config.loop));
    if (verdict == MEMPOOL_ADDED) {
        c->has_new = true;
        if (is_ready(c, mempool_find(pool, hash))) {
            c->config.on_work(c->config.context);
        }
    }
    return verdict;
}

/* ---- out */

void pending_collect(struct pending *c, struct proposal_request *request)
{
    request->txs = pot_calloc(PENDING_TXS_MAX, sizeof(*request->txs));
    for (const struct mempool_entry *e = mempool_first(c->config.mempool);
         e != NULL && request->tx_count < PENDING_TXS_MAX; e = e->next) {
        if (is_ready(c, e)) {
            request->txs[request->tx_count++] = signed_copy(e->tx);
        }
    }
}

void pending_drop_refused(struct pending *c,
                          const struct proposal_refused *refused, size_t count)
{
    unsigned finals = 0;
    for (size_t i = 0; i < count; i++) {
        if (tx_verdict_is_final(refused[i].verdict) && ++finals > SWEEP_MAX) {
            mempool_remove(c->config.mempool, &refused[i].tx);
        }
    }
}

/* ---- a new tip */

static uint64_t nonce_of(void *context, const struct public_key *sender)
{
    const struct state *state = context;
    struct account account;
    (void)ledger_account(state, sender, &account);
    return account.nonce;
}

static void drop_taken(struct pending *c, const struct block *block)
{
    for (size_t i = 0; i < block->body->n_txs; i++) {
        mempool_remove(c->config.mempool, &block->txs[i]);
    }
}

/* What became of a task, a data set or a challenge does not concern a
 * transfer; and who is not next is judged when its turn comes. */
static bool may_be_refused(const struct pending *c,
                           const struct mempool_entry *entry)
{
    return !entry->is_transfer && mempool_is_next(c->config.mempool, entry);
}

/* A submission that can be challenged, a task or a challenge: what such a one
 * was is known by its hash, and once forgotten it never comes back. */
static bool is_gone(enum tx_verdict verdict)
{
    return verdict == TX_SUBMISSION_UNKNOWN || verdict == TX_TASK_UNKNOWN ||
           verdict == TX_CHALLENGE_UNKNOWN;
}

/* What is unknown may be known soon, unless it was known before. */
static void judge(struct mempool *pool, const struct mempool_entry *entry,
                  enum tx_verdict verdict)
{
    if (verdict == TX_ACCEPTED) {
        mempool_mark_takable(pool, &entry->hash);
    } else if (tx_verdict_is_final(verdict) ||
               (entry->was_takable && is_gone(verdict))) {
        mempool_drop(pool, &entry->hash, tx_verdict_text(verdict));
    }
}

/* A block refuses for good what it made pointless: only its proposer hears
 * that from the ledger, and at all others these would keep their senders' next
 * ones from ever being taken. */
static void sweep(struct pending *c, const struct state *state,
                  const struct ledger_block *next)
{
    struct mempool *pool = c->config.mempool;
    const struct ledger_env env = {.chain = c->config.holdings->chain,
                                   .state = *state};
    const struct mempool_entry *at =
        c->is_swept ? mempool_find(pool, &c->swept) : NULL;
    unsigned judged = 0;
    at = at == NULL ? mempool_first(pool) : at;
    while (at != NULL && judged < SWEEP_MAX) {
        const struct mempool_entry *entry = at;
        at = at->next;
        if (may_be_refused(c, entry)) {
            judged++;
            judge(pool, entry, ledger_check_tx(&env, next, entry->tx, true));
        }
    }
    c->is_swept = at != NULL;
    if (at != NULL) {
        c->swept = at->hash;
    }
}

/* Transactions that no block took wait for new ones, or for the idle block:
 * what cannot be taken now must not fill the chain with empty blocks. */
bool pending_applied(struct pending *c, const struct shared_block *block,
                     const struct owed_rule *rule, const struct hash **overdue)
{
    const Pot__Block *body = block->block->body;
    struct mempool *pool = c->config.mempool;
    struct state state = stored_state(c->config.holdings->store);
    const struct left_out_view view = {
        .holdings = c->config.holdings,
        .mempool = pool,
        .time_ms = block->block->header->time_ms,
        .is_ready = is_ready,
        .tell = tell,
        .context = c,
    };
    uint64_t height = block->block->header->height;
    *overdue = rule == NULL
                   ? NULL
                   : left_out_judge(&c->left_out, &view, block->block, rule);
    drop_taken(c, block->block);
    mempool_prune(pool, height, nonce_of, &state);
    const struct ledger_block next = {.height = height + 1,
                                      .time_ms = view.time_ms + 1};
    sweep(c, &state, &next);
    if (rule != NULL) {
        left_out_draw(&c->left_out, &view, height, rule);
    }
    bool has_moved = body->n_txs > 0 || c->has_new;
    c->has_new = false;
    return has_moved && mempool_count(pool) > 0;
}
