#include "config.h"

#include "node/block/catch_up.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "node/block/block_needs.h"
#include "node/block/certified.h"
#include "node/block/conflict.h"
#include "node/block/delivery.h"
#include "node/block/shared_block.h"
#include "node/block/validator_sets.h"
#include "node/hold/holdings.h"
#include "node/loop/offload.h"
#include "proto/codec.h"
#include "proto/validator_set.h"

#include <stdlib.h>

enum synced_state {
    SYNCED_OPENING,
    SYNCED_UNREADABLE,
    SYNCED_OPENED,
    SYNCED_VERIFYING,
    SYNCED_VERIFIED, /* by `signers`, as is what is refused */
    SYNCED_REFUSED,
    SYNCED_DELIVERING,
};

struct synced {
    struct offload offload;
    struct catch_up *catch_up;
    struct synced *next;
    enum synced_state state;
    bool is_dropped; /* goes when its work has ended */
    uint64_t height;
    uint8_t *block; /* until it is opened */
    size_t block_size;
    uint8_t *certificate; /* likewise */
    size_t certificate_size;
    struct certified *certified;
    struct hash signers; /* key of the set that signs it */
    bool was_next;       /* the tip's, when verifying began... */
    struct hash parent;  /* ...whose hash this was */
    struct conflict conflict;
    enum pot_err err;
};

struct catch_up {
    struct catch_up_config config;
    struct synced *first; /* by height, without gaps */
};

static void advance(struct catch_up *c);

static void on_open(void *context)
{
    struct synced *s = context;
    s->err = certified_take_bytes(&s->certified, s->block, s->block_size,
                                  s->certificate, s->certificate_size);
    if (s->err != POT_OK ||
        s->certified->block->block->header->height != s->height) {
        s->err = POT_EFORMAT;
    }
}

static void on_verify(void *context)
{
    struct synced *s = context;
    struct validator_set set;
    const struct holdings *holdings = s->catch_up->config.holdings;
    s->err = validator_sets_read(holdings, &s->signers, &set);
    if (s->err == POT_OK &&
        !certified_verify(s->certified, &holdings->chain, &set)) {
        s->err = POT_EFORMAT;
    }
    if (s->err == POT_OK && s->was_next) {
        conflict_at_tip(&s->conflict, holdings, s->height - 1, &s->parent,
                        s->certified->block->block);
    }
}

static void synced_free(struct synced *s)
{
    certified_free(s->certified);
    conflict_fini(&s->conflict);
    free(s);
}

static bool is_at_work(const struct synced *s)
{
    return s->state == SYNCED_OPENING || s->state == SYNCED_VERIFYING ||
           s->state == SYNCED_DELIVERING;
}

/* The first one goes; it is not delivering any more. */
static void pop(struct catch_up *c)
{
    struct synced *s = c->first;
    c->first = s->next;
    if (is_at_work(s)) {
        s->is_dropped = true;
    } else {
        synced_free(s);
    }
}

/* The first one ends.  Behind anything but success the others go, too: sync
 * sends them again. */
static void end_first(struct catch_up *c, enum pot_err err)
{
    uint64_t height = c->first->height;
    pop(c);
    while (err != POT_OK && c->first != NULL) {
        pop(c);
    }
    c->config.done(c->config.context, height, err);
}

/* Off the loop is over: false: nobody waits for it any more. */
static bool is_wanted(struct synced *s, enum synced_state state)
{
    s->state = state;
    if (s->is_dropped) {
        synced_free(s);
        return false;
    }
    return true;
}

static void on_opened(void *context)
{
    struct synced *s = context;
    struct catch_up *c = s->catch_up;
    if (is_wanted(s, s->err == POT_OK ? SYNCED_OPENED : SYNCED_UNREADABLE)) {
        advance(c);
    }
}

static void tell_conflict(const struct synced *s)
{
    const struct catch_up_config *config = &s->catch_up->config;
    if (s->conflict.is_found) {
        LOG(LOG_ERROR, "consensus",
            "two blocks are certified: more than a third of the validators lie",
            log_u64("height", s->height - 1),
            log_u64("proofs", s->conflict.count));
    }
    for (size_t i = 0; i < s->conflict.count; i++) {
        config->found(config->context, s->conflict.proofs[i].data,
                      s->conflict.proofs[i].size);
    }
}

static void on_verified(void *context)
{
    struct synced *s = context;
    struct catch_up *c = s->catch_up;
    enum synced_state state =
        s->err == POT_OK ? SYNCED_VERIFIED : SYNCED_REFUSED;
    if (s->err == POT_ECORRUPT && !s->was_next) {
        state = SYNCED_OPENED; /* the set is not known yet */
    }
    if (!is_wanted(s, state)) {
        return;
    }
    if (state == SYNCED_VERIFIED) {
        tell_conflict(s);
        block_needs(c->config.delivery->needs, s->certified->block->block, true,
                    NULL, NULL);
    }
    advance(c);
}

