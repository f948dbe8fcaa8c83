/* sim_block: well-formed blocks without a ledger, for tests. */
#ifndef POT_TESTS_SIM_BLOCK_H
#define POT_TESTS_SIM_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/key.h"

/* Blocks whose time ends in these digits stand for invalid ones. */
#define SIM_BLOCK_BAD 999

struct sim_block_spec {
    struct hash chain;
    struct hash parent;
    struct public_key proposer;
    uint64_t height;
    uint64_t view;
    uint64_t time_ms;      /* tells two blocks of one view apart */
    const uint64_t *items; /* its transactions are these numbers */
    size_t item_count;
};

/* sim_block_make: the encoded Block; free() releases it. */
uint8_t *sim_block_make(size_t *size, struct hash *digest,
                        const struct sim_block_spec *spec);

#endif
