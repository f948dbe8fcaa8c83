/* evidence_fixture: words that contradict each other, signed in one line. */
#ifndef POT_TESTS_UNIT_EVIDENCE_FIXTURE_H
#define POT_TESTS_UNIT_EVIDENCE_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/key.h"
#include "proto/chain.pb-c.h"

/* Who signs, on which chain, at which height. */
struct evidence_signer {
    const struct key *key;
    const struct hash *chain;
    uint64_t height;
};

/* evidence_vote: for the digest that salt stands for. */
Pot__SignedWord *evidence_vote(const struct evidence_signer *signer,
                               Pot__Phase phase, uint64_t view, uint8_t salt);

/* evidence_change: to view, with a certificate of prepared_view; below 0:
 * with none.  is_shown: the certificate stands in the word. */
Pot__SignedWord *evidence_change(const struct evidence_signer *signer,
                                 uint64_t view, int prepared_view,
                                 bool is_shown);

/* evidence_body: takes the words, in whichever order they are given. */
Pot__EvidenceBody *evidence_body(const struct evidence_signer *signer,
                                 Pot__SignedWord *first,
                                 Pot__SignedWord *second);

/* evidence_proof: takes body; by finder. */
Pot__Signed *evidence_proof(const struct hash *chain, const struct key *finder,
                            Pot__EvidenceBody *body);

/* evidence_of: a proof by finder that accused committed to two blocks. */
Pot__Signed *evidence_of(const struct hash *chain, const struct key *accused,
                         uint64_t height, const struct key *finder);

#endif
