/* state: how the ledger reaches what it does not own: the state map, the
 * blobs, the data sets.  Whoever calls it hands in functions. */
#ifndef POT_LEDGER_STATE_H
#define POT_LEDGER_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/hash.h"

/* A map from bytes to bytes; the layout of its keys is in ledger/keys.h. */
struct state {
    void *context;

    /* get: clears value and fills it with what stands under key; false, and
     * value empty, when nothing does, or more than value's size_max. */
    bool (*get)(void *context, const void *key, size_t key_size,
                struct buf *value);
    void (*put)(void *context, const void *key, size_t key_size,
                const void *value, size_t value_size);

    /* del: fine if nothing stands there. */
    void (*del)(void *context, const void *key, size_t key_size);
};

/* Blobs by the hash of proto/blob.h.  Putting one twice is fine. */
struct blobs {
    void *context;

    /* get: clears value and fills it; false, and value empty, when the blob
     * is not held, or larger than value's size_max. */
    bool (*get)(void *context, const struct hash *hash, struct buf *value);
    void (*put)(void *context, const struct hash *hash, const void *data,
                size_t size);
    void (*del)(void *context, const struct hash *hash);
};

/* A part of a round's submissions whose payloads are summed in one blob. */
struct round_part {
    struct hash *members; /* submissions, ascending */
    size_t member_count;
    struct hash sum; /* proto/partial_sum.h */
};

/* Parts that are known to be right to whoever hands them in, and whose sums are
 * held; no submission is in two. */
struct part_source {
    void *context; /* find may be NULL: there are none */

    /* find: the part that the submission is in, its members in fresh memory;
     * false, and out untouched: in none. */
    bool (*find)(void *context, const struct hash *submission,
                 struct round_part *out);
};

struct dataset;

/* Data sets by address; NULL when it is not held.  What is found stays until
 * the call of the ledger ends. */
struct dataset_source {
    void *context;
    const struct dataset *(*find)(void *context, const struct hash *address);
};

#endif
