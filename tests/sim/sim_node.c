#include "config.h"

#include "tests/sim/sim_node.h"

#include "base/check.h"
#include "proto/codec.h"
#include "tests/sim/sim_attack.h"
#include "tests/sim/sim_block.h"
#include "tests/sim/sim_check.h"
#include "tests/sim/sim_step.h"
#include "tests/sim/sim_sync.h"
#include "tests/sim/sim_work.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

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
    node->paused_until_ms = 0;
    memset(node->is_armed, 0, sizeof(node->is_armed));
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
        .propose_timeout_ms = (uint32_t)world->config.timeout_ms,
        .propose_timeout_max_ms = 16 * (uint32_t)world->config.timeout_ms,
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
    sim_step(world, node, &start);
    sim_schedule(world, SIM_SYNC, node->index, sim_rng_below(&world->rng, 200));
    if (world->work != NULL) {
        return; /* and nothing else happens by itself */
    }
    sim_schedule(world, SIM_WORK, node->index, sim_rng_below(&world->rng, 300));
    if (!node->is_honest) {
        sim_schedule(world, SIM_ATTACK, node->index,
                     sim_rng_below(&world->rng, 100));
    }
    if (world->config.is_nervous) {
        sim_schedule(world, SIM_SUSPECT, node->index,
                     sim_rng_below(&world->rng, 1000));
    }
}

/* ---- events */

/* As it comes, before anything else can change what the replica waits for. */
static bool take_spare(struct sim_world *world, struct sim_node *node,
                       const struct sim_event *event)
{
    const struct sim_message *message = event->message;
    struct pbft_event taken = {.type = PBFT_MESSAGE};
    uint32_t from = sim_replica_of(world, pbft_status(node->pbft).height,
                                   world->nodes[event->from].identity);
    if (message->message == NULL || from == PBFT_NO_REPLICA ||
        !pbft_is_spare(node->pbft, message->message,
                       &pbft_validators(node->pbft)->keys[from])) {
        return false;
    }
    taken.u.message.message = message->message;
    taken.u.message.from = from;
    taken.u.message.is_spare = true;
    sim_mark(world, MARK_SPARE);
    sim_trace(world, node, "keeps %s of replica %" PRIu32,
              sim_kind_name(message->message), from);
    sim_step(world, node, &taken);
    return true;
}

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
    if (take_spare(world, node, event)) {
        return;
    }
    if (message->message == NULL ||
        !pbft_verify(pbft_validators(node->pbft), &world->chain,
                     message->message)) {
        if (node->is_honest) {
            sim_mark(world, MARK_FORGED);
        }
        return;
    }
    if (message->message->kind_case ==
            POT__CONSENSUS_MESSAGE__KIND_BLOCK_REPLY &&
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
              sim_kind_name(event->message->message), event->from);
    sim_step(world, node, &message);
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
    sim_step(world, node, &persisted);
}

static void on_proposal(struct sim_world *world, struct sim_node *node,
                        const struct sim_event *event)
{
    struct pbft_event proposal = {.type = PBFT_PROPOSAL};
    proposal.u.proposal.height = event->a;
    proposal.u.proposal.view = event->b;
    uint8_t *block = NULL;
    size_t size = 0;
    if (event->a == node->height + 1 &&
        (world->work != NULL || !sim_rng_chance(&world->rng, 50))) {
        struct hash digest;
        uint64_t items[SIM_BLOCK_ITEMS];
        struct sim_block_spec spec = {
            .chain = world->chain,
            .parent = node->chain[node->height].digest,
            .proposer = *key_public(world->keys[node->identity]),
            .height = event->a,
            .view = event->b,
            .time_ms = sim_rng_below(&world->rng, 1U << 30) * 1000 +
                       sim_rng_below(&world->rng, SIM_BLOCK_BAD),
            .items = items,
        };
        if (world->work != NULL) {
            spec.item_count = sim_work_choose(world, node, items);
        }
        if ((node->attacks & ATTACK_BAD_BLOCK) != 0 &&
            sim_rng_chance(&world->rng, 500)) {
            spec.time_ms += SIM_BLOCK_BAD - spec.time_ms % 1000;
            sim_mark(world, MARK_BAD_BLOCK);
        }
        block = sim_block_make(&size, &digest, &spec);
    }
    proposal.u.proposal.block = block;
    proposal.u.proposal.block_size = size;
    sim_step(world, node, &proposal);
    free(block);
}

static bool has_record_of(const struct sim_node *node, uint64_t height)
{
    Pot__PbftRecord *record;
    if (node->record == NULL ||
        CODEC_DECODE(&record, pot__pbft_record, node->record,
                     node->record_size) != POT_OK) {
        return false;
    }
    bool is_of = record->height <= height && record->n_votes > 0;
    codec_free(record);
    return is_of;
}

