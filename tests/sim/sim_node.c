/* A node around a replica, as small as can be: a disk whose writes take time
 * and are lost in a crash, and a ledger that says yes.
 * It keeps the caller's part of the contract in pbft.h. */
#include "config.h"

#include "base/alloc.h"
#include "base/check.h"
#include "proto/block.h"
#include "proto/codec.h"
#include "tests/sim/sim_block.h"
#include "tests/sim/sim_world.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WRITES_MAX                                                             \
    (sizeof(((struct sim_node *)0)->writes) / sizeof(struct sim_write))

static const char *const effect_names[] = {"persist", "broadcast", "send",
                                           "timer",   "propose",   "check",
                                           "commit",  "sync",      "evidence"};

uint64_t sim_node_voting_height(const struct sim_node *node)
{
    return pbft_status(node->pbft).height;
}

static const char *kind_name(const Pot__ConsensusMessage *message)
{
    static const char *const names[] = {"nothing", "pre-prepare", "prepare",
                                        "commit",  "view-change", "new-view",
                                        "request", "proposal"};
    return message == NULL ? "noise" : names[message->kind_case];
}

static void do_send(struct sim_world *world, struct sim_node *node,
                    struct pbft_effect *effect)
{
    if (!node->is_honest) {
        sim_attack_out(world, node, effect);
        return;
    }
    sim_check_sent(world, node, effect->bytes, effect->size);
    uint64_t height = sim_node_voting_height(node);
    struct sim_message *message = sim_message_new(effect->bytes, effect->size);
    effect->bytes = NULL;
    sim_trace(world, node, "  %s", kind_name(message->message));
    for (uint32_t i = 0; i < world->config.n; i++) {
        bool is_meant =
            effect->type == PBFT_BROADCAST
                ? i != node->identity
                : i == sim_identity_of(world, height, effect->replica);
        if (is_meant) {
            sim_send(world, node, i, message);
        }
    }
    sim_message_drop(message);
}

static void do_persist(struct sim_world *world, struct sim_node *node,
                       struct pbft_effect *effect)
{
    POT_ASSERT(node->write_count < WRITES_MAX);
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

static void do_check(struct sim_world *world, struct sim_node *node,
                     const struct pbft_effect *effect)
{
    struct block *block;
    bool is_valid = block_open(&block, effect->bytes, effect->size) == POT_OK;
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
    struct sim_event *event = sim_schedule(world, SIM_CHECKED, node->index,
                                           sim_rng_below(&world->rng, 15));
    event->a = effect->height;
    event->digest = effect->digest;
    event->flag = is_valid;
}

static void do_commit(struct sim_world *world, struct sim_node *node,
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
        sim_node_apply(world, node, &block, effect->height, false);
    }
    free(block.bytes);
    free(block.certificate);
}

static void do_evidence(struct sim_world *world, const struct sim_node *node,
                        const struct pbft_effect *effect)
{
    struct validator_set set;
    sim_validators(world, &set, effect->height);
    Pot__Evidence *evidence;
    uint32_t accused = sim_identity_of(world, effect->height, effect->replica);
    if (!node->is_honest) {
        return;
    }
    if (CODEC_DECODE(&evidence, pot__evidence, effect->bytes, effect->size) !=
        POT_OK) {
        sim_fail(world, "evidence does not decode");
        return;
    }
    if (!evidence_verify(&set, &world->chain, evidence) ||
        world->nodes[accused].is_honest) {
        sim_fail(world, "evidence accuses honest replica %" PRIu32, accused);
    }
    codec_free(evidence);
    sim_mark(world, MARK_EVIDENCE);
}

