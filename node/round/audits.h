/* audits: gradients that this validator is to compute again: drawn
 * submissions, and those of open challenges.
 *
 * They stand apart from rounds, so that they outlive them: a submission of the
 * exact lane that was counted before it was judged is judged all the same, and
 * accused (node/round/accuser.h) while it can be challenged.
 *
 * What waits is a few hundred bytes; theta is read when its turn comes, as the
 * ledger holds it for as long as a round can be judged.  Of large models one
 * is computed at a time.  The first to go are challenges, then submissions of
 * open rounds, then those of closed ones, the latest first: the others can be
 * challenged no more soonest.  A restart loses them.  The loop's thread only.
 */
#ifndef POT_NODE_ROUND_AUDITS_H
#define POT_NODE_ROUND_AUDITS_H

#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"
#include "proto/chain.pb-c.h"
#include "training/audit.h"

struct audits; /* opaque: node/round/audits.c */
struct rounds_shared;
struct workers_stats;

/* That wait or are computed: so many of submissions, so many of challenges. */
#define AUDITS_MAX 4096

struct audits_case {
    struct hash name; /* of the submission */
    struct hash task;
    uint32_t round;
    struct public_key miner;
    struct hash payload;
    uint64_t payload_bytes;   /* the blas lane reads it */
    int64_t loss;             /* Q40.24, that it claims */
    const struct hash *plant; /* the secret of a plant; NULL: none is known */
    const char *core;         /* that it declared, for the blas lane */
    const Pot__Signed *submission; /* NULL: an open challenge's */
};

/* audits_done_fn: POT_ENOENT: the payload, or what the round was computed
 * from, is not held; another err: nothing could be computed, several times;
 * result says nothing then. */
typedef void audits_done_fn(void *context, enum pot_err err,
                            const struct audit_result *result);

/* audits_new: shared is borrowed and outlives it. */
struct audits *audits_new(struct rounds_shared *shared,
                          const char *worker_program);

/* audits_free: nobody is called any more.  NULL is none. */
void audits_free(struct audits *audits);

/* audits_ask: borrows the case for the call; done is called later.  Where there
 * is no room for a submission, the oldest one of a closed round makes it, which
 * is counted.
 *
 * Errors: POT_ELIMIT all submissions are of open rounds; or AUDITS_MAX
 *         challenges wait already */
POT_MUST_USE enum pot_err audits_ask(struct audits *audits,
                                     const struct audits_case *asked,
                                     audits_done_fn *done, void *context);

/* audits_outlive: the context's round is closed and counts the submission:
 * done is not called, but the audit goes on.  audits_forget: it does not. */
void audits_outlive(struct audits *audits, const void *context);
void audits_forget(struct audits *audits, const void *context);

/* audits_tick: as time passes. */
void audits_tick(struct audits *audits);

/* audits_workers: of the processes that compute them. */
void audits_workers(const struct audits *audits, struct workers_stats *out);

#endif