/* What becomes of the set of the height that ends, and of node in it. */
static void mark_set(struct sim_world *world, const struct sim_node *node,
                     const struct validator_set *next)
{
    const struct validator_set *set = pbft_validators(node->pbft);
    const struct public_key *key = key_public(world->keys[node->identity]);
    uint32_t index;
    if (validator_set_equal(next, set)) {
        return;
    }
    sim_mark(world, MARK_SET_CHANGE);
    if (pbft_status(node->pbft).is_changing) {
        sim_mark(world, MARK_CHANGE_MID_CHANGE);
    }
    if (next->count != set->count) {
        sim_mark(world, next->count > set->count ? MARK_GREW : MARK_SHRANK);
    }
    bool was_in = validator_set_find(&index, set, key);
    bool is_in = validator_set_find(&index, next, key);
    if (was_in != is_in && has_record_of(node, node->height)) {
        sim_mark(world, was_in ? MARK_LEFT_WITH_RECORD : MARK_CAME_WITH_RECORD);
    }
}

/* As a node does at a new tip: it hears of it, says that there is work, and
 * what it thinks of the primary. */
static void serve(struct sim_world *world, struct sim_node *node,
                  const struct pbft_event *committed)
{
    struct pbft_event event = {.type = PBFT_WORK};
    sim_work_stored(world, node);
    sim_step(world, node, committed);
    if (sim_work_waits(world, node)) {
        sim_step(world, node, &event);
    }
    if (sim_work_judge(world, node)) {
        event.type = PBFT_SUSPECT;
        event.u.suspect.view = pbft_status(node->pbft).view;
        sim_step(world, node, &event);
    }
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
    mark_set(world, node, &set);
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
    if (world->work != NULL) {
        serve(world, node, &committed);
        return;
    }
    sim_step(world, node, &committed);
    if (sim_rng_chance(&world->rng, 400)) {
        sim_schedule(world, SIM_WORK, node->index, 0)->flag = true;
    }
}

/* Faulty ones claim to the end; honest ones err only for a while. */
static void on_suspect(struct sim_world *world, struct sim_node *node)
{
    struct pbft_event suspect = {.type = PBFT_SUSPECT};
    suspect.u.suspect.view = pbft_status(node->pbft).view;
    if (!node->is_honest || !world->is_healed) {
        sim_step(world, node, &suspect);
        sim_schedule(world, SIM_SUSPECT, node->index,
                     node->is_honest ? 500 + sim_rng_below(&world->rng, 1500)
                                     : 50 + sim_rng_below(&world->rng, 100));
    }
}

static void on_pause(struct sim_world *world, struct sim_node *node)
{
    if (!world->is_healed) {
        node->paused_until_ms =
            world->now_ms + sim_rng_between(&world->rng, 50, 3000);
        sim_mark(world, MARK_PAUSED);
        sim_trace(world, node, "stands still");
    }
}

/* Whatever happens to one that stands still, it learns of it later, in its
 * order. */
static void put_off(struct sim_world *world, struct sim_node *node,
                    struct sim_event *event)
{
    struct sim_event *later = sim_schedule(
        world, event->type, event->node, node->paused_until_ms - world->now_ms);
    uint64_t at_ms = later->at_ms;
    uint64_t order = later->order;
    *later = *event;
    later->at_ms = at_ms;
    later->order = order;
    event->message = NULL;
    memset(&event->block, 0, sizeof(event->block));
}

static void on_timer(struct sim_world *world, struct sim_node *node,
                     const struct sim_event *event)
{
    struct pbft_event in = {.type = PBFT_TIMER};
    if (event->b == node->generations[event->a]) {
        node->is_armed[event->a] = false;
    }
    in.u.timer.timer = (enum pbft_timer)event->a;
    in.u.timer.generation = event->b;
    sim_step(world, node, &in);
}

static void on_checked(struct sim_world *world, struct sim_node *node,
                       const struct sim_event *event)
{
    struct pbft_event in = {.type = PBFT_CHECKED};
    in.u.checked.height = event->a;
    in.u.checked.digest = event->digest;
    in.u.checked.is_valid = event->flag;
    sim_step(world, node, &in);
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
        on_timer(world, node, event);
        break;
    case SIM_PERSISTED:
        on_persisted(world, node, event);
        break;
    case SIM_CHECKED:
        on_checked(world, node, event);
        break;
    case SIM_PROPOSAL:
        on_proposal(world, node, event);
        break;
    case SIM_APPLIED:
        on_applied(world, node, event);
        break;
    case SIM_WORK:
        sim_step(world, node, &in);
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
    case SIM_PAUSE:
        on_pause(world, node);
        break;
    case SIM_SUSPECT:
        on_suspect(world, node);
        break;
    case SIM_ITEM:
        world->work->nodes[node->index].arrived_ms[event->a] = world->now_ms;
        sim_step(world, node, &in);
        break;
    case SIM_BIRTH:
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
    bool is_of_network = event->type == SIM_DELIVER ||
                         event->type == SIM_CRASH || event->type == SIM_PAUSE;
    if (!node->is_up ||
        (!is_of_network && event->incarnation != node->incarnation)) {
        return;
    }
    if (world->now_ms < node->paused_until_ms && event->type != SIM_CRASH) {
        put_off(world, node, event);
    } else {
        on_node_event(world, node, event);
    }
}
