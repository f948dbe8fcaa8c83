/* round_duty: what all open rounds of a node share.  Made by rounds.h for the
 * modules below it; the loop's thread only. */
#ifndef POT_NODE_ROUND_ROUND_DUTY_H
#define POT_NODE_ROUND_ROUND_DUTY_H

#include <stdint.h>
#include <uv.h>

#include "base/hash.h"

struct auditor;
struct gossip;
struct holdings;
struct key;
struct needs;

/* For the metrics: all but open only grow. */
struct rounds_stats {
    uint64_t open;         /* now */
    uint64_t submissions;  /* first ones of their miners */
    uint64_t accepted;     /* by this validator, audited or not */
    uint64_t audited;      /* computed again, whatever came out */
    uint64_t refused;      /* by this validator */
    uint64_t undecided;    /* audited, and left without a verdict */
    uint64_t attestations; /* taken, our own too */
};

struct round_duty {
    uv_loop_t *loop;
    const struct holdings *holdings;
    struct needs *needs;
    struct gossip *gossip;
    const struct key *key; /* the validator's; NULL: nothing is judged here */
    struct auditor *auditor;
    struct hash secret; /* of the audit lottery */
    uint32_t sequence;  /* of the last attestation */
    struct rounds_stats stats;
    void *context;
    /* Something came in: the rounds are to be ticked soon. */
    void (*on_news)(void *context);
};

#endif
