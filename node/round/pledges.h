/* pledges: what the validators have pledged to say of an open round's
 * submissions, and since when they say it.
 *
 * A validator that has judged signs its attestation and keeps it back.  What it
 * gossips is a pledge: the attestation's hash, and of whom it speaks.  A later
 * pledge replaces an earlier one, as attestations do.  When everyone who is
 * expected was pledged on by a quorum, words are shown, each validator's all at
 * once: whoever waited for them has pledged nothing by then, or something
 * else.  So from then on pledges are closed, and an attestation is kept to its
 * pledge or it is not.
 *
 * Words are also shown, for there is no more to be had by waiting, when as many
 * as a round needs were pledged on by a quorum and the others have had half of
 * the time that closing would give them; at the latest at the view's limit; and
 * when more others show theirs than may be faulty.
 *
 * The loop's thread only; a validator that restarts begins anew. */
#ifndef POT_NODE_ROUND_PLEDGES_H
#define POT_NODE_ROUND_PLEDGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/round.h"
#include "proto/state.pb-c.h"

struct pledges; /* opaque: node/round/pledges.c */

/* pledges_new: of a task's open round, whose record is borrowed and outlives
 * it. */
struct pledges *pledges_new(const Pot__TaskRecord *task, uint64_t opened_ms);
void pledges_free(struct pledges *pledges);

/* pledges_most: so many pledges of a validator are taken in a round, and so
 * many attestations.  Each of an honest one says more than that before it, once
 * of each miner and once that it has audited; after a restart they begin anew.
 */
size_t pledges_most(const Pot__TaskRecord *task);

/* pledges_take: a pledge of a validator that has shown no words.  True: it is
 * in time, and later than what was held of it. */
bool pledges_take(struct pledges *pledges,
                  const struct round_attestation *pledge);

/* pledges_has: the validator is held to one.  pledges_keeps: to the attestation
 * of this hash. */
bool pledges_has(const struct pledges *pledges,
                 const struct public_key *validator);
bool pledges_keeps(const struct pledges *pledges,
                   const struct public_key *validator, const struct hash *hash);

/* pledges_all: calls is_so for each who is held to one; whether it always is.
 */
bool pledges_all(const struct pledges *pledges,
                 bool (*is_so)(const void *context,
                               const struct public_key *validator),
                 const void *context);

/* What else decides when words are shown. */
struct pledges_view {
    uint32_t validators;
    size_t shown;      /* of them, those that have shown words */
    size_t expected;   /* submissions that may still come */
    uint64_t limit_ms; /* when words are shown in any case */
};

/* pledges_look: true: words are shown now; it stays so. */
bool pledges_look(struct pledges *pledges, const struct pledges_view *view,
                  uint64_t now_ms);

/* pledges_ripe_ms: since when a quorum has pledged on as many as the round
 * needs.  pledges_shown_ms: since when words are shown.  0: not yet. */
uint64_t pledges_ripe_ms(const struct pledges *pledges);
uint64_t pledges_shown_ms(const struct pledges *pledges);

/* pledges_grace_ms: what those who are missing get once a round could be
 * closed: as long again as it took so far, and no less than 300 ms. */
uint64_t pledges_grace_ms(uint64_t opened_ms, uint64_t since_ms);

#endif
