/* own_words: what this validator says in an open round: that it closes, what it
 * pledges, and the attestations behind that, once words are shown. */
#ifndef POT_NODE_ROUND_OWN_WORDS_H
#define POT_NODE_ROUND_OWN_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/chain.pb-c.h"
#include "proto/round.h"
#include "proto/state.pb-c.h"

struct judging;
struct rounds_shared;
struct own_words; /* opaque: node/round/own_words.c */

/* own_words_new: shared, which has a key, is borrowed and outlives it.  All
 * that is said is given to take, too, as if another had said it. */
struct own_words *own_words_new(struct rounds_shared *shared,
                                bool (*take)(void *context,
                                             struct round_attestation *opened,
                                             const Pot__Signed *message),
                                void *context);
void own_words_free(struct own_words *own); /* NULL is none */

/* Each: false: the key did not sign; nothing is said.
 * own_words_close: we take no more commitments.
 * own_words_speak: of all that was judged: says it if words are shown, or signs
 * it, keeps it back and pledges it. */
bool own_words_close(struct own_words *own, const Pot__TaskRecord *task);
bool own_words_speak(struct own_words *own, const Pot__TaskRecord *task,
                     struct judging *judging, bool are_shown);

/* own_words_tick: tells everyone again that we closed, and the validators the
 * pledge, and the last words after they were shown: who has restarted since,
 * was away or behind, has not heard them.  Ever more seldom. */
void own_words_tick(struct own_words *own, uint64_t now_ms);

/* own_words_tell: the same, to the peer of this id alone: it has come lately
 * (node/round/newcomers.h). */
void own_words_tell(const struct own_words *own, uint64_t peer_id);

/* own_words_show: says what was kept back.  Of several pledges the earlier ones
 * too: others may have shown their words before the last one came to them. */
void own_words_show(struct own_words *own);

#endif
