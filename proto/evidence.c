#include "config.h"

#include "proto/evidence.h"

#include "base/check.h"
#include "base/limits.h"
#include "proto/codec.h"
#include "proto/signed.h"
#include "proto/vote.h"
#include "proto/word.h"

#include <string.h>

static bool is_change(const Pot__SignedWord *word)
{
    return word->phase == POT__PHASE__PHASE_NONE;
}

static bool is_well_formed(const Pot__SignedWord *word)
{
    if (word == NULL || word->digest.len != HASH_SIZE ||
        word->signature.len != SIGNATURE_SIZE || word->view > VIEW_MAX) {
        return false;
    }
    switch (word->phase) {
    case POT__PHASE__PHASE_NONE:
        return word->view > 0;
    case POT__PHASE__PHASE_PRE_PREPARE:
    case POT__PHASE__PHASE_PREPARE:
    case POT__PHASE__PHASE_COMMIT:
        return word->prepared == NULL;
    case _POT__PHASE_IS_INT_SIZE:
        break;
    }
    return false;
}

static int compare(const Pot__SignedWord *a, const Pot__SignedWord *b)
{
    if (is_change(a) != is_change(b)) {
        return is_change(a) ? 1 : -1;
    }
    return memcmp(a->digest.data, b->digest.data, HASH_SIZE);
}

void evidence_order(Pot__EvidenceBody *body)
{
    Pot__SignedWord *first = body->first;
    if (compare(first, body->second) > 0) {
        body->first = body->second;
        body->second = first;
    }
}

/* The view change shows less than its signer had when it committed.  What it
 * shows is in the word when it is something. */
static bool forgets(const Pot__SignedWord *commit,
                    const Pot__SignedWord *change, uint64_t height)
{
    const Pot__PreparedCertificate *prepared = change->prepared;
    struct word shown = word_view_change(height, change->view, prepared);
    return commit->phase == POT__PHASE__PHASE_COMMIT &&
           change->view > commit->view &&
           codec_bytes_equal(change->digest, shown.hash.b, HASH_SIZE) &&
           (prepared == NULL || prepared->view < commit->view);
}

static bool conflict(const Pot__EvidenceBody *body)
{
    const Pot__SignedWord *a = body->first;
    const Pot__SignedWord *b = body->second;
    if (is_change(a) != is_change(b)) {
        return forgets(a, b, body->height);
    }
    return a->view == b->view && a->prepared == NULL && b->prepared == NULL;
}

static bool is_signed(const Pot__EvidenceBody *body,
                      const Pot__SignedWord *signed_word,
                      const struct hash *chain)
{
    struct hash digest;
    struct public_key key;
    struct signature signature;
    bool is_sized = codec_hash(&digest, signed_word->digest) &&
                    codec_key(&key, body->validator) &&
                    codec_signature(&signature, signed_word->signature);
    POT_ASSERT(is_sized);
    if (is_change(signed_word)) {
        struct word word = {WORD_VIEW_CHANGE, body->height, signed_word->view,
                            digest};
        return word_verify(&key, chain, &word, &signature);
    }
    struct vote vote = {signed_word->phase, body->height, signed_word->view,
                        digest, 0};
    return vote_verify_key(&key, chain, &vote, &signature);
}

static bool has_form(const Pot__EvidenceBody *body)
{
    return body->validator.len == PUBLIC_KEY_SIZE && body->height > 0 &&
           is_well_formed(body->first) && is_well_formed(body->second);
}

enum evidence_verdict evidence_check_body(const struct hash *chain,
                                          const Pot__EvidenceBody *body)
{
    if (!has_form(body)) {
        return EVIDENCE_MALFORMED;
    }
    int order = compare(body->first, body->second);
    if (order >= 0) {
        return order == 0 ? EVIDENCE_NO_CONFLICT : EVIDENCE_ORDER;
    }
    if (!conflict(body)) {
        return EVIDENCE_NO_CONFLICT;
    }
    return is_signed(body, body->first, chain) &&
                   is_signed(body, body->second, chain)
               ? EVIDENCE_PROVES
               : EVIDENCE_FORGED;
}

Pot__EvidenceBody *evidence_decode(const Pot__Signed *proof)
{
    Pot__EvidenceBody *body = NULL;
    if (proof == NULL || proof->public_key.len != PUBLIC_KEY_SIZE ||
        proof->body.len > EVIDENCE_BYTES_MAX ||
        CODEC_DECODE(&body, pot__evidence_body, proof->body.data,
                     proof->body.len) != POT_OK) {
        return NULL;
    }
    if (!has_form(body)) {
        codec_free(body);
        return NULL;
    }
    return body;
}

enum evidence_verdict evidence_check(const struct hash *chain,
                                     const Pot__Signed *proof)
{
    Pot__EvidenceBody *body = evidence_decode(proof);
    if (body == NULL) {
        return EVIDENCE_MALFORMED;
    }
    enum evidence_verdict verdict = evidence_check_body(chain, body);
    codec_free(body);
    if (verdict == EVIDENCE_PROVES &&
        !signed_verify(SIGNED_EVIDENCE, chain, proof)) {
        verdict = EVIDENCE_UNSIGNED;
    }
    return verdict;
}

const char *evidence_kind(const Pot__EvidenceBody *body)
{
    if (!is_change(body->second)) {
        return "votes";
    }
    return is_change(body->first) ? "view_changes" : "commit_and_view_change";
}

const char *evidence_verdict_text(enum evidence_verdict verdict)
{
    static const char *const texts[] = {
#define X(code, text) text,
        EVIDENCE_VERDICT_MAP(X)
#undef X
    };
    POT_ASSERT((size_t)verdict < sizeof(texts) / sizeof(*texts));
    return texts[verdict];
}
