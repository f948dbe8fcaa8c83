#include "config.h"

#include "ledger/plants.h"

#include "base/check.h"
#include "ledger/record.h"
#include "ledger/roster.h"
#include "proto/codec.h"
#include "proto/draw.h"
#include "proto/plant.h"

bool plants_fit(const Pot__TaskRecord *task,
                const struct round_submission *submission)
{
    struct hash link;
    struct hash earlier;
    size_t index;
    const Pot__SubmissionBody *body = submission->body;
    if (task->spec->plant_rate_ppm == 0) {
        return body->link.len == 0;
    }
    if (!codec_hash(&link, body->link)) {
        return false;
    }
    struct roster members = roster_of_members(task);
    if (!roster_find(members, &submission->miner, &index) ||
        !codec_hash(&earlier, members.entries[index]->link)) {
        return true; /* its first one since it joined */
    }
    uint32_t shown = members.entries[index]->link_round;
    return body->round > shown &&
           draw_follows(&link, &earlier, body->round - shown);
}

void plants_keep(Pot__RosterEntry *member,
                 const struct round_submission *submission)
{
    struct hash link;
    if (codec_hash(&link, submission->body->link)) {
        codec_set_hash(&member->link, &link);
        member->link_round = submission->body->round;
    }
}

static bool walk_back(struct hash *secret, const Pot__RosterEntry *member,
                      uint32_t round)
{
    struct hash link;
    if (!codec_hash(&link, member->link) || member->link_round <= round ||
        member->link_round - round > DRAW_GAP_MAX) {
        return false;
    }
    draw_walk(secret, &link, member->link_round - round - 1);
    return true;
}

bool plants_known(struct hash *secret, const struct state *state,
                  const Pot__ChallengeRecord *challenge)
{
    struct hash hash;
    struct hash walked;
    struct public_key miner;
    size_t index;
    bool is_right = codec_hash(&hash, challenge->task) &&
                    codec_key(&miner, challenge->miner);
    POT_ASSERT(is_right);
    Pot__TaskRecord *task = ledger_task(state, &hash);
    bool is_known = task != NULL &&
                    roster_find(roster_of_members(task), &miner, &index) &&
                    walk_back(secret, task->members[index], challenge->round);
    codec_free(task);
    if (is_known) { /* unless it has begun another chain since */
        draw_walk(&walked, secret, 1);
        is_known = codec_bytes_equal(challenge->link, walked.b, HASH_SIZE);
    }
    return is_known;
}

bool ledger_is_plant(const struct state *state,
                     const Pot__ChallengeRecord *challenge,
                     const struct hash *secret)
{
    struct hash hash;
    struct hash link;
    struct hash theta;
    struct public_key miner;
    bool is_right = codec_hash(&hash, challenge->task) &&
                    codec_key(&miner, challenge->miner);
    POT_ASSERT(is_right);
    Pot__TaskRecord *task = ledger_task(state, &hash);
    Pot__ClosedRecord *closed = ledger_closed(state, &hash, challenge->round);
    bool is_plant =
        task != NULL && closed != NULL && codec_hash(&link, challenge->link) &&
        codec_hash(&theta, closed->parameters_hash) &&
        plant_is_due(secret, &link, &theta, &miner, task->spec->plant_rate_ppm);
    codec_free(closed);
    codec_free(task);
    return is_plant;
}

enum tx_verdict plants_expose(const struct state *state,
                              const Pot__ExposePlant *expose)
{
    struct hash submission;
    struct hash secret;
    enum tx_verdict verdict = TX_ACCEPTED;
    bool is_right = codec_hash(&submission, expose->submission) &&
                    codec_hash(&secret, expose->plant);
    POT_ASSERT(is_right);
    Pot__ChallengeRecord *c = ledger_challenge(state, &submission);
    if (c == NULL) {
        verdict = TX_CHALLENGE_UNKNOWN;
    } else if (c->status != POT__CHALLENGE_STATUS__CHALLENGE_OPEN) {
        verdict = TX_CHALLENGE_ENDED;
    } else if (c->plant.len > 0 || !ledger_is_plant(state, c, &secret)) {
        verdict = TX_PLANT;
    } else {
        codec_set_hash(&c->plant, &secret);
        record_store(state, keys_challenge(&submission), c);
    }
    codec_free(c);
    return verdict;
}

static bool is_in_time(const struct state *state,
                       const Pot__ChallengeRecord *challenge,
                       const struct ledger_block *block)
{
    Pot__SupplyRecord *supply = ledger_supply(state);
    const Pot__GenesisParams *params = supply->params;
    bool is_in_time =
        block->height <= challenge->height + params->challenge_blocks ||
        block->time_ms <= challenge->time_ms + params->challenge_ms;
    codec_free(supply);
    return is_in_time;
}

bool ledger_challenge_waits(const struct state *state,
                            const Pot__ChallengeRecord *challenge,
                            const struct ledger_block *block)
{
    struct hash secret;
    if (challenge->link.len == 0 || challenge->plant.len > 0) {
        return false;
    }
    return plants_known(&secret, state, challenge)
               ? ledger_is_plant(state, challenge, &secret)
               : is_in_time(state, challenge, block);
}

void ledger_challenge_name(struct hash *out,
                           const Pot__ChallengeRecord *challenge)
{
    struct hash secret;
    bool is_hash = codec_hash(out, challenge->submission);
    POT_ASSERT(is_hash);
    if (codec_hash(&secret, challenge->plant)) {
        plant_name(out, out, &secret);
    }
}
