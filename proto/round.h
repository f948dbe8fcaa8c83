/* round: what miners and validators say in a round, opened and checked in
 * form; nothing here needs the state. */
#ifndef POT_PROTO_ROUND_H
#define POT_PROTO_ROUND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"
#include "base/limits.h"
#include "proto/chain.pb-c.h"

/* A loss is Q40.24 and its size below this. */
#define ROUND_LOSS_BOUND    (INT64_C(1) << 46)
#define ROUND_BLAS_CORE_MAX 32 /* bytes of a kernel's name */
#define ROUND_WORKERS_MAX   1024

struct round_submission {
    struct hash hash; /* of the signed message: its name in attestations */
    struct public_key miner;
    struct hash task;
    struct hash parameters;
    struct hash payload;
    struct hash digest; /* that a commitment to it has */
    struct hash name;   /* that groups call it by (proto/group.h) */
    Pot__SubmissionBody *body;
};

struct round_commitment {
    struct public_key miner;
    struct hash task;
    uint32_t round;
    struct hash digest;
};

struct round_attestation {
    struct hash hash;
    struct public_key validator;
    struct hash task;
    Pot__AttestationBody *body;
};

/* Bytes of a bit for each in the roster. */
#define ROUND_COVERS_MAX (ROSTER_MAX / 8)

/* round_seed: what decides which rows each miner trains on; block is the hash
 * of the block that opened the round. */
void round_seed(struct hash *out, const struct hash *task, uint32_t round,
                const struct hash *block);

/* round_submission_decode: decodes the body and checks sizes and bounds; the
 * signature is the caller's to check (signed_verify, SIGNED_SUBMISSION).
 *
 * Owns:   out->body; round_submission_fini releases it
 * Errors: POT_EFORMAT, POT_ELIMIT; there is nothing to close then */
POT_MUST_USE enum pot_err round_submission_decode(struct round_submission *out,
                                                  const Pot__Signed *message);
void round_submission_fini(struct round_submission *submission);

/* round_commitment_digest: of a submission: over its miner's key and its body,
 * in which task, round and salt stand. */
void round_commitment_digest(struct hash *out, const Pot__Signed *submission);

/* round_commitment_decode: as above; SIGNED_COMMITMENT; owns nothing. */
POT_MUST_USE enum pot_err round_commitment_decode(struct round_commitment *out,
                                                  const Pot__Signed *message);

/* round_attestation_decode: the same for an attestation; its judgements are by
 * ascending submission hash, nothing is judged twice; its draw is a hash or
 * nothing; one that closes, or is a pledge, judges and draws nothing. */
POT_MUST_USE enum pot_err round_attestation_decode(
    struct round_attestation *out, const Pot__Signed *message);
void round_attestation_fini(struct round_attestation *attestation);

/* round_verdict_on: what it says of a submission; POT__VERDICT__VERDICT_NONE
 * if nothing. */
Pot__Verdict round_verdict_on(const struct round_attestation *attestation,
                              const struct hash *submission);

/* round_is_pledge: it says but that it will be followed by another one. */
bool round_is_pledge(const struct round_attestation *attestation);

/* round_is_accept: accepted, audited or not. */
bool round_is_accept(Pot__Verdict verdict);

#endif
