#include "config.h"

#include "node/block/block_lists.h"

#include "base/alloc.h"
#include "base/check.h"
#include "ledger/ledger.h"
#include "proto/block.h"
#include "proto/codec.h"
#include "proto/evidence.h"
#include "proto/signed.h"
#include "storage/store.h"

#include <stdlib.h>

static size_t count_rewards(const Pot__Block *body)
{
    size_t count = 0;
    for (size_t i = 0; i < body->n_round_updates; i++) {
        count += body->round_updates[i]->n_rewards +
                 body->round_updates[i]->n_slashes;
    }
    return count + 2 * body->n_evidence;
}

static void add_rewards(struct store_reward *out, size_t *count,
                        const Pot__RoundUpdate *update,
                        Pot__Reward *const *rewards, size_t reward_count)
{
    for (size_t i = 0; i < reward_count; i++) {
        struct store_reward *r = &out[(*count)++];
        bool is_right = codec_hash(&r->task, update->task) &&
                        codec_key(&r->to, rewards[i]->to);
        POT_ASSERT(is_right); /* the ledger took it */
        r->round = update->round;
        r->amount = rewards[i]->amount;
        r->reason = (uint32_t)rewards[i]->reason;
    }
}

static void add_reward(struct store_reward *out, const struct public_key *to,
                       uint64_t amount, Pot__RewardFor reason)
{
    *out = (struct store_reward){
        .to = *to, .amount = amount, .reason = (uint32_t)reason};
}

/* What comes of evidence is of no task. */
static void add_slashes(struct store_reward *out, size_t *count,
                        const Pot__Block *body)
{
    for (size_t i = 0; i < body->n_evidence; i++) {
        const Pot__Evidence *evidence = body->evidence[i];
        struct public_key accused;
        struct public_key finder;
        Pot__EvidenceBody *opened = evidence_decode(evidence->proof);
        POT_ASSERT(opened != NULL); /* the ledger took it */
        bool is_right = codec_key(&accused, opened->validator) &&
                        codec_key(&finder, evidence->proof->public_key);
        POT_ASSERT(is_right);
        codec_free(opened);
        add_reward(&out[(*count)++], &accused, evidence->slashed,
                   POT__REWARD_FOR__REWARD_SLASH);
        add_reward(&out[(*count)++], &finder, evidence->rewarded,
                   POT__REWARD_FOR__REWARD_EVIDENCE);
    }
}

/* A settled challenge is settled for good: its record says what came of it. */
static void add_outcome(struct block_lists *lists, size_t *count,
                        const Pot__SettleChallenge *settle,
                        const struct state *state)
{
    struct hash submission;
    bool is_right = codec_hash(&submission, settle->submission);
    POT_ASSERT(is_right); /* the ledger took it */
    Pot__ChallengeRecord *c = ledger_challenge(state, &submission);
    if (c == NULL) {
        return; /* the state cannot be read */
    }
    lists->rewards = pot_realloc(lists->rewards, *count + c->n_outcome + 1,
                                 sizeof(*lists->rewards));
    for (size_t i = 0; i < c->n_outcome; i++) {
        struct store_reward *r = &lists->rewards[(*count)++];
        *r = (struct store_reward){
            .round = c->round,
            .amount = c->outcome[i]->amount,
            .reason = (uint32_t)c->outcome[i]->reason,
        };
        is_right = codec_hash(&r->task, c->task) &&
                   codec_key(&r->to, c->outcome[i]->to);
        POT_ASSERT(is_right);
    }
    codec_free(c);
}

static void add_outcomes(struct block_lists *lists, size_t *count,
                         const Pot__Block *body, const struct state *state)
{
    for (size_t i = 0; i < body->n_txs; i++) {
        Pot__TxBody *tx =
            signed_tx_of(body->txs[i], POT__TX_BODY__ACTION_SETTLE_CHALLENGE);
        if (tx != NULL) {
            add_outcome(lists, count, tx->settle_challenge, state);
        }
        codec_free(tx);
    }
}

void block_lists_init(struct block_lists *lists, struct store_commit *commit,
                      const struct block *block, const struct state *state)
{
    const Pot__Block *body = block->body;
    lists->rewards = pot_calloc(count_rewards(body), sizeof(*lists->rewards));
    lists->rounds = pot_calloc(body->n_round_updates, sizeof(*lists->rounds));
    for (size_t i = 0; i < body->n_round_updates; i++) {
        const Pot__RoundUpdate *u = body->round_updates[i];
        add_rewards(lists->rewards, &commit->reward_count, u, u->rewards,
                    u->n_rewards);
        add_rewards(lists->rewards, &commit->reward_count, u, u->slashes,
                    u->n_slashes);
        bool is_right = codec_hash(&lists->rounds[i].task, u->task);
        POT_ASSERT(is_right);
        lists->rounds[i].round = u->round;
    }
    add_slashes(lists->rewards, &commit->reward_count, body);
    add_outcomes(lists, &commit->reward_count, body, state);
    commit->txs = block->txs;
    commit->tx_count = body->n_txs;
    commit->rewards = lists->rewards;
    commit->rounds = lists->rounds;
    commit->round_count = body->n_round_updates;
}

void block_lists_fini(struct block_lists *lists)
{
    free(lists->rewards);
    free(lists->rounds);
}
