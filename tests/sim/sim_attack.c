#include "config.h"

#include "tests/sim/sim_attack.h"

#include "base/alloc.h"
#include "consensus/pbft_message.h"
#include "proto/block.h"
#include "proto/codec.h"
#include "tests/sim/sim_block.h"
#include "tests/sim/sim_forge.h"
#include "tests/sim/sim_network.h"

#include <stdlib.h>
#include <string.h>

/* Each recipient gets the replica's own word, the other, or both; takes
 * other. */
static void send_either(struct sim_world *world, const struct sim_node *node,
                        const struct pbft_effect *effect, uint8_t *other,
                        size_t size)
{
    struct sim_message *a =
        sim_message_new(pot_memdup(effect->bytes, effect->size), effect->size);
    struct sim_message *b = sim_message_new(other, size);
    for (uint32_t i = 0; i < world->config.n; i++) {
        uint64_t choice = sim_rng_below(&world->rng, 5);
        if (i != node->identity && choice != 0) {
            sim_send(world, node, i, choice < 3 ? a : b);
        }
        if (i != node->identity && choice == 4) {
            sim_send(world, node, i, a);
        }
    }
    sim_message_drop(a);
    sim_message_drop(b);
}

static void send_vote(struct sim_world *world, const struct sim_node *from,
                      uint32_t to, const struct vote *said)
{
    size_t size;
    struct signature signature;
    struct vote vote = *said;
    vote.replica = sim_replica_of(world, vote.height, from->identity);
    vote_sign(&signature, world->keys[from->identity], &world->chain, &vote);
    uint8_t *bytes = pbft_message_encode_vote(&size, &vote, &signature);
    sim_send_to(world, from, to, bytes, size);
}

/* All faulty replicas together: the even ones are shown one block and a
 * quorum for it, the odd ones the other. */
static void split(struct sim_world *world, const struct sim_node *primary,
                  const struct vote *one, const struct vote *two,
                  struct sim_message *first, struct sim_message *second)
{
    for (uint32_t to = 0; to < world->config.n; to++) {
        struct vote vote = to % 2 == 0 ? *one : *two;
        sim_send(world, primary, to, to % 2 == 0 ? first : second);
        for (uint32_t i = 0; i < world->node_count; i++) {
            const struct sim_node *node = &world->nodes[i];
            if (node->is_honest || node->identity == to) {
                continue;
            }
            vote.phase = POT__PHASE__PHASE_PREPARE;
            if (node != primary) {
                send_vote(world, node, to, &vote);
            }
            vote.phase = POT__PHASE__PHASE_COMMIT;
            send_vote(world, node, to, &vote);
        }
    }
}

static void equivocate(struct sim_world *world, const struct sim_node *node,
                       const struct pbft_effect *effect,
                       const Pot__PrePrepare *message)
{
    struct vote vote;
    struct signature signature;
    struct block *block;
    if (!vote_decode(&vote, &signature, message->vote) ||
        block_decode(&block, message->block.data, message->block.len) !=
            POT_OK) {
        return;
    }
    size_t size;
    size_t other_size;
    struct sim_block_spec spec = {
        .chain = world->chain,
        .proposer = *key_public(world->keys[node->identity]),
        .height = vote.height,
        .view = vote.view,
        .time_ms = block->header->time_ms / 1000 * 1000 + 500000,
    };
    memcpy(spec.parent.b, block->header->parent_hash.data, HASH_SIZE);
    /* Told by its new view what to propose, it defies that. */
    bool is_defying =
        block->header->view < vote.view && sim_rng_chance(&world->rng, 700);
    block_free(block);
    sim_forge_remember(world, vote.height, &vote.digest);
    const struct vote own = vote;
    uint8_t *data = sim_block_make(&size, &vote.digest, &spec);
    sim_forge_remember(world, vote.height, &vote.digest);
    vote_sign(&signature, world->keys[node->identity], &world->chain, &vote);
    uint8_t *other = pbft_message_encode_pre_prepare(&other_size, &vote,
                                                     &signature, data, size);
    free(data);
    if (is_defying) {
        sim_send_to_all(world, node, other, other_size);
        sim_mark(world, MARK_DEFIED);
        return;
    }
    sim_mark(world, MARK_EQUIVOCATED);
    if ((node->attacks & ATTACK_SPLIT) == 0) {
        send_either(world, node, effect, other, other_size);
        return;
    }
    struct sim_message *messages[] = {
        sim_message_new(pot_memdup(effect->bytes, effect->size), effect->size),
        sim_message_new(other, other_size)};
    split(world, node, &own, &vote, messages[0], messages[1]);
    sim_message_drop(messages[0]);
    sim_message_drop(messages[1]);
}

static void vote_twice(struct sim_world *world, const struct sim_node *node,
                       const struct pbft_effect *effect,
                       const Pot__Vote *message)
{
    struct vote vote;
    struct signature signature;
    if (!vote_decode(&vote, &signature, message)) {
        return;
    }
    size_t size;
    struct hash digest = vote.digest;
    sim_forge_other(world, &vote.digest, vote.height, &digest);
    vote_sign(&signature, world->keys[node->identity], &world->chain, &vote);
    uint8_t *other = pbft_message_encode_vote(&size, &vote, &signature);
    send_either(world, node, effect, other, size);
    sim_mark(world, MARK_DOUBLE_VOTED);
}

