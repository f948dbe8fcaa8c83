#include "config.h"

#include "node/round/group_sum.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/check.h"
#include "ledger/aggregate.h"
#include "ledger/ledger.h"
#include "node/hold/blob_pool.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "node/loop/offload.h"
#include "proto/blob.h"
#include "proto/codec.h"
#include "proto/group.h"
#include "proto/packed.h"
#include "proto/partial_sum.h"
#include "proto/round.h"
#include "storage/store.h"

#include <stdlib.h>

#define SLICE_BYTES ((size_t)16 << 20)

struct group_sum {
    struct group_sum *next;
    struct group_order order;
    group_sum_fn *done; /* NULL: forgotten */
    void *context;
    struct offload offload;
    struct group_result result;
};

struct group_member group_member_of(const struct round_submission *submission)
{
    struct group_member member = {
        .name = submission->name,
        .payload = submission->payload,
        .payload_bytes = submission->body->payload_bytes,
    };
    group_leaf(&member.leaf, submission);
    return member;
}

/* ---- off the loop */

static void make_root(struct group_sum *s)
{
    struct hash *leaves = pot_calloc(s->order.count, sizeof(*leaves));
    for (size_t i = 0; i < s->order.count; i++) {
        leaves[i] = s->order.members[i].leaf;
    }
    hash_merkle_root(&s->result.root, leaves, s->order.count);
    free(leaves);
}

/* What is summed, and the room that it takes. */
struct summing {
    const Pot__TaskRecord *task;
    struct model_shape shape;
    struct packed_form form;
    struct aggregate *aggregate;
    int8_t *room;
};

static enum pot_err add(struct summing *sum, const struct buf *payload)
{
    struct gradient gradient;
    if (packed_open(&gradient, sum->room, &sum->shape, &sum->form,
                    payload->data, payload->size) != POT_OK) {
        return POT_EFORMAT;
    }
    aggregate_add(sum->aggregate, &gradient);
    return POT_OK;
}

static enum pot_err read_payload(const struct group_sum *s, size_t i,
                                 struct buf *out)
{
    const struct group_member *member = &s->order.members[i];
    buf_init(out, member->payload_bytes);
    return holdings_get_blob(s->order.holdings, &member->payload, out)
               ? POT_OK
               : POT_ENOENT;
}

/* Payloads on their way into the store. */
struct slice {
    struct store_blob *blobs; /* room for all of them */
    struct buf *bytes;        /* behind them */
    size_t count;
    size_t size;
    uint32_t number;
};

/* They are held; the slice is empty then. */
static enum pot_err write_slice(const struct group_sum *s, struct slice *slice,
                                enum pot_err err)
{
    struct store_promise promise = s->order.promise;
    promise.part = slice->number++;
    if (err == POT_OK && slice->count > 0) {
        err = store_promise_hold(s->order.holdings->store, &promise,
                                 slice->blobs, slice->count);
    }
    for (size_t i = 0; i < slice->count; i++) {
        buf_fini(&slice->bytes[i]);
    }
    slice->count = 0;
    slice->size = 0;
    return err;
}

/* Others write too: a slice keeps them waiting for no longer than it must. */
static enum pot_err add_and_hold(struct group_sum *s, struct summing *sum,
                                 struct slice *slice)
{
    enum pot_err err = POT_OK;
    for (size_t i = 0; i < s->order.count && err == POT_OK; i++) {
        struct buf *payload = &slice->bytes[slice->count];
        err = read_payload(s, i, payload);
        if (err == POT_OK) {
            err = add(sum, payload);
        }
        slice->blobs[slice->count++] = (struct store_blob){
            s->order.members[i].payload, payload->data, payload->size};
        slice->size += payload->size;
        if (slice->size >= SLICE_BYTES) {
            err = write_slice(s, slice, err);
        }
    }
    return write_slice(s, slice, err);
}

