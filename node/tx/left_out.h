/* left_out: transactions that blocks could have taken and did not.
 *
 * Now and then a sample is drawn of what the ledger would take at the tip, the
 * oldest first.  If the next block leaves one of these out although it had
 * room, or took one that came later, it has passed it over (node/block/owed.h).
 * A full block that goes by age passes over nothing. */
#ifndef POT_NODE_TX_LEFT_OUT_H
#define POT_NODE_TX_LEFT_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "node/block/owed.h"

struct block;
struct holdings;
struct mempool;
struct mempool_entry;

#define LEFT_OUT_WATCHED 32

struct left_out_watched {
    struct hash tx;
    struct owed owed;
    bool is_ready; /* at the tip of the sample */
    bool is_taken;
};

/* A zeroed struct watches nothing. */
struct left_out {
    struct left_out_watched watched[LEFT_OUT_WATCHED];
    size_t count;
    uint64_t height;  /* of the sample's tip; 0: there is none */
    uint64_t due_ms;  /* when the next one is */
    struct hash from; /* where the last search stopped in mid pool... */
    bool is_from_set; /* ...if it did */
    struct hash overdue;
};

struct left_out_view {
    const struct holdings *holdings;
    const struct mempool *mempool;
    uint64_t time_ms; /* of the tip */
    /* Whether a block could take it as far as its data goes. */
    bool (*is_ready)(void *context, const struct mempool_entry *entry);
    /* A primary has passed it over for the first time: it may never have come
     * there, or when there was no room for it. */
    void (*tell)(void *context, const struct mempool_entry *entry);
    void *context;
};

/* left_out_judge: a block became the tip; the mempool still holds what it
 * took.  Returns a transaction that is overdue, or NULL; borrowed until
 * the next call. */
const struct hash *left_out_judge(struct left_out *left_out,
                                  const struct left_out_view *view,
                                  const struct block *block,
                                  const struct owed_rule *rule);

/* left_out_draw: the mempool is that of the tip at height now; draws a sample
 * when one is due. */
void left_out_draw(struct left_out *left_out, const struct left_out_view *view,
                   uint64_t height, const struct owed_rule *rule);

#endif
