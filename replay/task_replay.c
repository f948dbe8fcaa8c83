/* What settle_compute (ledger/settle.c) does with payloads that it is given
 * happens here with payloads that are made as pot-worker makes them. */
#include "config.h"

#include "replay/task_replay.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/fixed.h"
#include "base/map.h"
#include "ledger/aggregate.h"
#include "ledger/optimizer.h"
#include "ledger/optimizer_rate.h"
#include "ledger/parameters.h"
#include "proto/aggregation.h"
#include "proto/blob.h"
#include "proto/codec.h"
#include "proto/draw.h"
#include "proto/gradient.h"
#include "proto/packed.h"
#include "proto/plant.h"
#include "proto/round.h"
#include "proto/spec.h"
#include "training/assign.h"
#include "training/compress.h"
#include "training/exact.h"
#include "training/mlp.h"

#include <stdlib.h>
#include <string.h>

/* A miner's link. */
struct shown {
    uint32_t round;
    struct hash link;
};

struct task_replay {
    struct hash task;
    const Pot__TaskSpec *spec;
    const struct dataset *train;
    const struct product *product;
    struct model_shape shape;
    struct packed_form form;
    size_t block_rows; /* local steps: the rows of one */
    struct mlp *mlp;
    int32_t *theta;
    int32_t *moments[SPEC_MOMENTS_MAX];
    struct hash parameters; /* of theta */
    uint32_t round;         /* that is due */
    uint32_t steps;         /* rounds that changed theta */
    uint64_t *rows;         /* (rows_per_miner) */
    int64_t *sums;
    uint8_t *payload;
    size_t payload_size;
    int8_t *room;     /* packed_open */
    struct map links; /* miner -> struct shown: the first behind this round */
};

/* NULL: there is none of that name. */
static const struct product *find_kernel(const char *name)
{
    const struct product *variants[EXACT_VARIANTS_MAX];
    size_t count = exact_variants(variants);
    bool is_any = strcmp(name, "auto") == 0;
    for (size_t i = 0; i < count; i++) {
        bool is_wanted = is_any || strcmp(name, variants[i]->name) == 0;
        if (is_wanted &&
            (variants[i] == &exact_scalar || exact_agrees(variants[i]))) {
            return variants[i];
        }
    }
    return NULL;
}

static void hash_theta(struct task_replay *r)
{
    size_t count = r->shape.parameter_count;
    uint8_t *bytes = parameters_encode(r->theta, count);
    blob_hash(&r->parameters, bytes, 4 * count);
    free(bytes);
}

static void begin(struct task_replay *r)
{
    size_t count = r->shape.parameter_count;
    r->theta = parameters_start(&r->shape, r->spec->model);
    for (unsigned i = 0; i < spec_moments(r->spec->optimizer); i++) {
        r->moments[i] = pot_calloc(count, sizeof(**r->moments));
    }
    r->rows = pot_calloc(r->spec->rows_per_miner, sizeof(*r->rows));
    r->sums = pot_calloc(count, sizeof(*r->sums));
    r->payload_size = packed_bytes(&r->shape, &r->form);
    r->payload = pot_alloc(r->payload_size);
    r->room = pot_alloc(count);
    hash_theta(r);
}

struct task_replay *task_replay_new(const struct hash *task,
                                    const Pot__TaskSpec *spec,
                                    const struct dataset *train,
                                    const char *kernel)
{
    POT_ASSERT(spec->numerics == POT__NUMERICS__NUMERICS_EXACT);
    struct task_replay *r = pot_calloc(1, sizeof(*r));
    *r = (struct task_replay){.task = *task, .spec = spec, .train = train};
    enum pot_err err = model_shape_from_spec(&r->shape, spec->model);
    POT_ASSERT(err == POT_OK);
    exact_set_rounding();
    r->product = find_kernel(kernel);
    if (r->product == NULL) {
        free(r);
        return NULL;
    }
    packed_form_init(&r->form, spec, &r->shape);
    r->block_rows = spec->local_steps > 1
                        ? spec->rows_per_miner / spec->local_steps
                        : assign_block_rows(spec->rows_per_miner);
    const struct mlp_config config = {r->shape, spec->model->activation,
                                      spec->model->loss, r->product,
                                      r->block_rows};
    r->mlp = mlp_new(&config);
    if (!mlp_fits(r->mlp, train)) {
        task_replay_free(r);
        return NULL;
    }
    begin(r);
    return r;
}

