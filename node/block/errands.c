#include "config.h"

#include "node/block/errands.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "node/block/block_needs.h"
#include "node/block/certified.h"
#include "node/block/delivery.h"
#include "node/block/shared_block.h"
#include "node/loop/loop_timer.h"

#include <stdlib.h>

#define AGAIN_MS 1000

struct errand { /* what an answer needs to know */
    struct errand *next;
    struct errands *errands;
    uint64_t begun_ms;
    uint64_t lacked_ms; /* until what it needs was there, or not to be had */
    uint64_t height;
    uint64_t view;
    struct hash digest;
    struct shared_block *block;  /* to be checked */
    struct certified *certified; /* to be carried out */
    bool is_late;                /* cannot be now */
    bool is_due;                 /* is to be tried again now */
};

struct errands {
    struct errands_config config;
    struct errand *first;    /* those not answered yet */
    struct loop_timer again; /* for those that are late */
    bool is_stopped;
    struct errands_stats stats;
};

static void on_again(void *context);

struct errands *errands_new(const struct errands_config *config)
{
    struct errands *errands = pot_calloc(1, sizeof(*errands));
    errands->config = *config;
    loop_timer_open(&errands->again, config->loop, on_again, errands);
    return errands;
}

static struct errand *errand_new(struct errands *errands,
                                 const struct pbft_effect *effect)
{
    struct errand *errand = pot_calloc(1, sizeof(*errand));
    errand->errands = errands;
    errand->begun_ms = uv_now(errands->config.loop);
    errand->height = effect->height;
    errand->view = effect->view;
    errand->digest = effect->digest;
    errand->next = errands->first;
    errands->first = errand;
    return errand;
}

static uint64_t age_of(const struct errand *errand)
{
    return uv_now(errand->errands->config.loop) - errand->begun_ms;
}

static void errand_end(struct errand *errand)
{
    struct errand **at = &errand->errands->first;
    while (*at != errand) {
        at = &(*at)->next;
    }
    *at = errand->next;
    shared_block_unref(errand->block);
    certified_free(errand->certified);
    free(errand);
}

void errands_stop(struct errands *errands)
{
    errands->is_stopped = true;
    loop_timer_close(&errands->again);
}

void errands_free(struct errands *errands)
{
    if (errands == NULL) {
        return;
    }
    POT_ASSERT(!errands->again.is_open);
    while (errands->first != NULL) { /* nobody will answer them now */
        errand_end(errands->first);
    }
    free(errands);
}

void errands_stats(const struct errands *errands, struct errands_stats *out)
{
    *out = errands->stats;
}

static void answer(struct errand *errand, const struct pbft_event *event)
{
    const struct errands *errands = errand->errands;
    if (!errands->is_stopped) {
        errands->config.answer(errands->config.asker, event);
    }
    errand_end(errand);
}

/* Not the block's fault, and no other block would fare better. */
static bool is_fault(enum pot_err err)
{
    return err != POT_OK && err != POT_EFORMAT && err != POT_ENOENT &&
           err != POT_EEXIST && err != POT_ECANCELLED;
}

static void tell_fault(const struct errands *errands, enum pot_err err)
{
    if (is_fault(err) && !errands->is_stopped) {
        errands->config.failed(errands->config.context, err, "block store");
    }
}

/* One that is open already: found valid, or still under its check. */
static struct shared_block *find_open(const struct errands *errands,
                                      const struct hash *digest)
{
    for (const struct errand *e = errands->first; e != NULL; e = e->next) {
        if (e->block != NULL && hash_equal(&e->digest, digest)) {
            return e->block;
        }
    }
    return chain_find_kept(errands->config.delivery->chain, digest);
}

/* NULL: its bytes are no block. */
static struct shared_block *open_block(const struct errands *errands,
                                       struct pbft_effect *effect)
{
    struct shared_block *block = find_open(errands, &effect->digest);
    if (block != NULL) {
        return shared_block_ref(block);
    }
    uint8_t *data = effect->bytes;
    effect->bytes = NULL;
    if (effect->opened != NULL) {
        block = shared_block_of(effect->opened, data, effect->size);
        effect->opened = NULL;
        return block;
    }
    enum pot_err err = shared_block_take(&block, data, effect->size);
    return err == POT_OK ? block : NULL;
}

/* ---- proposing */

static void on_proposed(void *context, enum pot_err err,
                        const struct shared_block *block,
                        const struct proposal_request *request)
{
    struct errand *errand = context;
    struct errands *errands = errand->errands;
    struct pbft_event event = {.type = PBFT_PROPOSAL};
    event.u.proposal.height = errand->height;
    event.u.proposal.view = errand->view;
    if (err == POT_OK) {
        event.u.proposal.block = block->data;
        event.u.proposal.block_size = block->size;
        event.u.proposal.opened = block->block;
        errands->stats.proposals++;
        errands->config.refused(errands->config.context, request->refused,
                                request->refused_count);
    }
    tell_fault(errands, err);
    answer(errand, &event);
}

