#include "config.h"

#include "ledger/plants.h"

#include "base/alloc.h"
#include "base/check.h"
#include "ledger/list.h"
#include "ledger/record.h"
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

/* For as long as that round can be challenged: plants_forget ends it. */
static void remember(const struct state *state, Pot__TaskRecord *task,
                     const ProtobufCBinaryData *miner,
                     const ProtobufCBinaryData *link, uint32_t round)
{
    struct hash hash;
    bool is_hash = codec_hash(&hash, task->task);
    POT_ASSERT(is_hash);
    Pot__ClosedRecord *closed = ledger_closed(state, &hash, round);
    if (closed != NULL && link->len == HASH_SIZE) {
        Pot__RosterEntry *entry = pot_alloc(sizeof(*entry));
        pot__roster_entry__init(entry);
        entry->miner = codec_copy_bytes(miner->data, PUBLIC_KEY_SIZE);
        entry->link = codec_copy_bytes(link->data, HASH_SIZE);
        entry->link_round = round;
        task->departed = pot_realloc(task->departed, task->n_departed + 1,
                                     sizeof(Pot__RosterEntry *));
        task->departed[task->n_departed++] = entry;
    }
    codec_free(closed);
}

void plants_keep_late(const struct state *state, Pot__TaskRecord *task,
                      const struct round_submission *submission)
{
    struct public_key key = submission->miner;
    const ProtobufCBinaryData miner = codec_bytes(key.b, PUBLIC_KEY_SIZE);
    remember(state, task, &miner, &submission->body->link,
             submission->body->round);
}

void plants_part(const struct state *state, Pot__TaskRecord *task,
                 const Pot__RosterEntry *member)
{
    remember(state, task, &member->miner, &member->link, member->link_round);
}

void plants_forget(const struct state *state, const Pot__ClosedRecord *closed)
{
    struct hash hash;
    size_t kept = 0;
    bool is_hash = codec_hash(&hash, closed->task);
    POT_ASSERT(is_hash);
    Pot__TaskRecord *task = ledger_task(state, &hash);
    size_t count = task != NULL ? task->n_departed : 0;
    for (size_t i = 0; i < count; i++) {
        if (task->departed[i]->link_round != closed->round) {
            task->departed[kept++] = task->departed[i];
        } else {
            codec_free(task->departed[i]);
        }
    }
    if (kept < count) {
        task->n_departed = kept;
        record_store(state, keys_task(&hash), task);
    }
    codec_free(task);
}

/* Unless it has begun another chain since. */
static bool tells(struct hash *secret, const Pot__RosterEntry *entry,
                  const Pot__ChallengeRecord *challenge)
{
    struct hash link;
    struct hash walked;
    struct public_key miner;
    bool is_key = codec_key(&miner, challenge->miner);
    POT_ASSERT(is_key);
    if (!codec_bytes_equal(entry->miner, miner.b, PUBLIC_KEY_SIZE) ||
        !codec_hash(&link, entry->link) ||
        entry->link_round <= challenge->round ||
        entry->link_round - challenge->round > DRAW_GAP_MAX) {
        return false;
    }
    draw_walk(secret, &link, entry->link_round - challenge->round - 1);
    draw_walk(&walked, secret, 1);
    return codec_bytes_equal(challenge->link, walked.b, HASH_SIZE);
}

static bool is_told(struct hash *secret, const Pot__TaskRecord *task,
                    const Pot__ChallengeRecord *challenge)
{
    bool is_told = false;
    for (size_t i = 0; i < task->n_members && !is_told; i++) {
        is_told = tells(secret, task->members[i], challenge);
    }
    for (size_t i = 0; i < task->n_departed && !is_told; i++) {
        is_told = tells(secret, task->departed[i], challenge);
    }
    return is_told;
}

bool plants_known(struct hash *secret, const struct state *state,
                  const Pot__ChallengeRecord *challenge)
{
    struct hash hash;
    bool is_hash = codec_hash(&hash, challenge->task);
    POT_ASSERT(is_hash);
    Pot__TaskRecord *task = ledger_task(state, &hash);
    bool is_known = task != NULL && is_told(secret, task, challenge);
    codec_free(task);
    return is_known;
}

static void take(const struct state *state, const Pot__TaskRecord *task,
                 const struct hash *submission)
{
    struct hash secret;
    Pot__ChallengeRecord *c = ledger_challenge(state, submission);
    if (c != NULL && c->plant.len == 0 && is_told(&secret, task, c) &&
        ledger_is_plant(state, c, &secret)) {
        codec_set_hash(&c->plant, &secret);
        record_store(state, keys_challenge(submission), c);
    }
    codec_free(c);
}

/* The submissions of a task with plants whose challenge is open; NULL: the task
 * has no plants. */
static Pot__HashList *list_open(const struct state *state,
                                const Pot__TaskRecord *task)
{
    struct hash hash;
    if (task->spec->plant_rate_ppm == 0) {
        return NULL;
    }
    bool is_hash = codec_hash(&hash, task->task);
    POT_ASSERT(is_hash);
    return list_load(state, keys_challenges_task(&hash));
}

static struct hash submission_at(const Pot__HashList *open, size_t i)
{
    struct hash submission;
    bool is_hash = codec_hash(&submission, open->hashes[i]);
    POT_ASSERT(is_hash);
    return submission;
}

void plants_take(const struct state *state, const Pot__TaskRecord *task)
{
    Pot__HashList *open = list_open(state, task);
    for (size_t i = 0; open != NULL && i < open->n_hashes; i++) {
        struct hash submission = submission_at(open, i);
        take(state, task, &submission);
    }
    codec_free(open);
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
    return !plants_known(&secret, state, challenge) &&
           is_in_time(state, challenge, block);
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

static void hold_back(const struct state *state,
                      const struct ledger_block *block,
                      const struct hash *submission, struct roster *roster)
{
    struct public_key miner;
    size_t index;
    Pot__ChallengeRecord *c = ledger_challenge(state, submission);
    if (c != NULL && codec_key(&miner, c->miner) &&
        roster_find(*roster, &miner, &index) &&
        ledger_challenge_waits(state, c, block)) {
        roster_remove(roster, index);
    }
    codec_free(c);
}

void plants_hold_back(const struct state *state,
                      const struct ledger_block *block,
                      const Pot__TaskRecord *task, struct roster *roster)
{
    Pot__HashList *open = list_open(state, task);
    for (size_t i = 0; open != NULL && i < open->n_hashes; i++) {
        struct hash submission = submission_at(open, i);
        hold_back(state, block, &submission, roster);
    }
    codec_free(open);
}
