/* decided: the last blocks, which the store may not have synced, kept in the
 * record of what this replica has signed (PbftRecord, decided): with it they
 * are synced at once, and after a crash the store gets them again. */
#ifndef POT_NODE_BLOCK_DECIDED_H
#define POT_NODE_BLOCK_DECIDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct chain_tip;
struct holdings;
struct store;

/* What was appended last, so that a block is encoded once.  A zeroed struct is
 * empty; buf_fini of bytes releases it. */
struct decided {
    struct buf bytes;
    uint64_t first; /* heights */
    uint64_t end;   /* behind the last */
};

/* decided_append: the store's unsynced blocks as fields of a PbftRecord, which
 * go behind its other fields.
 *
 * Errors: POT_ELIMIT they are too long: sync the store instead; the store's.
 *         out is as it was then */
POT_MUST_USE enum pot_err decided_append(struct decided *decided,
                                         struct buf *out, struct store *store);

/* decided_carry: the record with those of another one, as bytes; free()
 * releases them. */
uint8_t *decided_carry(size_t *size, const void *record, size_t record_size,
                       const void *from, size_t from_size);

/* decided_restore: applies those of a record that are next to the tip, which
 * follows, and syncs them.  What does not fit the tip, or is wrong, ends it:
 * others have those blocks too.  So does a full disk.  Blocks: at a start.
 *
 * In:     record  size 0: there is none
 * Errors: the store's */
POT_MUST_USE enum pot_err decided_restore(struct chain_tip *tip,
                                          const struct holdings *holdings,
                                          const void *record, size_t size);

#endif
