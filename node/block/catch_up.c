#include "config.h"

#include "node/block/catch_up.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "node/block/delivery.h"
#include "node/block/execution.h"
#include "proto/codec.h"

#include <stdlib.h>

struct arrival {
    uv_work_t work;
    struct catch_up *catch_up;
    uint64_t height;
    uint8_t *block;
    size_t block_size;
    uint8_t *certificate;
    size_t certificate_size;
    bool is_certified;
};

bool catch_up_certificate_holds(const struct holdings *env, uint64_t height,
                                const void *block, size_t block_size,
                                const void *certificate,
                                size_t certificate_size)
{
    struct block *opened = NULL;
    struct validator_set set;
    Pot__CommitCertificate *commits = NULL;
    bool holds = block_open(&opened, block, block_size) == POT_OK &&
                 CODEC_DECODE(&commits, pot__commit_certificate, certificate,
                              certificate_size) == POT_OK &&
                 opened->header->height == height &&
                 execution_validators(env, height, &set) == POT_OK &&
                 certificate_proves(&set, &env->chain, commits, height,
                                    &opened->hash) == CERTIFICATE_VALID;
    codec_free(commits);
    block_free(opened);
    return holds;
}

static void arrival_free(struct arrival *a)
{
    free(a->block);
    free(a->certificate);
    free(a);
}

static void on_work(uv_work_t *work)
{
    struct arrival *a = work->data;
    a->is_certified = catch_up_certificate_holds(
        a->catch_up->env, a->height, a->block, a->block_size, a->certificate,
        a->certificate_size);
}

static void on_delivered(void *context, enum pot_err err, const char *why)
{
    struct arrival *a = context;
    bool is_good = err == POT_OK || err == POT_EEXIST;
    if (!is_good) {
        LOG(LOG_WARN, "node", "synced block not applied",
            log_u64("height", a->height), log_text("why", why));
    }
    a->catch_up->done(a->catch_up->context, a->height, is_good, err);
    arrival_free(a);
}

static void on_worked(uv_work_t *work, int status)
{
    struct arrival *a = work->data;
    POT_ASSERT(status == 0);
    if (a->is_certified) {
        delivery_apply(a->catch_up->delivery, a->block, a->block_size,
                       a->certificate, a->certificate_size, on_delivered, a);
        return;
    }
    a->catch_up->done(a->catch_up->context, a->height, false, POT_EFORMAT);
    arrival_free(a);
}

void catch_up_take(struct catch_up *catch_up, uint64_t height,
                   const void *block, size_t block_size,
                   const void *certificate, size_t certificate_size)
{
    struct arrival *a = pot_calloc(1, sizeof(*a));
    a->work.data = a;
    a->catch_up = catch_up;
    a->height = height;
    a->block = pot_memdup(block, block_size);
    a->block_size = block_size;
    a->certificate = pot_memdup(certificate, certificate_size);
    a->certificate_size = certificate_size;
    int rc = uv_queue_work(catch_up->loop, &a->work, on_work, on_worked);
    POT_ASSERT(rc == 0);
}