static void hide_prepared(struct sim_world *world, const struct sim_node *node,
                          const struct pbft_effect *effect,
                          const Pot__ViewChange *message)
{
    size_t size;
    Pot__ViewChange *change = pbft_message_copy(message);
    codec_free(change->prepared);
    change->prepared = NULL;
    sim_forge_sign(world, node, change);
    uint8_t *other = pbft_message_encode_view_change(&size, change);
    codec_free(change);
    send_either(world, node, effect, other, size);
    sim_mark(world, MARK_HID_PREPARED);
}

static bool twist(struct sim_world *world, const struct sim_node *node,
                  const struct pbft_effect *effect,
                  const Pot__ConsensusMessage *message)
{
    unsigned attacks = node->attacks;
    bool is_coin = sim_rng_chance(&world->rng, 700);
    if ((attacks & ATTACK_SILENT) != 0 && is_coin) {
        sim_mark(world, MARK_SILENT);
        return true;
    }
    switch (message->kind_case) {
    case POT__CONSENSUS_MESSAGE__KIND_PRE_PREPARE:
        if ((attacks & ATTACK_EQUIVOCATE) != 0 && is_coin) {
            equivocate(world, node, effect, message->pre_prepare);
            return true;
        }
        break;
    case POT__CONSENSUS_MESSAGE__KIND_PREPARE:
    case POT__CONSENSUS_MESSAGE__KIND_COMMIT:
        if ((attacks & ATTACK_DOUBLE_VOTE) != 0) {
            vote_twice(world, node, effect,
                       message->kind_case ==
                               POT__CONSENSUS_MESSAGE__KIND_PREPARE
                           ? message->prepare
                           : message->commit);
            return true;
        }
        break;
    case POT__CONSENSUS_MESSAGE__KIND_VIEW_CHANGE:
        if ((attacks & ATTACK_HIDE_PREPARED) != 0 &&
            message->view_change->prepared != NULL) {
            hide_prepared(world, node, effect, message->view_change);
            return true;
        }
        break;
    case POT__CONSENSUS_MESSAGE__KIND_NEW_VIEW:
    case POT__CONSENSUS_MESSAGE__KIND_BLOCK_REQUEST:
    case POT__CONSENSUS_MESSAGE__KIND_BLOCK_REPLY:
    case POT__CONSENSUS_MESSAGE__KIND_SUSPICION:
    case POT__CONSENSUS_MESSAGE__KIND__NOT_SET:
    case _POT__CONSENSUS_MESSAGE__KIND__CASE_IS_INT_SIZE:
        break;
    }
    return false;
}

bool sim_attack_twist(struct sim_world *world, const struct sim_node *node,
                      const struct pbft_effect *effect)
{
    Pot__ConsensusMessage *message;
    if (CODEC_DECODE(&message, pot__consensus_message, effect->bytes,
                     effect->size) != POT_OK) {
        return true;
    }
    bool is_done = twist(world, node, effect, message);
    codec_free(message);
    return is_done;
}

/* Votes for whatever is proposed, in any view, as often as it is. */
static void say_yes(struct sim_world *world, const struct sim_node *node,
                    const Pot__Vote *message)
{
    struct vote vote;
    struct signature signature;
    if (!vote_decode(&vote, &signature, message)) {
        return;
    }
    vote.replica = sim_replica_of(world, vote.height, node->identity);
    vote.phase = POT__PHASE__PHASE_PREPARE;
    sim_forge_vote(world, node, &vote);
    vote.phase = POT__PHASE__PHASE_COMMIT;
    sim_forge_vote(world, node, &vote);
    sim_mark(world, MARK_YES_MAN);
}

void sim_attack_in(struct sim_world *world, struct sim_node *node,
                   struct sim_message *message)
{
    if (message->message == NULL) {
        return;
    }
    struct sim_message **slot =
        &node->recent[node->recent_count++ % SIM_RECENT];
    sim_message_drop(*slot);
    *slot = message;
    message->refs++;
    const Pot__ConsensusMessage *m = message->message;
    if (m->kind_case == POT__CONSENSUS_MESSAGE__KIND_PRE_PREPARE &&
        m->pre_prepare != NULL && m->pre_prepare->vote != NULL) {
        struct hash digest;
        if (codec_hash(&digest, m->pre_prepare->vote->digest)) {
            sim_forge_remember(world, m->pre_prepare->vote->height, &digest);
        }
        if ((node->attacks & ATTACK_YES_MAN) != 0) {
            say_yes(world, node, m->pre_prepare->vote);
        }
    }
}

static void replay(struct sim_world *world, const struct sim_node *node)
{
    struct sim_message *message =
        node->recent[sim_rng_below(&world->rng, SIM_RECENT)];
    if (message != NULL) {
        uint32_t to = (uint32_t)sim_rng_below(&world->rng, world->config.n);
        sim_send(world, node, to, message);
        sim_mark(world, MARK_STALE);
    }
}

void sim_attack_now(struct sim_world *world, struct sim_node *node)
{
    sim_schedule(world, SIM_ATTACK, node->index,
                 60 + sim_rng_below(&world->rng, 300));
    if ((node->attacks & ATTACK_FUTURE) != 0) {
        sim_forge_future(world, node);
    }
    if ((node->attacks & ATTACK_FORGE) != 0) {
        sim_forge(world, node);
    }
    if ((node->attacks & ATTACK_STALE) != 0) {
        replay(world, node);
    }
}
