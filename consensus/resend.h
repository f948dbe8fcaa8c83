/* resend: any message may be lost at any time: everything that others need
 * for progress at this height is sent again, votes at every tick, blocks ever
 * more seldom and only to those who have not voted for them. */
#ifndef POT_CONSENSUS_RESEND_H
#define POT_CONSENSUS_RESEND_H

#include <stdint.h>

struct pbft;

/* resend_tick: sends again, and sets the timer of the next time.
 * resend_later: the timer alone. */
void resend_tick(struct pbft *p);
void resend_later(struct pbft *p);

/* resend_new_view: tells one replica how this view was opened; once a tick
 * each, nothing in the first view. */
void resend_new_view(struct pbft *p, uint32_t replica);

#endif
