/* sim_primary: lives that ask how well primaries serve, and whether those that
 * do not are replaced in time, and no others.
 *
 *   slow    each faulty primary lets 0.9 of the time-out pass before each block
 *   starve  its blocks hold one item, the latest, while others wait
 *   censor  it leaves out one client's items
 *   poor    nobody is faulty; the whole network needs a third of the time-out
 *   fine    nobody is faulty, and the network is quick
 *
 * In the first three all f faulty replicas are primaries one after the other,
 * from the first view on. */
#include "config.h"

#include "base/alloc.h"
#include "tests/sim/sim_node.h"
#include "tests/sim/sim_work.h"

#include "consensus/pace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 300
#define HEIGHTS    100
#define BIRTHS     400 /* items, one in BIRTH_MS */
#define BIRTH_MS   10
#define SEEDS      4

enum kind { SLOW, STARVE, CENSOR, POOR, FINE, KINDS };
static const char *const kind_names[] = {"slow", "starve", "censor", "poor",
                                         "fine"};
static const unsigned kind_attacks[] = {ATTACK_SLOW, ATTACK_STARVE,
                                        ATTACK_CENSOR, 0, 0};

static void set_up(struct sim_world *world, enum kind kind, uint32_t n)
{
    world->config = (struct sim_config){
        .n = n,
        .delay_max_ms = 3,
        .persist_max_ms = 3,
        .check_max_ms = 3,
        .timeout_ms = TIMEOUT_MS,
        .propose_max_ms = kind == POOR ? TIMEOUT_MS / 3 : 5,
        .height_goal = HEIGHTS,
    };
    world->is_healed = true;
    world->work = pot_calloc(1, sizeof(*world->work));
    for (uint32_t i = 0; i < n; i++) {
        struct sim_node *node = &world->nodes[world->node_count++];
        bool is_faulty = kind_attacks[kind] != 0 && i < validator_set_faults(n);
        node->index = i;
        node->identity = i;
        node->is_honest = !is_faulty;
        node->attacks = is_faulty ? kind_attacks[kind] : 0;
        hash_bytes(&node->chain[0].digest, "block", "genesis", 7);
    }
    for (uint32_t i = 0; i < n; i++) {
        sim_node_start(world, &world->nodes[i]);
    }
    for (uint64_t i = 0; i < BIRTHS; i++) {
        sim_schedule(world, SIM_BIRTH, 0, BIRTH_MS * i);
    }
}

static const struct sim_node *last_of(const struct sim_world *world)
{
    return &world->nodes[world->config.n - 1]; /* honest in every kind */
}

static uint64_t view_of(const struct sim_world *world)
{
    return last_of(world)->chain[last_of(world)->height].view;
}

static void live(struct sim_world *world)
{
    struct sim_event event;
    uint64_t end_ms = HEIGHTS * TIMEOUT_MS;
    while (!world->is_failed && last_of(world)->height < HEIGHTS &&
           sim_next(world, &event)) {
        if (event.type == SIM_BIRTH) {
            sim_work_bear(world,
                          (uint32_t)sim_rng_below(&world->rng, SIM_CLIENTS));
        } else {
            sim_node_handle(world, &event);
        }
        sim_event_fini(&event);
        if (world->now_ms > end_ms) {
            sim_fail(world, "only %" PRIu64 " blocks", last_of(world)->height);
        }
    }
}

/* Blocks that a slow primary got through in its view. */
static void check_slow(struct sim_world *world)
{
    uint32_t faults = validator_set_faults(world->config.n);
    uint64_t blocks = 0;
    for (uint64_t h = 1; h <= last_of(world)->height; h++) {
        uint64_t view = last_of(world)->chain[h].view;
        blocks += view % world->config.n < faults;
    }
    if (blocks > faults * (PACE_BLOCKS_MIN + 2)) {
        sim_fail(world, "slow primaries made %" PRIu64 " of %d blocks", blocks,
                 HEIGHTS);
    }
}

/* Each faulty primary may keep an item for a time-out and a little, until all
 * have noticed and the view has changed. */
static void check_items(struct sim_world *world)
{
    uint32_t faults = validator_set_faults(world->config.n);
    uint64_t bound_ms = (faults + 1) * 2 * TIMEOUT_MS;
    for (size_t i = 0; i < world->work->count; i++) {
        const struct sim_item *item = &world->work->items[i];
        uint64_t end_ms = item->taken_ms != 0 ? item->taken_ms : world->now_ms;
        if (end_ms - item->born_ms > bound_ms) {
            sim_fail(world,
                     "item %zu of client %" PRIu32 " waited %" PRIu64 " ms", i,
                     item->client, end_ms - item->born_ms);
        }
    }
}

/* Every faulty one is gone, and not many more views were needed. */
static void check_views(struct sim_world *world, uint64_t least, uint64_t most)
{
    if (view_of(world) < least || view_of(world) > most) {
        sim_fail(world,
                 "the last view is %" PRIu64 ", not %" PRIu64 " to %" PRIu64,
                 view_of(world), least, most);
    }
}

static void check(struct sim_world *world, enum kind kind)
{
    uint32_t faults = validator_set_faults(world->config.n);
    switch (kind) {
    case SLOW:
        check_slow(world);
        check_views(world, faults, faults + 1);
        break;
    case STARVE:
    case CENSOR:
        check_items(world);
        check_views(world, faults, faults);
        break;
    case POOR:
        check_items(world);
        check_views(world, 0, faults + 1);
        break;
    case FINE:
        check_items(world);
        check_views(world, 0, 0);
        break;
    case KINDS:
        break;
    }
}

static bool run(enum kind kind, uint32_t n, uint64_t seed, bool is_verbose)
{
    struct sim_world world;
    sim_world_init(&world, seed, is_verbose);
    set_up(&world, kind, n);
    live(&world);
    if (!world.is_failed) {
        check(&world, kind);
    }
    bool is_good = !world.is_failed;
    if (!is_good) {
        printf("%s n=%" PRIu32 " seed %" PRIu64 " fails at %" PRIu64
               " ms: %s\n",
               kind_names[kind], n, seed, world.now_ms, world.failure);
    } else if (is_verbose || seed == 1) {
        printf("%-6s n=%" PRIu32 ": %d blocks in %" PRIu64
               " ms, last in view %" PRIu64 "\n",
               kind_names[kind], n, HEIGHTS, world.now_ms, view_of(&world));
    }
    free(world.work);
    sim_world_fini(&world);
    return is_good;
}

int main(int argc, char **argv)
{
    static const uint32_t sizes[] = {4, 7};
    if (argc == 4) { /* one life: kind, n, seed */
        for (unsigned kind = 0; kind < KINDS; kind++) {
            if (strcmp(argv[1], kind_names[kind]) == 0) {
                return !run((enum kind)kind,
                            (uint32_t)strtoul(argv[2], NULL, 10),
                            strtoull(argv[3], NULL, 10), true);
            }
        }
    }
    if (argc != 1) {
        fprintf(stderr, "usage: sim_primary [KIND N SEED]\n");
        return 2;
    }
    bool is_good = true;
    for (unsigned kind = 0; kind < KINDS; kind++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
            for (uint64_t seed = 1; seed <= SEEDS; seed++) {
                is_good =
                    run((enum kind)kind, sizes[i], seed, false) && is_good;
            }
        }
    }
    return is_good ? 0 : 1;
}
