#include "config.h"

#include "node/tx/left_out.h"

#include "ledger/ledger.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "node/tx/mempool.h"
#include "proto/block.h"
#include "proto/signed.h"

#include <string.h>

/* Samples in a time-out, and entries looked at for one. */
#define SAMPLES  8
#define SCAN_MAX 256

/* Two nodes do not hear of transactions at the same moment: one came later
 * than another when it did so by this part of a time-out. */
#define LATER_PART 2

/* ---- judging a block */

static struct left_out_watched *find(struct left_out *l, const struct hash *tx)
{
    for (size_t i = 0; i < l->count; i++) {
        if (hash_equal(&l->watched[i].tx, tx)) {
            return &l->watched[i];
        }
    }
    return NULL;
}

/* Marks what the block took.  Returns when the youngest of it came. */
static uint64_t mark_taken(struct left_out *l, const struct left_out_view *view,
                           const struct block *block, uint64_t now_ms)
{
    uint64_t youngest_ms = 0;
    for (size_t i = 0; i < block->body->n_txs; i++) {
        const struct hash *hash = &block->txs[i];
        const struct mempool_entry *entry = mempool_find(view->mempool, hash);
        struct left_out_watched *watched = find(l, hash);
        /* One that was never heard of came with the block. */
        uint64_t came_ms = entry != NULL ? entry->arrived_ms : now_ms;
        youngest_ms = came_ms > youngest_ms ? came_ms : youngest_ms;
        if (watched != NULL) {
            watched->is_taken = true;
        }
    }
    return youngest_ms;
}

const struct hash *left_out_judge(struct left_out *l,
                                  const struct left_out_view *view,
                                  const struct block *block,
                                  const struct owed_rule *rule)
{
    const struct hash *overdue = NULL;
    if (l->height == 0 || l->height + 1 != block->header->height) {
        return NULL; /* nothing was drawn at its parent */
    }
    uint64_t youngest_ms = mark_taken(l, view, block, rule->now_ms);
    for (size_t i = 0; i < l->count; i++) {
        struct left_out_watched *w = &l->watched[i];
        const struct mempool_entry *entry = mempool_find(view->mempool, &w->tx);
        if (entry == NULL || !w->is_ready || w->is_taken) {
            continue;
        }
        bool is_overtaken =
            youngest_ms > entry->arrived_ms + rule->timeout_ms / LATER_PART;
        if (!rule->has_room && !is_overtaken) {
            continue;
        }
        if (owed_pass(&w->owed, rule)) {
            l->overdue = w->tx;
            overdue = &l->overdue;
        }
        if (w->owed.passed == 1) {
            view->tell(view->context, entry);
        }
    }
    return overdue;
}

/* ---- drawing a sample */

static bool is_takable(const struct left_out_view *view,
                       const struct mempool_entry *entry, uint64_t height)
{
    const struct ledger_env env = {
        .chain = view->holdings->chain,
        .state = stored_state(view->holdings->store),
    };
    const struct ledger_block next = {.height = height + 1,
                                      .time_ms = view->time_ms + 1};
    return view->is_ready(view->context, entry) &&
           ledger_check_tx(&env, &next, entry->tx, true) == TX_ACCEPTED;
}

/* What has been passed over stays under watch as long as it waits. */
static void keep_passed(struct left_out *l, const struct left_out_view *view,
                        uint64_t height)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->count; i++) {
        struct left_out_watched *w = &l->watched[i];
        const struct mempool_entry *entry = mempool_find(view->mempool, &w->tx);
        if (entry != NULL && w->owed.passed > 0 && !w->is_taken) {
            w->is_ready = is_takable(view, entry, height);
            l->watched[kept++] = *w;
        }
    }
    l->count = kept;
}

/* From the oldest on; where many cannot be taken, from where the last search
 * ended. */
static void search(struct left_out *l, const struct left_out_view *view,
                   uint64_t height)
{
    const struct mempool_entry *entry =
        l->is_from_set ? mempool_find(view->mempool, &l->from) : NULL;
    if (entry == NULL) {
        entry = mempool_first(view->mempool);
    }
    unsigned looked_at = 0;
    for (; entry != NULL && l->count < LEFT_OUT_WATCHED && looked_at < SCAN_MAX;
         entry = entry->next, looked_at++) {
        if (find(l, &entry->hash) == NULL && is_takable(view, entry, height)) {
            l->watched[l->count++] =
                (struct left_out_watched){.tx = entry->hash, .is_ready = true};
        }
    }
    l->is_from_set = entry != NULL && looked_at == SCAN_MAX;
    if (l->is_from_set) {
        l->from = entry->hash;
    }
}

void left_out_draw(struct left_out *l, const struct left_out_view *view,
                   uint64_t height, const struct owed_rule *rule)
{
    l->height = 0;
    if (rule->now_ms >= l->due_ms) {
        l->due_ms = rule->now_ms + rule->timeout_ms / SAMPLES;
        keep_passed(l, view, height);
        search(l, view, height);
        l->height = height;
    }
}
