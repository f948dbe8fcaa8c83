/* round_input: what every gradient of a round is computed from, the same for
 * a miner and for whoever audits it: the model, theta, the training set, and
 * the seed that shares its rows out.
 *
 * Large, so there is one for all that compute on it: it stays until the last
 * of them has dropped it.  It does not change once it is made; the holders
 * are counted on the loop's thread only. */
#ifndef POT_NODE_ROUND_ROUND_INPUT_H
#define POT_NODE_ROUND_ROUND_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/key.h"
#include "proto/model.h"
#include "proto/packed.h"
#include "proto/state.pb-c.h"
#include "training/assign.h"

struct round_input {
    size_t holders;
    struct model_shape shape;
    Pot__Activation activation;
    Pot__Loss loss;
    Pot__Numerics numerics;
    int32_t *theta; /* Q8.24, shape.parameter_count */
    char *dataset;  /* path of the training set's .pds file; NULL: it is not
                       held whole */
    Pot__DatasetRecord *published; /* its record, only then */
    struct assign_from from;       /* it */
    size_t row_count;              /* of each miner, > 0 */
    uint32_t local_steps;          /* 1: the gradient at theta */
    uint32_t local_rate;           /* Q4.28, of this round */
    struct packed_form form;       /* of the payloads */
    struct hash seed;              /* round_seed */
};

/* round_input_ref: one more holder; returns input. */
struct round_input *round_input_ref(struct round_input *input);

/* round_input_unref: the last holder's frees it; NULL is none. */
void round_input_unref(struct round_input *input);

/* round_input_rows: the rows of a miner, row_count of them, fresh memory. */
uint64_t *round_input_rows(const struct round_input *input,
                           const struct public_key *miner);

/* round_input_block_rows: rows that a worker takes at a time; of a local step,
 * where there are several. */
size_t round_input_block_rows(const struct round_input *input);

/* round_input_divisor: what a job's sums are divided by: they are over its
 * rows, or the way that its local steps went. */
size_t round_input_divisor(const struct round_input *input);

#endif
