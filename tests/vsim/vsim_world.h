/* vsim_world: whole nodes in one process, under virtual time, on a seeded
 * network and on disks that lose what was not synced.
 *
 *   vsim_world      the state of it all, the event queue
 *   vsim_clock      clocks and randomness as nodes see them
 *   vsim_disk       files: what is written, synced, lost, damaged, refused
 *   vsim_loop       libuv's loop, timers and work
 *   vsim_network    who reaches whom, and how fast
 *   vsim_tcp        libuv's sockets, over it
 *   vsim_check      what must hold after every step
 *   vsim_node       a node: its files, its starts, its crashes
 *   vsim_client     who sends transactions and believes receipts
 *   vsim_fault      what goes wrong
 *   vsim_life       a life: what its seed says, faults, healing
 *   vsim_plant      errors, to see them found
 *   vsim_try        lives in processes of their own, the smallest that fails
 *   vsim_growth     messages and bytes a block, by the number of nodes
 *   vsim            the command line, lives by the thousand
 *
 * Each knows only those above it.  All of potd but its main runs for real: its
 * source is linked against the functions of libuv, of the clock and of the
 * file system that stand here. */
#ifndef POT_TESTS_VSIM_WORLD_H
#define POT_TESTS_VSIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "tests/sim/sim_rng.h"
#include "tests/vsim/vsim_names.h"

#define VSIM_NODES_MAX 40
#define VSIM_NOBODY    UINT32_MAX
#define VSIM_TYPES     64 /* of messages between peers */
#define VSIM_CLIENTS   3
#define VSIM_ACCOUNTS  (VSIM_NODES_MAX + VSIM_CLIENTS)
#define VSIM_STAKE     UINT64_C(10000000000)
#define VSIM_BALANCE   (100 * VSIM_STAKE)

struct node;
struct node_config;
struct key;
struct vsim_file;
struct vsim_event;
struct vsim_handle;

typedef void vsim_event_fn(struct vsim_event *event);

/* Something that will happen; of a node's, it waits while the node is
 * paused. */
struct vsim_event {
    uint64_t at_us;
    uint64_t order;
    vsim_event_fn *run;
    void *context;
    uint64_t number;   /* for run */
    uint32_t node;     /* or VSIM_NOBODY */
    bool is_cancelled; /* it goes without running */
    bool is_timer;     /* of a node's: it waits for others, ending */
    bool is_put_off;   /* its node stood still when it was due */
    bool is_outside;   /* comes over the network, not from the node itself */
};

/* What a disk does with what it is asked to write. */
enum vsim_disk_mode { DISK_WELL, DISK_FULL, DISK_FAILING };

/* What a crash leaves of what was not synced. */
enum vsim_crash {
    CRASH_PROCESS, /* all: the system lives on */
    CRASH_CLEAN,   /* nothing: the power went */
    CRASH_TORN,    /* some sectors of 512 bytes: the power went */
};

struct vsim_disk {
    enum vsim_disk_mode mode;
    bool is_frozen;     /* its node has crashed: nothing reaches it */
    bool has_refused;   /* something, since the node started */
    uint64_t crash_ops; /* operations until it freezes; 0: never */
    struct vsim_file *files;
    uint32_t file_count;
};

struct vsim_node {
    uint32_t index;
    char *home;
    struct key *key;
    struct node_config *config;
    struct node *node;            /* NULL: it is down */
    struct vsim_handle *listener; /* where it is reached; NULL: nowhere */
    struct vsim_disk disk;

    uint64_t paused_until_us;
    uint64_t slow_until_us; /* its disk is slow */
    int64_t wall_ms;        /* how far its clock is off */
    uint64_t rate_permille; /* how fast its clocks run */
    bool is_dark;           /* without power: it answers nobody */
    bool is_rotten;         /* bits of its store have turned */
    bool is_amnesic;        /* its store was taken away: it has to catch up */
    enum vsim_crash crash;  /* what comes when its disk freezes */

    unsigned exit_code; /* when it ended last */

    /* vsim_check */
    uint64_t height; /* of its tip, as seen last */
    /* Of its sign state, when it started without the blocks below that. */
    uint64_t lost_height;
    struct hash checked; /* the last consensus message that was looked at */
};

struct vsim_config {
    uint32_t n;       /* validators of the genesis */
    uint32_t spare;   /* nodes that may become validators */
    unsigned faults;  /* bits of enum vsim_fault */
    unsigned planted; /* bits of enum vsim_plant */
    uint64_t latency_us;
    uint64_t jitter_us;
    uint64_t work_us; /* off the loop, at most */
    uint64_t propose_timeout_ms;
    uint64_t idle_interval_ms;
    uint64_t epoch_blocks;
    uint64_t unbonding_blocks;
    uint64_t snapshot_interval;
    uint64_t fault_end_us;
    uint64_t height_goal; /* faults end there, too */
};

struct vsim_counters {
    uint64_t messages[VSIM_TYPES];
    uint64_t bytes[VSIM_TYPES];
};

struct vsim {
    uint64_t seed;
    bool is_verbose;
    struct vsim_config config;
    struct sim_rng rng;
    uint64_t now_us;
    uint64_t order;
    struct vsim_event **queue; /* a binary heap */
    size_t queue_count;
    size_t queue_capacity;
    uint64_t events;

    struct vsim_node nodes[VSIM_NODES_MAX];
    uint32_t node_count;
    uint32_t current; /* the node at work, or VSIM_NOBODY */
    uint32_t stepped; /* whose the last event was */
    bool is_blocked[VSIM_NODES_MAX][VSIM_NODES_MAX];
    uint64_t extra_us[VSIM_NODES_MAX][VSIM_NODES_MAX];
    bool is_healed;
    struct vsim_counters counters;

    uint64_t healed_us; /* from healing to the next block */
    bool marks[VSIM_MARK_COUNT];
    bool is_failed;
    char failure[512];
    struct hash trace; /* over all that was sent: the life's fingerprint */
};

/* The life at hand: what nodes call has no context of its own. */
extern struct vsim vsim;

void vsim_world_init(uint64_t seed, bool is_verbose);
void vsim_world_fini(void);

/* vsim_fail: ends the life; the first failure is the one that is told.
 * vsim_say: a line of a verbose life.
 * vsim_mark: the life has seen this. */
void vsim_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void vsim_say(uint32_t node, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void vsim_mark(enum vsim_mark mark);

bool vsim_has(enum vsim_fault fault);
bool vsim_is_planted(enum vsim_plant plant);

/* vsim_schedule: borrowed, good until it runs or is cancelled.
 * vsim_cancel: NULL is fine.
 * vsim_step: lets the next event happen; false: there is none.
 * vsim_step_of: the next one that a node waits for itself, whatever the
 * time. */
struct vsim_event *vsim_schedule(uint32_t node, uint64_t delay_us,
                                 vsim_event_fn *run, void *context);
void vsim_cancel(struct vsim_event *event);
bool vsim_step(void);
bool vsim_step_of(uint32_t node);

/* vsim_pause, vsim_resume: a node stands still, for so long at most; what was
 * due meanwhile happens then. */
void vsim_pause(uint32_t node, uint64_t us);
void vsim_resume(uint32_t node);

/* vsim_trace_add: into the life's fingerprint. */
void vsim_trace_add(const void *data, size_t size);

static inline uint64_t vsim_below(uint64_t bound)
{
    return sim_rng_below(&vsim.rng, bound);
}

static inline bool vsim_chance(unsigned permille)
{
    return sim_rng_chance(&vsim.rng, permille);
}

#endif
