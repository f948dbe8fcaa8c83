#include "config.h"

#include "tests/sim/sim_world.h"

#include "base/alloc.h"
#include "base/check.h"
#include "proto/codec.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sim_fail(struct sim_world *world, const char *format, ...)
{
    if (world->is_failed) {
        return; /* the first failure is the one to look at */
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(world->failure, sizeof(world->failure), format, arguments);
    va_end(arguments);
    world->is_failed = true;
}

void sim_trace(struct sim_world *world, const struct sim_node *node,
               const char *format, ...)
{
    if (!world->is_verbose) {
        return;
    }
    printf("%7" PRIu64 " ", world->now_ms);
    if (node != NULL) {
        printf("%c%" PRIu32 "%s ", node->is_honest ? 'r' : 'x', node->identity,
               node->index >= world->config.n ? "'" : " ");
    }
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

void sim_mark(struct sim_world *world, enum sim_mark mark)
{
    world->marks[mark] = true;
}

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_ms < b->at_ms || (a->at_ms == b->at_ms && a->order < b->order);
}

static void swap_events(struct sim_event *a, struct sim_event *b)
{
    struct sim_event swapped = *a;
    *a = *b;
    *b = swapped;
}

static struct sim_event *push(struct sim_world *world)
{
    if (world->queue_count == world->queue_capacity) {
        world->queue_capacity =
            world->queue_capacity > 0 ? 2 * world->queue_capacity : 256;
        world->queue = pot_realloc(world->queue, world->queue_capacity,
                                   sizeof(*world->queue));
    }
    return &world->queue[world->queue_count++];
}

struct sim_event *sim_schedule(struct sim_world *world,
                               enum sim_event_type type, uint32_t node,
                               uint64_t delay_ms)
{
    struct sim_event *event = push(world);
    memset(event, 0, sizeof(*event));
    event->at_ms = world->now_ms + delay_ms;
    event->order = world->order++;
    event->type = type;
    event->node = node;
    event->incarnation =
        node < world->node_count ? world->nodes[node].incarnation : 0;
    size_t at = world->queue_count - 1;
    while (at > 0 &&
           is_before(&world->queue[at], &world->queue[(at - 1) / 2])) {
        swap_events(&world->queue[at], &world->queue[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    return &world->queue[at];
}

bool sim_next(struct sim_world *world, struct sim_event *event)
{
    if (world->queue_count == 0) {
        return false;
    }
    *event = world->queue[0];
    world->queue[0] = world->queue[--world->queue_count];
    size_t at = 0;
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1;
             child <= 2 * at + 2 && child < world->queue_count; child++) {
            if (is_before(&world->queue[child], &world->queue[least])) {
                least = child;
            }
        }
        if (least == at) {
            break;
        }
        swap_events(&world->queue[at], &world->queue[least]);
        at = least;
    }
    POT_ASSERT(event->at_ms >= world->now_ms);
    world->now_ms = event->at_ms;
    return true;
}

void sim_message_drop(struct sim_message *message)
{
    if (message != NULL && --message->refs == 0) {
        codec_free(message->message);
        free(message->bytes);
        free(message);
    }
}

void sim_event_fini(struct sim_event *event)
{
    sim_message_drop(event->message);
    free(event->block.bytes);
    free(event->block.certificate);
}

static uint32_t rotation(const struct sim_world *world, uint64_t height)
{
    uint64_t blocks = world->config.rotate_blocks;
    return blocks == 0 ? 0 : (uint32_t)(height / blocks % world->config.n);
}

uint32_t sim_validator_count(const struct sim_world *world, uint64_t height)
{
    const struct sim_config *config = &world->config;
    if (!config->is_resizing || height < config->rotate_blocks) {
        return config->n;
    }
    struct sim_rng rng = {world->seed + height / config->rotate_blocks};
    return (uint32_t)sim_rng_between(&rng, 1, config->n);
}

void sim_validators(const struct sim_world *world, struct validator_set *set,
                    uint64_t height)
{
    set->count = sim_validator_count(world, height);
    for (uint32_t i = 0; i < set->count; i++) {
        set->keys[i] =
            *key_public(world->keys[sim_identity_of(world, height, i)]);
    }
}

uint32_t sim_identity_of(const struct sim_world *world, uint64_t height,
                         uint32_t replica)
{
    return (replica + rotation(world, height)) % world->config.n;
}

uint32_t sim_replica_of(const struct sim_world *world, uint64_t height,
                        uint32_t identity)
{
    uint32_t place = (identity + world->config.n - rotation(world, height)) %
                     world->config.n;
    return place < sim_validator_count(world, height) ? place : PBFT_NO_REPLICA;
}

uint64_t sim_voting_height(const struct sim_node *node)
{
    return pbft_status(node->pbft).height;
}

const char *sim_kind_name(const Pot__ConsensusMessage *message)
{
    static const char *const names[] = {"nothing", "pre-prepare", "prepare",
                                        "commit",  "view-change", "new-view",
                                        "request", "proposal",    "suspicion"};
    return message == NULL ? "noise" : names[message->kind_case];
}

void sim_world_init(struct sim_world *world, uint64_t seed, bool is_verbose)
{
    memset(world, 0, sizeof(*world));
    world->seed = seed;
    world->is_verbose = is_verbose;
    world->rng.state = seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
    world->nodes = pot_calloc(SIM_NODES, sizeof(*world->nodes));
    hash_bytes(&world->chain, "chain", "sim", 3);
    for (uint8_t i = 0; i < SIM_IDENTITIES; i++) {
        uint8_t secret[32] = {'s', 'i', 'm', i};
        world->keys[i] = key_from_seed(secret);
    }
}

static void node_fini(struct sim_node *node)
{
    pbft_free(node->pbft);
    for (uint64_t i = 1; i <= SIM_HEIGHTS; i++) {
        free(node->chain[i].bytes);
        free(node->chain[i].certificate);
    }
    free(node->record);
    for (size_t i = 0; i < node->write_count; i++) {
        free(node->writes[i].bytes);
    }
    for (size_t i = 0; i < SIM_RECENT; i++) {
        sim_message_drop(node->recent[i]);
    }
}

void sim_world_fini(struct sim_world *world)
{
    for (size_t i = 0; i < world->queue_count; i++) {
        sim_event_fini(&world->queue[i]);
    }
    free(world->queue);
    for (uint32_t i = 0; i < world->node_count; i++) {
        node_fini(&world->nodes[i]);
    }
    free(world->nodes);
    for (uint32_t i = 0; i < SIM_IDENTITIES; i++) {
        key_free(world->keys[i]);
        free(world->words[i]);
    }
}
