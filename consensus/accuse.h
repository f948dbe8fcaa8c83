/* accuse: what the words heard of one height prove about their signers
 * (proto/evidence.h).
 *
 * Words are compared as they come: those of the height being agreed on, and
 * of the one before, what comes late.  The latter while the validator set is
 * the same: a message is verified with the present one.
 *
 * Who committed another block at the last height is shown what committed this
 * one: if both stand, more than f are faulty, and both sides now know whom to
 * accuse. */
#ifndef POT_CONSENSUS_ACCUSE_H
#define POT_CONSENSUS_ACCUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "consensus/votes.h"
#include "proto/consensus.pb-c.h"

struct pbft;

/* What was heard of the last height.  A zeroed struct heard nothing. */
struct heard {
    uint64_t height; /* 0: nothing is kept */
    uint64_t set_id;
    struct hash committed;
    struct votes votes;
    Pot__ViewChange *changes[VALIDATORS_MAX]; /* the latest of each */
    bool is_accused[VALIDATORS_MAX];
};

/* accuse_vote, accuse_change: compare a verified word of the present height
 * with those that are in the logs; it is not in them yet. */
void accuse_vote(struct pbft *p, const struct vote *vote,
                 const struct signature *signature);
void accuse_change(struct pbft *p, const Pot__ViewChange *change);

/* accuse_agrees: that nothing in the logs of its height, this one or the last,
 * contradicts a vote, checked or not. */
bool accuse_agrees(struct pbft *p, const struct vote *vote);

/* accuse_keep: the height ends with this block: its words become those of
 * the last one.  Before the height is cleared, and with the set it had.
 * accuse_forget: nothing is kept. */
void accuse_keep(struct pbft *p, const struct hash *committed);
void accuse_forget(struct pbft *p);

/* accuse_late: a verified message of the last height, if it can be used. */
bool accuse_is_late(const struct pbft *p, uint64_t height);
void accuse_late(struct pbft *p, const Pot__ConsensusMessage *message);

/* accuse_answer: shows what committed the last height to those who committed
 * to another block in the same view. */
void accuse_answer(struct pbft *p);

#endif