void task_replay_free(struct task_replay *r)
{
    if (r == NULL) {
        return;
    }
    map_fini_free(&r->links);
    mlp_free(r->mlp);
    free(r->theta);
    for (size_t i = 0; i < SPEC_MOMENTS_MAX; i++) {
        free(r->moments[i]);
    }
    free(r->rows);
    free(r->sums);
    free(r->payload);
    free(r->room);
    free(r);
}

const char *task_replay_kernel(const struct task_replay *r)
{
    return r->product->name;
}

struct hash task_replay_parameters(const struct task_replay *r)
{
    return r->parameters;
}

/* ---- plants */

void task_replay_link(struct task_replay *r, const struct public_key *miner,
                      uint32_t round, const struct hash *link)
{
    struct shown *shown = map_get(&r->links, miner->b);
    if (shown == NULL) {
        shown = pot_calloc(1, sizeof(*shown));
        (void)map_put(&r->links, miner->b, shown);
    }
    if (shown->round <= r->round && round >= shown->round) {
        *shown = (struct shown){round, *link};
    }
}

bool task_replay_lacks_links(const struct task_replay *r,
                             const Pot__RoundUpdate *update)
{
    for (size_t i = 0; r->spec->plant_rate_ppm > 0 && i < update->n_submissions;
         i++) {
        struct public_key miner;
        const struct shown *shown = NULL;
        if (codec_key(&miner, update->submissions[i]->public_key)) {
            shown = map_get(&r->links, miner.b);
        }
        if (shown == NULL || shown->round <= update->round) {
            return true;
        }
    }
    return false;
}

/* Turns the right payload into the one that was planted, if that is so. */
static bool plant(struct task_replay *r, const struct round_submission *s)
{
    struct hash link;
    struct hash secret;
    const struct shown *shown = map_get(&r->links, s->miner.b);
    if (shown == NULL || shown->round <= r->round ||
        shown->round - r->round > DRAW_GAP_MAX ||
        !codec_hash(&link, s->body->link)) {
        return false;
    }
    draw_walk(&secret, &shown->link, shown->round - r->round - 1);
    return plant_is_due(&secret, &link, &s->parameters, &s->miner,
                        r->spec->plant_rate_ppm) &&
           plant_payload(r->payload, &r->shape, &r->form, &secret);
}

/* ---- a submission */

/* As pot-worker computes: the gradient, or how far local steps went. */
static bool compute(struct task_replay *r, int64_t *loss_sum)
{
    const Pot__TaskSpec *spec = r->spec;
    const struct mlp_walk walk = {
        r->theta, optimizer_local_rate(spec->optimizer, r->round, spec->rounds),
        spec->local_steps, r->block_rows};
    if (spec->local_steps > 1) {
        return mlp_walk(r->sums, loss_sum, r->mlp, &walk, r->train, r->rows);
    }
    mlp_set_parameters(r->mlp, r->theta);
    return mlp_sum(r->sums, loss_sum, r->mlp, r->train, r->rows,
                   spec->rows_per_miner);
}

/* The gradient into r->payload; *loss is the mean over the rows. */
static bool make_payload(struct task_replay *r, const struct hash *seed,
                         const struct public_key *miner, int64_t *loss)
{
    int64_t loss_sum;
    size_t count = r->spec->rows_per_miner;
    const struct assign_from from = {
        .rows = r->train->rows,
        .shard_rows = dataset_shard_rows(r->train->size, r->train->rows),
        .shards = r->spec->shards_per_round,
    };
    assign_rows(r->rows, count, &from, seed, miner);
    if (!compute(r, &loss_sum)) {
        return false;
    }
    *loss = fixed_divide(loss_sum, (int64_t)count);
    compress_payload(r->payload, &r->shape, &r->form, r->sums,
                     r->spec->local_steps > 1 ? 1 : count);
    return true;
}

