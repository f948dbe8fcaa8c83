/* vsim: thousands of seeded lives of whole nodes.
 *
 *   vsim --seed N [--verbose]   one life, told step by step
 *   vsim --seeds A..B           all of them, and what they went through
 *   vsim --plants               errors are planted, and must be found
 *   vsim --growth               messages and bytes a block
 *
 * A life: nodes work under crashes, bad disks, a bad network and wrong clocks;
 * then all heals, and within a bounded time every node must get further and
 * every transaction stand. */
#include "config.h"

#include "base/option.h"
#include "tests/vsim/vsim_growth.h"
#include "tests/vsim/vsim_try.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define JOBS_MAX     64
#define PLANT_LIVES  60
#define TWICE_LIVES  3
#define MARKED_LIVES 500 /* so many must have met every situation */

static const char usage_text[] =
    "Usage: vsim [--seed N | --seeds A..B | --plants | --growth]\n"
    "            [--without FAULT,...] [--plant ERROR] [--height H] [--n N]\n"
    "            [--jobs J] [--verbose]\n"
    "Without arguments: the lives, the errors and the comparisons of the test\n"
    "suite.\n";

enum mode { MODE_SUITE, MODE_SEEDS, MODE_PLANTS, MODE_GROWTH };

struct options {
    enum mode mode;
    uint64_t last;
    unsigned jobs;
    struct vsim_request request;
};

/* ---- many lives */

static double now_seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void add(struct vsim_outcome *sum, const struct vsim_outcome *part)
{
    sum->lives += part->lives;
    sum->events += part->events;
    sum->simulated_us += part->simulated_us;
    sum->healed_us += part->healed_us;
    if (part->healed_max_us > sum->healed_max_us) {
        sum->healed_max_us = part->healed_max_us;
    }
    for (size_t i = 0; i < VSIM_MARK_COUNT; i++) {
        sum->marks[i] += part->marks[i];
    }
}

static void print_sum(const struct vsim_outcome *sum, double seconds)
{
    double simulated = (double)sum->simulated_us / 1e6;
    double lives = sum->lives > 0 ? (double)sum->lives : 1;
    printf("%" PRIu64 " lives, %.0f s simulated in %.1f s, %" PRIu64
           " events, %.0f a second\n",
           sum->lives, simulated, seconds, sum->events,
           (double)sum->events / seconds);
    printf("from healing to the next block: %.1f s on the average, %.1f s at"
           " most\n",
           (double)sum->healed_us / 1e6 / lives,
           (double)sum->healed_max_us / 1e6);
}

/* False: a situation was never met. */
static bool print_marks(const struct vsim_outcome *sum)
{
    static const char *const texts[] = {
#define X(mark, text) text,
        VSIM_MARKS(X)
#undef X
    };
    bool is_all = true;
    for (size_t i = 0; i < VSIM_MARK_COUNT; i++) {
        printf("%8" PRIu64 "  %s\n", sum->marks[i], texts[i]);
        is_all &= sum->marks[i] > 0;
    }
    if (!is_all && sum->lives >= MARKED_LIVES) {
        printf("FAILED: a situation was never met\n");
        return false;
    }
    return true;
}

static bool end_all(const struct options *options, const pid_t *pids,
                    struct vsim_outcome **outcomes, struct vsim_outcome *sum)
{
    bool is_fine = true;
    for (unsigned j = 0; j < options->jobs; j++) {
        struct vsim_outcome *outcome = outcomes[j];
        if (!vsim_try_end(pids[j], outcome)) {
            struct vsim_request request = options->request;
            request.seed = outcome->seed;
            printf("FAILED: seed %" PRIu64 ": %s\n", outcome->seed,
                   outcome->why);
            vsim_try_smallest(&request);
            is_fine = false;
        }
        add(sum, outcome);
        vsim_outcome_free(outcome);
    }
    return is_fine;
}