static void do_effect(struct sim_world *world, struct sim_node *node,
                      struct pbft_effect *effect)
{
    struct sim_event *event;
    switch (effect->type) {
    case PBFT_PERSIST:
        do_persist(world, node, effect);
        break;
    case PBFT_BROADCAST:
    case PBFT_SEND:
        do_send(world, node, effect);
        break;
    case PBFT_SET_TIMER:
        event = sim_schedule(world, SIM_TIMER, node->index, effect->delay_ms);
        event->a = effect->timer;
        event->b = effect->generation;
        break;
    case PBFT_PROPOSE:
        event = sim_schedule(world, SIM_PROPOSAL, node->index,
                             sim_rng_below(&world->rng, 10));
        event->a = effect->height;
        event->b = effect->view;
        break;
    case PBFT_CHECK:
        do_check(world, node, effect);
        break;
    case PBFT_COMMIT:
        do_commit(world, node, effect);
        break;
    case PBFT_SYNC:
        sim_mark(world, MARK_SYNC_HINT);
        sim_schedule(world, SIM_SYNC, node->index, 1)->flag = true;
        break;
    case PBFT_EVIDENCE:
        do_evidence(world, node, effect);
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

static void step(struct sim_world *world, struct sim_node *node,
                 struct pbft_event *event)
{
    struct pbft_effects effects = world->effects;
    memset(&world->effects, 0, sizeof(world->effects));
    struct pbft_status before = pbft_status(node->pbft);
    event->now_ms = world->now_ms;
    pbft_step(node->pbft, event, &effects);
    world->steps++;
    struct pbft_status after = pbft_status(node->pbft);
    if (after.view_changes > before.view_changes) {
        sim_mark(world, MARK_VIEW_CHANGE);
        if (after.view > before.view + 1) {
            sim_mark(world, MARK_JOIN);
        }
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
        do_effect(world, node, effect);
    }
    pbft_effects_clear(&effects);
    world->effects = effects;
}

/* ---- crash and restart */

/* What was written but not synced may be there after a crash, in order. */
static void lose_writes(struct sim_world *world, struct sim_node *node)
{
    size_t kept = sim_rng_below(&world->rng, node->write_count + 1);
    for (size_t i = 0; i < node->write_count; i++) {
        if (i + 1 == kept) {
            free(node->record);
            node->record = node->writes[i].bytes;
            node->record_size = node->writes[i].size;
        } else {
            free(node->writes[i].bytes);
        }
    }
    if (kept < node->write_count) {
        sim_mark(world, MARK_LOST_WRITE);
    }
    node->write_count = 0;
}

void sim_node_crash(struct sim_world *world, struct sim_node *node)
{
    if (!node->is_up) {
        return;
    }
    sim_trace(world, node, "crashes");
    sim_mark(world, MARK_CRASH);
    lose_writes(world, node);
    pbft_free(node->pbft);
    node->pbft = NULL;
    node->is_up = false;
    node->is_applying = false;
    node->incarnation++;
}

/* An old copy of the chain with the new record: allowed only while another
 * honest node has the blocks. */
static void lose_chain(struct sim_world *world, struct sim_node *node)
{
    if (world->is_healed || world->config.n < 4 || node->height < 2 ||
        !sim_rng_chance(&world->rng, 30)) {
        return;
    }
    bool is_held = false;
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node *other = &world->nodes[i];
        is_held = is_held || (other != node && other->is_honest &&
                              other->height >= node->height);
    }
    if (!is_held) {
        return;
    }
    uint64_t lost = sim_rng_between(&world->rng, 1, 2);
    for (; lost > 0; lost--) {
        struct sim_block *block = &node->chain[node->height--];
        free(block->bytes);
        free(block->certificate);
        memset(block, 0, sizeof(*block));
    }
    sim_mark(world, MARK_LOST_CHAIN);
}

static void mark_record(struct sim_world *world, const struct sim_node *node)
{
    Pot__PbftRecord *record;
    if (node->record == NULL ||
        CODEC_DECODE(&record, pot__pbft_record, node->record,
                     node->record_size) != POT_OK) {
        return;
    }
    if (record->height == node->height + 1) {
        if (record->n_votes > 0) {
            sim_mark(world, MARK_RESTORED_VOTE);
        }
        if (record->prepared != NULL) {
            sim_mark(world, MARK_RESTORED_PREPARED);
        }
    }
    codec_free(record);
}

void sim_node_start(struct sim_world *world, struct sim_node *node)
{
    if (node->is_up) {
        return;
    }
    lose_chain(world, node);
    mark_record(world, node);
    struct validator_set set;
    sim_validators(world, &set, node->height + 1);
    struct pbft_config config = {
        .chain = world->chain,
        .validators = &set,
        .key = world->keys[node->identity],
        .height = node->height,
        .tip = node->chain[node->height].digest,
        .view = node->chain[node->height].view,
        .propose_timeout_ms = 100,
        .propose_timeout_max_ms = 1600,
        .idle_interval_ms = 60,
    };
    enum pot_err err;
    node->pbft = pbft_new(&config, node->record, node->record_size, &err);
    if (node->pbft == NULL) {
        sim_fail(world, "replica %" PRIu32 " does not restart: %s",
                 node->identity, err_text(err));
        return;
    }
    node->is_up = true;
    node->persist_at_ms = world->now_ms;
    sim_trace(world, node, "starts at height %" PRIu64, node->height);
    struct pbft_event start = {.type = PBFT_START};
    step(world, node, &start);
    sim_schedule(world, SIM_SYNC, node->index, sim_rng_below(&world->rng, 200));
    sim_schedule(world, SIM_WORK, node->index, sim_rng_below(&world->rng, 300));
    if (!node->is_honest) {
        sim_schedule(world, SIM_ATTACK, node->index,
                     sim_rng_below(&world->rng, 100));
    }
}

/* ---- events */

static void on_deliver(struct sim_world *world, struct sim_node *node,
                       struct sim_event *event)
{
    struct pbft_status status = pbft_status(node->pbft);
    struct sim_message *message = event->message;
    if (event->network != world->network) {
        return;
    }
    if (!node->is_honest) {
        sim_attack_in(world, node, message);
    }
    if (message->message == NULL ||
        !pbft_verify(pbft_validators(node->pbft), &world->chain,
                     message->message)) {
        if (node->is_honest) {
            sim_mark(world, MARK_FORGED);
        }
        return;
    }
    if (message->message->kind_case == POT__CONSENSUS_MESSAGE__KIND_PROPOSAL &&
        node->is_honest) {
        sim_mark(world, MARK_FETCHED);
    }
    /* Verified on another thread, the set may change before the step. */
    uint64_t delay_ms =
        sim_rng_chance(&world->rng, 200) ? sim_rng_below(&world->rng, 8) : 0;
    struct sim_event *later =
        sim_schedule(world, SIM_STEP_MESSAGE, node->index, delay_ms);
    message->refs++;
    later->message = message;
    later->from = sim_replica_of(world, status.height,
                                 world->nodes[event->from].identity);
    later->a = status.set_id;
}

static void on_step_message(struct sim_world *world, struct sim_node *node,
                            struct sim_event *event)
{
    struct pbft_event message = {.type = PBFT_MESSAGE};
    message.u.message.message = event->message->message;
    message.u.message.from = event->from;
    message.u.message.set_id = event->a;
    sim_trace(world, node, "gets %s from replica %" PRIu32,
              kind_name(event->message->message), event->from);
    step(world, node, &message);
}

static void on_persisted(struct sim_world *world, struct sim_node *node,
                         const struct sim_event *event)
{
    if (node->write_count == 0 || node->writes[0].sequence != event->a) {
        POT_ASSERT(world->config.is_coalescing);
        return; /* a newer record took its place */
    }
    free(node->record);
    node->record = node->writes[0].bytes;
    node->record_size = node->writes[0].size;
    node->write_count--;
    memmove(node->writes, node->writes + 1,
            node->write_count * sizeof(*node->writes));
    struct pbft_event persisted = {.type = PBFT_PERSISTED};
    persisted.u.persisted.sequence = event->a;
    step(world, node, &persisted);
}

static void on_proposal(struct sim_world *world, struct sim_node *node,
                        const struct sim_event *event)
{
    struct pbft_event proposal = {.type = PBFT_PROPOSAL};
    proposal.u.proposal.height = event->a;
    proposal.u.proposal.view = event->b;
    uint8_t *block = NULL;
    size_t size = 0;
    if (event->a == node->height + 1 && !sim_rng_chance(&world->rng, 50)) {
        struct hash digest;
        struct sim_block_spec spec = {
            .chain = world->chain,
            .parent = node->chain[node->height].digest,
            .proposer = *key_public(world->keys[node->identity]),
            .height = event->a,
            .view = event->b,
            .time_ms = sim_rng_below(&world->rng, 1U << 30) * 1000 +
                       sim_rng_below(&world->rng, SIM_BLOCK_BAD),
        };
        if ((node->attacks & ATTACK_BAD_BLOCK) != 0 &&
            sim_rng_chance(&world->rng, 500)) {
            spec.time_ms += SIM_BLOCK_BAD - spec.time_ms % 1000;
            sim_mark(world, MARK_BAD_BLOCK);
        }
        block = sim_block_make(&size, &digest, &spec);
    }
    proposal.u.proposal.block = block;
    proposal.u.proposal.block_size = size;
    step(world, node, &proposal);
    free(block);
}

static void on_applied(struct sim_world *world, struct sim_node *node,
                       struct sim_event *event)
{
    POT_ASSERT(node->is_applying && event->a == node->height + 1);
    node->is_applying = false;
    if (node->is_honest) {
        sim_check_commit(world, node, event->a, &event->block);
    }
    node->height = event->a;
    node->chain[node->height] = event->block;
    event->block.bytes = NULL;
    event->block.certificate = NULL;
    struct validator_set set;
    sim_validators(world, &set, node->height + 1);
    if (!validator_set_equal(&set, pbft_validators(node->pbft))) {
        sim_mark(world, MARK_SET_CHANGE);
    }
    if (event->flag && pbft_status(node->pbft).is_changing) {
        sim_mark(world, MARK_SYNC_MID_CHANGE);
    }
    sim_trace(world, node, "stores block %" PRIu64 "%s", node->height,
              event->flag ? " by sync" : "");
    struct pbft_event committed = {.type = PBFT_COMMITTED};
    committed.u.committed.height = node->height;
    committed.u.committed.view = node->chain[node->height].view;
    committed.u.committed.digest = node->chain[node->height].digest;
    committed.u.committed.validators = &set;
    step(world, node, &committed);
    if (sim_rng_chance(&world->rng, 400)) {
        sim_schedule(world, SIM_WORK, node->index, 0)->flag = true;
    }
}

static void on_node_event(struct sim_world *world, struct sim_node *node,
                          struct sim_event *event)
{
    struct pbft_event in = {.type = PBFT_WORK};
    switch (event->type) {
    case SIM_DELIVER:
        on_deliver(world, node, event);
        break;
    case SIM_STEP_MESSAGE:
        on_step_message(world, node, event);
        break;
    case SIM_TIMER:
        in.type = PBFT_TIMER;
        in.u.timer.timer = (enum pbft_timer)event->a;
        in.u.timer.generation = event->b;
        step(world, node, &in);
        break;
    case SIM_PERSISTED:
        on_persisted(world, node, event);
        break;
    case SIM_CHECKED:
        in.type = PBFT_CHECKED;
        in.u.checked.height = event->a;
        in.u.checked.digest = event->digest;
        in.u.checked.is_valid = event->flag;
        step(world, node, &in);
        break;
    case SIM_PROPOSAL:
        on_proposal(world, node, event);
        break;
    case SIM_APPLIED:
        on_applied(world, node, event);
        break;
    case SIM_WORK:
        step(world, node, &in);
        if (!event->flag) {
            sim_schedule(world, SIM_WORK, node->index,
                         sim_rng_below(&world->rng, 600));
        }
        break;
    case SIM_SYNC:
        sim_sync(world, node, event);
        break;
    case SIM_ATTACK:
        sim_attack_now(world, node);
        break;
    case SIM_CRASH:
        sim_node_crash(world, node);
        break;
    case SIM_RESTART:
    case SIM_CRASH_ALL:
    case SIM_PARTITION:
        break;
    }
}

void sim_node_handle(struct sim_world *world, struct sim_event *event)
{
    struct sim_node *node = &world->nodes[event->node];
    if (event->type == SIM_RESTART) {
        sim_node_start(world, node);
        return;
    }
    /* Messages outlive the crash of who gets them; all else does not. */
    bool is_of_network = event->type == SIM_DELIVER || event->type == SIM_CRASH;
    if (node->is_up &&
        (is_of_network || event->incarnation == node->incarnation)) {
        on_node_event(world, node, event);
    }
}
