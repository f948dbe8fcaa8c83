/* state_compare: where the states of two nodes differ, found along the tree of
 * proto/state_proof.h: from the leftmost bucket the proof's siblings say which
 * part of the tree is the first that differs, and so on down to one bucket.
 * Seventeen proofs of each at most. */
#ifndef POT_CTL_STATE_COMPARE_H
#define POT_CTL_STATE_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "ctl/ctl.h"
#include "proto/state_proof.h"

/* A node's state as it shows it: ctl/state_source.h. */
struct state_shown {
    uint64_t height;
    struct hash root;
    struct state_proof proof;
    bool has_value;
    struct buf value;
};

void state_shown_init(struct state_shown *shown);
void state_shown_fini(struct state_shown *shown);

struct state_side {
    void *context;
    /* Fills an initialised shown with what is under key. */
    enum exit_code (*show)(void *context, struct ctl *ctl, const void *key,
                           size_t size, struct state_shown *shown);
};

struct state_difference {
    bool is_same;
    uint8_t key[STATE_KEY_MAX]; /* the first that differs, by bucket and key */
    size_t key_size;
    struct state_shown sides[2]; /* what is under it; heights and roots */
};

/* state_compare: two states of one height.
 *
 * Out:    difference: state_difference_fini in any case
 * Errors: those of show; EXIT_CODE_FAILED the heights differ, or a state moved
 *         on meanwhile */
POT_MUST_USE enum exit_code state_compare(struct state_difference *difference,
                                          struct ctl *ctl,
                                          const struct state_side sides[2]);
void state_difference_fini(struct state_difference *difference);

#endif
