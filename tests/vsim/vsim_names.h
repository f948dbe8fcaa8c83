/* vsim_names: the faults that a seed may draw, the errors that can be planted
 * to see the checks find them, and what a life may have seen. */
#ifndef POT_TESTS_VSIM_NAMES_H
#define POT_TESTS_VSIM_NAMES_H

#define VSIM_FAULTS(X)                                                         \
    X(FAULT_KILL, "kill", "processes die, between any two disk operations")    \
    X(FAULT_POWER, "power", "machines lose power, and what was not synced")    \
    X(FAULT_MASS, "mass", "all nodes go at once")                              \
    X(FAULT_FULL, "full", "disks are full")                                    \
    X(FAULT_EIO, "eio", "disks fail writes and syncs")                         \
    X(FAULT_ROT, "rot", "bits turn in a stopped node's store")                 \
    X(FAULT_LOSS, "loss", "a node's store is gone")                            \
    X(FAULT_SLOW, "slow", "disks are slow")                                    \
    X(FAULT_CUT, "cut", "connections break")                                   \
    X(FAULT_DELAY, "delay", "links are slow, each in its way")                 \
    X(FAULT_SPLIT, "split", "the network falls apart")                         \
    X(FAULT_PAUSE, "pause", "processes stand still")                           \
    X(FAULT_CLOCK, "clock", "clocks drift and jump")                           \
    X(FAULT_MEMBERS, "members", "validators come and go")                      \
    X(FAULT_LEAP, "leap", "who lost its store begins with a snapshot")

enum vsim_fault {
#define X(fault, name, text) fault,
    VSIM_FAULTS(X)
#undef X
        VSIM_FAULT_COUNT
};

#define VSIM_PLANTS(X)                                                         \
    X(PLANT_NO_SYNC, "no-sync", "a sync says done and does nothing")           \
    X(PLANT_NO_RECORD, "no-record", "votes leave, and are not on disk")        \
    X(PLANT_NO_DECIDED, "no-decided", "records lack what is not synced")       \
    X(PLANT_QUORUM, "quorum", "half of the replicas count as a quorum")        \
    X(PLANT_MINT, "mint", "a transaction makes a unit of nothing")             \
    X(PLANT_REPLAY, "replay", "a transaction does not use up its nonce")       \
    X(PLANT_INDEX, "index", "a committed transaction is not found any more")   \
    X(PLANT_MUTE, "mute", "nobody proposes any more")                          \
    X(PLANT_CERTIFICATE, "certificate", "certificates lose a signature")

enum vsim_plant {
#define X(plant, name, text) plant,
    VSIM_PLANTS(X)
#undef X
        VSIM_PLANT_COUNT
};

/* The summary counts the lives that saw each. */
#define VSIM_MARKS(X)                                                          \
    X(MARK_BLOCK, "blocks were committed")                                     \
    X(MARK_LARGE, "ten validators or more")                                    \
    X(MARK_SINGLE, "one validator alone")                                      \
    X(MARK_VIEW_CHANGE, "a replica began a view change")                       \
    X(MARK_LATER_VIEW, "a block was committed in a later view")                \
    X(MARK_SYNCED, "blocks were sent for block sync")                          \
    X(MARK_TX, "a transaction was acknowledged")                               \
    X(MARK_RESENT, "a client sent a transaction again")                        \
    X(MARK_REPLAYED, "a client sent a transaction again that stood")           \
    X(MARK_STAKED, "a validator set changed")                                  \
    X(MARK_CRASH, "a process died")                                            \
    X(MARK_CRASH_IN_WRITE, "a process died between two disk operations")       \
    X(MARK_POWER, "a machine lost power")                                      \
    X(MARK_LOST_WRITE, "a crash lost unsynced writes")                         \
    X(MARK_TORN, "a crash tore a write")                                       \
    X(MARK_LOWER, "a node came back below the tip that it had had")            \
    X(MARK_DECIDED, "a node came back with blocks in its sign state")          \
    X(MARK_MASS, "all nodes went at once")                                     \
    X(MARK_SUBSET, "several nodes went at once")                               \
    X(MARK_FULL, "a disk was full")                                            \
    X(MARK_EIO, "a disk failed")                                               \
    X(MARK_FAILED_SYNC, "a sync failed")                                       \
    X(MARK_ROT, "bits turned in a store")                                      \
    X(MARK_ROT_FOUND, "a damaged store was refused")                           \
    X(MARK_LOSS, "a store was taken away")                                     \
    X(MARK_SLOW, "a disk was slow")                                            \
    X(MARK_CUT, "connections were cut")                                        \
    X(MARK_DELAY, "links were slow")                                           \
    X(MARK_SPLIT_HALVES, "the network fell into halves")                       \
    X(MARK_SPLIT_ONE, "a node was alone")                                      \
    X(MARK_SPLIT_RING, "each node reached its neighbours only")                \
    X(MARK_SPLIT_ONE_WAY, "links failed in one direction")                     \
    X(MARK_PAUSE, "a process stood still")                                     \
    X(MARK_PAUSE_LONG, "a process stood still for minutes")                    \
    X(MARK_CLOCK_DRIFT, "clocks ran at different rates")                       \
    X(MARK_CLOCK_JUMP, "a clock jumped")                                       \
    X(MARK_STOPPED_ITSELF, "a node stopped because of its disk")               \
    X(MARK_LEAP, "a node began with a snapshot")                               \
    X(MARK_VERIFIED, "a store was verified to its last page")

enum vsim_mark {
#define X(mark, text) mark,
    VSIM_MARKS(X)
#undef X
        VSIM_MARK_COUNT
};

#endif
