#include "config.h"

#include "tests/sim/sim_step.h"

#include "base/check.h"
#include "proto/block.h"
#include "proto/codec.h"
#include "proto/evidence.h"
#include "tests/sim/sim_attack.h"
#include "tests/sim/sim_block.h"
#include "tests/sim/sim_check.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_signatures.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const effect_names[] = {"persist", "broadcast", "send",
                                           "timer",   "propose",   "check",
                                           "commit",  "sync",      "evidence"};

static void send_message(struct sim_world *world, struct sim_node *node,
                         struct pbft_effect *effect)
{
    if (node->is_honest) {
        sim_check_sent(world, node, effect->bytes, effect->size);
    } else if (sim_attack_twist(world, node, effect)) {
        return;
    }
    if (effect->type == PBFT_BROADCAST) {
        sim_send_to_all(world, node, effect->bytes, effect->size);
    } else {
        uint32_t to =
            sim_identity_of(world, sim_voting_height(node), effect->replica);
        sim_send_to(world, node, to, effect->bytes, effect->size);
    }
    effect->bytes = NULL;
}

static void persist(struct sim_world *world, struct sim_node *node,
                    struct pbft_effect *effect)
{
    POT_ASSERT(node->write_count < SIM_WRITES);
    /* One write is under way, one waits; a newer one takes its place. */
    if (world->config.is_coalescing && node->write_count == 2) {
        free(node->writes[--node->write_count].bytes);
        sim_mark(world, MARK_COALESCED);
    }
    node->writes[node->write_count++] = (struct sim_write){
        .sequence = effect->sequence,
        .bytes = effect->bytes,
        .size = effect->size,
    };
    effect->bytes = NULL;
    uint64_t at_ms = world->now_ms +
                     sim_rng_below(&world->rng, world->config.persist_max_ms);
    if (at_ms < node->persist_at_ms) {
        at_ms = node->persist_at_ms;
    }
    node->persist_at_ms = at_ms;
    sim_schedule(world, SIM_PERSISTED, node->index, at_ms - world->now_ms)->a =
        effect->sequence;
}

static void check(struct sim_world *world, struct sim_node *node,
                  const struct pbft_effect *effect)
{
    struct block *block;
    bool is_valid = block_decode(&block, effect->bytes, effect->size) == POT_OK;
    POT_ASSERT(is_valid);
    if (node->is_honest) {
        is_valid = block->header->time_ms % 1000 != SIM_BLOCK_BAD;
        if (!world->is_healed &&
            sim_rng_chance(&world->rng, world->config.refuse_permille)) {
            is_valid = false;
            sim_mark(world, MARK_REFUSED);
        }
    }
    block_free(block);
    uint64_t delay_ms = sim_rng_below(&world->rng, world->config.check_max_ms);
    if (delay_ms > pbft_status(node->pbft).timeout_ms) {
        sim_mark(world, MARK_SLOW_CHECK);
    }
    struct sim_event *event =
        sim_schedule(world, SIM_CHECKED, node->index, delay_ms);
    event->a = effect->height;
    event->digest = effect->digest;
    event->flag = is_valid;
}

void sim_apply(struct sim_world *world, struct sim_node *node,
               struct sim_block *block, uint64_t height, bool is_sync)
{
    node->is_applying = true;
    struct sim_event *event = sim_schedule(world, SIM_APPLIED, node->index,
                                           sim_rng_below(&world->rng, 10));
    event->block = *block;
    event->a = height;
    event->flag = is_sync;
    memset(block, 0, sizeof(*block));
}

static void commit(struct sim_world *world, struct sim_node *node,
                   struct pbft_effect *effect)
{
    struct sim_block block = {
        .bytes = effect->bytes,
        .size = effect->size,
        .digest = effect->digest,
        .view = effect->view,
        .certificate = effect->certificate,
        .certificate_size = effect->certificate_size,
    };
    effect->bytes = NULL;
    effect->certificate = NULL;
    if (node->is_honest) {
        if (effect->height != node->height + 1) {
            sim_fail(world, "replica %" PRIu32 " commits out of order",
                     node->identity);
        }
        sim_check_commit(world, node, effect->height, &block);
        if (effect->view > node->chain[node->height].view) {
            sim_mark(world, MARK_LATER_VIEW_COMMIT);
        }
        if (!world->is_healed &&
            sim_rng_chance(&world->rng, world->config.crash_all_permille)) {
            sim_schedule(world, SIM_CRASH_ALL, node->index,
                         sim_rng_below(&world->rng, 12));
        }
    }
    if (!node->is_applying && effect->height == node->height + 1) {
        sim_apply(world, node, &block, effect->height, false);
    }
    free(block.bytes);
    free(block.certificate);
}

static void look_at_evidence(struct sim_world *world,
                             const struct sim_node *node,
                             const struct pbft_effect *effect)
{
    struct validator_set set;
    sim_validators(world, &set, effect->height);
    Pot__EvidenceBody *evidence;
    uint32_t accused = sim_identity_of(world, effect->height, effect->replica);
    if (!node->is_honest) {
        return;
    }
    if (CODEC_DECODE(&evidence, pot__evidence_body, effect->bytes,
                     effect->size) != POT_OK) {
        sim_fail(world, "evidence does not decode");
        return;
    }
    if (evidence_check_body(&world->chain, evidence) != EVIDENCE_PROVES ||
        !codec_bytes_equal(evidence->validator, set.keys[effect->replica].b,
                           PUBLIC_KEY_SIZE) ||
        world->nodes[accused].is_honest) {
        sim_fail(world, "evidence accuses honest replica %" PRIu32, accused);
    }
    codec_free(evidence);
    world->is_accused[accused] = true;
    sim_mark(world, MARK_EVIDENCE);
}

