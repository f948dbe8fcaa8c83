#include "config.h"

#include "node/tx/intake_early.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

static bool is_half_full(const struct intake_early *early, size_t size)
{
    return early->count >= INTAKE_EARLY_MAX / 2 ||
           early->bytes + size > INTAKE_EARLY_BYTES_MAX / 2;
}

static bool has_share(const struct intake_early *early, size_t size,
                      uint64_t peer_id)
{
    size_t count = 0;
    size_t bytes = size;
    for (const struct early_tx *tx = early->first; tx != NULL; tx = tx->next) {
        count += tx->peer_id == peer_id ? 1 : 0;
        bytes += tx->peer_id == peer_id ? tx->size : 0;
    }
    return count == 0 || (count < INTAKE_EARLY_OF_PEER &&
                          bytes <= INTAKE_EARLY_BYTES_OF_PEER);
}

bool intake_early_keep(struct intake_early *early, const void *data,
                       size_t size, uint64_t peer_id)
{
    if (early->count == INTAKE_EARLY_MAX ||
        size > INTAKE_EARLY_BYTES_MAX - early->bytes ||
        (is_half_full(early, size) && !has_share(early, size, peer_id))) {
        return false;
    }
    struct early_tx *tx = pot_alloc(sizeof(*tx) + size);
    tx->peer_id = peer_id;
    tx->size = size;
    memcpy(tx->data, data, size);
    tx->next = early->first;
    early->first = tx;
    early->count++;
    early->bytes += size;
    return true;
}

struct early_tx *intake_early_take(struct intake_early *early)
{
    struct early_tx *all = early->first;
    *early = (struct intake_early){0};
    return all;
}

void early_txs_free(struct early_tx *first)
{
    while (first != NULL) {
        struct early_tx *next = first->next;
        free(first);
        first = next;
    }
}
