/* signed: a body with its author's key and signature.  Transactions,
 * submissions, attestations, evidence, groups and words on them are
 * Pot__Signed, told apart by `what`, which enters the signature and the hash.
 */
#ifndef POT_PROTO_SIGNED_H
#define POT_PROTO_SIGNED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"
#include "base/key_claim.h"
#include "proto/chain.pb-c.h"

#define SIGNED_TX          "tx"
#define SIGNED_SUBMISSION  "submission"
#define SIGNED_COMMITMENT  "commitment"
#define SIGNED_ATTESTATION "attestation"
#define SIGNED_EVIDENCE    "evidence"
#define SIGNED_GROUP       "group"
#define SIGNED_GROUP_WORD  "group-word"

/* signed_make: packs body (a TxBody, SubmissionBody, CommitmentBody,
 * AttestationBody, EvidenceBody, GroupBody, GroupWordBody) and signs it.  The
 * result is fresh; codec_free releases it.  NULL: the key is remote and did not
 * sign. */
Pot__Signed *signed_make(const char *what, const struct hash *chain,
                         const struct key *key, const void *body);

/* signed_claim: what its signature says; false: a size is wrong. */
bool signed_claim(struct key_claim *out, const char *what,
                  const struct hash *chain, const Pot__Signed *message);

/* signed_verify: sizes and signature are right.  About 50 us: keep it off
 * the loop. */
bool signed_verify(const char *what, const struct hash *chain,
                   const Pot__Signed *message);

/* signed_hash: over body, key and signature. */
void signed_hash(struct hash *out, const char *what,
                 const Pot__Signed *message);

/* signed_tx_of: the body of a transaction if it does this; codec_free releases
 * it.  NULL: it does something else, or is malformed.  What a block has few of
 * is found so without decoding all of it. */
Pot__TxBody *signed_tx_of(const Pot__Signed *tx,
                          Pot__TxBody__ActionCase action);

/* signed_copy: a deep copy; codec_free releases it. */
Pot__Signed *signed_copy(const Pot__Signed *message);

/* signed_list_copy: count deep copies in fresh memory.
 * signed_list_free: releases such a list and all that is in it. */
Pot__Signed **signed_list_copy(const Pot__Signed *const *messages,
                               size_t count);
void signed_list_free(Pot__Signed **messages, size_t count);

#endif
