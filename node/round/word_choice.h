/* word_choice: which of the attestations that a node holds it would close a
 * round with.  An update lists one of each validator, and each that is listed
 * is paid: so one that was not pledged in time is listed only where that makes
 * the difference for a miner.  Pure. */
#ifndef POT_NODE_ROUND_WORD_CHOICE_H
#define POT_NODE_ROUND_WORD_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/round_update.h"
#include "proto/round.h"
#include "proto/state.pb-c.h"

/* Between a validator's attestations, borrowed; NULL: none. */
struct word_choice {
    const struct candidate_attestation *kept;
    const struct candidate_attestation *spare; /* to be listed instead */
    size_t place; /* of the spare one, for whoever orders them */
};

/* word_choice_extends: a says all that b says, and the same. */
bool word_choice_extends(const struct round_attestation *a,
                         const struct round_attestation *b);

/* word_choice_make: lists all that is kept, and in all's order those spare ones
 * without which a submission of the candidate would be neither counted nor
 * refused by so many validators.  What the ledger would not list is passed
 * over.  Changes all. */
void word_choice_make(struct round_candidate *candidate,
                      struct word_choice *all, size_t count,
                      const Pot__TaskRecord *task, uint32_t validators);

#endif
