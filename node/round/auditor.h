/* auditor: judges a gradient by computing it again.
 *
 * In the exact lane the bytes are equal or refused; where the gradient is not a
 * finite number, whatever was submitted is refused.  In the blas lane the first
 * recomputation runs on this machine's own OpenBLAS core.  When it leaves the
 * verdict open, a second one runs on the submitter's, if that runs here:
 * otherwise the verdict stays AUDIT_UNDECIDED, as it does where the gradient is
 * not finite. */
#ifndef POT_NODE_ROUND_AUDITOR_H
#define POT_NODE_ROUND_AUDITOR_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "base/key.h"
#include "training/audit.h"

struct holdings;
struct needs;
struct round_input;
struct workers_stats;
struct auditor; /* opaque: node/round/auditor.c */

/* All borrowed. */
struct auditor_case {
    struct round_input *input; /* of its round */
    const struct public_key *miner;
    const char *core;       /* that it declared */
    const uint8_t *payload; /* its gradient, opened; of the blas lane only */
    size_t payload_size;
    const struct hash *payload_hash;
    int64_t loss;             /* Q40.24, that it claims */
    const struct hash *plant; /* the secret of a plant; NULL: none */
};

/* auditor_done_fn: err not POT_OK: nothing could be computed, and result says
 * nothing. */
typedef void auditor_done_fn(void *context, enum pot_err err,
                             const struct audit_result *result);

struct auditor *auditor_new(uv_loop_t *loop, const char *worker_program,
                            const struct holdings *holdings,
                            struct needs *needs);

/* auditor_free: nobody is called any more; what it still does ends on the
 * loop.  NULL is none. */
void auditor_free(struct auditor *auditor);

/* auditor_judge: a copy of the case is judged; done is called later.
 *
 * Errors: POT_ELIMIT too many are waiting */
POT_MUST_USE enum pot_err auditor_judge(struct auditor *auditor,
                                        const struct auditor_case *audit,
                                        auditor_done_fn *done, void *context);

/* auditor_workers: of all its pools, those that are gone too. */
void auditor_workers(const struct auditor *auditor, struct workers_stats *out);

#endif
