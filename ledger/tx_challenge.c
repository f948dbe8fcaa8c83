#include "config.h"

#include "ledger/challenge.h"
#include "ledger/tx_kind.h"
#include "proto/round.h"

static enum tx_verdict check_challenge(const Pot__TxBody *body)
{
    struct round_submission submission;
    const Pot__Signed *message = body->challenge->submission;
    if (message == NULL ||
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
    if (round_submission_decode(&submission, body->challenge->submission) !=
        POT_OK) {
        return TX_MALFORMED;
    }
    enum tx_verdict verdict = challenge_open(
        &run->env->state, run->params, run->block, &run->sender, &submission);
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
    return challenge_settle(run->env, run->params, run->block->height,
                            body->settle_challenge);
}

const struct tx_kind tx_kind_settle_challenge = {check_settle,
                                                 tx_settle_challenge};
