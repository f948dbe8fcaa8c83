/* tx_reply: what a node says of a transaction that no block has taken. */
#ifndef POT_CTL_TX_REPLY_H
#define POT_CTL_TX_REPLY_H

#include "ctl/client.h"
#include "ctl/ctl.h"

#define TX_BEHIND_SIZE 512

/* tx_behind: what a waiting transaction waits behind in vain, as a clause for
 * people: an earlier one that was dropped; empty if it does not. */
void tx_behind(char out[static TX_BEHIND_SIZE], const json_t *reply);

/* tx_dropped: notes why no block can take it any more, and behind, if not
 * empty. */
enum exit_code tx_dropped(struct ctl *ctl, const struct client_reply *reply,
                          const char *behind);

#endif
