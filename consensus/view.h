/* view: a replica's place in the turns of primaries: leaving a view for a
 * later one, and what a new view asks for (section 4.4). */
#ifndef POT_CONSENSUS_VIEW_H
#define POT_CONSENSUS_VIEW_H

#include <stdint.h>

#include "consensus/pbft.h"
#include "proto/consensus.pb-c.h"

struct pbft;

/* view_clear: forgets all that belongs to one view alone. */
void view_clear(struct pbft *p);

/* view_leave: on to a later view, where nothing has happened yet. */
void view_leave(struct pbft *p, uint64_t view, enum pbft_change why);

/* view_give_up: leaves for a later view and says so; nothing once the height
 * is decided, or for who may not vote. */
void view_give_up(struct pbft *p, uint64_t view, enum pbft_change why);

/* view_say_change: signs the replica's word that it has left all views before
 * this one, with what it claims to have prepared; into the outbox. */
void view_say_change(struct pbft *p);

/* view_selected: the certificate of the highest view in new_view: its block
 * is to be proposed again, since no other can have been committed.  Borrowed;
 * NULL: the primary is free, as it is without a new view (NULL). */
const Pot__PreparedCertificate *view_selected(const Pot__NewView *new_view);

#endif
