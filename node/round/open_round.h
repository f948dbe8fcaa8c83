/* open_round: one open round as a node sees it: its commitments
 * (node/round/committing.h), its submissions and this
 * validator's verdicts on them (node/round/judging.h), the attestations
 * (node/round/attesting.h), and whether it could be closed. */
#ifndef POT_NODE_ROUND_OPEN_ROUND_H
#define POT_NODE_ROUND_OPEN_ROUND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "ledger/round_update.h"
#include "proto/round.h"
#include "proto/state.pb-c.h"

struct group;
struct group_word;
struct owed_rule;
struct rounds_shared;
struct open_round; /* opaque: node/round/open_round.c */

/* open_round_new: of a running task; takes the record.  shared is
 * borrowed and outlives it.  pace_ms: see committing_new. */
struct open_round *open_round_new(struct rounds_shared *shared,
                                  const struct hash *task,
                                  Pot__TaskRecord *record, uint64_t pace_ms);

/* open_round_pace: see committing_pace; the record is the task's behind it. */
uint64_t open_round_pace(const struct open_round *round,
                         const Pot__TaskRecord *record);

/* open_round_free: without a word to anyone. */
void open_round_free(struct open_round *round);

/* open_round_close: the tip closed it: the same, and see judging_close. */
void open_round_close(struct open_round *round);

const struct hash *open_round_task(const struct open_round *round);
uint32_t open_round_number(const struct open_round *round);

/* open_round_is_of: the record's task has this very round open still; NULL
 * is a task that is gone. */
bool open_round_is_of(const struct open_round *round,
                      const Pot__TaskRecord *record);

/* open_round_fits: the submission may be listed in it. */
bool open_round_fits(const struct open_round *round,
                     const struct round_submission *submission);

/* open_round_has: the miner is in its roster. */
bool open_round_has(const struct open_round *round,
                    const struct public_key *miner);

/* open_round_commitment: see committing_take. */
bool open_round_commitment(struct open_round *round,
                           const struct round_commitment *opened);

/* open_round_hold_back: a miner's message of that type, which was taken here:
 * see held_back_add. */
void open_round_hold_back(struct open_round *round, uint8_t type,
                          const Pot__Signed *message);

/* open_round_is_promised: see committing_holds. */
bool open_round_is_promised(const struct open_round *round,
                            const struct round_submission *submission);

/* open_round_may_reveal: see committing_is_over. */
bool open_round_may_reveal(const struct open_round *round);

/* open_round_submission: see judging_take; the submission fits.  A validator
 * takes what was committed to. */
bool open_round_submission(struct open_round *round,
                           struct round_submission *opened,
                           const Pot__Signed *message, uint64_t peer_id);

/* open_round_attestation: see attesting_take. */
bool open_round_attestation(struct open_round *round,
                            struct round_attestation *opened,
                            const Pot__Signed *message);

/* open_round_tell: see own_words_tell. */
void open_round_tell(const struct open_round *round, uint64_t peer_id);

/* open_round_group: takes what is in it, of this round; see groups_take.
 * open_round_group_word: see groups_word. */
bool open_round_group(struct open_round *round, struct group *group);
void open_round_group_word(struct open_round *round,
                           const struct group_word *word, uint64_t peer_id);

/* open_round_refresh: behind a block that left it open. */
void open_round_refresh(struct open_round *round);

/* open_round_tick: as time passes.  In: shared has a key. */
void open_round_tick(struct open_round *round, uint64_t now_ms);

/* open_round_should_close: in a block of that height: everyone is in, or
 * those who are missing had their time. */
bool open_round_should_close(struct open_round *round, uint64_t height);

/* open_round_is_overdue: it was to be closed in the block of that height, which
 * is there and did not, and not the first one so (node/block/owed.h). */
bool open_round_is_overdue(struct open_round *round, uint64_t height,
                           const struct owed_rule *rule);

/* open_round_collect: what it can be closed with, a copy of its own:
 * round_candidate_fini. */
void open_round_collect(const struct open_round *round,
                        struct round_candidate *out);

#endif
