/* sim_world: N replicas in one process, under virtual time and a seeded
 * network, with crashes that lose what was not synced.
 *
 *   sim_world       the state of it all, the event queue
 *   sim_network     what becomes of messages
 *   sim_work        what wants to be put into blocks
 *   sim_forge       messages that only faulty replicas make
 *   sim_attack      what faulty replicas do
 *   sim_check       what must hold after every step
 *   sim_step        a step of a replica, and its effects
 *   sim_sync        block sync
 *   sim_node        a node: its starts, its crashes, its events
 *   sim_scenario    what a seed says
 *   sim_pbft        a life, the command line, the summary
 *   sim_primary     lives under primaries that serve badly
 *
 * Each knows only those above it. */
#ifndef POT_TESTS_SIM_WORLD_H
#define POT_TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "consensus/pbft.h"
#include "tests/sim/sim_rng.h"

#define SIM_IDENTITIES 31
#define SIM_NODES      (2 * SIM_IDENTITIES) /* each may have a twin */
#define SIM_HEIGHTS    128
#define SIM_RECENT     32
#define SIM_WRITES     64

/* What a run may see; the summary counts the runs that saw each. */
#define SIM_MARKS(X)                                                           \
    X(MARK_VIEW_CHANGE, "a replica began a view change")                       \
    X(MARK_NEW_VIEW, "a new view was opened")                                  \
    X(MARK_JOIN, "a replica was two views or more behind and joined")          \
    X(MARK_REPROPOSED, "a prepared block was proposed again")                  \
    X(MARK_LATER_VIEW_COMMIT, "a block was committed in a later view")         \
    X(MARK_FETCHED, "a block was fetched by its digest")                       \
    X(MARK_SYNCED, "a block came by block sync")                               \
    X(MARK_SYNC_MID_CHANGE, "block sync came in mid view change")              \
    X(MARK_SYNC_HINT, "a replica saw that others are ahead")                   \
    X(MARK_CRASH, "a replica crashed")                                         \
    X(MARK_LOST_WRITE, "a crash lost an unsynced record")                      \
    X(MARK_COALESCED, "a record was replaced before it was written")           \
    X(MARK_ALL_CRASH, "all replicas crashed at once")                          \
    X(MARK_ALL_CRASH_PREPARED, "all crashed with a block prepared")            \
    X(MARK_RESTORED_VOTE, "a restart found its vote in the record")            \
    X(MARK_RESTORED_PREPARED, "a restart found a prepared block")              \
    X(MARK_LOST_CHAIN, "a replica lost blocks, but not its record")            \
    X(MARK_PARTITION, "the network was partitioned")                           \
    X(MARK_ONE_WAY, "links failed in one direction")                           \
    X(MARK_SET_CHANGE, "the validator set changed")                            \
    X(MARK_GREW, "the set grew")                                               \
    X(MARK_SHRANK, "the set shrank")                                           \
    X(MARK_CHANGE_MID_CHANGE, "it changed in mid view change")                 \
    X(MARK_LEFT_WITH_RECORD, "one left the set with a record of it")           \
    X(MARK_CAME_WITH_RECORD, "one came back with an older record")             \
    X(MARK_MANY, "there were thirty-one replicas")                             \
    X(MARK_FORK, "more than f made honest replicas disagree")                  \
    X(MARK_REFUSED, "a valid proposal was refused for a while")                \
    X(MARK_SLOW_CHECK, "a check took longer than its view was given")          \
    X(MARK_PAUSED, "a process stood still for a while")                        \
    X(MARK_SUSPECTED, "a view was left on suspicion alone")                    \
    X(MARK_WRONGED, "an honest primary was suspected")                         \
    X(MARK_EVIDENCE, "evidence of two votes was given")                        \
    X(MARK_SPARE, "a vote that changes nothing was not checked")               \
    X(MARK_FORGED, "a forged message was refused")                             \
    X(MARK_BAD_CERTIFICATE, "a forged certificate was refused by sync")        \
    X(MARK_UNSIGNED, "a key did not sign when it was asked")                   \
    X(MARK_TWIN, "a replica had a twin with its key")                          \
    X(MARK_SILENT, "a faulty replica was silent")                              \
    X(MARK_EQUIVOCATED, "a primary proposed two blocks in a view")             \
    X(MARK_DEFIED, "a primary proposed other than its new view selects")       \
    X(MARK_DOUBLE_VOTED, "a faulty replica voted twice")                       \
    X(MARK_YES_MAN, "a faulty replica committed to all it saw")                \
    X(MARK_HID_PREPARED, "a view change hid its certificate")                  \
    X(MARK_BAD_BLOCK, "a primary proposed an invalid block")                   \
    X(MARK_FAR_FUTURE, "messages came from the far future")                    \
    X(MARK_STALE, "stale messages were replayed")

