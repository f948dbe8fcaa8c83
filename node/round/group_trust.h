/* group_trust: which aggregators' groups are worth waiting for.
 *
 * Whose last group came out right is waited for; whose did not come out is not,
 * until one does again: so nobody makes rounds late more often than it makes
 * them cheap.  Who was caught at a lie is heard no more while it is
 * remembered.  Nor is a group waited for that draws a validator whose last word
 * on one was none, came too late, or was not true. */
#ifndef POT_NODE_ROUND_GROUP_TRUST_H
#define POT_NODE_ROUND_GROUP_TRUST_H

#include <stdbool.h>

#include "base/key.h"
#include "base/recent_set.h"

struct group;
struct validator_set;

#define GROUP_TRUST_MAX 1024 /* of each kind */

struct group_trust {
    struct recent_set proven;
    struct recent_set liars;
    struct recent_set silent; /* validators */
};

void group_trust_init(struct group_trust *trust);
void group_trust_fini(struct group_trust *trust);

bool group_trust_waits(const struct group_trust *trust,
                       const struct public_key *aggregator);

/* group_trust_is_worth: a group is waited for, by the validators of now. */
bool group_trust_is_worth(const struct group_trust *trust,
                          const struct group *group,
                          const struct validator_set *set);

bool group_trust_is_liar(const struct group_trust *trust,
                         const struct public_key *aggregator);

/* group_trust_right, _late, _lied: what became of a group of its. */
void group_trust_right(struct group_trust *trust,
                       const struct public_key *aggregator);
void group_trust_late(struct group_trust *trust,
                      const struct public_key *aggregator);
void group_trust_lied(struct group_trust *trust,
                      const struct public_key *aggregator);

bool group_trust_is_silent(const struct group_trust *trust,
                           const struct public_key *validator);

/* group_trust_silent, _spoke: a drawn validator's word did not come in time or
 * was not true; or it came. */
void group_trust_silent(struct group_trust *trust,
                        const struct public_key *validator);
void group_trust_spoke(struct group_trust *trust,
                       const struct public_key *validator);

#endif
