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
#include "node/round/group_keep.h"
#include "proto/blob.h"
#include "proto/codec.h"
#include "proto/group.h"
#include "proto/packed.h"
#include "proto/partial_sum.h"
#include "proto/round.h"
#include "storage/store.h"

#include <stdlib.h>

struct group_sum {
    struct group_order order;
    group_sum_fn *done; /* NULL: forgotten */
    void *context;
    struct offload offload;
    struct group_result result;
};

struct group_member group_member_of(const struct round_submission *submission)
{
    struct group_member member = {
        .submission = submission->hash,
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

static enum pot_err keep(const struct group_sum *s, const struct buf *payloads)
{
    struct store_blob *blobs = pot_calloc(s->order.count, sizeof(*blobs));
    for (size_t i = 0; i < s->order.count; i++) {
        blobs[i] = (struct store_blob){s->order.members[i].payload,
                                       payloads[i].data, payloads[i].size};
    }
    enum pot_err err =
        store_blobs_hold(s->order.holdings->store, blobs, s->order.count);
    free(blobs);
    return err;
}

static enum pot_err add_all(struct group_sum *s, struct summing *sum)
{
    enum pot_err err = POT_OK;
    size_t opened = 0;
    struct buf *payloads = pot_calloc(s->order.count, sizeof(*payloads));
    while (opened < s->order.count && err == POT_OK) {
        struct buf *payload = &payloads[opened];
        err = read_payload(s, opened++, payload);
        if (err == POT_OK) {
            err = add(sum, payload);
        }
        if (s->order.keep == NULL) {
            buf_fini(payload);
        }
    }
    if (err == POT_OK && s->order.keep != NULL) {
        err = keep(s, payloads);
    }
    for (size_t i = 0; s->order.keep != NULL && i < opened; i++) {
        buf_fini(&payloads[i]);
    }
    free(payloads);
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
    s->result.err = add_all(s, &sum);
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

static void on_worked(void *context)
{
    struct group_sum *s = context;
    if (s->order.keep != NULL) {
        group_keep_filled(s->order.keep, s->result.err == POT_OK);
    }
    if (s->done != NULL) {
        s->done(s->context, &s->result);
    }
    free(s->order.members);
    free(s);
}

struct group_sum *group_sum_start(const struct group_order *order,
                                  group_sum_fn *done, void *context)
{
    struct group_sum *s = pot_calloc(1, sizeof(*s));
    s->order = *order;
    s->done = done;
    s->context = context;
    offload_start(&s->offload, order->loop, on_work, on_worked, s);
    return s;
}

void group_sum_forget(struct group_sum *sum)
{
    if (sum != NULL) {
        sum->done = NULL;
    }
}
