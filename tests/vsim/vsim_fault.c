/* A kind of fault comes again and again, each time to other nodes.  What the
 * protocol does not promise to survive is not asked of it: one store at a time
 * is lost or damaged, one clock at a time jumps. */
#include "config.h"

#include "tests/vsim/vsim_fault.h"

#include "node/node_parts.h"
#include "proto/validator_set.h"
#include "tests/vsim/vsim_disk.h"
#include "tests/vsim/vsim_network.h"
#include "tests/vsim/vsim_node.h"
#include "tests/vsim/vsim_tcp.h"
#include "tests/vsim/vsim_world.h"

#include <inttypes.h>

#define SECOND_US     UINT64_C(1000000)
#define CRASH_OPS_MAX 60
#define DRIFT_MAX     10 /* permille, to either side */
#define OFFSET_MAX_MS 2000
#define YEAR_MS       (INT64_C(365) * 24 * 3600 * 1000)

static uint32_t jumped; /* whose clock is wrong, or VSIM_NOBODY */

static struct vsim_node *any_node(void)
{
    return &vsim.nodes[vsim_below(vsim.node_count)];
}

static bool is_up(const struct vsim_node *node)
{
    return node->node != NULL && node->node->is_open && !node->disk.is_frozen;
}

/* ---- crashes */

static enum vsim_crash power_crash(void)
{
    return vsim_chance(500) ? CRASH_CLEAN : CRASH_TORN;
}

/* Now, or at some disk operation soon. */
static void crash(struct vsim_node *node, enum vsim_crash kind)
{
    if (!is_up(node)) {
        return;
    }
    node->crash = kind;
    if (vsim_chance(600)) {
        node->disk.crash_ops = 1 + vsim_below(CRASH_OPS_MAX);
    } else {
        vsim_node_die(node, kind);
        vsim_node_start_in(node, vsim_below(4 * SECOND_US));
    }
}

static void fault_kill(void)
{
    crash(any_node(), CRASH_PROCESS);
}

static void fault_power(void)
{
    crash(any_node(), power_crash());
}

static void fault_mass(void)
{
    bool is_all = vsim_chance(500);
    enum vsim_crash kind = vsim_chance(500) ? CRASH_PROCESS : power_crash();
    vsim_mark(is_all ? MARK_MASS : MARK_SUBSET);
    for (uint32_t i = 0; i < vsim.node_count; i++) {
        struct vsim_node *node = &vsim.nodes[i];
        if (is_up(node) && (is_all || vsim_chance(500))) {
            vsim_node_die(node, kind);
            vsim_node_start_in(node, vsim_below(3 * SECOND_US));
        }
    }
}

/* ---- disks */

static void on_disk_well(struct vsim_event *event)
{
    struct vsim_node *node = event->context;
    if (node->disk.mode == DISK_WELL) {
        return;
    }
    vsim_say(node->index, "its disk is well again");
    node->disk.mode = DISK_WELL;
    if (is_up(node) && node->disk.has_refused && vsim_chance(500)) {
        vsim_node_die(node, CRASH_PROCESS); /* its owner restarts it */
    }
    vsim_node_start_in(node, vsim_below(SECOND_US));
}

static void spoil_disk(enum vsim_disk_mode mode, const char *what)
{
    struct vsim_node *node = any_node();
    if (node->disk.mode == DISK_WELL) {
        vsim_say(node->index, "its disk %s", what);
        node->disk.mode = mode;
        (void)vsim_schedule(VSIM_NOBODY, vsim_below(5 * SECOND_US),
                            on_disk_well, node);
    }
}

static void fault_full(void)
{
    spoil_disk(DISK_FULL, "is full");
}

static void fault_eio(void)
{
    spoil_disk(DISK_FAILING, "fails");
}

static void fault_slow(void)
{
    struct vsim_node *node = any_node();
    node->slow_until_us = vsim.now_us + vsim_below(10 * SECOND_US);
    vsim_say(node->index, "its disk is slow");
    vsim_mark(MARK_SLOW);
}

/* All others hold their stores. */
static bool may_lose_store(const struct vsim_node *loser)
{
    for (uint32_t i = 0; i < vsim.node_count; i++) {
        const struct vsim_node *node = &vsim.nodes[i];
        if (node->is_amnesic || node->is_rotten) {
            return false;
        }
    }
    return vsim.config.n > 1 && is_up(loser);
}

/* Where none may be faulty the latest block may stand in one store alone, and
 * who voted above it is silent until that block is there again. */
static bool is_held_elsewhere(const struct vsim_node *loser)
{
    bool is_held = validator_set_faults(vsim.config.n) > 0;
    for (uint32_t i = 0; i < vsim.node_count && !is_held; i++) {
        const struct vsim_node *node = &vsim.nodes[i];
        is_held = node != loser && node->height >= loser->height;
    }
    return is_held;
}

/* It is found some time later: until then it goes on. */
static void fault_rot(void)
{
    struct vsim_node *node = any_node();
    if (may_lose_store(node) && validator_set_faults(vsim.config.n) > 0) {
        vsim_node_die(node, CRASH_PROCESS);
        node->is_rotten = vsim_disk_rot(node, "store/data.mdb");
        vsim_say(node->index, "bits of its store turn");
        vsim_mark(MARK_ROT);
        vsim_node_start_in(node, vsim_below(SECOND_US));
    }
}

