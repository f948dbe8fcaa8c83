#include "config.h"

#include "tests/sim/sim_network.h"

#include "base/alloc.h"
#include "proto/codec.h"

#include <string.h>

struct sim_message *sim_message_new(uint8_t *bytes, size_t size)
{
    struct sim_message *message = pot_calloc(1, sizeof(*message));
    message->refs = 1;
    message->bytes = bytes;
    message->size = size;
    if (CODEC_DECODE(&message->message, pot__consensus_message, bytes, size) !=
        POT_OK) {
        message->message = NULL; /* noise: whoever gets it drops it */
    }
    return message;
}

static void deliver(struct sim_world *world, const struct sim_node *from,
                    const struct sim_node *to, struct sim_message *message)
{
    const struct sim_config *config = &world->config;
    uint64_t delay_ms = 1 + sim_rng_below(&world->rng, config->delay_max_ms);
    if (!world->is_healed && sim_rng_chance(&world->rng, 20)) {
        delay_ms *= 1 + sim_rng_below(&world->rng, 20); /* a straggler */
    }
    message->refs++;
    struct sim_event *event =
        sim_schedule(world, SIM_DELIVER, to->index, delay_ms);
    event->from = from->index;
    event->network = world->network;
    event->message = message;
}

void sim_send(struct sim_world *world, const struct sim_node *from,
              uint32_t to_identity, struct sim_message *message)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node *to = &world->nodes[i];
        if (to->identity != to_identity ||
            world->is_blocked[from->index][to->index] ||
            (!world->is_healed &&
             sim_rng_chance(&world->rng, world->config.loss_permille))) {
            continue;
        }
        deliver(world, from, to, message);
        if (sim_rng_chance(&world->rng, world->config.duplicate_permille)) {
            deliver(world, from, to, message);
        }
    }
}

void sim_send_to(struct sim_world *world, const struct sim_node *from,
                 uint32_t to_identity, uint8_t *bytes, size_t size)
{
    struct sim_message *message = sim_message_new(bytes, size);
    sim_send(world, from, to_identity, message);
    sim_message_drop(message);
}

void sim_send_to_all(struct sim_world *world, const struct sim_node *from,
                     uint8_t *bytes, size_t size)
{
    struct sim_message *message = sim_message_new(bytes, size);
    for (uint32_t i = 0; i < world->config.n; i++) {
        if (i != from->identity) {
            sim_send(world, from, i, message);
        }
    }
    sim_message_drop(message);
}

static void block_groups(struct sim_world *world)
{
    uint32_t groups[SIM_NODES];
    uint64_t count = sim_rng_between(&world->rng, 2, 3);
    for (uint32_t i = 0; i < world->node_count; i++) {
        groups[i] = (uint32_t)sim_rng_below(&world->rng, count);
    }
    for (uint32_t i = 0; i < world->node_count; i++) {
        for (uint32_t j = 0; j < world->node_count; j++) {
            world->is_blocked[i][j] = groups[i] != groups[j];
        }
    }
    sim_mark(world, MARK_PARTITION);
}

static void block_links(struct sim_world *world)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        for (uint32_t j = 0; j < world->node_count; j++) {
            world->is_blocked[i][j] = sim_rng_chance(&world->rng, 300);
        }
    }
    sim_mark(world, MARK_ONE_WAY);
}

void sim_partition(struct sim_world *world)
{
    memset(world->is_blocked, 0, sizeof(world->is_blocked));
    if (world->is_healed) {
        return;
    }
    uint64_t kind = sim_rng_below(&world->rng, 4);
    if (kind == 0) {
        block_groups(world);
    } else if (kind == 1) {
        block_links(world);
    }
    sim_trace(world, NULL, "network %s",
              kind == 0   ? "in groups"
              : kind == 1 ? "with dead links"
                          : "whole");
}
