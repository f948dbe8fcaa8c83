#include "config.h"

#include "consensus/spare.h"

#include "base/check.h"
#include "consensus/accuse.h"
#include "consensus/pbft_state.h"

#include <string.h>

/* False: the message is no vote, or not in its form. */
static bool open_vote(struct vote *vote, struct signature *signature,
                      const Pot__ConsensusMessage *message)
{
    Pot__Phase phase = POT__PHASE__PHASE_NONE;
    const Pot__Vote *shown = NULL;
    if (message->kind_case == POT__CONSENSUS_MESSAGE__KIND_PREPARE) {
        phase = POT__PHASE__PHASE_PREPARE;
        shown = message->prepare;
    } else if (message->kind_case == POT__CONSENSUS_MESSAGE__KIND_COMMIT) {
        phase = POT__PHASE__PHASE_COMMIT;
        shown = message->commit;
    }
    return shown != NULL && shown->phase == phase &&
           vote_decode(vote, signature, shown);
}

/* By its signer, not by us, and no prepare by a primary. */
static bool is_by(const struct pbft *p, const struct vote *vote,
                  const struct public_key *from)
{
    return vote->replica < p->set.count && vote->replica != p->self &&
           public_key_equal(&p->set.keys[vote->replica], from) &&
           (vote->phase != POT__PHASE__PHASE_PREPARE ||
            vote->replica != validator_set_primary(p->set.count, vote->view));
}

/* The block for which no more votes like this one are waited for, or NULL. */
static const struct hash *settled(const struct pbft *p, const struct vote *vote)
{
    const struct own_vote *commit = &p->own[POT__PHASE__PHASE_COMMIT];
    if (accuse_is_late(p, vote->height)) {
        return &p->last.committed;
    }
    if (vote->height != p->height) {
        return NULL;
    }
    if (p->decision.is_made) {
        return &p->decision.digest;
    }
    return vote->phase == POT__PHASE__PHASE_PREPARE && vote->view == p->view &&
                   !p->is_changing && commit->is_cast
               ? &commit->digest
               : NULL;
}

/* Another signature of the same is not kept beside it: one of the two may not
 * hold. */
static bool is_kept_otherwise(const struct votes *votes,
                              const struct vote *vote,
                              const struct signature *signature)
{
    const struct votes_entry *entry =
        votes_find(votes, vote->phase, vote->view, vote->replica);
    return entry != NULL &&
           memcmp(entry->signature.b, signature->b, SIGNATURE_SIZE) != 0;
}

static struct votes *log_of(struct pbft *p, const struct vote *vote)
{
    return vote->height == p->height ? &p->votes : &p->last.votes;
}

bool spare_is(struct pbft *p, const Pot__ConsensusMessage *message,
              const struct public_key *from)
{
    struct vote vote;
    struct signature signature;
    if (!open_vote(&vote, &signature, message) || !is_by(p, &vote, from)) {
        return false;
    }
    const struct hash *digest = settled(p, &vote);
    return digest != NULL && hash_equal(digest, &vote.digest) &&
           accuse_agrees(p, &vote) &&
           !is_kept_otherwise(log_of(p, &vote), &vote, &signature);
}

void spare_keep(struct pbft *p, const Pot__ConsensusMessage *message)
{
    struct vote vote;
    struct signature signature;
    bool is_open = open_vote(&vote, &signature, message);
    POT_ASSERT(is_open && vote.replica < p->set.count);
    votes_keep(log_of(p, &vote), &vote, &signature);
}