static struct task_replay_result differs(enum task_replay_difference difference,
                                         const struct round_submission *s)
{
    return (struct task_replay_result){
        .difference = difference, .has_miner = true, .miner = s->miner};
}

static struct task_replay_result hashes_differ(
    enum task_replay_difference difference, const struct hash *told,
    const struct hash *made)
{
    return (struct task_replay_result){.difference = difference,
                                       .has_hashes = true,
                                       .told = *told,
                                       .made = *made};
}

/* The payload that was made is the submission's, or becomes it as a plant. */
static bool is_payload(struct task_replay *r, const struct round_submission *s,
                       struct hash *made, bool *is_plant)
{
    struct hash planted;
    *is_plant = false;
    blob_hash(made, r->payload, r->payload_size);
    if (hash_equal(made, &s->payload)) {
        return true;
    }
    if (plant(r, s)) {
        blob_hash(&planted, r->payload, r->payload_size);
        *is_plant = hash_equal(&planted, &s->payload);
    }
    return *is_plant;
}

static struct task_replay_result check_submission(
    struct task_replay *r, const struct hash *seed,
    const struct round_submission *s)
{
    struct hash made;
    int64_t loss;
    bool is_plant;
    if (!hash_equal(&s->task, &r->task) || s->body->round != r->round ||
        s->body->rows != r->spec->rows_per_miner) {
        return differs(REPLAY_FORM, s);
    }
    if (!hash_equal(&s->parameters, &r->parameters)) {
        return differs(REPLAY_THETA, s);
    }
    if (!make_payload(r, seed, &s->miner, &loss)) {
        return differs(REPLAY_NUMBER, s);
    }
    if (!is_payload(r, s, &made, &is_plant)) {
        struct task_replay_result result =
            hashes_differ(REPLAY_PAYLOAD, &s->payload, &made);
        result.has_miner = true;
        result.miner = s->miner;
        return result;
    }
    return loss == s->body->loss
               ? (struct task_replay_result){.plants = is_plant ? 1 : 0}
               : differs(REPLAY_LOSS, s);
}

static struct task_replay_result add_submission(struct task_replay *r,
                                                struct aggregate *aggregate,
                                                const struct hash *seed,
                                                const Pot__Signed *message)
{
    struct round_submission s;
    struct gradient gradient;
    if (round_submission_decode(&s, message) != POT_OK) {
        return (struct task_replay_result){.difference = REPLAY_FORM};
    }
    struct task_replay_result result = check_submission(r, seed, &s);
    round_submission_fini(&s);
    if (result.difference == REPLAY_SAME && aggregate != NULL) {
        enum pot_err err = packed_open(&gradient, r->room, &r->shape, &r->form,
                                       r->payload, r->payload_size);
        POT_ASSERT(err == POT_OK);
        aggregate_add(aggregate, &gradient);
    }
    return result;
}

bool task_replay_opens(struct task_replay *r, const Pot__RoundUpdate *update,
                       const struct hash *block)
{
    struct hash seed;
    if (update->n_submissions == 0) {
        return true;
    }
    round_seed(&seed, &r->task, r->round, block);
    return add_submission(r, NULL, &seed, update->submissions[0]).difference ==
           REPLAY_SAME;
}

/* ---- a round */

