#include "config.h"

#include "node/block/delivery.h"

#include "base/alloc.h"
#include "node/block/chain.h"
#include "node/block/needs.h"

#include <stdlib.h>

struct parcel {
    const struct delivery *delivery;
    uint8_t *data;
    size_t size;
    uint8_t *certificate;
    size_t certificate_size;
    void (*done)(void *context, enum pot_err err, const char *why);
    void *context;
};

static void parcel_free(struct parcel *parcel)
{
    free(parcel->data);
    free(parcel->certificate);
    free(parcel);
}

static void apply(struct parcel *p)
{
    chain_apply(p->delivery->chain, p->data, p->size, p->certificate,
                p->certificate_size, p->done, p->context);
    parcel_free(p);
}

static void give_up(struct parcel *p)
{
    p->done(p->context, POT_ETIMEOUT, "what it needs cannot be had");
    parcel_free(p);
}

static void on_checked(void *context, enum pot_err err, bool is_valid,
                       const char *why)
{
    struct parcel *p = context;
    (void)why;
    if (is_valid || err == POT_ECANCELLED) {
        apply(p); /* a stale one is told so */
    } else {
        give_up(p);
    }
}

static void on_payloads(void *context, const struct hash *hash, bool is_held)
{
    struct parcel *p = context;
    (void)hash;
    if (is_held) {
        chain_check(p->delivery->chain, p->data, p->size, 0, on_checked, p);
    } else {
        give_up(p);
    }
}

/* Nobody has the aggregate: with the gradients that went into it, it can be
 * made again, by executing the block in full. */
static void on_needs(void *context, const struct hash *hash, bool is_held)
{
    struct parcel *p = context;
    (void)hash;
    if (is_held) {
        apply(p);
    } else {
        needs_block(p->delivery->needs, p->data, p->size, false, on_payloads,
                    p);
    }
}

void delivery_apply(const struct delivery *delivery, const void *data,
                    size_t size, const void *certificate,
                    size_t certificate_size,
                    void (*done)(void *, enum pot_err, const char *),
                    void *context)
{
    if (chain_has_checked(delivery->chain, data, size)) {
        chain_apply(delivery->chain, data, size, certificate, certificate_size,
                    done, context);
        return;
    }
    struct parcel *p = pot_calloc(1, sizeof(*p));
    p->delivery = delivery;
    p->data = pot_memdup(data, size);
    p->size = size;
    p->certificate = pot_memdup(certificate, certificate_size);
    p->certificate_size = certificate_size;
    p->done = done;
    p->context = context;
    needs_block(delivery->needs, data, size, true, on_needs, p);
}
