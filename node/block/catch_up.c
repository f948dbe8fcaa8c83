#include "config.h"

#include "node/block/catch_up.h"

#include "base/alloc.h"
#include "base/log.h"
#include "node/block/certified.h"
#include "node/block/delivery.h"
#include "node/block/shared_block.h"
#include "node/block/validator_sets.h"
#include "node/hold/holdings.h"
#include "node/loop/offload.h"
#include "proto/validator_set.h"

#include <stdlib.h>

struct synced {
    struct offload offload;
    const struct catch_up *catch_up;
    uint64_t height;
    struct hash signers; /* key of the set that signs it */
    uint8_t *block;      /* until the work begins */
    size_t block_size;
    uint8_t *certificate; /* likewise */
    size_t certificate_size;
    struct certified *certified;
    enum pot_err err;
};

static void on_work(void *context)
{
    struct synced *s = context;
    struct validator_set set;
    const struct holdings *holdings = s->catch_up->holdings;
    s->err = certified_take_bytes(&s->certified, s->block, s->block_size,
                                  s->certificate, s->certificate_size);
    if (s->err != POT_OK) {
        s->err = POT_EFORMAT;
    } else {
        s->err = validator_sets_read(holdings, &s->signers, &set);
    }
    if (s->err == POT_OK &&
        (s->certified->block->block->header->height != s->height ||
         !certified_verify(s->certified, &holdings->chain, &set))) {
        s->err = POT_EFORMAT;
    }
}

static void end(struct synced *s, enum pot_err err)
{
    s->catch_up->done(s->catch_up->context, s->height, err);
    certified_free(s->certified);
    free(s);
}

static void on_delivered(void *context, enum pot_err err, const char *why)
{
    struct synced *s = context;
    if (err != POT_OK && err != POT_EEXIST) {
        LOG(LOG_WARN, "node", "synced block not applied",
            log_u64("height", s->height), log_text("why", why));
    }
    /* Its certificate is right: a wrong block is not its sender's fault. */
    end(s, err == POT_EEXIST    ? POT_OK
           : err == POT_EFORMAT ? POT_ECORRUPT
                                : err);
}

static void on_worked(void *context)
{
    struct synced *s = context;
    if (s->err == POT_OK) {
        delivery_apply(s->catch_up->delivery, s->certified, on_delivered, s);
    } else {
        end(s, s->err);
    }
}

void catch_up_take(const struct catch_up *catch_up, uint64_t height,
                   const void *block, size_t block_size,
                   const void *certificate, size_t certificate_size)
{
    const struct chain_tip *tip = chain_tip(catch_up->delivery->chain);
    if (height != tip->height + 1) {
        catch_up->done(catch_up->context, height,
                       height <= tip->height ? POT_OK : POT_ERANGE);
        return;
    }
    struct synced *s = pot_calloc(1, sizeof(*s));
    s->catch_up = catch_up;
    s->height = height;
    s->signers = tip->next_signers;
    s->block = pot_memdup(block, block_size);
    s->block_size = block_size;
    s->certificate = pot_memdup(certificate, certificate_size);
    s->certificate_size = certificate_size;
    offload_start(&s->offload, catch_up->loop, on_work, on_worked, s);
}
