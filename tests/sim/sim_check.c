#include "config.h"

#include "tests/sim/sim_check.h"

#include "base/alloc.h"
#include "base/check.h"
#include "proto/block.h"
#include "proto/certificate.h"
#include "proto/codec.h"
#include "proto/vote.h"
#include "tests/sim/sim_block.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Records a word; false when it contradicts an earlier one. */
static bool keep_word(struct sim_world *world, uint32_t identity,
                      const struct sim_word *word)
{
    size_t *count = &world->word_counts[identity];
    struct sim_word *words = world->words[identity];
    for (size_t i = *count; i-- > 0;) {
        if (words[i].height == word->height && words[i].view == word->view &&
            words[i].phase == word->phase) {
            return hash_equal(&words[i].digest, &word->digest);
        }
    }
    for (size_t i = *count; i-- > 0;) {
        /* Having left a view, nothing new is said in it. */
        if (words[i].height == word->height && words[i].phase == 0 &&
            words[i].view > word->view) {
            sim_fail(world,
                     "replica %" PRIu32 " left view %" PRIu64
                     " of height %" PRIu64 " and then voted in it",
                     identity, word->view, word->height);
        }
    }
    if (*count == world->word_capacities[identity]) {
        world->word_capacities[identity] = *count > 0 ? 2 * *count : 64;
        world->words[identity] = pot_realloc(
            words, world->word_capacities[identity], sizeof(*words));
    }
    world->words[identity][(*count)++] = *word;
    return true;
}

/* Persist before send: the durable record knows of the word, foresees it, or
 * has left the height or the view behind. */
static bool record_knows(const struct sim_node *node,
                         const struct sim_word *word)
{
    Pot__PbftRecord *record;
    if (word->height <= node->height) {
        return true; /* committed and stored: its votes are past */
    }
    if (node->record == NULL ||
        CODEC_DECODE(&record, pot__pbft_record, node->record,
                     node->record_size) != POT_OK) {
        return false;
    }
    bool is_known = record->height == word->height && record->view > word->view;
    if (record->height == word->height && record->view == word->view) {
        is_known = word->phase == 0 && record->view_change != NULL &&
                   record->view_change->view == word->view;
        for (size_t i = 0; i < record->n_votes; i++) {
            is_known =
                is_known || ((int)record->votes[i]->phase == word->phase &&
                             codec_bytes_equal(record->votes[i]->digest,
                                               word->digest.b, HASH_SIZE));
        }
    }
    bool is_foreseen = record->height + 1 == word->height &&
                       word->view < record->next_views &&
                       (word->phase == (int)POT__PHASE__PHASE_PRE_PREPARE ||
                        word->phase == (int)POT__PHASE__PHASE_PREPARE);
    codec_free(record);
    return is_known || is_foreseen;
}

static void check_word(struct sim_world *world, const struct sim_node *node,
                       const struct sim_word *word)
{
    if (!keep_word(world, node->identity, word)) {
        sim_fail(world,
                 "replica %" PRIu32 " signed twice: height %" PRIu64
                 " view %" PRIu64 " phase %d",
                 node->identity, word->height, word->view, word->phase);
    }
    if (!record_knows(node, word)) {
        sim_fail(world,
                 "replica %" PRIu32
                 " sent what is not on its disk: height %" PRIu64
                 " view %" PRIu64 " phase %d",
                 node->identity, word->height, word->view, word->phase);
    }
}

/* What it passes on of others is theirs. */
static void check_vote(struct sim_world *world, const struct sim_node *node,
                       const Pot__Vote *vote)
{
    if (vote->replica != sim_replica_of(world, vote->height, node->identity)) {
        return;
    }
    struct sim_word word = {
        .height = vote->height,
        .view = vote->view,
        .phase = (int)vote->phase,
    };
    if (!codec_hash(&word.digest, vote->digest)) {
        sim_fail(world, "replica %" PRIu32 " sent a malformed vote",
                 node->identity);
        return;
    }
    check_word(world, node, &word);
}

static void check_view_change(struct sim_world *world,
                              const struct sim_node *node,
                              const Pot__ViewChange *change)
{
    struct sim_word word = {.height = change->height, .view = change->view};
    size_t size;
    uint8_t *data = codec_encode(&size, change);
    hash_bytes(&word.digest, "view-change", data, size);
    free(data);
    check_word(world, node, &word);
}

static void check_mark(struct sim_world *world,
                       const Pot__ConsensusMessage *message)
{
    if (message->kind_case == POT__CONSENSUS_MESSAGE__KIND_NEW_VIEW) {
        sim_mark(world, MARK_NEW_VIEW);
    }
    if (message->kind_case != POT__CONSENSUS_MESSAGE__KIND_PRE_PREPARE) {
        return;
    }
    struct block *block;
    if (block_decode(&block, message->pre_prepare->block.data,
                     message->pre_prepare->block.len) != POT_OK) {
        sim_fail(world, "an honest primary proposed a malformed block");
        return;
    }
    if (block->header->view < message->pre_prepare->vote->view) {
        sim_mark(world, MARK_REPROPOSED);
    }
    block_free(block);
}

