/* chain_check: a chain's headers and certificates, one height after the other,
 * against its genesis.  Pure: no node, no files. */
#ifndef POT_CTL_CHAIN_CHECK_H
#define POT_CTL_CHAIN_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/hash.h"
#include "proto/block.h"
#include "proto/chain.pb-c.h"
#include "proto/validator_set.h"

#define CHAIN_CHECK_WHY_SIZE 160

struct chain_check {
    struct hash id;
    struct block_parent tip;         /* the last block that passed */
    struct validator_set validators; /* of the next height */
    struct hash next_set;            /* what the last header says of that set */
    bool needs_set; /* validators are not it: chain_check_set comes next */
    char why[CHAIN_CHECK_WHY_SIZE]; /* the first fault */
};

/* chain_check_init: stands before block 1. */
void chain_check_init(struct chain_check *chain, const Pot__Genesis *genesis);

/* chain_check_block: the next header (NULL: there is none) and its
 * certificate.  False, with why, when it is bad; the chain stays where it
 * was.  True: the chain has moved on, and needs_set may be set. */
POT_MUST_USE bool chain_check_block(struct chain_check *chain,
                                    const void *header, size_t header_size,
                                    const void *certificate,
                                    size_t certificate_size);

/* chain_check_set: the validators of the next height, as anyone tells them.
 * False, with why, when they are not those that the last header names; that
 * header counts as bad then, and the height is the one before. */
POT_MUST_USE bool chain_check_set(struct chain_check *chain,
                                  const struct validator_set *set);

/* chain_check_missing: false, with why: the next block was not to be had. */
POT_MUST_USE bool chain_check_missing(struct chain_check *chain);

#endif
