/* What faulty replicas do.  Most run the real replica and twist what it
 * says; their keys are their own, so all they can forge is refused. */
#include "config.h"

#include "base/alloc.h"
#include "consensus/pbft_message.h"
#include "proto/block.h"
#include "proto/codec.h"
#include "tests/sim/sim_block.h"
#include "tests/sim/sim_world.h"

#include <stdlib.h>
#include <string.h>

static void send_to(struct sim_world *world, const struct sim_node *node,
                    uint32_t identity, uint8_t *bytes, size_t size)
{
    struct sim_message *message = sim_message_new(bytes, size);
    sim_send(world, node, identity, message);
    sim_message_drop(message);
}

static void send_to_all(struct sim_world *world, const struct sim_node *node,
                        uint8_t *bytes, size_t size)
{
    struct sim_message *message = sim_message_new(bytes, size);
    for (uint32_t i = 0; i < world->config.n; i++) {
        if (i != node->identity) {
            sim_send(world, node, i, message);
        }
    }
    sim_message_drop(message);
}

/* Each recipient gets the one, the other, or both. */
static void send_either(struct sim_world *world, const struct sim_node *node,
                        uint8_t *one, size_t one_size, uint8_t *other,
                        size_t other_size)
{
    struct sim_message *a = sim_message_new(one, one_size);
    struct sim_message *b = sim_message_new(other, other_size);
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

/* Digests of one height, so that faulty replicas push the same two. */
static void remember_digest(struct sim_world *world, uint64_t height,
                            const struct hash *digest)
{
    if (height > SIM_HEIGHTS) {
        return;
    }
    struct hash *slots = world->alternatives[height];
    for (size_t i = 0; i < 4; i++) {
        if (hash_equal(&slots[i], digest)) {
            return;
        }
        if (hash_is_zero(&slots[i])) {
            slots[i] = *digest;
            return;
        }
    }
}

static void other_digest(struct sim_world *world, struct hash *out,
                         uint64_t height, const struct hash *digest)
{
    hash_bytes(out, "other", digest, sizeof(*digest));
    if (height > SIM_HEIGHTS) {
        return;
    }
    const struct hash *slots = world->alternatives[height];
    for (size_t i = 0; i < 4; i++) {
        if (!hash_is_zero(&slots[i]) && !hash_equal(&slots[i], digest)) {
            *out = slots[i];
            return;
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
    if (!vote_open(&vote, &signature, message->vote) ||
        block_open(&block, message->block.data, message->block.len) != POT_OK) {
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
    remember_digest(world, vote.height, &vote.digest);
    uint8_t *data = sim_block_make(&size, &vote.digest, &spec);
    remember_digest(world, vote.height, &vote.digest);
    vote_sign(&signature, world->keys[node->identity], &world->chain, &vote);
    uint8_t *other = pbft_message_encode_pre_prepare(&other_size, &vote,
                                                     &signature, data, size);
    free(data);
    if (is_defying) {
        send_to_all(world, node, other, other_size);
        sim_mark(world, MARK_DEFIED);
        return;
    }
    send_either(world, node, pot_memdup(effect->bytes, effect->size),
                effect->size, other, other_size);
    sim_mark(world, MARK_EQUIVOCATED);
}

static void vote_twice(struct sim_world *world, const struct sim_node *node,
                       const struct pbft_effect *effect,
                       const Pot__Vote *message)
{
    struct vote vote;
    struct signature signature;
    if (!vote_open(&vote, &signature, message)) {
        return;
    }
    size_t size;
    struct hash digest = vote.digest;
    other_digest(world, &vote.digest, vote.height, &digest);
    vote_sign(&signature, world->keys[node->identity], &world->chain, &vote);
    uint8_t *other = pbft_message_encode_vote(&size, &vote, &signature);
    send_either(world, node, pot_memdup(effect->bytes, effect->size),
                effect->size, other, size);
    sim_mark(world, MARK_DOUBLE_VOTED);
}

static void sign_view_change(struct sim_world *world,
                             const struct sim_node *node,
                             Pot__ViewChange *change)
{
    struct signature signature;
    pbft_message_sign_view_change(&signature, world->keys[node->identity],
                                  &world->chain, change);
    free(change->signature.data);
    change->signature = codec_copy_bytes(signature.b, SIGNATURE_SIZE);
}

static void hide_prepared(struct sim_world *world, const struct sim_node *node,
                          const struct pbft_effect *effect,
                          const Pot__ViewChange *message)
{
    size_t size;
    Pot__ViewChange *change = pbft_message_copy(message);
    codec_free(change->prepared);
    change->prepared = NULL;
    sign_view_change(world, node, change);
    uint8_t *other = pbft_message_encode_view_change(&size, change);
    codec_free(change);
    send_either(world, node, pot_memdup(effect->bytes, effect->size),
                effect->size, other, size);
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
    case POT__CONSENSUS_MESSAGE__KIND_PROPOSAL_REQUEST:
    case POT__CONSENSUS_MESSAGE__KIND_PROPOSAL:
    case POT__CONSENSUS_MESSAGE__KIND__NOT_SET:
    case _POT__CONSENSUS_MESSAGE__KIND__CASE_IS_INT_SIZE:
        break;
    }
    return false;
}

void sim_attack_out(struct sim_world *world, struct sim_node *node,
                    const struct pbft_effect *effect)
{
    Pot__ConsensusMessage *message;
    if (CODEC_DECODE(&message, pot__consensus_message, effect->bytes,
                     effect->size) != POT_OK) {
        return;
    }
    bool is_done = twist(world, node, effect, message);
    codec_free(message);
    if (is_done) {
        return;
    }
    uint8_t *copy = pot_memdup(effect->bytes, effect->size);
    if (effect->type == PBFT_SEND) {
        uint32_t identity = sim_identity_of(world, sim_node_voting_height(node),
                                            effect->replica);
        send_to(world, node, identity, copy, effect->size);
    } else {
        send_to_all(world, node, copy, effect->size);
    }
}

static void sign_and_send(struct sim_world *world, const struct sim_node *node,
                          struct vote *vote)
{
    size_t size;
    struct signature signature;
    vote_sign(&signature, world->keys[node->identity], &world->chain, vote);
    uint8_t *bytes = pbft_message_encode_vote(&size, vote, &signature);
    send_to_all(world, node, bytes, size);
}

/* Votes for whatever is proposed, in any view, as often as it is. */
static void say_yes(struct sim_world *world, const struct sim_node *node,
                    const Pot__Vote *message)
{
    struct vote vote;
    struct signature signature;
    if (!vote_open(&vote, &signature, message)) {
        return;
    }
    vote.replica = sim_replica_of(world, vote.height, node->identity);
    vote.phase = POT__PHASE__PHASE_PREPARE;
    sign_and_send(world, node, &vote);
    vote.phase = POT__PHASE__PHASE_COMMIT;
    sign_and_send(world, node, &vote);
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
            remember_digest(world, m->pre_prepare->vote->height, &digest);
        }
        if ((node->attacks & ATTACK_YES_MAN) != 0) {
            say_yes(world, node, m->pre_prepare->vote);
        }
    }
}

static void from_the_future(struct sim_world *world,
                            const struct sim_node *node)
{
    bool is_height = sim_rng_chance(&world->rng, 500);
    uint64_t height = sim_node_voting_height(node) +
                      (is_height ? sim_rng_below(&world->rng, 1 << 20) : 0);
    uint64_t view = 1 + sim_rng_below(&world->rng, 1 << 20);
    uint32_t replica = sim_replica_of(world, height, node->identity);
    if (sim_rng_chance(&world->rng, 500)) {
        size_t size;
        Pot__ViewChange change = POT__VIEW_CHANGE__INIT;
        change.height = height;
        change.view = view;
        change.replica = replica;
        sign_view_change(world, node, &change);
        uint8_t *bytes = pbft_message_encode_view_change(&size, &change);
        free(change.signature.data);
        send_to_all(world, node, bytes, size);
    } else {
        struct vote vote = {
            .phase = POT__PHASE__PHASE_COMMIT,
            .height = height,
            .view = view,
            .replica = replica,
        };
        sign_and_send(world, node, &vote);
    }
    sim_mark(world, MARK_FAR_FUTURE);
}

/* A prepared certificate in which one key signs for all. */
static void forge_view_change(struct sim_world *world,
                              const struct sim_node *node, uint64_t height,
                              const struct hash *digest)
{
    size_t size;
    struct signature signature = {{7}};
    struct signature own;
    Pot__VoteSignature signatures[SIM_IDENTITIES];
    Pot__VoteSignature *prepares[SIM_IDENTITIES];
    Pot__PreparedCertificate prepared = POT__PREPARED_CERTIFICATE__INIT;
    Pot__ViewChange change = POT__VIEW_CHANGE__INIT;
    struct vote vote = {.phase = POT__PHASE__PHASE_PREPARE,
                        .height = height,
                        .digest = *digest};
    vote_sign(&own, world->keys[node->identity], &world->chain, &vote);
    for (uint32_t i = 0; i < world->config.n; i++) {
        pot__vote_signature__init(&signatures[i]);
        signatures[i].replica = i;
        signatures[i].signature = codec_bytes(own.b, SIGNATURE_SIZE);
        prepares[i] = &signatures[i];
    }
    prepared.height = height;
    prepared.digest = codec_bytes(digest->b, HASH_SIZE);
    prepared.pre_prepare = &signatures[0];
    prepared.n_prepares = world->config.n - 1;
    prepared.prepares = &prepares[1];
    change.height = height;
    change.view = 1 + sim_rng_below(&world->rng, 4);
    change.prepared = &prepared;
    change.replica = sim_replica_of(world, height, node->identity);
    change.signature = codec_copy_bytes(signature.b, SIGNATURE_SIZE);
    sign_view_change(world, node, &change);
    uint8_t *bytes = pbft_message_encode_view_change(&size, &change);
    free(change.signature.data);
    send_to_all(world, node, bytes, size);
}

/* A block for a view that was never opened. */
static void propose_in(struct sim_world *world, const struct sim_node *node,
                       uint64_t height, uint64_t view)
{
    size_t block_size;
    size_t size;
    struct signature signature;
    struct vote vote = {.phase = POT__PHASE__PHASE_PRE_PREPARE,
                        .height = height,
                        .view = view,
                        .replica =
                            sim_replica_of(world, height, node->identity)};
    struct sim_block_spec spec = {
        .chain = world->chain,
        .parent = node->chain[node->height].digest,
        .proposer = *key_public(world->keys[node->identity]),
        .height = height,
        .view = view,
        .time_ms = 1 + 1000 * sim_rng_below(&world->rng, 1000),
    };
    uint8_t *block = sim_block_make(&block_size, &vote.digest, &spec);
    vote_sign(&signature, world->keys[node->identity], &world->chain, &vote);
    uint8_t *bytes = pbft_message_encode_pre_prepare(&size, &vote, &signature,
                                                     block, block_size);
    free(block);
    send_to_all(world, node, bytes, size);
    vote.phase = POT__PHASE__PHASE_COMMIT;
    sign_and_send(world, node, &vote);
}

/* A new view from too few view changes: the own one alone. */
static void forge_new_view(struct sim_world *world, const struct sim_node *node,
                           uint64_t height)
{
    struct signature signature;
    Pot__ViewChange change = POT__VIEW_CHANGE__INIT;
    Pot__ViewChange *changes[] = {&change};
    Pot__NewView new_view = POT__NEW_VIEW__INIT;
    uint32_t replica = sim_replica_of(world, height, node->identity);
    change.height = height;
    change.replica = replica;
    change.view = replica + (replica == 0 ? world->config.n : 0);
    sign_view_change(world, node, &change);
    new_view.height = height;
    new_view.view = change.view;
    new_view.replica = replica;
    new_view.n_view_changes = 1;
    new_view.view_changes = changes;
    pbft_message_sign_new_view(&signature, world->keys[node->identity],
                               &world->chain, &new_view);
    new_view.signature = codec_bytes(signature.b, SIGNATURE_SIZE);
    size_t size;
    uint8_t *bytes = pbft_message_encode_new_view(&size, &new_view);
    free(change.signature.data);
    send_to_all(world, node, bytes, size);
    propose_in(world, node, height, new_view.view);
}

static void forge(struct sim_world *world, const struct sim_node *node)
{
    uint64_t height = sim_node_voting_height(node);
    struct vote vote = {
        .phase = sim_rng_chance(&world->rng, 500) ? POT__PHASE__PHASE_PREPARE
                                                  : POT__PHASE__PHASE_COMMIT,
        .height = height,
        .view = sim_rng_below(&world->rng, 4),
        .replica = (uint32_t)sim_rng_below(&world->rng, world->config.n + 2),
    };
    struct hash zero = {{0}};
    other_digest(world, &vote.digest, height, &zero);
    switch (sim_rng_below(&world->rng, 4)) {
    case 0:
        sign_and_send(world, node, &vote); /* under another's name */
        break;
    case 1:
        forge_view_change(world, node, height, &vote.digest);
        break;
    case 2:
        forge_new_view(world, node, height);
        break;
    case 3: {
        uint8_t noise[48];
        for (size_t i = 0; i < sizeof(noise); i++) {
            noise[i] = (uint8_t)sim_rng_next(&world->rng);
        }
        send_to_all(world, node, pot_memdup(noise, sizeof(noise)),
                    sizeof(noise));
        break;
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
        from_the_future(world, node);
    }
    if ((node->attacks & ATTACK_FORGE) != 0) {
        forge(world, node);
    }
    if ((node->attacks & ATTACK_STALE) != 0) {
        replay(world, node);
    }
}