void sim_check_sent(struct sim_world *world, const struct sim_node *node,
                    const uint8_t *bytes, size_t size)
{
    Pot__ConsensusMessage *message;
    if (CODEC_DECODE(&message, pot__consensus_message, bytes, size) != POT_OK) {
        sim_fail(world, "replica %" PRIu32 " sent what does not decode",
                 node->identity);
        return;
    }
    sim_trace(world, node, "  %s", sim_kind_name(message));
    switch (message->kind_case) {
    case POT__CONSENSUS_MESSAGE__KIND_PRE_PREPARE:
        check_vote(world, node, message->pre_prepare->vote);
        break;
    case POT__CONSENSUS_MESSAGE__KIND_PREPARE:
        check_vote(world, node, message->prepare);
        break;
    case POT__CONSENSUS_MESSAGE__KIND_COMMIT:
        check_vote(world, node, message->commit);
        break;
    case POT__CONSENSUS_MESSAGE__KIND_VIEW_CHANGE:
        check_view_change(world, node, message->view_change);
        break;
    case POT__CONSENSUS_MESSAGE__KIND_NEW_VIEW:
    case POT__CONSENSUS_MESSAGE__KIND_BLOCK_REQUEST:
    case POT__CONSENSUS_MESSAGE__KIND_BLOCK_REPLY:
    case POT__CONSENSUS_MESSAGE__KIND_SUSPICION:
    case POT__CONSENSUS_MESSAGE__KIND__NOT_SET:
    case _POT__CONSENSUS_MESSAGE__KIND__CASE_IS_INT_SIZE:
        break;
    }
    check_mark(world, message);
    codec_free(message);
}

/* Apart from certificate_verify, and as plain as can be: who signed? */
static uint32_t count_signers(const struct sim_world *world, uint64_t height,
                              const Pot__CommitCertificate *certificate)
{
    uint32_t count = 0;
    for (uint32_t replica = 0; replica < sim_validator_count(world, height);
         replica++) {
        const struct key *key =
            world->keys[sim_identity_of(world, height, replica)];
        struct vote vote = {.phase = POT__PHASE__PHASE_COMMIT,
                            .height = height,
                            .view = certificate->view,
                            .replica = replica};
        struct signature signature;
        bool has_signed = false;
        for (size_t i = 0; i < certificate->n_signatures; i++) {
            has_signed =
                has_signed ||
                (codec_hash(&vote.digest, certificate->digest) &&
                 codec_signature(&signature,
                                 certificate->signatures[i]->signature) &&
                 vote_verify_key(key_public(key), &world->chain, &vote,
                                 &signature));
        }
        count += has_signed;
    }
    return count;
}

static void check_certificate(struct sim_world *world,
                              const struct sim_node *node, uint64_t height,
                              const struct sim_block *block)
{
    Pot__CommitCertificate *certificate;
    if (CODEC_DECODE(&certificate, pot__commit_certificate, block->certificate,
                     block->certificate_size) != POT_OK) {
        sim_fail(world, "a certificate does not decode");
        return;
    }
    uint32_t n = sim_validator_count(world, height);
    uint32_t faults = (n - 1) / 3;
    if (2 * count_signers(world, height, certificate) < n + faults + 1 ||
        certificate->height != height || certificate->view != block->view ||
        !codec_bytes_equal(certificate->digest, block->digest.b, HASH_SIZE)) {
        sim_fail(world,
                 "replica %" PRIu32
                 " holds a wrong certificate of height %" PRIu64,
                 node->identity, height);
    }
    codec_free(certificate);
}

static void check_block(struct sim_world *world, const struct sim_node *node,
                        uint64_t height, const struct sim_block *block)
{
    struct block *opened;
    if (block_decode(&opened, block->bytes, block->size) != POT_OK) {
        sim_fail(world, "a committed block is malformed");
        return;
    }
    const struct hash *parent = &node->chain[height - 1].digest;
    if (!hash_equal(&opened->hash, &block->digest) ||
        opened->header->height != height ||
        !codec_bytes_equal(opened->header->parent_hash, parent->b, HASH_SIZE)) {
        sim_fail(world, "a committed block does not fit its place");
    }
    if (opened->header->time_ms % 1000 == SIM_BLOCK_BAD) {
        sim_fail(world, "an invalid block was committed at height %" PRIu64,
                 height);
    }
    block_free(opened);
}

void sim_check_commit(struct sim_world *world, const struct sim_node *node,
                      uint64_t height, const struct sim_block *block)
{
    POT_ASSERT(height >= 1 && height <= SIM_HEIGHTS);
    bool is_other = world->is_committed[height] &&
                    !hash_equal(&world->committed[height], &block->digest);
    if (is_other && world->config.is_overrun) {
        world->is_forked = true; /* whom to blame for it is the question */
        sim_mark(world, MARK_FORK);
        return;
    }
    if (is_other) {
        sim_fail(world,
                 "no agreement: replica %" PRIu32
                 " commits another block at height %" PRIu64,
                 node->identity, height);
    }
    world->is_committed[height] = true;
    world->committed[height] = block->digest;
    check_certificate(world, node, height, block);
    check_block(world, node, height, block);
}
