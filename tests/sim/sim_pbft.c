/* sim_pbft: thousands of seeded lives of a PBFT network.
 *
 *   sim_pbft --seed N [--verbose]   one life, told step by step
 *   sim_pbft --seeds A..B           all of them, and what they went through
 *
 * A life: replicas work under crashes, partitions, loss and up to f faulty
 * ones; then the network heals, everyone is up, the faulty stay faulty, and
 * every honest replica must get further within a bounded virtual time. */
#include "config.h"

#include "base/option.h"
#include "proto/codec.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_node.h"
#include "tests/sim/sim_scenario.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAL_BOUND_MS  60000
#define BLAME_BOUND_MS 5000
#define HEIGHTS_BEYOND 2
#define STEPS_MAX      2000000

static bool is_anything_prepared(const struct sim_world *world)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node *node = &world->nodes[i];
        Pot__PbftRecord *record;
        if (!node->is_honest || node->record == NULL ||
            CODEC_DECODE(&record, pot__pbft_record, node->record,
                         node->record_size) != POT_OK) {
            continue;
        }
        bool is_prepared =
            record->height == node->height + 1 && record->prepared != NULL;
        codec_free(record);
        if (is_prepared) {
            return true;
        }
    }
    return false;
}

/* One stays away longer than the others: what it alone committed must be
 * what they commit. */
static void crash_all(struct sim_world *world, uint32_t last)
{
    if (world->is_healed) {
        return;
    }
    if (sim_rng_chance(&world->rng, 500)) {
        world->network++;
    }
    sim_trace(world, NULL, "all crash");
    for (uint32_t i = 0; i < world->node_count; i++) {
        sim_node_crash(world, &world->nodes[i]);
        uint64_t pause_ms = 5 + sim_rng_below(&world->rng, 200);
        if (i == last) {
            pause_ms += sim_rng_below(&world->rng, 3000);
        }
        sim_schedule(world, SIM_RESTART, i, pause_ms);
    }
    sim_mark(world, MARK_ALL_CRASH);
    if (is_anything_prepared(world)) {
        sim_mark(world, MARK_ALL_CRASH_PREPARED);
    }
}

static void heal(struct sim_world *world)
{
    sim_trace(world, NULL, "the network heals");
    world->is_healed = true;
    sim_partition(world);
    for (uint32_t i = 0; i < world->node_count; i++) {
        sim_node_start(world, &world->nodes[i]);
    }
}

static uint64_t height_of(const struct sim_world *world, bool is_highest)
{
    uint64_t height = is_highest ? 0 : UINT64_MAX;
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node *node = &world->nodes[i];
        if (node->is_honest &&
            (is_highest ? node->height > height : node->height < height)) {
            height = node->height;
        }
    }
    return height;
}

static void happen(struct sim_world *world, struct sim_event *event)
{
    if (event->type == SIM_CRASH_ALL) {
        crash_all(world, event->node);
    } else if (event->type == SIM_PARTITION) {
        sim_partition(world);
    } else if (event->type != SIM_CRASH || !world->is_healed) {
        sim_node_handle(world, event);
    }
    sim_event_fini(event);
}

static void live_with_faults(struct sim_world *world)
{
    struct sim_event event;
    while (!world->is_failed && sim_next(world, &event)) {
        happen(world, &event);
        if (world->now_ms >= world->config.fault_end_ms || world->is_forked ||
            height_of(world, true) >= world->config.height_goal) {
            return;
        }
    }
}

static void live_healed(struct sim_world *world)
{
    uint64_t end_ms = world->now_ms + HEAL_BOUND_MS;
    uint64_t goal = height_of(world, true) + HEIGHTS_BEYOND;
    struct sim_event event;
    while (!world->is_failed && height_of(world, false) < goal &&
           sim_next(world, &event)) {
        happen(world, &event);
        if (world->now_ms > end_ms || world->steps > STEPS_MAX) {
            sim_fail(world,
                     "no progress: honest replicas at heights %" PRIu64
                     " to %" PRIu64 ", wanted %" PRIu64,
                     height_of(world, false), height_of(world, true), goal);
        }
    }
}

/* How many of those that broke the agreement are known by name. */
static uint32_t count_accused(const struct sim_world *world)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < world->config.n; i++) {
        count += world->is_accused[i];
    }
    return count;
}

/* Whoever broke the agreement is found out: f + 1 of them at least. */
static void live_forked(struct sim_world *world)
{
    uint64_t end_ms = world->now_ms + BLAME_BOUND_MS;
    uint32_t wanted = validator_set_faults(world->config.n) + 1;
    struct sim_event event;
    while (!world->is_failed && count_accused(world) < wanted &&
           sim_next(world, &event)) {
        happen(world, &event);
        if (world->now_ms > end_ms || world->steps > STEPS_MAX) {
            sim_fail(world,
                     "agreement broke, and evidence names %" PRIu32
                     " of at least %" PRIu32,
                     count_accused(world), wanted);
        }
    }
}

struct totals {
    uint64_t runs;
    uint64_t steps;
    uint64_t marks[SIM_MARK_COUNT];
};

