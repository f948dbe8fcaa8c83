/* inbox: consensus messages on their way in: decoded and verified off the
 * loop, all that came meanwhile in one batch; a single vote at once, and not
 * verified when it is spare. */
#ifndef POT_NODE_BLOCK_INBOX_H
#define POT_NODE_BLOCK_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/hash.h"
#include "base/key.h"
#include "proto/consensus.pb-c.h"

struct validator_set;
struct inbox; /* opaque: node/block/inbox.c */

/* What came out well. */
struct inbox_message {
    const Pot__ConsensusMessage *message; /* borrowed for the call */
    const struct public_key *from;        /* whose connection brought it */
    uint64_t set_id;                      /* what it was verified with */
    bool is_spare;                        /* it was not */
};

struct inbox_config {
    uv_loop_t *loop;
    struct hash chain;
    void *context;
    /* Whom the next batch is verified with: the validators of *height; set_id
     * names that set. */
    const struct validator_set *(*validators)(void *context, uint64_t *set_id,
                                              uint64_t *height);
    bool (*is_spare)(void *context, const Pot__ConsensusMessage *message,
                     const struct public_key *from); /* pbft_is_spare */
    void (*deliver)(void *context, const struct inbox_message *message);
    /* What came over from's connection no honest replica sends. */
    void (*breach)(void *context, const struct public_key *from);
};

struct inbox *inbox_new(const struct inbox_config *config);

/* inbox_stop: nothing is delivered any more.  inbox_free: once work off the
 * loop has ended. */
void inbox_stop(struct inbox *inbox);
void inbox_free(struct inbox *inbox);

/* inbox_receive: data is copied; too many at once, of all or of this replica,
 * are dropped.  deliver and breach may be called before it returns.  In:
 * replica: from's index, or PBFT_NO_REPLICA */
void inbox_receive(struct inbox *inbox, const struct public_key *from,
                   uint32_t replica, const void *data, size_t size);

/* inbox_is_idle: nothing is on its way through it. */
bool inbox_is_idle(const struct inbox *inbox);

struct inbox_stats {
    uint64_t received;
    uint64_t refused; /* malformed or wrongly signed */
    uint64_t dropped; /* too many at once */
};

void inbox_stats(const struct inbox *inbox, struct inbox_stats *out);

#endif
