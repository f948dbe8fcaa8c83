#include "config.h"

#include "tests/sim/sim_scenario.h"

static uint64_t pick(struct sim_world *world, const uint64_t *values,
                     size_t count)
{
    return values[sim_rng_below(&world->rng, count)];
}

static void draw_config(struct sim_world *world)
{
    static const uint64_t sizes[] = {1, 2, 2, 3, 3, 4, 4, 4, 4, 4,
                                     4, 4, 4, 5, 5, 5, 7, 7, 7, 7};
    static const uint64_t many[] = {10, 16, 31, 31};
    static const uint64_t losses[] = {0, 0, 30, 100, 250};
    static const uint64_t duplicates[] = {0, 0, 100};
    static const uint64_t delays[] = {2, 8, 25, 60, 120};
    static const uint64_t persists[] = {1, 5, 20, 60, 300};
    static const uint64_t crashes[] = {0, 0, 50, 150, 300};
    static const uint64_t rotations[] = {0, 0, 0, 1, 3};
    static const uint64_t checks[] = {15, 15, 15, 60, 400};
    static const uint64_t silences[] = {0, 0, 0, 200, 800};
    static const uint64_t refusals[] = {0, 0, 20};
    struct sim_config *config = &world->config;
    config->n = (uint32_t)pick(world, sizes, 20);
    if (sim_rng_chance(&world->rng, 8)) {
        config->n = (uint32_t)pick(world, many, 4);
    }
    config->loss_permille = (unsigned)pick(world, losses, 5);
    config->duplicate_permille = (unsigned)pick(world, duplicates, 3);
    config->delay_max_ms = pick(world, delays, 5);
    config->persist_max_ms = pick(world, persists, 5);
    config->crash_all_permille = (unsigned)pick(world, crashes, 5);
    config->rotate_blocks = pick(world, rotations, 5);
    config->check_max_ms = pick(world, checks, 5);
    config->refuse_permille = (unsigned)pick(world, refusals, 3);
    config->timeout_ms = 100;
    config->propose_max_ms = 10;
    config->unsigned_permille = (unsigned)pick(world, silences, 5);
    config->is_nervous = sim_rng_chance(&world->rng, 300);
    config->is_coalescing = sim_rng_chance(&world->rng, 500);
    config->is_sync_rare = sim_rng_chance(&world->rng, 500);
    config->fault_end_ms = sim_rng_between(&world->rng, 1500, 5000);
    config->height_goal = sim_rng_between(&world->rng, 3, 9);
    if (config->n == SIM_IDENTITIES) {
        sim_mark(world, MARK_MANY);
    }
}

/* Sets of every size from 1 on, one after the other: all are honest, as f of
 * a smaller set is smaller. */
static void draw_resizing(struct sim_world *world)
{
    struct sim_config *config = &world->config;
    if (config->rotate_blocks > 0 && sim_rng_chance(&world->rng, 500)) {
        config->is_resizing = true;
        config->height_goal += 3;
    }
}

/* More than f are faulty, and their messages are all delivered: agreement may
 * break, but not without evidence. */
static void draw_overrun(struct sim_world *world)
{
    struct sim_config *config = &world->config;
    if ((config->n != 4 && config->n != 7) || config->rotate_blocks > 0 ||
        !sim_rng_chance(&world->rng, 150)) {
        return;
    }
    config->is_overrun = true;
    config->loss_permille = 0;
    config->crash_all_permille = 0;
    config->refuse_permille = 0;
}

static unsigned draw_attacks(struct sim_world *world)
{
    unsigned attacks = 0;
    if (sim_rng_chance(&world->rng, 150)) {
        return ATTACK_SILENT;
    }
    for (unsigned i = 1; i < ATTACKS; i++) {
        if (sim_rng_chance(&world->rng, 500)) {
            attacks |= 1U << i;
        }
    }
    return attacks;
}

