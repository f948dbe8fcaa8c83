/* Votes that a validator may sign but should not. */
#include "config.h"

#include "base/alloc.h"
#include "p2p/message.h"
#include "p2p/net.h"
#include "proto/codec.h"
#include "tests/byz/byz.h"

#include <sodium.h>
#include <stdlib.h>

#define FAR_A_TICK   100
#define FLOOD_A_TICK 1000 /* twenty times as many a second */
#define HEARD_MAX    64
#define VIEWS_BEYOND 100000

/* ---- different words to different replicas */

/* The replicas that are told the other thing. */
static bool is_misled(uint32_t replica)
{
    return replica % 2 == 1;
}

/* The twin of the block that this node proposed last. */
static struct {
    struct hash first;
    struct hash twin;
} proposed;

static struct hash twin_of(const struct hash *digest)
{
    return hash_equal(digest, &proposed.first) ? proposed.twin
                                               : byz_other(digest);
}

static void tell(struct byz *b, struct pbft_effects *out, uint32_t to,
                 const Pot__ConsensusMessage *message)
{
    struct vote vote;
    if (!is_misled(to) || !byz_vote_of(&vote, message)) {
        byz_say(out, to, message);
        return;
    }
    if (message->kind_case != POT__CONSENSUS_MESSAGE__KIND_PRE_PREPARE) {
        vote.digest = twin_of(&vote.digest);
        byz_say_vote(b, out, to, &vote);
        return;
    }
    size_t size;
    proposed.first = vote.digest;
    uint8_t *twin =
        byz_twin(&proposed.twin, &size, message->pre_prepare->block);
    if (twin != NULL) {
        vote.digest = proposed.twin;
        byz_say_block(b, out, to, &vote, codec_bytes(twin, size));
        free(twin);
    }
}

static void equivocate(struct byz *b, struct pbft_effects *out,
                       struct pbft_effect *effect,
                       const Pot__ConsensusMessage *message)
{
    struct pbft_status status = pbft_status(b->pbft);
    if (effect->type == PBFT_SEND) {
        tell(b, out, effect->replica, message);
        return;
    }
    for (uint32_t i = 0; i < pbft_validators(b->pbft)->count; i++) {
        if (i != status.replica) {
            tell(b, out, i, message);
        }
    }
}

/* ---- both words to everybody */

static void say_twice(struct byz *b, struct pbft_effects *out,
                      struct pbft_effect *effect,
                      const Pot__ConsensusMessage *message)
{
    struct vote vote;
    bool is_broadcast = effect->type == PBFT_BROADCAST;
    uint32_t to = is_broadcast ? BYZ_ALL : effect->replica;
    byz_move(out, effect);
    if (!byz_vote_of(&vote, message)) {
        return;
    }
    if (message->kind_case != POT__CONSENSUS_MESSAGE__KIND_PRE_PREPARE) {
        vote.digest = byz_other(&vote.digest);
        byz_say_vote(b, out, to, &vote);
        return;
    }
    size_t size;
    uint8_t *twin = byz_twin(&vote.digest, &size, message->pre_prepare->block);
    if (twin != NULL) {
        byz_say_block(b, out, to, &vote, codec_bytes(twin, size));
        free(twin);
    }
}

/* ---- no words */

static void say_nothing(struct byz *b, struct pbft_effects *out,
                        struct pbft_effect *effect,
                        const Pot__ConsensusMessage *message)
{
    (void)b;
    (void)out;
    (void)effect;
    (void)message;
}

static void keep_commits(struct byz *b, struct pbft_effects *out,
                         struct pbft_effect *effect,
                         const Pot__ConsensusMessage *message)
{
    (void)b;
    if (message->kind_case != POT__CONSENSUS_MESSAGE__KIND_COMMIT) {
        byz_move(out, effect);
    }
}

/* ---- too many words */

static bool is_anyone(void *context, const struct peer *peer)
{
    (void)context;
    (void)peer;
    return true;
}