static bool live_many(const struct options *options)
{
    pid_t pids[JOBS_MAX];
    struct vsim_outcome *outcomes[JOBS_MAX];
    struct vsim_outcome sum = {0};
    double begun = now_seconds();
    for (unsigned j = 0; j < options->jobs; j++) {
        struct vsim_request request = options->request;
        request.seed += j;
        outcomes[j] = vsim_outcome_new();
        pids[j] =
            vsim_try_begin(&request, options->last, options->jobs, outcomes[j]);
    }
    bool is_fine = end_all(options, pids, outcomes, &sum);
    print_sum(&sum, now_seconds() - begun);
    if (is_fine && options->request.seed != options->last) {
        is_fine = print_marks(&sum);
    }
    return is_fine;
}

/* ---- lives that found something */

/* A disk that filled up while a snapshot went in; headers that stood still
 * behind a full disk. */
static const uint64_t found_seeds[] = {3327, 4144};

static bool live_found(const struct options *options)
{
    bool is_fine = true;
    for (size_t i = 0; i < sizeof(found_seeds) / sizeof(*found_seeds); i++) {
        struct options one = *options;
        one.request.seed = one.last = found_seeds[i];
        one.jobs = 1;
        is_fine &= live_many(&one);
    }
    return is_fine;
}

/* ---- the same life twice */

static bool live_twice(const struct options *options)
{
    struct vsim_outcome *first = vsim_outcome_new();
    struct vsim_outcome *second = vsim_outcome_new();
    bool is_same = true;
    for (uint64_t i = 0; i < TWICE_LIVES && is_same; i++) {
        struct vsim_request request = options->request;
        request.seed += i;
        pid_t alone = vsim_try_begin(&request, request.seed, 1, first);
        (void)vsim_try_end(alone, first);
        request.seed = options->request.seed; /* and behind those before it */
        pid_t behind = vsim_try_begin(&request, request.seed + i, 1, second);
        (void)vsim_try_end(behind, second);
        is_same = hash_equal(&first->trace, &second->trace);
    }
    printf(is_same ? "the same seed, the same life\n"
                   : "FAILED: the same seed, another life\n");
    vsim_outcome_free(first);
    vsim_outcome_free(second);
    return is_same;
}

/* ---- planted errors */

static const char *const plant_names[] = {
#define X(plant, name, text) name,
    VSIM_PLANTS(X)
#undef X
};

static const char *const plant_texts[] = {
#define X(plant, name, text) text,
    VSIM_PLANTS(X)
#undef X
};

static bool find_plant(const struct options *options, unsigned plant)
{
    struct vsim_request request = options->request;
    struct vsim_outcome *outcome = vsim_outcome_new();
    request.planted = 1U << plant;
    pid_t pid =
        vsim_try_begin(&request, request.seed + PLANT_LIVES - 1, 1, outcome);
    bool is_found = !vsim_try_end(pid, outcome);
    if (is_found) {
        printf("%s: found by seed %" PRIu64 ": %s\n", plant_texts[plant],
               outcome->seed, outcome->why);
    } else {
        printf("FAILED: %s: not found\n", plant_texts[plant]);
    }
    vsim_outcome_free(outcome);
    return is_found;
}

static bool find_plants(const struct options *options)
{
    bool is_found = true;
    for (unsigned i = 0; i < VSIM_PLANT_COUNT; i++) {
        is_found &= find_plant(options, i);
    }
    return is_found;
}

/* ---- the command line */

static bool parse_names(unsigned *bits, const char *list,
                        const char *const *names, unsigned count)
{
    while (*list != '\0') {
        size_t size = strcspn(list, ",");
        unsigned i = 0;
        while (i < count && (strlen(names[i]) != size ||
                             strncmp(names[i], list, size) != 0)) {
            i++;
        }
        if (i == count) {
            (void)fprintf(stderr, "vsim: %.*s: no such name\n", (int)size,
                          list);
            return false;
        }
        *bits |= 1U << i;
        list += size + (list[size] == ',');
    }
    return true;
}

