#include "config.h"

#include "node/round/payload.h"

#include "base/alloc.h"
#include "node/hold/blob_pool.h"
#include "node/loop/offload.h"
#include "node/round/round_input.h"
#include "proto/blob.h"
#include "proto/plant.h"
#include "training/compress.h"

#include <stdlib.h>

struct payload {
    struct offload offload;
    struct blob_pool *pool;
    struct round_input *input;
    int64_t *sums;
    bool is_plant;
    struct hash plant; /* is_plant: the secret */
    struct hash hash;
    size_t size;
    payload_fn *done; /* NULL: forgotten */
    void *context;
};

static void run(void *context)
{
    struct payload *payload = context;
    const struct round_input *input = payload->input;
    payload->size = packed_bytes(&input->shape, &input->form);
    uint8_t *data = pot_alloc(payload->size);
    compress_payload(data, &input->shape, &input->form, payload->sums,
                     round_input_divisor(input));
    payload->is_plant =
        payload->is_plant &&
        plant_payload(data, &input->shape, &input->form, &payload->plant);
    blob_hash(&payload->hash, data, payload->size);
    (void)blob_pool_put(payload->pool, &payload->hash, data, payload->size);
    free(data);
}

static void on_run(void *context)
{
    struct payload *payload = context;
    if (payload->done != NULL) {
        payload->done(payload->context, &payload->hash, payload->size,
                      payload->is_plant);
    }
    round_input_unref(payload->input);
    free(payload->sums);
    free(payload);
}

struct payload *payload_start(uv_loop_t *loop, struct blob_pool *pool,
                              struct round_input *input, int64_t *sums,
                              const struct hash *plant, payload_fn *done,
                              void *context)
{
    struct payload *payload = pot_calloc(1, sizeof(*payload));
    payload->pool = pool;
    payload->input = round_input_ref(input);
    payload->sums = sums;
    if (plant != NULL) {
        payload->is_plant = true;
        payload->plant = *plant;
    }
    payload->done = done;
    payload->context = context;
    offload_start(&payload->offload, loop, run, on_run, payload);
    return payload;
}

void payload_forget(struct payload *payload)
{
    if (payload != NULL) {
        payload->done = NULL;
    }
}
