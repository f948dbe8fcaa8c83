/* rounds: a validator's hand in the rounds that are open: it gathers
 * submissions, judges them, attests, gathers attestations, and says when a
 * round can be closed and with what. */
#ifndef POT_NODE_ROUND_ROUNDS_H
#define POT_NODE_ROUND_ROUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/hash.h"
#include "base/key.h"
#include "proto/chain.pb-c.h"

struct chain;
struct holdings;
struct execution_request;
struct gossip;
struct needs;
struct rounds; /* opaque: node/round/rounds.c */

struct rounds_config {
    uv_loop_t *loop;
    const struct holdings *env;
    struct chain *chain;
    struct needs *needs;
    struct gossip *gossip;
    const struct key *key; /* of the validator; NULL: only watches */
    const char *worker_program;
    void *context;
    void (*on_work)(void *context); /* a round can be closed */
};

struct rounds *rounds_new(const struct rounds_config *config);
void rounds_stop(struct rounds *rounds);

/* rounds_free: done once its timer and workers are closed. */
void rounds_free(struct rounds *rounds);

/* rounds_refresh: the tip moved: rounds that closed go, new ones come. */
void rounds_refresh(struct rounds *rounds);

/* rounds_submission, rounds_attestation: verified messages, borrowed; true:
 * they are of an open round, or of one that a block on its way will open,
 * and worth passing on.  peer_id brought it; 0: we did. */
bool rounds_submission(struct rounds *rounds, Pot__Signed *message,
                       uint64_t peer_id);
bool rounds_attestation(struct rounds *rounds, Pot__Signed *message);

/* rounds_has_work: one can be closed now. */
bool rounds_has_work(struct rounds *rounds);

/* rounds_collect: puts the closable rounds into a request, by ascending
 * task. */
void rounds_collect(struct rounds *rounds, struct execution_request *request);

struct rounds_stats {
    uint64_t open;
    uint64_t submissions;
    uint64_t accepted;
    uint64_t audited;
    uint64_t refused;
    uint64_t undecided;
    uint64_t attestations;
};

void rounds_stats(const struct rounds *rounds, struct rounds_stats *out);

#endif
