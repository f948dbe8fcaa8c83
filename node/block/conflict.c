#include "config.h"

#include "node/block/conflict.h"

#include "base/alloc.h"
#include "node/block/validator_sets.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "proto/block.h"
#include "proto/codec.h"
#include "proto/evidence.h"
#include "proto/validator_set.h"

#include <stdlib.h>

static Pot__SignedWord commit_of(const Pot__CommitCertificate *certificate,
                                 const Pot__VoteSignature *by)
{
    Pot__SignedWord word = POT__SIGNED_WORD__INIT;
    word.phase = POT__PHASE__PHASE_COMMIT;
    word.view = certificate->view;
    word.digest = certificate->digest;
    word.signature = by->signature;
    return word;
}

static void accuse(struct conflict *out, uint64_t height,
                   const struct public_key *key, Pot__SignedWord first,
                   Pot__SignedWord second)
{
    Pot__EvidenceBody body = POT__EVIDENCE_BODY__INIT;
    struct public_key accused = *key;
    body.validator = codec_bytes(accused.b, PUBLIC_KEY_SIZE);
    body.height = height;
    body.first = &first;
    body.second = &second;
    evidence_order(&body);
    out->proofs[out->count].data =
        codec_encode(&out->proofs[out->count].size, &body);
    out->count++;
}

static bool is_of_both(struct hash *a_digest, struct hash *b_digest,
                       const Pot__CommitCertificate *a,
                       const Pot__CommitCertificate *b)
{
    return a->height == b->height && codec_hash(a_digest, a->digest) &&
           codec_hash(b_digest, b->digest);
}

void conflict_compare(struct conflict *out, const struct validator_set *set,
                      const Pot__CommitCertificate *a,
                      const Pot__CommitCertificate *b)
{
    struct hash ours;
    struct hash theirs;
    *out = (struct conflict){.count = 0};
    out->is_found =
        is_of_both(&ours, &theirs, a, b) && !hash_equal(&ours, &theirs);
    if (!out->is_found || a->view != b->view) {
        return;
    }
    out->proofs = pot_calloc(set->count, sizeof(*out->proofs));
    size_t j = 0; /* both are by ascending replica */
    for (size_t i = 0; i < a->n_signatures; i++) {
        uint32_t replica = a->signatures[i]->replica;
        while (j < b->n_signatures && b->signatures[j]->replica < replica) {
            j++;
        }
        if (j < b->n_signatures && b->signatures[j]->replica == replica &&
            replica < set->count && out->count < set->count) {
            accuse(out, a->height, &set->keys[replica],
                   commit_of(a, a->signatures[i]),
                   commit_of(b, b->signatures[j]));
        }
    }
}

void conflict_at_tip(struct conflict *out, const struct holdings *holdings,
                     uint64_t height, const struct hash *tip,
                     const struct block *block)
{
    struct hash parent;
    struct validator_set set;
    Pot__CommitCertificate *own;
    const Pot__CommitCertificate *theirs = block->body->last_commit;
    *out = (struct conflict){.count = 0};
    if (height == 0 || theirs == NULL || theirs->height != height ||
        !codec_hash(&parent, block->header->parent_hash) ||
        hash_equal(&parent, tip)) {
        return;
    }
    if (stored_certificate(&own, holdings->store, height) == POT_OK) {
        if (validator_sets_at(holdings, height, &set) == POT_OK) {
            conflict_compare(out, &set, own, theirs);
        }
        codec_free(own);
    }
}

void conflict_fini(struct conflict *conflict)
{
    for (size_t i = 0; i < conflict->count; i++) {
        free(conflict->proofs[i].data);
    }
    free(conflict->proofs);
    *conflict = (struct conflict){.count = 0};
}
