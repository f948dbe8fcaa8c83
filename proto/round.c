#include "config.h"

#include "proto/round.h"

#include "proto/codec.h"
#include "proto/signed.h"

#include <string.h>

void round_seed(struct hash *out, const struct hash *task, uint32_t round,
                const struct hash *block)
{
    struct hasher h;
    hasher_init(&h, "round-seed");
    hasher_add(&h, task->b, HASH_SIZE);
    hasher_add_u32(&h, round);
    hasher_add(&h, block->b, HASH_SIZE);
    hasher_final(&h, out);
}

/* As OpenBLAS names its kernels: letters and digits. */
static bool is_core_name(const char *name)
{
    size_t size = 0;
    for (; name[size] != '\0'; size++) {
        char c = name[size];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9')) {
            return false;
        }
    }
    return size > 0 && size <= ROUND_BLAS_CORE_MAX;
}

static bool submission_is_well_formed(struct round_submission *s,
                                      const Pot__Signed *message)
{
    const Pot__SubmissionBody *body = s->body;
    return codec_key(&s->miner, message->public_key) &&
           message->signature.len == SIGNATURE_SIZE &&
           codec_hash(&s->task, body->task) &&
           codec_hash(&s->parameters, body->parameters_hash) &&
           codec_hash(&s->payload, body->payload_hash) && body->rows > 0 &&
           body->loss < ROUND_LOSS_BOUND && body->loss > -ROUND_LOSS_BOUND &&
           is_core_name(body->blas_core) &&
           body->workers <= ROUND_WORKERS_MAX && body->salt.len == HASH_SIZE &&
           (body->link.len == 0 || body->link.len == HASH_SIZE);
}

/* Of all but the signature. */
static void hash_content(struct hash *out, const char *what,
                         const Pot__Signed *submission)
{
    struct hasher h;
    hasher_init(&h, what);
    hasher_add_u64(&h, submission->public_key.len);
    hasher_add(&h, submission->public_key.data, submission->public_key.len);
    hasher_add(&h, submission->body.data, submission->body.len);
    hasher_final(&h, out);
}

enum pot_err round_submission_decode(struct round_submission *out,
                                     const Pot__Signed *message)
{
    struct round_submission s;
    enum pot_err err = CODEC_DECODE(&s.body, pot__submission_body,
                                    message->body.data, message->body.len);
    if (err != POT_OK) {
        return err;
    }
    if (!submission_is_well_formed(&s, message)) {
        codec_free(s.body);
        return POT_EFORMAT;
    }
    signed_hash(&s.hash, SIGNED_SUBMISSION, message);
    round_commitment_digest(&s.digest, message);
    hash_content(&s.name, "group-member", message);
    *out = s;
    return POT_OK;
}

void round_submission_fini(struct round_submission *submission)
{
    codec_free(submission->body);
    submission->body = NULL;
}

void round_commitment_digest(struct hash *out, const Pot__Signed *submission)
{
    hash_content(out, "commitment", submission);
}

enum pot_err round_commitment_decode(struct round_commitment *out,
                                     const Pot__Signed *message)
{
    Pot__CommitmentBody *body;
    enum pot_err err = CODEC_DECODE(&body, pot__commitment_body,
                                    message->body.data, message->body.len);
    if (err != POT_OK) {
        return err;
    }
    bool is_sound = codec_key(&out->miner, message->public_key) &&
                    message->signature.len == SIGNATURE_SIZE &&
                    codec_hash(&out->task, body->task) &&
                    codec_hash(&out->digest, body->digest);
    out->round = body->round;
    codec_free(body);
    return is_sound ? POT_OK : POT_EFORMAT;
}

static bool judgement_is_well_formed(const Pot__Judgement *judgement)
{
    return judgement->submission.len == HASH_SIZE &&
           (judgement->verdict == POT__VERDICT__VERDICT_REFUSE ||
            judgement->verdict == POT__VERDICT__VERDICT_PLANTED ||
            round_is_accept(judgement->verdict));
}

static bool pledge_is_well_formed(const Pot__AttestationBody *body)
{
    size_t size = body->covers.len;
    if (body->pledge.len == 0) {
        return size == 0;
    }
    return body->pledge.len == HASH_SIZE && size > 0 &&
           size <= ROUND_COVERS_MAX && body->covers.data[size - 1] != 0;
}

static bool attestation_is_well_formed(struct round_attestation *a,
                                       const Pot__Signed *message)
{
    const Pot__AttestationBody *body = a->body;
    if (!codec_key(&a->validator, message->public_key) ||
        message->signature.len != SIGNATURE_SIZE ||
        !codec_hash(&a->task, body->task) ||
        (body->draw.len != 0 && body->draw.len != HASH_SIZE) ||
        !pledge_is_well_formed(body) ||
        (body->closes && body->pledge.len > 0) ||
        ((body->closes || body->pledge.len > 0) &&
         (body->n_judgements > 0 || body->draw.len > 0))) {
        return false;
    }
    for (size_t i = 0; i < body->n_judgements; i++) {
        const Pot__Judgement *judgement = body->judgements[i];
        if (!judgement_is_well_formed(judgement)) {
            return false;
        }
        if (i > 0 && memcmp(body->judgements[i - 1]->submission.data,
                            judgement->submission.data, HASH_SIZE) >= 0) {
            return false;
        }
    }
    return true;
}

enum pot_err round_attestation_decode(struct round_attestation *out,
                                      const Pot__Signed *message)
{
    struct round_attestation a;
    enum pot_err err = CODEC_DECODE(&a.body, pot__attestation_body,
                                    message->body.data, message->body.len);
    if (err != POT_OK) {
        return err;
    }
    if (!attestation_is_well_formed(&a, message)) {
        codec_free(a.body);
        return POT_EFORMAT;
    }
    signed_hash(&a.hash, SIGNED_ATTESTATION, message);
    *out = a;
    return POT_OK;
}

void round_attestation_fini(struct round_attestation *attestation)
{
    codec_free(attestation->body);
    attestation->body = NULL;
}

Pot__Verdict round_verdict_on(const struct round_attestation *attestation,
                              const struct hash *submission)
{
    const Pot__AttestationBody *body = attestation->body;
    size_t low = 0;
    size_t high = body->n_judgements;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const Pot__Judgement *judgement = body->judgements[middle];
        int order =
            memcmp(judgement->submission.data, submission->b, HASH_SIZE);
        if (order == 0) {
            return judgement->verdict;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return POT__VERDICT__VERDICT_NONE;
}

bool round_is_pledge(const struct round_attestation *attestation)
{
    return attestation->body->pledge.len > 0;
}

bool round_is_accept(Pot__Verdict verdict)
{
    return verdict == POT__VERDICT__VERDICT_ACCEPT ||
           verdict == POT__VERDICT__VERDICT_ACCEPT_AUDITED;
}
