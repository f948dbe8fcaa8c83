/* judging: the submissions of one open round, and what this validator thinks
 * of each: its payload fetched, its form checked, some of them audited. */
#ifndef POT_NODE_ROUND_JUDGING_H
#define POT_NODE_ROUND_JUDGING_H

#include <stdbool.h>
#include <stdint.h>

#include "ledger/round_update.h"
#include "proto/model.h"
#include "proto/round.h"
#include "proto/state.pb-c.h"

struct groups;
struct rounds_shared;
struct judging; /* opaque: node/round/judging.c */

/* judging_new: of a task's open round; all is borrowed and outlives it.
 * on_verdict is called when a submission was judged, within judging_take and
 * judging_tick too. */
struct judging *judging_new(struct rounds_shared *shared,
                            const Pot__TaskRecord *task,
                            const struct model_shape *shape,
                            void (*on_verdict)(void *context), void *context);

/* judging_set_groups: before the first submission; borrowed, and called no more
 * once they are gone. */
void judging_set_groups(struct judging *judging, struct groups *groups);

/* judging_find, _vouched, _lone: see struct groups_calls. */
const struct round_submission *judging_find(void *judging,
                                            const struct hash *member,
                                            bool *is_open);
void judging_vouched(void *judging, const struct hash *member);
void judging_lone(void *judging, const struct hash *member);

/* judging_is_lacking: there are submissions that were vouched for, and whose
 * payloads are being fetched after all. */
bool judging_is_lacking(const struct judging *judging);

/* judging_free: what is under way is forgotten; payloads that no other round
 * named leave the pool. */
void judging_free(struct judging *judging);

/* judging_close: the round is closed, judging_free follows.  Audits of what was
 * counted go on without it (node/round/audits.h). */
void judging_close(struct judging *judging);

/* judging_take: takes what is in opened, which fits the round
 * (ledger_check_submission); true: it is its miner's first, or the same
 * again; others are not looked at.  peer_id brought it; 0: we did. */
bool judging_take(struct judging *judging, struct round_submission *opened,
                  const Pot__Signed *message, uint64_t peer_id);

/* judging_tick: tries again what could not be done; true while a verdict is
 * still to come. */
bool judging_tick(struct judging *judging, uint64_t now_ms);

/* judging_list: fresh memory for the candidate's submissions, those whose
 * payload is here, or a sum with it: without it a round cannot be closed.  What
 * is in them stays the judging's. */
void judging_list(const struct judging *judging,
                  struct round_candidate *candidate);

/* judging_verdicts: fills an attestation with the verdicts that there are, by
 * ascending submission, and this validator's link.  False: the key did not sign
 * what that takes. */
bool judging_verdicts(struct judging *judging, Pot__AttestationBody *body);

/* judging_covers: a bit for each miner of the roster on whose submission there
 * is a verdict; how many bytes of out, the last of which is not 0. */
size_t judging_covers(const struct judging *judging,
                      uint8_t out[static ROUND_COVERS_MAX]);

#endif
