/* known_commits: commits that were checked when they came, so that the
 * certificate of them in the next block is not checked again
 * (verified_has_vote). */
#ifndef POT_NODE_BLOCK_KNOWN_COMMITS_H
#define POT_NODE_BLOCK_KNOWN_COMMITS_H

#include "proto/chain.pb-c.h"
#include "proto/consensus.pb-c.h"

struct validator_set;
struct verified;

/* known_commits_add: the message, if it is a commit; set is what it was
 * verified by. */
void known_commits_add(struct verified *verified,
                       const struct validator_set *set,
                       const Pot__ConsensusMessage *message);

/* known_commits_add_all: all that a certificate is made of; likewise. */
void known_commits_add_all(struct verified *verified,
                           const struct validator_set *set,
                           const Pot__CommitCertificate *certificate);

#endif
