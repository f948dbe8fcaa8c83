/* errands: what PBFT asks for that takes a while: a block to propose, a block
 * to check, a decided block to carry out.  On the loop.
 *
 * A decided block must be carried out: when something it needs cannot be had
 * now, it is tried again until another way brought the block. */
#ifndef POT_NODE_BLOCK_ERRANDS_H
#define POT_NODE_BLOCK_ERRANDS_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "base/key.h"
#include "consensus/pbft.h"
#include "node/block/proposal.h"

struct delivery;
struct errands; /* opaque: node/block/errands.c */

struct errands_config {
    uv_loop_t *loop;
    const struct delivery *delivery;
    struct public_key proposer;
    /* PBFT_PROPOSAL or PBFT_CHECKED; what is in it is borrowed. */
    void *asker;
    void (*answer)(void *asker, const struct pbft_event *event);
    /* The certificate of the block that is to be carried out; borrowed. */
    void (*decided)(void *asker, const Pot__CommitCertificate *certificate);

    void *context;
    /* What to put in a block now; the caller of it owns the result. */
    struct proposal_request *(*make_request)(void *context);
    /* What of a request the ledger did not take; borrowed. */
    void (*refused)(void *context, const struct proposal_refused *refused,
                    size_t count);
    /* The store failed. */
    void (*failed)(void *context, enum pot_err err, const char *what);
};

struct errands *errands_new(const struct errands_config *config);

/* errands_stop: nothing is answered any more.  errands_free: once the loop
 * has ended. */
void errands_stop(struct errands *errands);
void errands_free(struct errands *errands);

/* errands_propose, _check, _commit: carry out the effect of that name; they
 * take its bytes and its certificate. */
void errands_propose(struct errands *errands, const struct pbft_effect *effect);
void errands_check(struct errands *errands, struct pbft_effect *effect);
void errands_commit(struct errands *errands, struct pbft_effect *effect);

struct errands_stats {
    uint64_t proposals;
    uint64_t invalid;  /* blocks that break a rule */
    uint64_t unjudged; /* blocks that could not be checked */
    uint64_t check_ms; /* what the last check that found one valid took,
                        * once all that it needs was there */
};

void errands_stats(const struct errands *errands, struct errands_stats *out);

#endif