static void on_delivered(void *context, enum pot_err err, const char *why)
{
    struct synced *s = context;
    struct catch_up *c = s->catch_up;
    if (err != POT_OK && err != POT_EEXIST) {
        LOG(LOG_WARN, "node", "synced block not applied",
            log_u64("height", s->height), log_text("why", why));
    }
    POT_ASSERT(c->first == s);
    s->state = SYNCED_VERIFIED;
    /* Its certificate is right: a wrong block is not its sender's fault. */
    end_first(c, err == POT_EEXIST    ? POT_OK
                 : err == POT_EFORMAT ? POT_ECORRUPT
                                      : err);
    advance(c);
}

/* Verifies what is opened behind something opened; a set that was not there
 * is asked for again when the block is the next. */
static void verify(struct catch_up *c)
{
    const struct chain_tip *tip = chain_tip(c->config.delivery->chain);
    const struct synced *before = NULL;
    for (struct synced *s = c->first; s != NULL; before = s, s = s->next) {
        bool is_next = s->height == tip->height + 1;
        bool is_ready =
            s->state == SYNCED_OPENED && (is_next || s->err == POT_OK);
        if (is_ready && is_next) {
            s->signers = tip->next_signers;
        } else if (is_ready && before != NULL &&
                   before->state != SYNCED_OPENING &&
                   before->certified != NULL) {
            const Pot__BlockHeader *header =
                before->certified->block->block->header;
            is_ready = codec_hash(&s->signers, header->validators_hash);
        } else {
            is_ready = false;
        }
        if (is_ready) {
            s->state = SYNCED_VERIFYING;
            s->was_next = is_next;
            s->parent = tip->hash;
            offload_start(&s->offload, c->config.loop, on_verify, on_verified,
                          s);
        }
    }
}

/* By a set that the header before it named, and another block stands there
 * now: that verdict counts for nothing. */
static bool is_misjudged(const struct synced *s, const struct chain_tip *tip)
{
    return (s->state == SYNCED_VERIFIED || s->state == SYNCED_REFUSED) &&
           !hash_equal(&s->signers, &tip->next_signers);
}

/* Whatever can go on does. */
static void advance(struct catch_up *c)
{
    const struct chain_tip *tip = chain_tip(c->config.delivery->chain);
    struct synced *s = c->first;
    while (s != NULL && s->state != SYNCED_DELIVERING &&
           s->height <= tip->height) {
        end_first(c, POT_OK); /* it came another way */
        s = c->first;
    }
    bool is_next = s != NULL && s->height == tip->height + 1;
    if (is_next && is_misjudged(s, tip)) {
        s->state = SYNCED_OPENED;
    }
    verify(c);
    if (!is_next) {
        return;
    }
    if (s->state == SYNCED_UNREADABLE || s->state == SYNCED_REFUSED) {
        end_first(c, s->err);
    } else if (s->state == SYNCED_VERIFIED) {
        s->state = SYNCED_DELIVERING;
        delivery_apply(c->config.delivery, s->certified, on_delivered, s);
    }
}

struct catch_up *catch_up_new(const struct catch_up_config *config)
{
    struct catch_up *c = pot_calloc(1, sizeof(*c));
    c->config = *config;
    return c;
}

void catch_up_free(struct catch_up *catch_up)
{
    if (catch_up != NULL) {
        while (catch_up->first != NULL) {
            POT_ASSERT(!is_at_work(catch_up->first));
            pop(catch_up);
        }
        free(catch_up);
    }
}

void catch_up_take(struct catch_up *catch_up, uint64_t height,
                   const void *block, size_t block_size,
                   const void *certificate, size_t certificate_size)
{
    const struct catch_up_config *config = &catch_up->config;
    uint64_t last = chain_tip(config->delivery->chain)->height;
    struct synced **end = &catch_up->first;
    for (; *end != NULL; end = &(*end)->next) {
        last = (*end)->height;
    }
    if (height != last + 1) {
        config->done(config->context, height,
                     height <= last ? POT_OK : POT_ERANGE);
        return;
    }
    struct synced *s = pot_calloc(1, sizeof(*s));
    s->catch_up = catch_up;
    s->height = height;
    s->block = pot_memdup(block, block_size);
    s->block_size = block_size;
    s->certificate = pot_memdup(certificate, certificate_size);
    s->certificate_size = certificate_size;
    *end = s;
    offload_start(&s->offload, config->loop, on_open, on_opened, s);
}

void catch_up_applied(struct catch_up *catch_up)
{
    advance(catch_up);
}