enum sim_mark {
#define X(mark, text) mark,
    SIM_MARKS(X)
#undef X
        SIM_MARK_COUNT
};

/* A message under way, shared by all who are to get it. */
struct sim_message {
    unsigned refs;
    uint8_t *bytes;
    size_t size;
    Pot__ConsensusMessage *message;
};

struct sim_block {
    uint8_t *bytes;
    size_t size;
    struct hash digest;
    uint64_t view; /* the certificate's */
    uint8_t *certificate;
    size_t certificate_size;
};

/* A signed word of an honest replica, for the double-sign check. */
struct sim_word {
    uint64_t height;
    uint64_t view;
    int phase; /* 0: a view change */
    struct hash digest;
};

enum sim_attack {
    ATTACK_SILENT = 1 << 0,
    ATTACK_EQUIVOCATE = 1 << 1,
    ATTACK_DOUBLE_VOTE = 1 << 2,
    ATTACK_YES_MAN = 1 << 3,
    ATTACK_HIDE_PREPARED = 1 << 4,
    ATTACK_FORGE = 1 << 5,
    ATTACK_FUTURE = 1 << 6,
    ATTACK_STALE = 1 << 7,
    ATTACK_BAD_BLOCK = 1 << 8,
    ATTACK_BAD_SYNC = 1 << 9,
    ATTACK_SLOW = 1 << 10,
    ATTACK_SPLIT = 1 << 11,  /* where more than f are faulty */
    ATTACK_STARVE = 1 << 12, /* this and the next are sim_primary's */
    ATTACK_CENSOR = 1 << 13,
};
#define ATTACKS 11 /* of a few */

struct sim_node {
    uint32_t index;    /* in world->nodes */
    uint32_t identity; /* whose key it has */
    bool is_honest;
    unsigned attacks; /* of enum sim_attack */

    bool is_up;
    uint32_t incarnation;
    struct pbft *pbft;
    bool is_applying;
    uint64_t persist_at_ms; /* when the last write under way is done */
    uint64_t paused_until_ms;
    bool is_armed[PBFT_TIMERS]; /* that timer will fire, with this: */
    uint64_t generations[PBFT_TIMERS];

    /* On disk. */
    struct sim_block chain[SIM_HEIGHTS + 1]; /* by height, from 1 */
    uint64_t height;
    uint8_t *record;
    size_t record_size;
    /* Written, not yet synced. */
    struct sim_write {
        uint64_t sequence;
        uint8_t *bytes;
        size_t size;
    } writes[SIM_WRITES];
    size_t write_count;

    struct sim_message *recent[SIM_RECENT]; /* for replays */
    size_t recent_count;
};

enum sim_event_type {
    SIM_DELIVER,
    SIM_STEP_MESSAGE,
    SIM_TIMER,
    SIM_PERSISTED,
    SIM_CHECKED,
    SIM_PROPOSAL,
    SIM_APPLIED,
    SIM_WORK,
    SIM_SYNC,
    SIM_CRASH,
    SIM_RESTART,
    SIM_CRASH_ALL,
    SIM_PARTITION,
    SIM_ATTACK,
    SIM_PAUSE,
    SIM_SUSPECT,
    SIM_BIRTH,
    SIM_ITEM,
};

struct sim_event {
    uint64_t at_ms;
    uint64_t order;
    enum sim_event_type type;
    uint32_t node;
    uint32_t incarnation; /* of the node; another one: void */
    uint32_t from;        /* SIM_DELIVER: node; SIM_STEP_MESSAGE: replica */
    uint64_t network;     /* SIM_DELIVER */
    struct sim_message *message;
    uint64_t a; /* by type */
    uint64_t b;
    bool flag;
    struct hash digest;
    struct sim_block block;
};

