#include "config.h"

#include "node/block/known_commits.h"

#include "node/hold/verified.h"
#include "proto/codec.h"
#include "proto/validator_set.h"
#include "proto/vote.h"

static void add(struct verified *verified, const struct validator_set *set,
                const struct vote *vote, const struct signature *signature)
{
    struct hash id;
    if (vote->replica < set->count) {
        vote_id(&id, &set->keys[vote->replica], vote, signature);
        verified_add_vote(verified, &id);
    }
}

void known_commits_add(struct verified *verified,
                       const struct validator_set *set,
                       const Pot__ConsensusMessage *message)
{
    struct vote vote;
    struct signature signature;
    if (message->kind_case == POT__CONSENSUS_MESSAGE__KIND_COMMIT &&
        vote_decode(&vote, &signature, message->commit)) {
        add(verified, set, &vote, &signature);
    }
}

void known_commits_add_all(struct verified *verified,
                           const struct validator_set *set,
                           const Pot__CommitCertificate *certificate)
{
    struct signature signature;
    struct vote vote = {
        .phase = POT__PHASE__PHASE_COMMIT,
        .height = certificate->height,
        .view = certificate->view,
    };
    bool is_right = codec_hash(&vote.digest, certificate->digest);
    for (size_t i = 0; is_right && i < certificate->n_signatures; i++) {
        const Pot__VoteSignature *each = certificate->signatures[i];
        vote.replica = each->replica;
        if (codec_signature(&signature, each->signature)) {
            add(verified, set, &vote, &signature);
        }
    }
}