static void fault_loss(void)
{
    struct vsim_node *node = any_node();
    if (may_lose_store(node) && is_held_elsewhere(node)) {
        vsim_node_die(node, CRASH_PROCESS);
        vsim_node_lose_store(node);
        vsim_mark(MARK_LOSS);
        vsim_node_start_in(node, vsim_below(SECOND_US));
    }
}

/* ---- the network */

static void fault_cut(void)
{
    uint32_t a = (uint32_t)vsim_below(vsim.node_count);
    uint32_t b = (uint32_t)vsim_below(vsim.node_count);
    if (a != b && vsim_tcp_cut(a, b) > 0) {
        vsim_say(a, "loses its connection to node %" PRIu32, b);
        vsim_mark(MARK_CUT);
    }
}

static void fault_delay(void)
{
    vsim_network_slow();
}

static void fault_split(void)
{
    if (vsim_chance(400)) {
        vsim_say(VSIM_NOBODY, "the network is whole");
        vsim_network_heal();
    } else {
        vsim_network_split();
    }
}

/* ---- time */

static void fault_pause(void)
{
    struct vsim_node *node = any_node();
    bool is_long = vsim.config.fault_end_us > 100 * SECOND_US;
    uint64_t us = is_long ? 60 * SECOND_US + vsim_below(540 * SECOND_US)
                          : vsim_below(20 * SECOND_US);
    if (is_up(node) && node->paused_until_us <= vsim.now_us) {
        vsim_pause(node->index, us);
        vsim_say(node->index, "stands still for %.1f s", (double)us / 1e6);
        vsim_mark(is_long ? MARK_PAUSE_LONG : MARK_PAUSE);
    }
}

static void fault_clock(void)
{
    int64_t far = vsim_chance(500) ? 3600 * 1000 : 10 * YEAR_MS;
    if (jumped != VSIM_NOBODY) {
        vsim.nodes[jumped].wall_ms = 0;
        jumped = VSIM_NOBODY;
    } else if (vsim.config.n > 1) {
        struct vsim_node *node = any_node();
        node->wall_ms = vsim_chance(500) ? far : -far;
        jumped = node->index;
        vsim_say(jumped, "its clock jumps by %" PRId64 " ms", node->wall_ms);
        vsim_mark(MARK_CLOCK_JUMP);
    }
}

static void drift_clocks(void)
{
    for (uint32_t i = 0; i < vsim.node_count; i++) {
        struct vsim_node *node = &vsim.nodes[i];
        node->rate_permille = 1000 - DRIFT_MAX + vsim_below(2 * DRIFT_MAX + 1);
        node->wall_ms =
            (int64_t)vsim_below(2 * OFFSET_MAX_MS + 1) - OFFSET_MAX_MS;
    }
    vsim_mark(MARK_CLOCK_DRIFT);
}

/* ---- when */

struct kind {
    enum vsim_fault fault;
    void (*come)(void);
    uint64_t every_us; /* on the average */
};

static const struct kind kinds[] = {
    {FAULT_KILL, fault_kill, 4 * SECOND_US},
    {FAULT_POWER, fault_power, 4 * SECOND_US},
    {FAULT_MASS, fault_mass, 8 * SECOND_US},
    {FAULT_FULL, fault_full, 8 * SECOND_US},
    {FAULT_EIO, fault_eio, 8 * SECOND_US},
    {FAULT_ROT, fault_rot, 8 * SECOND_US},
    {FAULT_LOSS, fault_loss, 10 * SECOND_US},
    {FAULT_SLOW, fault_slow, 4 * SECOND_US},
    {FAULT_CUT, fault_cut, SECOND_US},
    {FAULT_DELAY, fault_delay, 6 * SECOND_US},
    {FAULT_SPLIT, fault_split, 4 * SECOND_US},
    {FAULT_PAUSE, fault_pause, 6 * SECOND_US},
    {FAULT_CLOCK, fault_clock, 5 * SECOND_US},
};

static void on_fault(struct vsim_event *event)
{
    const struct kind *kind = &kinds[event->number];
    if (vsim.is_healed) {
        return;
    }
    kind->come();
    vsim_schedule(VSIM_NOBODY, vsim_below(2 * kind->every_us), on_fault, NULL)
        ->number = event->number;
}

void vsim_fault_open(void)
{
    jumped = VSIM_NOBODY;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        if (vsim_has(kinds[i].fault)) {
            vsim_schedule(VSIM_NOBODY, vsim_below(2 * kinds[i].every_us),
                          on_fault, NULL)
                ->number = i;
        }
    }
    if (vsim_has(FAULT_CLOCK)) {
        drift_clocks();
    }
}

void vsim_fault_heal(void)
{
    vsim_say(VSIM_NOBODY, "all heals");
    vsim.is_healed = true;
    vsim_network_heal();
    for (uint32_t i = 0; i < vsim.node_count; i++) {
        struct vsim_node *node = &vsim.nodes[i];
        vsim_resume(node->index);
        node->slow_until_us = 0;
        node->wall_ms = 0;
        node->disk.crash_ops = 0;
        node->disk.mode = DISK_WELL;
        vsim_node_start(node); /* one that runs has to cure itself */
    }
}
