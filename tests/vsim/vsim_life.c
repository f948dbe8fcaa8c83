#include "config.h"

#include "tests/vsim/vsim_life.h"

#include "node/block/chain.h"
#include "node/node_parts.h"
#include "tests/vsim/vsim_check.h"
#include "tests/vsim/vsim_client.h"
#include "tests/vsim/vsim_fault.h"
#include "tests/vsim/vsim_node.h"

#include <inttypes.h>
#include <stdlib.h>

#define SECOND_US      UINT64_C(1000000)
#define HEAL_BOUND_US  (120 * SECOND_US)
#define HEIGHTS_BEYOND 2
#define EVENTS_MAX     5000000

static uint64_t pick(const uint64_t *values, size_t count)
{
    return values[vsim_below(count)];
}

/* ---- what a seed says */

static void draw_size(struct vsim_config *c)
{
    static const uint64_t sizes[] = {1, 2, 3, 3, 4, 4, 4, 4, 4, 4, 5, 6, 7};
    static const uint64_t large[] = {10, 13, 16, 22, 31};
    c->n = (uint32_t)(vsim_chance(15) ? pick(large, 5) : pick(sizes, 13));
    c->spare = 0;
    if (vsim_has(FAULT_MEMBERS)) {
        c->spare = 1 + (uint32_t)vsim_below(c->n < 10 ? 2 : 3);
    }
}

static void draw_times(struct vsim_config *c)
{
    static const uint64_t latencies[] = {200, 1000, 5000, 20000, 60000};
    static const uint64_t works[] = {200, 2000, 10000, 40000};
    static const uint64_t timeouts[] = {600, 1000, 2000};
    static const uint64_t intervals[] = {300, 700, 1500};
    c->latency_us = pick(latencies, 5);
    c->jitter_us = vsim_below(2 * c->latency_us);
    c->work_us = pick(works, 4);
    c->propose_timeout_ms = pick(timeouts, 3);
    c->idle_interval_ms = pick(intervals, 3);
    c->fault_end_us = (8 + vsim_below(20)) * SECOND_US;
    c->height_goal = 5 + vsim_below(12);
    if (vsim_has(FAULT_PAUSE) && vsim_chance(80)) { /* some stand for minutes */
        c->fault_end_us = (200 + vsim_below(500)) * SECOND_US;
        c->idle_interval_ms = 20000;
    }
}

void vsim_life_draw(const struct vsim_request *request)
{
    struct vsim_config *c = &vsim.config;
    for (unsigned i = 0; i < VSIM_FAULT_COUNT; i++) {
        c->faults |= (unsigned)vsim_chance(300) << i;
    }
    draw_size(c);
    draw_times(c);
    c->epoch_blocks = vsim_has(FAULT_MEMBERS) ? 2 + vsim_below(4) : 100;
    c->unbonding_blocks = 1 + vsim_below(10);
    c->snapshot_interval = 2 + vsim_below(4);
    if (vsim_has(FAULT_LEAP)) {
        c->faults |= 1U << FAULT_LOSS;
    }
    c->faults &= ~request->without;
    c->planted = request->planted;
    if (request->height_goal > 0) {
        c->height_goal = request->height_goal;
    }
    if (request->n > 0) {
        c->n = request->n;
    }
}

static void say_config(void)
{
    const struct vsim_config *c = &vsim.config;
    vsim_say(VSIM_NOBODY,
             "n=%" PRIu32 "+%" PRIu32 " latency=%" PRIu64 "us work=%" PRIu64
             "us timeout=%" PRIu64 "ms idle=%" PRIu64 "ms epoch=%" PRIu64
             " until=%" PRIu64 "s or height %" PRIu64 " faults=%x",
             c->n, c->spare, c->latency_us, c->work_us, c->propose_timeout_ms,
             c->idle_interval_ms, c->epoch_blocks, c->fault_end_us / SECOND_US,
             c->height_goal, c->faults);
}

/* ---- living */

void vsim_life_open(const struct vsim_request *request)
{
    say_config();
    vsim_check_init();
    vsim_node_open_all(request->folder);
    for (uint32_t i = 0; i < vsim.node_count; i++) {
        vsim_node_start_in(&vsim.nodes[i], vsim_below(SECOND_US / 5));
    }
}

void vsim_life_close(void)
{
    vsim_node_close_all();
    vsim_check_fini();
}

static bool step(void)
{
    bool has_stepped = vsim_step();
    vsim_node_after_step();
    if (vsim.events > EVENTS_MAX) {
        vsim_fail("%d events and no end", EVENTS_MAX);
    }
    return has_stepped && !vsim.is_failed;
}

bool vsim_life_run_to(uint64_t height, uint64_t until_us)
{
    while (vsim_check_height() < height && vsim.now_us < until_us) {
        if (!step()) {
            return false;
        }
    }
    return true;
}

/* A node with turned bits is not looked at, but has to follow. */
static uint64_t height_min(void)
{
    uint64_t height = UINT64_MAX;
    for (uint32_t i = 0; i < vsim.node_count; i++) {
        const struct vsim_node *node = &vsim.nodes[i];
        bool is_up = node->node != NULL && node->node->chain != NULL;
        uint64_t own = is_up ? chain_tip(node->node->chain)->height : 0;
        height = own < height ? own : height;
    }
    return height;
}

static bool is_whole(uint64_t goal)
{
    return vsim_check_height() >= goal && height_min() >= goal &&
           vsim_client_is_settled();
}

static void live_healed(void)
{
    uint64_t begun_us = vsim.now_us;
    uint64_t end_us = begun_us + HEAL_BOUND_US;
    uint64_t height = vsim_check_height();
    uint64_t goal = height + HEIGHTS_BEYOND;
    while (!vsim.is_failed && !is_whole(goal)) {
        (void)step();
        if (vsim.healed_us == 0 && vsim_check_height() > height) {
            vsim.healed_us = vsim.now_us - begun_us;
        }
        if (vsim.now_us > end_us) {
            vsim_fail("no progress: nodes at heights %" PRIu64 " to %" PRIu64
                      ", wanted %" PRIu64 "; transactions %s",
                      height_min(), vsim_check_height(), goal,
                      vsim_client_is_settled() ? "settled" : "wait");
        }
    }
}

void vsim_life_run(const struct vsim_request *request)
{
    vsim_world_init(request->seed, request->is_verbose);
    vsim_life_draw(request);
    vsim_life_open(request);
    vsim_client_open_all();
    vsim_fault_open();
    if (vsim.config.n >= 10) {
        vsim_mark(MARK_LARGE);
    } else if (vsim.config.n == 1) {
        vsim_mark(MARK_SINGLE);
    }
    (void)vsim_life_run_to(vsim.config.height_goal, vsim.config.fault_end_us);
    if (!vsim.is_failed) {
        vsim_fault_heal();
        live_healed();
    }
    if (!vsim.is_failed) {
        vsim_check_end();
    }
    vsim_client_close_all();
    vsim_life_close();
}
