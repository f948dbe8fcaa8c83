/* delivery: certified blocks on their way to the tip, whether consensus or
 * block sync brought them: what they need is fetched, then they are applied,
 * each height once. */
#ifndef POT_NODE_BLOCK_DELIVERY_H
#define POT_NODE_BLOCK_DELIVERY_H

#include <stddef.h>

#include "base/err.h"

struct chain;
struct needs;

struct delivery {
    struct chain *chain;
    struct needs *needs;
};

/* delivery_apply: the certificate was verified.  done's err: those of
 * chain_apply, and POT_ETIMEOUT when something it needs was not to be had. */
void delivery_apply(const struct delivery *delivery, const void *data,
                    size_t size, const void *certificate,
                    size_t certificate_size,
                    void (*done)(void *context, enum pot_err err,
                                 const char *why),
                    void *context);

#endif
