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

struct arrival {
    struct offload offload;
    const struct catch_up *catch_up;
    uint64_t height;
    struct hash signers; /* key of the set that signs it */
    uint8_t *block;      /* NULL once it is opened */
    size_t block_size;
    uint8_t *certificate; /* likewise */
    size_t certificate_size;
    struct certified *certified;
    enum pot_err err;
};

static enum pot_err open_both(struct arrival *a)
{
    struct shared_block *shared;
    enum pot_err err = shared_block_take(&shared, a->block, a->block_size);
    a->block = NULL;
    if (err == POT_OK) {
        err = certified_take(&a->certified, shared, a->certificate,
                             a->certificate_size);
        a->certificate = NULL;
    }
    return err == POT_OK ? POT_OK : POT_EFORMAT;
}

static void on_work(void *context)
{
    struct arrival *a = context;
    struct validator_set set;
    const struct holdings *holdings = a->catch_up->holdings;
    a->err = open_both(a);
    if (a->err == POT_OK) {
        a->err = validator_sets_read(holdings, &a->signers, &set);
    }
    if (a->err == POT_OK &&
        (a->certified->block->block->header->height != a->height ||
         !certified_verify(a->certified, &holdings->chain, &set))) {
        a->err = POT_EFORMAT;
    }
}

static void end(struct arrival *a, enum pot_err err)
{
    a->catch_up->done(a->catch_up->context, a->height, err);
    certified_free(a->certified);
    free(a->block);
    free(a->certificate);
    free(a);
}

static void on_delivered(void *context, enum pot_err err, const char *why)
{
    struct arrival *a = context;
    if (err != POT_OK && err != POT_EEXIST) {
        LOG(LOG_WARN, "node", "synced block not applied",
            log_u64("height", a->height), log_text("why", why));
    }
    end(a, err == POT_EEXIST ? POT_OK : err);
}

static void on_worked(void *context)
{
    struct arrival *a = context;
    if (a->err == POT_OK) {
        delivery_apply(a->catch_up->delivery, a->certified, on_delivered, a);
    } else {
        end(a, a->err);
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
    struct arrival *a = pot_calloc(1, sizeof(*a));
    a->catch_up = catch_up;
    a->height = height;
    a->signers = tip->next_signers;
    a->block = pot_memdup(block, block_size);
    a->block_size = block_size;
    a->certificate = pot_memdup(certificate, certificate_size);
    a->certificate_size = certificate_size;
    offload_start(&a->offload, catch_up->loop, on_work, on_worked, a);
}