static struct sim_node *add_node(struct sim_world *world, uint32_t identity,
                                 bool is_honest, unsigned attacks)
{
    struct sim_node *node = &world->nodes[world->node_count];
    node->index = world->node_count++;
    node->identity = identity;
    node->is_honest = is_honest;
    node->attacks = attacks;
    hash_bytes(&node->chain[0].digest, "block", "genesis", 7);
    return node;
}

static uint64_t draw_faulty(struct sim_world *world)
{
    uint32_t n = world->config.n;
    if (world->config.is_resizing) {
        return 0;
    }
    if (world->config.is_overrun) {
        return validator_set_quorum(n) - 1;
    }
    uint64_t faulty = sim_rng_below(&world->rng, validator_set_faults(n) + 1);
    if (validator_set_faults(n) > 0 && sim_rng_chance(&world->rng, 300)) {
        faulty = validator_set_faults(n);
    }
    return faulty;
}

/* Up to f faulty replicas, anywhere; some have a twin: two nodes with one
 * key, each keeping its word only to itself. */
static void draw_nodes(struct sim_world *world)
{
    uint32_t n = world->config.n;
    uint64_t faulty = draw_faulty(world);
    uint32_t first = (uint32_t)sim_rng_below(&world->rng, n);
    bool has_twins = sim_rng_chance(&world->rng, 300);
    bool is_split = sim_rng_chance(&world->rng, 700);
    unsigned overrun = ATTACK_EQUIVOCATE | ATTACK_HIDE_PREPARED |
                       (is_split ? ATTACK_SPLIT : ATTACK_YES_MAN);
    for (uint32_t i = 0; i < n; i++) {
        bool is_faulty = (i + n - first) % n < faulty;
        unsigned attacks = is_faulty && !has_twins ? draw_attacks(world) : 0;
        if (is_faulty && world->config.is_overrun) {
            attacks = has_twins ? 0 : overrun;
        }
        (void)add_node(world, i, !is_faulty, attacks);
    }
    for (uint32_t i = 0; i < n && has_twins; i++) {
        if (!world->nodes[i].is_honest) {
            (void)add_node(world, i, false, 0);
            sim_mark(world, MARK_TWIN);
        }
    }
}

static void draw_faults(struct sim_world *world)
{
    uint64_t end_ms = world->config.fault_end_ms;
    uint64_t partitions = sim_rng_below(&world->rng, 8);
    for (uint64_t i = 0; i < partitions; i++) {
        sim_schedule(world, SIM_PARTITION, 0,
                     sim_rng_below(&world->rng, end_ms));
    }
    uint64_t crashes = sim_rng_below(&world->rng, 6);
    for (uint64_t i = 0; i < crashes; i++) {
        uint32_t node = (uint32_t)sim_rng_below(&world->rng, world->node_count);
        uint64_t at_ms = sim_rng_below(&world->rng, end_ms);
        sim_schedule(world, SIM_CRASH, node, at_ms);
        sim_schedule(world, SIM_RESTART, node,
                     at_ms + 10 + sim_rng_below(&world->rng, 1500));
    }
    uint64_t pauses = sim_rng_below(&world->rng, 4);
    for (uint64_t i = 0; i < pauses; i++) {
        uint32_t node = (uint32_t)sim_rng_below(&world->rng, world->node_count);
        sim_schedule(world, SIM_PAUSE, node,
                     sim_rng_below(&world->rng, end_ms));
    }
    if (sim_rng_chance(&world->rng, 400)) {
        uint32_t last = (uint32_t)sim_rng_below(&world->rng, world->node_count);
        sim_schedule(world, SIM_CRASH_ALL, last,
                     sim_rng_below(&world->rng, end_ms));
    }
}

void sim_scenario_draw(struct sim_world *world)
{
    draw_config(world);
    draw_resizing(world);
    draw_overrun(world);
    draw_nodes(world);
    if (!world->config.is_overrun) {
        draw_faults(world);
    }
}