void errands_propose(struct errands *errands, const struct pbft_effect *effect)
{
    struct proposal_request *request =
        errands->config.make_request(errands->config.context);
    request->view = effect->view;
    request->now_ms = clock_wall_ms();
    request->proposer = errands->config.proposer;
    chain_propose(errands->config.delivery->chain, request, on_proposed,
                  errand_new(errands, effect));
}

/* ---- checking */

static void log_unvoted(const struct errand *errand, const char *what,
                        const char *why)
{
    char text[HASH_TEXT_SIZE];
    LOG(LOG_WARN, "consensus", what, log_u64("height", errand->height),
        log_text("block", hash_format(&errand->digest, text)),
        log_text("why", why));
}

/* There are two answers only: a block that could not be checked gets no vote
 * in this view, and may be asked about again in a later one. */
static void on_checked(void *context, enum pot_err err, const char *why)
{
    struct errand *errand = context;
    struct errands *errands = errand->errands;
    struct pbft_event event = {.type = PBFT_CHECKED};
    if (errands->is_stopped) {
        errand_end(errand);
        return;
    }
    event.u.checked.height = errand->height;
    event.u.checked.digest = errand->digest;
    event.u.checked.is_valid = err == POT_OK;
    event.u.checked.lacked_ms = errand->lacked_ms;
    if (err == POT_OK) {
        errands->stats.check_ms = age_of(errand) - errand->lacked_ms;
    } else if (err == POT_EFORMAT) {
        errands->stats.invalid++;
        log_unvoted(errand, "block refused", why);
    } else if (err != POT_ECANCELLED) {
        errands->stats.unjudged++;
        log_unvoted(errand, "block cannot be checked", why);
    }
    tell_fault(errands, err);
    answer(errand, &event);
}

static void on_needs(void *context, bool is_held)
{
    struct errand *errand = context;
    errand->lacked_ms = age_of(errand);
    if (is_held) {
        chain_check(errand->errands->config.delivery->chain, errand->block,
                    clock_wall_ms(), on_checked, errand);
    } else {
        on_checked(errand, POT_ENOENT, "what it needs cannot be had");
    }
}

void errands_check(struct errands *errands, struct pbft_effect *effect)
{
    struct errand *errand = errand_new(errands, effect);
    errand->block = open_block(errands, effect);
    if (errand->block == NULL) {
        on_checked(errand, POT_EFORMAT, err_text(POT_EFORMAT));
        return;
    }
    block_needs(errands->config.delivery->needs, errand->block->block, false,
                on_needs, errand);
}

/* ---- carrying out */

static void on_delivered(void *context, enum pot_err err, const char *why)
{
    struct errand *errand = context;
    struct errands *errands = errand->errands;
    if (err == POT_ENOENT && !errands->is_stopped) {
        LOG(LOG_WARN, "consensus", "decided block cannot be carried out yet",
            log_u64("height", errand->height), log_text("why", why));
        errand->is_late = true;
        loop_timer_start(&errands->again, AGAIN_MS, 0);
        return;
    }
    if (!errands->is_stopped && (err == POT_EFORMAT || is_fault(err))) {
        LOG(LOG_ERROR, "consensus", "committed block not stored",
            log_u64("height", errand->height), log_text("why", why));
        errands->config.failed(errands->config.context, err, "block store");
    }
    errand_end(errand);
}

static void deliver(struct errand *errand)
{
    delivery_apply(errand->errands->config.delivery, errand->certified,
                   on_delivered, errand);
}

static struct errand *find_due(const struct errands *errands)
{
    struct errand *at = errands->first;
    while (at != NULL && !at->is_due) {
        at = at->next;
    }
    return at;
}

/* In two passes: what answers at once that it is late again is not tried
 * again before the timer runs out. */
static void on_again(void *context)
{
    struct errands *errands = context;
    struct errand *due;
    for (struct errand *e = errands->first; e != NULL; e = e->next) {
        e->is_due = e->is_late;
        e->is_late = false;
    }
    while ((due = find_due(errands)) != NULL) {
        due->is_due = false;
        deliver(due);
    }
}

void errands_commit(struct errands *errands, struct pbft_effect *effect)
{
    struct errand *errand = errand_new(errands, effect);
    struct shared_block *block = open_block(errands, effect);
    enum pot_err err =
        certified_take(&errand->certified, block, effect->certificate,
                       effect->certificate_size);
    effect->certificate = NULL;
    POT_ASSERT(err == POT_OK); /* PBFT opened the one and made the other */
    errands->config.decided(errands->config.asker,
                            errand->certified->certificate);
    deliver(errand);
}
