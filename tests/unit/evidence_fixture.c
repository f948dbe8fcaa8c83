#include "config.h"

#include "tests/unit/evidence_fixture.h"

#include "base/alloc.h"
#include "proto/codec.h"
#include "proto/evidence.h"
#include "proto/signed.h"
#include "proto/vote.h"
#include "proto/word.h"

static Pot__SignedWord *make_word(Pot__Phase phase, uint64_t view,
                                  const struct hash *digest,
                                  const struct signature *signature)
{
    Pot__SignedWord *word = pot_alloc(sizeof(*word));
    pot__signed_word__init(word);
    word->phase = phase;
    word->view = view;
    word->digest = codec_copy_bytes(digest->b, HASH_SIZE);
    word->signature = codec_copy_bytes(signature->b, SIGNATURE_SIZE);
    return word;
}

Pot__SignedWord *evidence_vote(const struct evidence_signer *signer,
                               Pot__Phase phase, uint64_t view, uint8_t salt)
{
    struct signature signature;
    struct vote vote = {phase, signer->height, view, {{salt}}, 0};
    vote_sign(&signature, signer->key, signer->chain, &vote);
    return make_word(phase, view, &vote.digest, &signature);
}

static Pot__PreparedCertificate *make_prepared(uint64_t height, uint64_t view)
{
    Pot__PreparedCertificate *made = pot_alloc(sizeof(*made));
    pot__prepared_certificate__init(made);
    made->height = height;
    made->view = view;
    return made;
}

Pot__SignedWord *evidence_change(const struct evidence_signer *signer,
                                 uint64_t view, int prepared_view,
                                 bool is_shown)
{
    struct signature signature;
    Pot__PreparedCertificate *prepared =
        prepared_view < 0
            ? NULL
            : make_prepared(signer->height, (uint64_t)prepared_view);
    struct word said = word_view_change(signer->height, view, prepared);
    word_sign(&signature, signer->key, signer->chain, &said);
    Pot__SignedWord *word =
        make_word(POT__PHASE__PHASE_NONE, view, &said.hash, &signature);
    if (is_shown) {
        word->prepared = prepared;
    } else {
        codec_free(prepared);
    }
    return word;
}

Pot__EvidenceBody *evidence_body(const struct evidence_signer *signer,
                                 Pot__SignedWord *first,
                                 Pot__SignedWord *second)
{
    Pot__EvidenceBody *body = pot_alloc(sizeof(*body));
    pot__evidence_body__init(body);
    body->validator =
        codec_copy_bytes(key_public(signer->key)->b, PUBLIC_KEY_SIZE);
    body->height = signer->height;
    body->first = first;
    body->second = second;
    evidence_order(body);
    return body;
}

Pot__Signed *evidence_proof(const struct hash *chain, const struct key *finder,
                            Pot__EvidenceBody *body)
{
    Pot__Signed *proof = signed_make(SIGNED_EVIDENCE, chain, finder, body);
    codec_free(body);
    return proof;
}

Pot__Signed *evidence_of(const struct hash *chain, const struct key *accused,
                         uint64_t height, const struct key *finder)
{
    const struct evidence_signer signer = {accused, chain, height};
    const Pot__Phase commit = POT__PHASE__PHASE_COMMIT;
    return evidence_proof(chain, finder,
                          evidence_body(&signer,
                                        evidence_vote(&signer, commit, 0, 1),
                                        evidence_vote(&signer, commit, 0, 2)));
}
