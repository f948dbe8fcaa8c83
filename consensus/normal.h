/* normal: the normal case (section 4.2): pre-prepare, prepare, commit.
 *
 *   primary   PROPOSE -> block -> CHECK -> pre-prepare
 *   backup    pre-prepare -> CHECK -> prepare
 *   all       a quorum less one of prepares -> prepared -> commit
 *             a quorum of commits -> decided (decision.h)
 *
 * Nothing is voted for that the ledger has not found valid.  Messages are
 * verified and of the replica's height. */
#ifndef POT_CONSENSUS_NORMAL_H
#define POT_CONSENSUS_NORMAL_H

#include "consensus/pbft.h"
#include "proto/vote.h"

/* normal_propose: the primary's block, when it may propose one now: what its
 * new view selects, or else a fresh one. */
void normal_propose(struct pbft *p);

/* normal_propose_later: the same, in a while. */
void normal_propose_later(struct pbft *p);

/* The answers to PROPOSE and CHECK. */
void normal_on_proposal(struct pbft *p, const struct pbft_event *event);
void normal_on_checked(struct pbft *p, const struct pbft_event *event);

void normal_on_pre_prepare(struct pbft *p, const Pot__PrePrepare *message);
void normal_on_vote(struct pbft *p, const Pot__Vote *message);
void normal_on_block_reply(struct pbft *p, const Pot__BlockReply *message);

/* normal_add_vote: into the log, and what follows from it; two different
 * votes of one replica are evidence. */
void normal_add_vote(struct pbft *p, const struct vote *vote,
                     const struct signature *signature);

/* normal_try_prepared: "prepared(m, v, n, i)" holds when the replica has the
 * block, a pre-prepare for it and 2f matching prepares of other backups; it
 * then commits. */
void normal_try_prepared(struct pbft *p);

/* normal_resume: a replica that was silent takes up the view where it is. */
void normal_resume(struct pbft *p);

#endif
