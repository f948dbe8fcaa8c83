/* vote_record: what this replica has signed, written to the sign state off
 * the loop.  What waits while one is being written is replaced by a newer
 * one.
 *
 * A record of the next height takes the place of one that has the block of
 * this: so it takes along those that the store has not synced, or these are
 * synced before it. */
#ifndef POT_NODE_BLOCK_VOTE_RECORD_H
#define POT_NODE_BLOCK_VOTE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"

struct sign_state;
struct store;
struct vote_record; /* opaque: node/block/vote_record.c */

struct vote_record_config {
    uv_loop_t *loop;
    struct sign_state *sign_state;
    struct store *store;
    void *context;
    /* The record of this sequence is durable, and so is all before it; or
     * it, or a block, could not be written. */
    void (*saved)(void *context, uint64_t sequence, enum pot_err err);
};

struct vote_record *vote_record_new(const struct vote_record_config *config);

/* vote_record_stop: saved is not called any more.  vote_record_free: once
 * work off the loop has ended. */
void vote_record_stop(struct vote_record *record);
void vote_record_free(struct vote_record *record);

/* vote_record_save: takes data. */
void vote_record_save(struct vote_record *record, uint8_t *data, size_t size,
                      uint64_t sequence);

/* vote_record_is_idle: nothing is being written.  vote_record_forget: what
 * waits behind a write that failed never will be; when it is idle. */
bool vote_record_is_idle(const struct vote_record *record);
void vote_record_forget(struct vote_record *record);

#endif
