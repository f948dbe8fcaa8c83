/* view_change: how views are opened (section 4.4).
 *
 * A replica whose timer ran out says that it leaves its view (view_give_up),
 * with the highest prepared certificate it holds.  The primary of the next
 * view collects a quorum of such view changes into a new view; whatever of
 * the certificates in it is of the highest view names the block to propose
 * again.
 *
 * Three rules keep it live (section 4.5.2):
 *   - the timer of a view change runs only once a quorum wants to be in that
 *     view or a later one, so a lone replica or half a network does not run
 *     away in views;
 *   - it doubles each time;
 *   - a replica that sees f + 1 others in later views goes there at once. */
#ifndef POT_CONSENSUS_VIEW_CHANGE_H
#define POT_CONSENSUS_VIEW_CHANGE_H

#include "proto/consensus.pb-c.h"

struct pbft;

/* Verified messages of the replica's height. */
void view_change_on_message(struct pbft *p, const Pot__ViewChange *message);
void view_change_on_new_view(struct pbft *p, const Pot__NewView *message);

/* view_change_on_own: the own view change is durable, and counts. */
void view_change_on_own(struct pbft *p);

/* view_change_resume: after a restart: the record said that the view was not
 * open yet, or what opened it is forgotten. */
void view_change_resume(struct pbft *p);

#endif
