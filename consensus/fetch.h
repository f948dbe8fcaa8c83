/* fetch: blocks by digest.
 *
 * Whoever voted for a block has it; a replica that needs one (to commit it,
 * or to propose it again) asks those first, two at a time, and goes round
 * with every resend. */
#ifndef POT_CONSENSUS_FETCH_H
#define POT_CONSENSUS_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "proto/consensus.pb-c.h"

struct pbft_block;
struct pbft;

struct fetch {
    bool is_wanting;    /* the block of `wanted` is missing */
    struct hash wanted; /* is_wanting */
    uint32_t cursor;    /* who is asked next, mod the number of replicas */
    struct pbft_block *block; /* the last that came at this height, or NULL */
};

/* fetch_find: a block that the replica holds at this height, borrowed, or
 * NULL. */
struct pbft_block *fetch_find(const struct pbft *p, const struct hash *digest);

/* fetch_want: asks for a block, unless it is being asked for. */
void fetch_want(struct pbft *p, const struct hash *digest);

/* fetch_ask: asks the next ones, while a block is wanted. */
void fetch_ask(struct pbft *p);

/* fetch_take: whether this is the block that is wanted, whoever brought it;
 * fetch_find then finds it, and none is wanted any more. */
bool fetch_take(struct pbft *p, const void *data, size_t size);

/* fetch_on_block_request: sends a block that another replica asks for; once a
 * resend each. */
void fetch_on_block_request(struct pbft *p, const Pot__BlockRequest *message,
                            uint32_t from);

#endif