static bool run_seed(uint64_t seed, bool is_verbose, struct totals *totals,
                     struct hash *trace)
{
    struct sim_world world;
    sim_world_init(&world, seed, is_verbose);
    sim_scenario_draw(&world);
    sim_trace(&world, NULL,
              "n=%" PRIu32 " nodes=%" PRIu32 " loss=%u delay=%" PRIu64
              " persist=%" PRIu64 " goal=%" PRIu64,
              world.config.n, world.node_count, world.config.loss_permille,
              world.config.delay_max_ms, world.config.persist_max_ms,
              world.config.height_goal);
    for (uint32_t i = 0; i < world.node_count; i++) {
        sim_node_start(&world, &world.nodes[i]);
    }
    live_with_faults(&world);
    if (!world.is_failed) {
        heal(&world);
        if (!world.config.is_overrun) {
            live_healed(&world);
        } else if (world.is_forked) {
            live_forked(&world);
        }
    }
    totals->runs++;
    totals->steps += world.steps;
    for (size_t i = 0; i < SIM_MARK_COUNT; i++) {
        totals->marks[i] += world.marks[i];
    }
    *trace = world.trace;
    bool is_good = !world.is_failed;
    if (!is_good) {
        printf("seed %" PRIu64 " fails at %" PRIu64 " ms, n=%" PRIu32
               ": %s\nreplay: tests/sim/sim_pbft --seed %" PRIu64
               " --verbose\n",
               seed, world.now_ms, world.config.n, world.failure, seed);
    }
    sim_world_fini(&world);
    return is_good;
}

/* The same seed gives the same run: the replay of a failure is a failure. */
static bool run_twice(uint64_t seed, struct totals *totals)
{
    struct hash first;
    struct hash second;
    struct totals ignored = {0};
    if (!run_seed(seed, false, totals, &first)) {
        return false;
    }
    if (seed % 100 == 0 && (!run_seed(seed, false, &ignored, &second) ||
                            !hash_equal(&first, &second))) {
        printf("seed %" PRIu64 " runs differently the second time\n", seed);
        return false;
    }
    return true;
}

static bool print_totals(const struct totals *totals)
{
    static const char *const texts[] = {
#define X(mark, text) text,
        SIM_MARKS(X)
#undef X
    };
    bool is_all_seen = true;
    printf("%" PRIu64 " runs, %" PRIu64 " steps\n", totals->runs,
           totals->steps);
    for (size_t i = 0; i < SIM_MARK_COUNT; i++) {
        printf("%8" PRIu64 "  %s\n", totals->marks[i], texts[i]);
        is_all_seen = is_all_seen && totals->marks[i] > 0;
    }
    return is_all_seen;
}

struct options {
    uint64_t first;
    uint64_t last;
    bool is_verbose;
    bool is_keeping_on;
};

/* A seed, or two with ".." between them. */
static bool parse_seeds(struct options *options, const char *text,
                        bool is_range)
{
    char *end;
    options->first = strtoull(text, &end, 10);
    options->last = options->first;
    if (is_range && strncmp(end, "..", 2) == 0) {
        options->last = strtoull(end + 2, &end, 10);
    }
    return *end == '\0' && end != text;
}

static bool parse_options(struct options *options, int argc, char **argv)
{
    static const struct option known[] = {
        {"seed", required_argument, NULL, 's'},
        {"seeds", required_argument, NULL, 'r'},
        {"verbose", no_argument, NULL, 'v'},
        {"keep-going", no_argument, NULL, 'k'},
        {NULL, 0, NULL, 0},
    };
    bool is_right = true;
    int option;
    while ((option = option_next(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 's':
        case 'r':
            is_right = parse_seeds(options, optarg, option == 'r') && is_right;
            break;
        case 'v':
            options->is_verbose = true;
            break;
        case 'k':
            options->is_keeping_on = true;
            break;
        default:
            is_right = false;
            break;
        }
    }
    return is_right;
}

#define TOLD_RUNS 1000
static void tell_progress(const struct totals *totals, uint64_t seed)
{
    if (totals->runs % TOLD_RUNS == 0) {
        printf("%" PRIu64 " runs, to seed %" PRIu64 "\n", totals->runs, seed);
        (void)fflush(stdout);
    }
}

/* How many seeds fail; up to the first one, unless told to keep going. */
static uint64_t run_seeds(const struct options *options, struct totals *totals)
{
    struct hash trace;
    uint64_t failures = 0;
    for (uint64_t seed = options->first; seed <= options->last; seed++) {
        bool is_good = options->is_verbose
                           ? run_seed(seed, true, totals, &trace)
                           : run_twice(seed, totals);
        failures += !is_good;
        tell_progress(totals, seed);
        if (!is_good && !options->is_keeping_on) {
            break;
        }
    }
    return failures;
}

int main(int argc, char **argv)
{
    struct options options = {.first = 1, .last = SIM_SEEDS};
    if (!parse_options(&options, argc, argv)) {
        fprintf(stderr, "usage: sim_pbft --seed N [--verbose]\n"
                        "       sim_pbft --seeds A..B [--keep-going]\n");
        return 2;
    }
    struct totals totals = {0};
    uint64_t failures = run_seeds(&options, &totals);
    if (failures > 0 && !options.is_keeping_on) {
        return 1;
    }
    bool is_all_seen = print_totals(&totals);
    if (failures > 0) {
        printf("%" PRIu64 " seeds fail\n", failures);
        return 1;
    }
    /* A few seeds need not see everything; the full course must. */
    if (!is_all_seen && totals.runs >= 1000) {
        printf("the faults do not bite: something was never seen\n");
        return 1;
    }
    return 0;
}