static uint64_t propose_delay(struct sim_world *world,
                              const struct sim_node *node)
{
    return (node->attacks & ATTACK_SLOW) != 0
               ? world->config.timeout_ms * 9 / 10
               : sim_rng_below(&world->rng, world->config.propose_max_ms);
}

static void carry_out(struct sim_world *world, struct sim_node *node,
                      struct pbft_effect *effect)
{
    struct sim_event *event;
    switch (effect->type) {
    case PBFT_PERSIST:
        persist(world, node, effect);
        break;
    case PBFT_BROADCAST:
    case PBFT_SEND:
        send_message(world, node, effect);
        break;
    case PBFT_SET_TIMER:
        event = sim_schedule(world, SIM_TIMER, node->index, effect->delay_ms);
        event->a = effect->timer;
        event->b = effect->generation;
        node->is_armed[effect->timer] = true;
        node->generations[effect->timer] = effect->generation;
        break;
    case PBFT_PROPOSE:
        event = sim_schedule(world, SIM_PROPOSAL, node->index,
                             propose_delay(world, node));
        event->a = effect->height;
        event->b = effect->view;
        break;
    case PBFT_CHECK:
        check(world, node, effect);
        break;
    case PBFT_COMMIT:
        commit(world, node, effect);
        break;
    case PBFT_SYNC:
        sim_mark(world, MARK_SYNC_HINT);
        sim_schedule(world, SIM_SYNC, node->index, 1)->flag = true;
        break;
    case PBFT_EVIDENCE:
        look_at_evidence(world, node, effect);
        break;
    }
}

static void note_effect(struct sim_world *world,
                        const struct pbft_effect *effect)
{
    struct hasher h;
    hasher_init(&h, "trace");
    hasher_add(&h, world->trace.b, HASH_SIZE);
    hasher_add_u64(&h, world->now_ms);
    hasher_add_u32(&h, (uint32_t)effect->type);
    hasher_add_u64(&h, effect->size);
    hasher_add(&h, effect->bytes, effect->size);
    hasher_final(&h, &world->trace);
}

/* A view that was left for no other reason than words. */
static void mark_suspicion(struct sim_world *world,
                           const struct pbft_status *before,
                           const struct pbft_status *after)
{
    for (unsigned why = PBFT_CHANGE_SLOW; why <= PBFT_CHANGE_CENSOR; why++) {
        if (after->view_changes[why] > before->view_changes[why]) {
            uint32_t primary =
                sim_identity_of(world, before->height, before->primary);
            sim_mark(world, MARK_SUSPECTED);
            if (world->nodes[primary].is_honest) {
                sim_mark(world, MARK_WRONGED);
            }
        }
    }
}

/* Something will wake the replica, whatever state it is in; and in an open
 * view it will not wait for ever. */
static void check_timers(struct sim_world *world, const struct sim_node *node)
{
    struct pbft_status status = pbft_status(node->pbft);
    bool is_waiting =
        !status.is_silent && !status.is_changing && !status.is_decided;
    if (!node->is_armed[PBFT_TIMER_RESEND] ||
        (is_waiting &&
         !(status.is_view_timed && node->is_armed[PBFT_TIMER_VIEW]))) {
        sim_fail(world, "no timer is armed at replica %" PRIu32,
                 node->identity);
    }
}

static void take_step(struct sim_world *world, struct sim_node *node,
                      const struct pbft_event *event,
                      struct pbft_effects *effects)
{
    unsigned permille = world->config.unsigned_permille;
    if (permille > 0 && node->is_honest && !world->is_healed &&
        sim_rng_chance(&world->rng, permille)) {
        sim_signatures_hold();
    }
    pbft_step(node->pbft, event, effects);
    if (sim_signatures_release()) {
        sim_mark(world, MARK_UNSIGNED);
    }
}

void sim_step(struct sim_world *world, struct sim_node *node,
              const struct pbft_event *event)
{
    struct pbft_effects effects = {0};
    struct pbft_status before = pbft_status(node->pbft);
    struct pbft_event timed = *event;
    timed.now_ms = world->now_ms;
    take_step(world, node, &timed, &effects);
    world->steps++;
    struct pbft_status after = pbft_status(node->pbft);
    if (memcmp(after.view_changes, before.view_changes,
               sizeof(after.view_changes)) != 0) {
        sim_mark(world, MARK_VIEW_CHANGE);
        if (after.view > before.view + 1) {
            sim_mark(world, MARK_JOIN);
        }
        mark_suspicion(world, &before, &after);
    }
    for (size_t i = 0; i < effects.count; i++) {
        struct pbft_effect *effect = &effects.items[i];
        if (effect->type != PBFT_SET_TIMER) {
            sim_trace(world, node,
                      "%s  (height %" PRIu64 " view %" PRIu64 "%s)",
                      effect_names[effect->type], after.height, after.view,
                      after.is_changing ? " changing" : "");
        }
        note_effect(world, effect);
        carry_out(world, node, effect);
    }
    pbft_effects_fini(&effects);
    check_timers(world, node);
}
