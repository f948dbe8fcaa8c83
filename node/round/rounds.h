/* rounds: the rounds that are open, and challenges of closed ones.  Every node
 * gathers their submissions and attestations and passes them on; a validator's
 * (one with a key) also judges submissions, attests, and says when a round can
 * be closed and with what. The loop's thread only. */
#ifndef POT_NODE_ROUND_ROUNDS_H
#define POT_NODE_ROUND_ROUNDS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "proto/chain.pb-c.h"

struct chain;
struct gossip;
struct hash;
struct holdings;
struct intake;
struct key;
struct mempool;
struct needs;
struct owed_rule;
struct proposal_request;
struct public_key;
struct round_submission;
struct workers_stats;
struct rounds; /* opaque: node/round/rounds.c */

struct rounds_config {
    uv_loop_t *loop;
    const struct holdings *holdings;
    struct chain *chain;
    struct needs *needs;
    struct gossip *gossip;
    const struct key *key; /* the validator's; NULL: none, only watches */
    struct mempool *mempool;
    struct intake *intake;
    const struct key *payer; /* of challenges; NULL: none are sent */
    const char *worker_program;
    void *context;
    void (*on_work)(void *context); /* a round can be closed */
    /* An aggregator was caught: it has signed a group that does not hold. */
    void (*on_liar)(void *context, const struct public_key *aggregator);
    /* Miners may show what they have committed to. */
    void (*on_reveal)(void *context, const struct hash *task);
};

struct rounds *rounds_new(const struct rounds_config *config);

/* rounds_stop: everything held is dropped, nothing is called any more. */
void rounds_stop(struct rounds *rounds);

/* rounds_free: once the loop has run out of work.  NULL is none. */
void rounds_free(struct rounds *rounds);

/* rounds_refresh: the tip moved: rounds that closed go, new ones come. */
void rounds_refresh(struct rounds *rounds);

/* rounds_submission, _commitment, _attestation: verified messages, borrowed;
 * true: they are of an open round, or of one that a block on its way will open,
 * and worth passing on.  peer_id brought it; 0: we did. */
bool rounds_submission(struct rounds *rounds, const Pot__Signed *message,
                       uint64_t peer_id);
bool rounds_commitment(struct rounds *rounds, const Pot__Signed *message,
                       uint64_t peer_id);
bool rounds_attestation(struct rounds *rounds, const Pot__Signed *message);

/* rounds_group, rounds_group_word: the same, for a validator's. */
bool rounds_group(struct rounds *rounds, const Pot__Signed *message);
bool rounds_group_word(struct rounds *rounds, const Pot__Signed *message,
                       uint64_t peer_id);

/* rounds_greet: the peer of this node key has connected: it may have restarted,
 * and is told soon what this validator has said: a validator all of it. */
void rounds_greet(struct rounds *rounds, const struct public_key *key,
                  uint64_t peer_id);

/* rounds_is_teller: whether the peer of this node key is an aggregator that
 * tells all validators itself what it passes on (node/round/tellers.h). */
bool rounds_is_teller(const struct rounds *rounds,
                      const struct public_key *key);

/* rounds_may_reveal: of the task's open round, if it is that one. */
bool rounds_may_reveal(const struct rounds *rounds, const struct hash *task,
                       uint32_t number);

/* rounds_is_promised: it is of an open round, and what its miner has committed
 * to there. */
bool rounds_is_promised(const struct rounds *rounds,
                        const struct round_submission *submission);

/* rounds_has_work: one can be closed now. */
bool rounds_has_work(struct rounds *rounds);

/* rounds_overdue: the task of a round that the block of the tip and others
 * before it should have closed; NULL: there is none.  After rounds_refresh. */
const struct hash *rounds_overdue(struct rounds *rounds,
                                  const struct owed_rule *rule);

/* rounds_collect: puts the closable rounds into a request, by ascending
 * task. */
void rounds_collect(struct rounds *rounds, struct proposal_request *request);

/* For the metrics: all but open only grow. */
struct rounds_stats {
    uint64_t open;            /* now */
    uint64_t submissions;     /* first ones of their miners */
    uint64_t accepted;        /* by this validator, audited or not */
    uint64_t audited;         /* computed again, whatever came out */
    uint64_t refused;         /* by this validator */
    uint64_t undecided;       /* audited, and left without a verdict */
    uint64_t dropped;         /* drawn, but not audited in the end */
    uint64_t attestations;    /* taken, our own too */
    uint64_t words_late;      /* of validators that had pledged none in time */
    uint64_t words_broken;    /* of those that had pledged others */
    uint64_t groups_opened;   /* by this validator, and right */
    uint64_t groups_taken;    /* by others' word: their sums for the payloads */
    uint64_t payloads_spared; /* of their members */
    uint64_t groups_given_up; /* waited for in vain */
    uint64_t groups_wrong;    /* that this validator has found to lie */
};

void rounds_stats(const struct rounds *rounds, struct rounds_stats *out);

/* rounds_workers: of the processes that audit. */
void rounds_workers(const struct rounds *rounds, struct workers_stats *out);

#endif
