#include "config.h"

#include "tests/sim/sim_sync.h"

#include "base/alloc.h"
#include "consensus/pbft_message.h"
#include "proto/block.h"
#include "proto/certificate.h"
#include "proto/codec.h"
#include "tests/sim/sim_step.h"

#include <stdlib.h>
#include <string.h>

static void tamper(struct sim_world *world, struct sim_block *block)
{
    if (sim_rng_chance(&world->rng, 500)) {
        size_t at = sim_rng_below(&world->rng, block->certificate_size);
        block->certificate[at] ^= (uint8_t)(1 << sim_rng_below(&world->rng, 8));
        return;
    }
    Pot__CommitCertificate *c;
    if (CODEC_DECODE(&c, pot__commit_certificate, block->certificate,
                     block->certificate_size) != POT_OK) {
        return;
    }
    if (c->n_signatures > 1 && sim_rng_chance(&world->rng, 500)) {
        codec_free(c->signatures[1]); /* the first one twice */
        c->signatures[1] = pbft_message_copy(c->signatures[0]);
    } else {
        codec_free(c->signatures[--c->n_signatures]);
        size_t quorum = validator_set_quorum(world->config.n);
        while (c->n_signatures >= quorum) {
            codec_free(c->signatures[--c->n_signatures]);
        }
    }
    free(block->certificate);
    block->certificate = codec_encode(&block->certificate_size, c);
    codec_free(c);
}

/* What a syncing node checks; nothing here relies on who sent it. */
static bool is_block_proven(struct sim_world *world,
                            const struct sim_node *node,
                            struct sim_block *block)
{
    uint64_t height = node->height + 1;
    struct validator_set set;
    sim_validators(world, &set, height);
    Pot__CommitCertificate *certificate;
    if (CODEC_DECODE(&certificate, pot__commit_certificate, block->certificate,
                     block->certificate_size) != POT_OK) {
        return false;
    }
    struct block *opened = NULL;
    bool is_proven =
        certificate_verify(&set, &world->chain, certificate) ==
            CERTIFICATE_VALID &&
        certificate->height == height &&
        block_decode(&opened, block->bytes, block->size) == POT_OK &&
        codec_bytes_equal(certificate->digest, opened->hash.b, HASH_SIZE) &&
        codec_bytes_equal(opened->header->parent_hash,
                          node->chain[node->height].digest.b, HASH_SIZE);
    if (is_proven) {
        block->digest = opened->hash;
        block->view = certificate->view;
    }
    block_free(opened);
    codec_free(certificate);
    return is_proven;
}

static void fetch_block(struct sim_world *world, struct sim_node *node,
                        const struct sim_node *peer)
{
    const struct sim_block *held = &peer->chain[node->height + 1];
    struct sim_block block = {
        .bytes = pot_memdup(held->bytes, held->size),
        .size = held->size,
        .certificate = pot_memdup(held->certificate, held->certificate_size),
        .certificate_size = held->certificate_size,
    };
    if ((peer->attacks & ATTACK_BAD_SYNC) != 0) {
        tamper(world, &block);
    }
    if (is_block_proven(world, node, &block)) {
        sim_mark(world, MARK_SYNCED);
        sim_apply(world, node, &block, node->height + 1, true);
    } else {
        sim_mark(world, MARK_BAD_CERTIFICATE);
    }
    free(block.bytes);
    free(block.certificate);
}

void sim_sync(struct sim_world *world, struct sim_node *node,
              const struct sim_event *event)
{
    if (!event->flag) {
        uint64_t pause_ms =
            world->config.is_sync_rare && !world->is_healed ? 2000 : 150;
        sim_schedule(world, SIM_SYNC, node->index,
                     pause_ms + sim_rng_below(&world->rng, pause_ms));
    }
    const struct sim_node *peer =
        &world->nodes[sim_rng_below(&world->rng, world->node_count)];
    if (!node->is_applying && peer->is_up && peer->height > node->height &&
        !world->is_blocked[node->index][peer->index] &&
        !world->is_blocked[peer->index][node->index]) {
        fetch_block(world, node, peer);
    }
}