struct sim_config {
    uint32_t n;
    unsigned loss_permille;
    unsigned duplicate_permille;
    uint64_t delay_max_ms;
    uint64_t persist_max_ms;
    uint64_t check_max_ms;
    uint64_t propose_max_ms;
    uint64_t timeout_ms;
    uint64_t fault_end_ms;
    uint64_t height_goal;        /* faults end there, too */
    unsigned crash_all_permille; /* at a commit */
    uint64_t rotate_blocks;      /* the set turns by one each; 0: never */
    bool is_resizing;            /* and has another size each time */
    bool is_overrun;             /* more than f are faulty */
    unsigned refuse_permille;
    bool is_sync_rare;
    bool is_coalescing; /* records that wait for the disk are replaced */
    unsigned unsigned_permille; /* of an honest replica's steps: its key does
                                 * not sign in them */
    bool is_nervous;            /* honest replicas suspect without a reason */
};

struct sim_world {
    uint64_t seed;
    bool is_verbose;
    struct sim_config config;
    struct sim_rng rng;
    uint64_t now_ms;
    uint64_t order;
    struct sim_event *queue; /* a binary heap */
    size_t queue_count;
    size_t queue_capacity;

    struct hash chain;
    struct key *keys[SIM_IDENTITIES];
    struct sim_node *nodes;
    uint32_t node_count;
    bool is_blocked[SIM_NODES][SIM_NODES];
    bool is_healed;
    uint64_t network; /* messages of an older one are lost */

    struct hash committed[SIM_HEIGHTS + 1];
    bool is_committed[SIM_HEIGHTS + 1];
    struct hash alternatives[SIM_HEIGHTS + 2][4]; /* digests seen */
    struct sim_word *words[SIM_IDENTITIES];
    size_t word_counts[SIM_IDENTITIES];
    size_t word_capacities[SIM_IDENTITIES];

    bool is_forked; /* is_overrun, and honest replicas disagree */
    bool is_accused[SIM_IDENTITIES]; /* an honest replica has evidence */
    struct sim_work *work; /* NULL: blocks are empty; tests/sim/sim_work.h */

    bool marks[SIM_MARK_COUNT];
    uint64_t steps;
    bool is_failed;
    char failure[256];
    struct hash trace; /* over all effects: the run's fingerprint */
};

void sim_world_init(struct sim_world *world, uint64_t seed, bool is_verbose);
void sim_world_fini(struct sim_world *world);

/* sim_fail: ends the run; the first failure is the one that is told.
 * sim_trace: a line of a verbose run; node may be NULL.
 * sim_mark: the run has seen this. */
void sim_fail(struct sim_world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void sim_trace(struct sim_world *world, const struct sim_node *node,
               const char *format, ...) __attribute__((format(printf, 3, 4)));
void sim_mark(struct sim_world *world, enum sim_mark mark);

/* sim_schedule: an event of node's life as it is now; borrowed, to fill in,
 * good until the next one.
 * sim_next: the next event, and the time is its; sim_event_fini. */
struct sim_event *sim_schedule(struct sim_world *world,
                               enum sim_event_type type, uint32_t node,
                               uint64_t delay_ms);
bool sim_next(struct sim_world *world, struct sim_event *event);
void sim_event_fini(struct sim_event *event);
void sim_message_drop(struct sim_message *message);

/* The validators of a height: identities, which turn with the heights, and
 * replicas, which are places in the set; PBFT_NO_REPLICA: in none. */
uint32_t sim_validator_count(const struct sim_world *world, uint64_t height);
void sim_validators(const struct sim_world *world, struct validator_set *set,
                    uint64_t height);
uint32_t sim_identity_of(const struct sim_world *world, uint64_t height,
                         uint32_t replica);
uint32_t sim_replica_of(const struct sim_world *world, uint64_t height,
                        uint32_t identity);
uint64_t sim_voting_height(const struct sim_node *node); /* is_up */

/* sim_kind_name: for traces; NULL: noise. */
const char *sim_kind_name(const Pot__ConsensusMessage *message);

#endif
