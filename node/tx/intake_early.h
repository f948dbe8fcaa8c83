/* intake_early: transactions that the ledger refuses, but may take after a
 * block that is on its way here; kept for that one.  So a node that is a block
 * behind does not lack for good what all others have. */
#ifndef POT_NODE_TX_INTAKE_EARLY_H
#define POT_NODE_TX_INTAKE_EARLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INTAKE_EARLY_MAX       1024 /* kept at once */
#define INTAKE_EARLY_BYTES_MAX ((size_t)4 << 20)
/* Once half of that is taken, a peer has so many, and so much unless it is a
 * single one, and no more: nobody takes all of it. */
#define INTAKE_EARLY_OF_PEER       32
#define INTAKE_EARLY_BYTES_OF_PEER (INTAKE_EARLY_BYTES_MAX / 8)

struct early_tx {
    struct early_tx *next;
    uint64_t peer_id; /* who brought it */
    size_t size;
    uint8_t data[];
};

/* Zeroed: empty. */
struct intake_early {
    struct early_tx *first;
    size_t count;
    size_t bytes;
};

/* intake_early_keep: a copy; false: there is no room for that peer. */
bool intake_early_keep(struct intake_early *early, const void *data,
                       size_t size, uint64_t peer_id);

/* intake_early_take: all that is kept, the caller's now; NULL: nothing. */
struct early_tx *intake_early_take(struct intake_early *early);

/* early_txs_free: such a list. */
void early_txs_free(struct early_tx *first);

#endif
