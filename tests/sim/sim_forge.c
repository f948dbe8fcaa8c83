#include "config.h"

#include "tests/sim/sim_forge.h"

#include "base/alloc.h"
#include "consensus/pbft_message.h"
#include "proto/codec.h"
#include "tests/sim/sim_block.h"
#include "tests/sim/sim_network.h"

#include <stdlib.h>

void sim_forge_remember(struct sim_world *world, uint64_t height,
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

void sim_forge_other(struct sim_world *world, struct hash *out, uint64_t height,
                     const struct hash *digest)
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

void sim_forge_sign(struct sim_world *world, const struct sim_node *node,
                    Pot__ViewChange *change)
{
    struct signature signature;
    pbft_message_sign_view_change(&signature, world->keys[node->identity],
                                  &world->chain, change);
    free(change->signature.data);
    change->signature = codec_copy_bytes(signature.b, SIGNATURE_SIZE);
}

void sim_forge_vote(struct sim_world *world, const struct sim_node *node,
                    struct vote *vote)
{
    size_t size;
    struct signature signature;
    vote_sign(&signature, world->keys[node->identity], &world->chain, vote);
    uint8_t *bytes = pbft_message_encode_vote(&size, vote, &signature);
    sim_send_to_all(world, node, bytes, size);
}

void sim_forge_future(struct sim_world *world, const struct sim_node *node)
{
    bool is_height = sim_rng_chance(&world->rng, 500);
    uint64_t height = sim_voting_height(node) +
                      (is_height ? sim_rng_below(&world->rng, 1 << 20) : 0);
    uint64_t view = 1 + sim_rng_below(&world->rng, 1 << 20);
    uint32_t replica = sim_replica_of(world, height, node->identity);
    if (sim_rng_chance(&world->rng, 500)) {
        size_t size;
        Pot__ViewChange change = POT__VIEW_CHANGE__INIT;
        change.height = height;
        change.view = view;
        change.replica = replica;
        sim_forge_sign(world, node, &change);
        uint8_t *bytes = pbft_message_encode_view_change(&size, &change);
        free(change.signature.data);
        sim_send_to_all(world, node, bytes, size);
    } else {
        struct vote vote = {
            .phase = POT__PHASE__PHASE_COMMIT,
            .height = height,
            .view = view,
            .replica = replica,
        };
        sim_forge_vote(world, node, &vote);
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
    sim_forge_sign(world, node, &change);
    uint8_t *bytes = pbft_message_encode_view_change(&size, &change);
    free(change.signature.data);
    sim_send_to_all(world, node, bytes, size);
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
    sim_send_to_all(world, node, bytes, size);
    vote.phase = POT__PHASE__PHASE_COMMIT;
    sim_forge_vote(world, node, &vote);
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
    sim_forge_sign(world, node, &change);
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
    sim_send_to_all(world, node, bytes, size);
    propose_in(world, node, height, new_view.view);
}

void sim_forge(struct sim_world *world, const struct sim_node *node)
{
    uint64_t height = sim_voting_height(node);
    struct vote vote = {
        .phase = sim_rng_chance(&world->rng, 500) ? POT__PHASE__PHASE_PREPARE
                                                  : POT__PHASE__PHASE_COMMIT,
        .height = height,
        .view = sim_rng_below(&world->rng, 4),
        .replica = (uint32_t)sim_rng_below(&world->rng, world->config.n + 2),
    };
    struct hash zero = {{0}};
    sim_forge_other(world, &vote.digest, height, &zero);
    switch (sim_rng_below(&world->rng, 4)) {
    case 0:
        sim_forge_vote(world, node, &vote); /* under another's name */
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
        sim_send_to_all(world, node, pot_memdup(noise, sizeof(noise)),
                        sizeof(noise));
        break;
    }
    }
}
