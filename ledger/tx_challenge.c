#include "config.h"

#include "ledger/challenge.h"
#include "ledger/plants.h"
#include "ledger/tx_kind.h"
#include "proto/codec.h"
#include "proto/round.h"

static enum tx_verdict check_challenge(const Pot__TxBody *body)
{
    struct round_submission submission;
    const Pot__Signed *message = body->challenge->submission;
    ProtobufCBinaryData plant = body->challenge->plant;
    if (message == NULL || (plant.len != 0 && plant.len != HASH_SIZE) ||
        round_submission_decode(&submission, message) != POT_OK) {
        return TX_MALFORMED;
    }
    round_submission_fini(&submission);
    return TX_ACCEPTED;
}

static enum tx_verdict tx_challenge(const struct tx_run *run,
                                    const Pot__TxBody *body)
{
    struct round_submission submission;
    struct hash secret;
    bool is_plant = codec_hash(&secret, body->challenge->plant);
    if (round_submission_decode(&submission, body->challenge->submission) !=
        POT_OK) {
        return TX_MALFORMED;
    }
    enum tx_verdict verdict =
        challenge_open(&run->env->state, run->params, run->block, &run->sender,
                       &submission, is_plant ? &secret : NULL);
    round_submission_fini(&submission);
    return verdict;
}

const struct tx_kind tx_kind_challenge = {check_challenge, tx_challenge};

static enum tx_verdict check_settle(const Pot__TxBody *body)
{
    const Pot__SettleChallenge *settle = body->settle_challenge;
    return settle->submission.len == HASH_SIZE ? TX_ACCEPTED : TX_MALFORMED;
}

static enum tx_verdict tx_settle_challenge(const struct tx_run *run,
                                           const Pot__TxBody *body)
{
    return challenge_settle(run->env, run->params, run->block,
                            body->settle_challenge);
}

const struct tx_kind tx_kind_settle_challenge = {check_settle,
                                                 tx_settle_challenge};

static enum tx_verdict check_expose(const Pot__TxBody *body)
{
    const Pot__ExposePlant *expose = body->expose_plant;
    return expose->submission.len == HASH_SIZE && expose->plant.len == HASH_SIZE
               ? TX_ACCEPTED
               : TX_MALFORMED;
}

static enum tx_verdict tx_expose_plant(const struct tx_run *run,
                                       const Pot__TxBody *body)
{
    return plants_expose(&run->env->state, body->expose_plant);
}

const struct tx_kind tx_kind_expose_plant = {check_expose, tx_expose_plant};