static bool parse_seeds(struct options *options, const char *text)
{
    char *end = NULL;
    options->mode = MODE_SEEDS;
    options->request.seed = strtoull(text, &end, 10);
    options->last = options->request.seed;
    if (strncmp(end, "..", 2) == 0) {
        options->last = strtoull(end + 2, &end, 10);
    }
    return *end == '\0' && end != text;
}

enum option_key {
    OPTION_SEED = 256,
    OPTION_PLANTS,
    OPTION_GROWTH,
    OPTION_WITHOUT,
    OPTION_PLANT,
    OPTION_HEIGHT,
    OPTION_N,
    OPTION_JOBS,
    OPTION_VERBOSE,
};

static bool take_option(struct options *options, int key, const char *value)
{
    static const char *const faults[] = {
#define X(fault, name, text) name,
        VSIM_FAULTS(X)
#undef X
    };
    struct vsim_request *request = &options->request;
    switch (key) {
    case OPTION_SEED:
        return parse_seeds(options, value);
    case OPTION_PLANTS:
        options->mode = MODE_PLANTS;
        return true;
    case OPTION_GROWTH:
        options->mode = MODE_GROWTH;
        return true;
    case OPTION_WITHOUT:
        return parse_names(&request->without, value, faults, VSIM_FAULT_COUNT);
    case OPTION_PLANT:
        return parse_names(&request->planted, value, plant_names,
                           VSIM_PLANT_COUNT);
    case OPTION_HEIGHT:
        request->height_goal = strtoull(value, NULL, 10);
        return true;
    case OPTION_N:
        request->n = (uint32_t)strtoul(value, NULL, 10);
        return request->n > 0 && request->n + 4 < VSIM_NODES_MAX;
    case OPTION_JOBS:
        options->jobs = (unsigned)strtoul(value, NULL, 10);
        return options->jobs > 0 && options->jobs <= JOBS_MAX;
    case OPTION_VERBOSE:
        request->is_verbose = true;
        return true;
    default:
        return false;
    }
}

static bool parse(struct options *options, int argc, char **argv)
{
    static const struct option list[] = {
        {"seed", required_argument, NULL, OPTION_SEED},
        {"seeds", required_argument, NULL, OPTION_SEED},
        {"plants", no_argument, NULL, OPTION_PLANTS},
        {"growth", no_argument, NULL, OPTION_GROWTH},
        {"without", required_argument, NULL, OPTION_WITHOUT},
        {"plant", required_argument, NULL, OPTION_PLANT},
        {"height", required_argument, NULL, OPTION_HEIGHT},
        {"n", required_argument, NULL, OPTION_N},
        {"jobs", required_argument, NULL, OPTION_JOBS},
        {"verbose", no_argument, NULL, OPTION_VERBOSE},
        {NULL, 0, NULL, 0},
    };
    for (int c; (c = option_next(argc, argv, "", list, NULL)) != -1;) {
        if (!take_option(options, c, optarg)) {
            return false;
        }
    }
    return optind == argc;
}

static bool run(const struct options *options)
{
    switch (options->mode) {
    case MODE_SEEDS:
        return live_many(options);
    case MODE_PLANTS:
        return find_plants(options);
    case MODE_GROWTH:
        return vsim_growth_print();
    case MODE_SUITE:
        return live_many(options) && live_found(options) &&
               live_twice(options) && find_plants(options);
    }
    return false;
}

int main(int argc, char **argv)
{
    struct options options = {
        .last = VSIM_SEEDS,
        .jobs = 2,
        .request = {.seed = 1},
    };
    if (!parse(&options, argc, argv)) {
        (void)fputs(usage_text, stderr);
        return 2;
    }
    if (!vsim_try_open()) {
        return 1;
    }
    bool is_fine = run(&options);
    vsim_try_close();
    return is_fine ? 0 : 1;
}
