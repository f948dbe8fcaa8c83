/* body: a block's bytes under their digest, shared by reference count. */
#ifndef POT_CONSENSUS_BODY_H
#define POT_CONSENSUS_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/key.h"

struct body {
    unsigned refs;
    struct hash digest;
    uint64_t height; /* this and the next four stand in its header */
    uint64_t view;
    struct hash parent;
    struct hash chain;
    struct public_key proposer;
    bool is_valid;    /* the ledger said so */
    bool is_checking; /* the ledger was asked */
    uint8_t *data;
    size_t size;
};

/* body_new: a copy of data, decoded once to see that it is a block; NULL
 * when it is not.  The caller holds one reference. */
struct body *body_new(const void *data, size_t size);

/* body_ref: one more reference, returned.  body_unref: one less; the last one
 * frees; NULL is fine. */
struct body *body_ref(struct body *body);
void body_unref(struct body *body);

/* body_set: *slot drops what it held and refers to body, which may be
 * NULL or the same. */
void body_set(struct body **slot, struct body *body);

#endif
