/* accuser: submissions that this node has computed again and found to be
 * false.  One that is counted all the same is challenged, once its round is
 * closed.  The loop's thread only. */
#ifndef POT_NODE_ROUND_ACCUSER_H
#define POT_NODE_ROUND_ACCUSER_H

#include <stdint.h>

#include "proto/chain.pb-c.h"

struct accuser; /* opaque: node/round/accuser.c */
struct own_tx;
struct state;

/* accuser_new: sender is borrowed and outlives it. */
struct accuser *accuser_new(struct own_tx *sender);
void accuser_free(struct accuser *accuser); /* NULL is none */

/* accuser_note: borrows a submission of an exact task, which is false. */
void accuser_note(struct accuser *accuser, const Pot__Signed *submission);

/* accuser_refresh: the tip moved: challenges what can be.
 * In: state, height  of the tip */
void accuser_refresh(struct accuser *accuser, const struct state *state,
                     uint64_t height);

#endif
