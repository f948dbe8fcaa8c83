/* spare: votes that nothing waits for any more: prepares for the block that
 * this replica has committed to in the view, and votes for the block that was
 * decided on, at this height or the last.  With quorums of three out of four,
 * the third prepare and the fourth commit.
 *
 * All that such a one may still do is contradict another word of its signer,
 * so its signature is checked if there is another: until then it is kept as it
 * came, and counts for nothing.  It has to come from its signer itself: in the
 * place of one that holds, others could else put one that does not. */
#ifndef POT_CONSENSUS_SPARE_H
#define POT_CONSENSUS_SPARE_H

#include <stdbool.h>

#include "base/key.h"
#include "proto/consensus.pb-c.h"

struct pbft;

/* spare_is: of any message that decodes; from is whose connection brought it.
 * spare_keep: one of which this is so now. */
bool spare_is(struct pbft *p, const Pot__ConsensusMessage *message,
              const struct public_key *from);
void spare_keep(struct pbft *p, const Pot__ConsensusMessage *message);

#endif
