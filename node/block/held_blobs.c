#include "config.h"

#include "node/block/held_blobs.h"

#include "base/alloc.h"
#include "ledger/ledger.h"
#include "node/block/executed.h"
#include "node/block/ledger_view.h"
#include "node/block/round_blobs.h"
#include "node/block/shared_block.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "proto/codec.h"
#include "storage/overlay.h"
#include "storage/store.h"
#include "storage/store_promise.h"

#include <stdlib.h>

void held_blobs_fini(struct held_blobs *held)
{
    free(held->hashes);
    *held = (struct held_blobs){0};
}

static void add(struct held_blobs *held, const struct hash *hash)
{
    held->hashes =
        pot_realloc(held->hashes, held->count + 1, sizeof(*held->hashes));
    held->hashes[held->count++] = *hash;
}

void held_blobs_move(struct held_blobs *to, struct held_blobs *from)
{
    for (size_t i = 0; i < from->count; i++) {
        add(to, &from->hashes[i]);
    }
    held_blobs_fini(from);
}

/* The blobs of a block's rounds, gathered for one write. */
struct holding {
    const struct ledger_env *env;
    struct store_blob *blobs;
    struct buf *bytes; /* behind them */
    size_t count;
};

static size_t holding_max(const Pot__Block *body)
{
    size_t count = 0;
    for (size_t i = 0; i < body->n_round_updates; i++) {
        count += body->round_updates[i]->n_submissions + 1;
    }
    return count;
}

/* As executing the block read it: from memory, or from its write set, which
 * has the store beneath. */
static bool hold_blob(void *context, const struct hash *hash, uint64_t size)
{
    struct holding *h = context;
    const struct blobs *blobs = &h->env->blobs;
    struct buf *data = &h->bytes[h->count];
    buf_init(data, size);
    bool is_there = blobs->get(blobs->context, hash, data);
    h->blobs[h->count++] = (struct store_blob){*hash, data->data, data->size};
    return is_there;
}

static bool hold_round(struct holding *h, const Pot__RoundUpdate *update)
{
    struct hash aggregate;
    return (!round_blobs_aggregate(update, &aggregate) ||
            hold_blob(h, &aggregate, update->aggregate_bytes)) &&
           round_blobs_lone(update, &h->env->parts, hold_blob, h);
}

/* What memory let go, the store may still have: only what is nowhere is
 * lacking. */
static enum pot_err gather(struct holding *h, const struct holdings *holdings,
                           const struct executed *executed)
{
    const Pot__Block *body = executed->block->block->body;
    struct ledger_view view = {holdings, executed->overlay};
    const struct ledger_env env = ledger_view_env(&view);
    bool are_there = true;
    h->env = &env;
    for (size_t i = 0; are_there && i < body->n_round_updates; i++) {
        are_there = hold_round(h, body->round_updates[i]);
    }
    enum pot_err err = overlay_error(executed->overlay);
    return err == POT_OK && !are_there ? POT_ENOENT : err;
}

enum pot_err held_blobs_hold(struct held_blobs *held,
                             const struct holdings *holdings,
                             const struct executed *executed)
{
    size_t most = holding_max(executed->block->block->body);
    if (most == 0) {
        return POT_OK;
    }
    struct holding h = {
        .blobs = pot_calloc(most, sizeof(*h.blobs)),
        .bytes = pot_calloc(most, sizeof(*h.bytes)),
    };
    enum pot_err err = gather(&h, holdings, executed);
    if (err == POT_OK) {
        err = store_blobs_hold(holdings->store, h.blobs, h.count);
    }
    for (size_t i = 0; i < h.count; i++) {
        if (err == POT_OK) {
            add(held, &h.blobs[i].hash);
        }
        buf_fini(&h.bytes[i]);
    }
    free(h.bytes);
    free(h.blobs);
    return err;
}

static bool is_over(const struct state *state,
                    const struct store_promise *promise)
{
    Pot__TaskRecord *task = ledger_task(state, &promise->task);
    bool is = task == NULL || task->status != POT__TASK_STATUS__TASK_RUNNING ||
              task->round != promise->round;
    codec_free(task);
    return is;
}

static bool are_of_one_round(const struct store_promise *a,
                             const struct store_promise *b)
{
    return a->round == b->round && hash_equal(&a->task, &b->task);
}

/* Moves those that are over to the front.  Those of a round come together, so
 * that each round is asked for once.  Of a task that cannot be read nobody
 * knows that its round is over: then none ends. */
static enum pot_err find_ended(size_t *ended, struct store *store,
                               struct store_promise *all, size_t count)
{
    struct stored_view view = {.store = store};
    const struct state state = stored_view_state(&view);
    bool is = false;
    *ended = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !are_of_one_round(&all[i], &all[i - 1])) {
            is = is_over(&state, &all[i]);
        }
        if (is) {
            all[(*ended)++] = all[i];
        }
    }
    return view.err;
}

enum pot_err held_blobs_end_promises(const struct holdings *holdings)
{
    struct store_promise *all;
    size_t count;
    size_t ended = 0;
    enum pot_err err = store_promises(holdings->store, &all, &count);
    if (err == POT_OK) {
        err = find_ended(&ended, holdings->store, all, count);
    }
    if (err == POT_OK) {
        err = store_promises_end(holdings->store, all, ended);
    }
    free(all);
    return err;
}