/* theta and the moments are taken over only when they are what is told. */
static struct task_replay_result step(struct task_replay *r,
                                      const struct buf *aggregate,
                                      const Pot__RoundUpdate *update)
{
    struct gradient gradient;
    struct hash told = {{0}};
    size_t size = r->shape.parameter_count * sizeof(*r->theta);
    unsigned moments = spec_moments(r->spec->optimizer);
    struct task_replay next = *r;
    enum pot_err err =
        gradient_view(&gradient, &r->shape, aggregate->data, aggregate->size);
    POT_ASSERT(err == POT_OK);
    next.theta = pot_memdup(r->theta, size);
    for (unsigned i = 0; i < moments; i++) {
        next.moments[i] = pot_memdup(r->moments[i], size);
    }
    optimizer_step(
        next.theta, next.moments, &r->shape, &gradient, r->spec->optimizer,
        optimizer_rate(r->spec->optimizer, r->round, r->spec->rounds),
        r->steps);
    hash_theta(&next);
    bool is_same = codec_hash(&told, update->parameters_hash) &&
                   hash_equal(&told, &next.parameters);
    struct task_replay *loser = is_same ? r : &next;
    struct hash made = next.parameters;
    free(loser->theta);
    for (unsigned i = 0; i < moments; i++) {
        free(loser->moments[i]);
    }
    if (is_same) {
        *r = next;
        return (struct task_replay_result){0};
    }
    return hashes_differ(REPLAY_PARAMETERS, &told, &made);
}

static struct task_replay_result sum_up(struct task_replay *r, struct buf *out,
                                        const Pot__RoundUpdate *update,
                                        const struct hash *seed)
{
    struct hash told = {{0}};
    struct hash made;
    struct task_replay_result result = {0};
    size_t plants = 0;
    struct aggregate *aggregate = aggregate_new(r->spec, &r->shape);
    for (size_t i = 0;
         i < update->n_submissions && result.difference == REPLAY_SAME; i++) {
        result = add_submission(r, aggregate, seed, update->submissions[i]);
        plants += result.plants;
    }
    result.plants = plants;
    if (result.difference == REPLAY_SAME) {
        aggregate_encode(aggregate, out);
        blob_hash(&made, out->data, out->size);
        if (!codec_hash(&told, update->aggregate_hash) ||
            !hash_equal(&told, &made)) {
            result = hashes_differ(REPLAY_AGGREGATE, &told, &made);
        }
    }
    aggregate_free(aggregate);
    return result;
}

struct task_replay_result task_replay_round(struct task_replay *r,
                                            const Pot__RoundUpdate *update,
                                            const struct hash *block)
{
    struct buf aggregate;
    struct hash seed;
    struct task_replay_result result = {0};
    if (update->round != r->round || r->round >= r->spec->rounds ||
        update->n_submissions > aggregation_roster_max(r->spec) ||
        (update->n_submissions > 0 &&
         update->n_submissions < r->spec->min_submissions)) {
        return (struct task_replay_result){.difference = REPLAY_ROUND};
    }
    round_seed(&seed, &r->task, r->round, block);
    buf_init(&aggregate, gradient_bytes(&r->shape, 4));
    if (update->n_submissions > 0) {
        result = sum_up(r, &aggregate, update, &seed);
        if (result.difference == REPLAY_SAME) {
            size_t plants = result.plants;
            result = step(r, &aggregate, update);
            result.plants = plants;
        }
        r->steps += result.difference == REPLAY_SAME ? 1 : 0;
    }
    r->round += result.difference == REPLAY_SAME ? 1 : 0;
    buf_fini(&aggregate);
    return result;
}

const char *task_replay_text(enum task_replay_difference difference)
{
    switch (difference) {
    case REPLAY_SAME:
        return "nothing";
    case REPLAY_ROUND:
        return "number or size of the round";
    case REPLAY_FORM:
        return "form of a submission";
    case REPLAY_THETA:
        return "parameters that a submission is of";
    case REPLAY_PAYLOAD:
        return "gradient";
    case REPLAY_LOSS:
        return "loss";
    case REPLAY_NUMBER:
        return "gradient, which is not finite";
    case REPLAY_AGGREGATE:
        return "aggregate";
    case REPLAY_PARAMETERS:
        return "parameters";
    }
    return "";
}