static void send_all(struct byz *b, const struct pbft_effects *effects)
{
    for (size_t i = 0; i < effects->count; i++) {
        (void)net_multicast(b->net, MESSAGE_CONSENSUS, effects->items[i].bytes,
                            effects->items[i].size, is_anyone, NULL);
    }
}

/* For a view that is not reached, and one block: no contradiction. */
static struct vote some_vote(const struct byz *b)
{
    struct pbft_status status = pbft_status(b->pbft);
    struct vote vote = {
        .phase = randombytes_uniform(2) > 0 ? POT__PHASE__PHASE_PREPARE
                                            : POT__PHASE__PHASE_COMMIT,
        .height = status.height,
        .view = status.view + VIEWS_BEYOND,
        .digest = {{1}},
        .replica = status.replica,
    };
    return vote;
}

/* A view's primary never prepares: its proposal says so already.  A prepare
 * of its own would be no vote far away, but a forged one. */
static void say_far(const struct byz *b, struct pbft_effects *out,
                    struct vote vote)
{
    uint32_t count = pbft_validators(b->pbft)->count;
    if (validator_set_primary(count, vote.view) == vote.replica) {
        vote.phase = POT__PHASE__PHASE_COMMIT;
    }
    byz_say_vote(b, out, BYZ_ALL, &vote);
}

/* Well signed, for heights and views that nobody is at. */
static void vote_far(struct byz *b)
{
    struct pbft_effects out = {0};
    for (unsigned i = 0; i < FAR_A_TICK; i++) {
        struct vote vote = some_vote(b);
        switch (randombytes_uniform(4)) {
        case 0:
            vote.height += randombytes_uniform(300);
            vote.view += randombytes_uniform(300);
            break;
        case 1:
            vote.height += randombytes_random();
            break;
        case 2:
            vote.view += randombytes_random();
            break;
        default:
            vote.height = UINT64_MAX - randombytes_uniform(3);
            vote.view = VIEW_MAX - randombytes_uniform(3);
            break;
        }
        say_far(b, &out, vote);
    }
    send_all(b, &out);
    pbft_effects_fini(&out);
}

/* The same word, well signed, again and again. */
static void flood(struct byz *b)
{
    struct pbft_effects out = {0};
    struct vote vote = some_vote(b);
    vote.height += 2;
    say_far(b, &out, vote);
    for (unsigned i = 0; i < FLOOD_A_TICK; i++) {
        send_all(b, &out);
    }
    pbft_effects_fini(&out);
}

/* ---- words of yesterday */

static struct {
    uint8_t *data;
    size_t size;
} heard[HEARD_MAX];
static size_t heard_next;

static void remember(struct byz *b, const Pot__ConsensusMessage *message)
{
    (void)b;
    free(heard[heard_next].data);
    heard[heard_next].data = codec_encode(&heard[heard_next].size, message);
    heard_next = (heard_next + 1) % HEARD_MAX;
}

static void repeat(struct byz *b)
{
    for (size_t i = 0; i < HEARD_MAX; i++) {
        if (heard[i].data != NULL) {
            (void)net_multicast(b->net, MESSAGE_CONSENSUS, heard[i].data,
                                heard[i].size, is_anyone, NULL);
        }
    }
}

const struct byz_trick byz_votes_tricks[] = {
    {"equivocate", "other blocks and votes to every other replica",
     .say = equivocate},
    {"vote-twice", "two blocks and two votes, both to everybody",
     .say = say_twice},
    {"silent", "never a word of consensus", .say = say_nothing},
    {"no-commits", "never a commit", .say = keep_commits},
    {"far", "well signed votes for heights and views far away",
     .tick = vote_far},
    {"flood", "twenty thousand well signed votes a second", .tick = flood},
    {"replay", "what others said, again and again", .heard = remember,
     .tick = repeat},
    {.name = NULL},
};
