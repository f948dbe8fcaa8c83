/* chain: the tip, and the one queue through which blocks are made, checked
 * and stored.
 *
 * All calls and callbacks are on the loop; the work is done off it, a job at
 * a time, in the order of the calls.  So a block is executed on the tip that
 * stands when its job begins, and no two threads write. */
#ifndef POT_NODE_BLOCK_CHAIN_H
#define POT_NODE_BLOCK_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "node/block/execution.h"

struct chain; /* opaque: node/block/chain.c */

/* chain_applied_fn: a block was stored and is the tip; borrowed for the
 * call. */
typedef void chain_applied_fn(void *context, const struct executed *executed);

/* chain_open: the tip of env->store; an empty store gets the genesis first.
 *
 * Errors: POT_EGUARD the store holds another chain than this genesis;
 *         those of the store */
POT_MUST_USE enum pot_err chain_open(struct chain **out, uv_loop_t *loop,
                                     const struct holdings *env,
                                     const Pot__Genesis *genesis,
                                     chain_applied_fn *applied, void *context);

/* chain_stop: no job is begun any more; those that wait, or come later, are
 * answered with POT_ECANCELLED.  chain_free: once the loop has ended and with
 * it the job at work. */
void chain_stop(struct chain *chain);
void chain_free(struct chain *chain);

const struct chain_tip *chain_tip(const struct chain *chain);

/* chain_propose: builds a block on the tip; request is taken.  executed is
 * borrowed, NULL when err is not POT_OK; POT_ECANCELLED: the tip moved. */
void chain_propose(struct chain *chain, struct execution_request *request,
                   void (*done)(void *context, enum pot_err err,
                                const struct executed *executed),
                   void *context);

/* chain_check: whether the block is valid on the tip; why says why not.
 * POT_ECANCELLED: it is not the tip's next any more, or the chain stops. */
void chain_check(struct chain *chain, const void *data, size_t size,
                 uint64_t now_ms,
                 void (*done)(void *context, enum pot_err err, bool is_valid,
                              const char *why),
                 void *context);

/* chain_has_checked: whether this block was found valid on the tip, so that
 * applying it executes nothing again. */
bool chain_has_checked(struct chain *chain, const void *data, size_t size);

/* chain_apply: stores a block that a certificate, already verified, vouches
 * for.  Errors: POT_EEXIST it is not above the tip; POT_ERANGE it is further
 * than the next; POT_EFORMAT it does not execute, why says more: certified
 * and yet wrong here; those of the store. */
void chain_apply(struct chain *chain, const void *data, size_t size,
                 const void *certificate, size_t certificate_size,
                 void (*done)(void *context, enum pot_err err, const char *why),
                 void *context);

#endif