static enum pot_err add_all(struct group_sum *s, struct summing *sum)
{
    struct buf payload;
    enum pot_err err = POT_OK;
    for (size_t i = 0; i < s->order.count && err == POT_OK; i++) {
        err = read_payload(s, i, &payload);
        if (err == POT_OK) {
            err = add(sum, &payload);
        }
        buf_fini(&payload);
    }
    return err;
}

static enum pot_err promise_all(struct group_sum *s, struct summing *sum)
{
    struct slice slice = {
        .blobs = pot_calloc(s->order.count, sizeof(*slice.blobs)),
        .bytes = pot_calloc(s->order.count, sizeof(*slice.bytes)),
    };
    enum pot_err err = add_and_hold(s, sum, &slice);
    free(slice.bytes);
    free(slice.blobs);
    return err;
}

static void publish(struct group_sum *s, const struct summing *sum)
{
    struct buf bytes;
    buf_init(&bytes, partial_sum_bytes_max(&sum->shape));
    aggregate_encode_sum(sum->aggregate, &bytes);
    blob_hash(&s->result.sum, bytes.data, bytes.size);
    s->result.sum_bytes = bytes.size;
    if (!blob_pool_put(s->order.holdings->pool, &s->result.sum, bytes.data,
                       bytes.size)) {
        s->result.err = POT_ELIMIT;
    }
    buf_fini(&bytes);
}

static void sum_up(struct group_sum *s, const Pot__TaskRecord *task)
{
    struct summing sum = {.task = task};
    enum pot_err err = model_shape_from_spec(&sum.shape, task->spec->model);
    POT_ASSERT(err == POT_OK); /* the ledger took the task */
    packed_form_init(&sum.form, task->spec, &sum.shape);
    sum.aggregate = aggregate_new(task->spec, &sum.shape);
    sum.room = pot_alloc(sum.shape.parameter_count);
    s->result.err =
        s->order.is_promised ? promise_all(s, &sum) : add_all(s, &sum);
    if (s->result.err == POT_OK) {
        publish(s, &sum);
    }
    free(sum.room);
    aggregate_free(sum.aggregate);
}

static void on_work(void *context)
{
    struct group_sum *s = context;
    const struct state state = stored_state(s->order.holdings->store);
    Pot__TaskRecord *task = ledger_task(&state, &s->order.task);
    make_root(s);
    s->result.err = POT_ENOENT;
    if (task != NULL) {
        sum_up(s, task);
        codec_free(task);
    }
}

/* ---- on the loop */

static void on_worked(void *context);

static void destroy(struct group_sum *s)
{
    free(s->order.members);
    free(s);
}

static void take_first(struct group_sums *sums)
{
    sums->first = sums->first->next;
    sums->last = sums->first != NULL ? sums->last : NULL;
}

/* What was forgotten while it waited is not begun. */
static void start_next(struct group_sums *sums)
{
    struct group_sum *s = sums->first;
    while (s != NULL && s->done == NULL) {
        take_first(sums);
        destroy(s);
        s = sums->first;
    }
    if (s != NULL) {
        offload_start(&s->offload, s->order.loop, on_work, on_worked, s);
    }
}

static void on_worked(void *context)
{
    struct group_sum *s = context;
    take_first(s->order.sums);
    start_next(s->order.sums);
    if (s->done != NULL) {
        s->done(s->context, &s->result);
    }
    destroy(s);
}

struct group_sum *group_sum_start(const struct group_order *order,
                                  group_sum_fn *done, void *context)
{
    struct group_sum *s = pot_calloc(1, sizeof(*s));
    struct group_sums *sums = order->sums;
    s->order = *order;
    s->done = done;
    s->context = context;
    *(sums->first != NULL ? &sums->last->next : &sums->first) = s;
    sums->last = s;
    if (sums->first == s) {
        start_next(sums);
    }
    return s;
}

void group_sum_forget(struct group_sum *sum)
{
    if (sum != NULL) {
        sum->done = NULL;
    }
}
