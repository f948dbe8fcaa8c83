/* pbft: one replica of Practical Byzantine Fault Tolerance (Castro and
 * Liskov, OSDI '99) as a pure state machine: events in, effects out.
 *
 * There is one instance a height; views live across heights.  The replica
 * has no clock, no disk, no network and no randomness: time passes by the
 * timers that it asks for, every effect is a value, and the same events yield
 * the same effects, byte for byte.
 *
 * The caller's part:
 *   - verify messages with pbft_verify (on any thread) before PBFT_MESSAGE,
 *     but for those that are spare;
 *   - say with each event what time it is, on a clock that never goes back;
 *   - carry out effects in their order;
 *   - let config.key sign, or not: what it does not sign is not said, and tried
 *     again at each resend;
 *   - answer PERSIST with PBFT_PERSISTED once the record is durable: what
 *     depends on it is held back until then; a record that has not begun to
 *     be written may be replaced by a newer one;
 *   - answer CHECK with PBFT_CHECKED, PROPOSE with PBFT_PROPOSAL;
 *   - after COMMIT, or after a block came by block sync, store the block
 *     durably and then step with PBFT_COMMITTED. */
#ifndef POT_CONSENSUS_PBFT_H
#define POT_CONSENSUS_PBFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"
#include "consensus/pbft_effects.h"
#include "consensus/pbft_mark.h"
#include "consensus/pbft_verify.h"
#include "proto/consensus.pb-c.h"
#include "proto/validator_set.h"

/* A replica's index when there is none: an observer, an unknown peer. */
#define PBFT_NO_REPLICA UINT32_MAX

struct pbft; /* opaque: consensus/pbft_state.h */

struct pbft_config {
    struct hash chain;
    const struct validator_set *validators; /* of height + 1; copied */
    const struct key *key; /* borrowed for the replica's life; NULL: observer */
    uint64_t height;       /* the last committed block: 0 is genesis */
    struct hash tip;       /* its hash */
    uint64_t view;         /* its certificate's view; 0 at genesis */
    uint32_t propose_timeout_ms;     /* > 0; doubled by each view change... */
    uint32_t propose_timeout_max_ms; /* ...up to this */
    uint32_t idle_interval_ms;       /* between two blocks without work */
    bool is_held;                    /* nothing is signed before PBFT_RELEASE */
    bool is_counted; /* who signs keeps count of it: each vote of ours has its
                      * record first, as what it knows and we forgot it would
                      * not sign once more */
};

/* pbft_new: a replica that works on height config->height + 1, and does
 * nothing before PBFT_START.
 *
 * In:     record, record_size  the last durable PERSIST record, or NULL, 0
 * Owns:   the result is fresh; pbft_free releases it
 * Errors: POT_ECORRUPT  the record does not decode, or contradicts itself
 *         POT_EGUARD    the record holds votes that config->key did not sign
 * NULL then.  A record of an older height is ignored; one of a later height
 * (the chain was lost, the record was not) keeps the replica from voting
 * until it is there by block sync; one of pbft_recovering_record until
 * PBFT_RELEASE. */
POT_MUST_USE struct pbft *pbft_new(const struct pbft_config *config,
                                   const void *record, size_t record_size,
                                   enum pot_err *err);
void pbft_free(struct pbft *pbft);

/* pbft_recovering_record: a record that says: what this key has signed is not
 * known.  pbft_trusted_record: and the operator vouches that it does not
 * matter.  free() releases both.  pbft_is_recovering: a record, of a replica
 * too, says the former. */
uint8_t *pbft_recovering_record(size_t *size);
uint8_t *pbft_trusted_record(size_t *size);
bool pbft_is_recovering(const void *record, size_t size);

/* Why a view is left. */
#define PBFT_CHANGE_MAP(X)                                                     \
    X(PBFT_CHANGE_TIMEOUT, "timeout") /* it made no progress */                \
    X(PBFT_CHANGE_SLOW, "slow")       /* consensus/pace.h */                   \
    X(PBFT_CHANGE_CENSOR, "censor")   /* PBFT_SUSPECT */                       \
    X(PBFT_CHANGE_INVALID, "invalid") /* its block breaks a rule */            \
    X(PBFT_CHANGE_JOINED, "joined")   /* others left it */

enum pbft_change {
#define X(name, text) name,
    PBFT_CHANGE_MAP(X)
#undef X
        PBFT_CHANGES
};

/* pbft_change_name: its text above; static. */
const char *pbft_change_name(enum pbft_change change);

enum pbft_event_type {
    PBFT_START,     /* once, first */
    PBFT_MESSAGE,   /* a peer's message, verified or spare */
    PBFT_TIMER,     /* a SET_TIMER effect's delay has passed */
    PBFT_WORK,      /* there is something to put in a block */
    PBFT_SUSPECT,   /* the primary leaves out what a block could have taken;
                     * stands for a while, and is said again while it is so */
    PBFT_PROPOSAL,  /* answers PROPOSE */
    PBFT_CHECKED,   /* answers CHECK */
    PBFT_PERSISTED, /* answers PERSIST: it and all before it are durable */
    PBFT_COMMITTED, /* a certified block was stored: move to the next height */
    PBFT_RECOVER,   /* the record turned out to be old: it is replaced by that
                     * of pbft_recovering_record, and nothing is signed */
    PBFT_RELEASE,   /* all that the key may have signed is behind the tip, or
                     * known: the replica votes from here on */
};

struct pbft_event {
    enum pbft_event_type type;
    uint64_t now_ms; /* only differences matter */
    union {
        struct {
            const Pot__ConsensusMessage *message; /* borrowed for the step */
            uint32_t from;   /* whose connection brought it, or NO_REPLICA;
                              * only tells where an answer goes */
            uint64_t set_id; /* pbft_status().set_id of the set that it was
                              * verified with; another one: ignored */
            bool is_spare;   /* not verified, as pbft_is_spare said since the
                              * last step */
        } message;
        struct {
            enum pbft_timer timer;
            uint64_t generation;
        } timer;
        struct {
            uint64_t view;
        } suspect;
        struct {
            uint64_t height;
            uint64_t view;
            const void *block; /* NULL, 0: none could be built, ask again */
            size_t block_size;
            const struct block *opened; /* what block is; NULL: unknown */
        } proposal;
        struct {
            uint64_t height;
            struct hash digest;
            bool is_valid;
            uint64_t lacked_ms; /* it waited so long for what is not in it */
        } checked;
        struct {
            uint64_t sequence;
        } persisted;
        struct {
            uint64_t height;
            uint64_t view; /* its certificate's */
            struct hash digest;
            const struct validator_set *validators; /* of the next height */
        } committed;
    } u;
};

/* pbft_step: adds to effects what event brings about, in the order in which
 * it is to be carried out.  All steps of one replica are one thread's; none
 * is taken inside another. */
void pbft_step(struct pbft *pbft, const struct pbft_event *event,
               struct pbft_effects *effects);

struct pbft_status {
    uint64_t height; /* the one being agreed on: tip + 1 */
    uint64_t view;
    uint64_t start_view; /* at which height began */
    bool is_changing;    /* has left view - 1 and waits for view to open */
    bool is_decided;     /* has seen a commit certificate at height */
    uint32_t count;      /* of replicas */
    uint32_t replica;    /* own index, or PBFT_NO_REPLICA */
    uint32_t primary;    /* of view */
    uint64_t timeout_ms; /* what the view is given now */
    uint64_t set_id;     /* changes whenever the validator set does */
    bool is_silent;      /* may not vote: an observer, or not yet */
    bool is_view_timed;  /* a time-out of view is awaited */
    bool is_held;        /* waits for PBFT_RELEASE */
    bool is_recovering;  /* and its record says so */
    struct pbft_mark signed_last;        /* the furthest, by the record */
    uint64_t view_changes[PBFT_CHANGES]; /* since pbft_new */
    enum pbft_change last_change;        /* of those */
};

struct pbft_status pbft_status(const struct pbft *pbft);

/* A replica's votes in the present view; the primary's pre-prepare is its
 * prepare. */
struct pbft_heard {
    bool has_prepared;
    bool has_committed;
    struct hash prepared; /* the digests */
    struct hash committed;
};

/* pbft_heard: of the replica of this index. */
void pbft_heard(struct pbft_heard *out, const struct pbft *pbft,
                uint32_t replica);

/* pbft_is_spare: whether message, which came over from's connection, is a vote
 * that changes nothing any more (consensus/spare.h).  It need not be verified:
 * this is done if it turns out to contradict another. */
bool pbft_is_spare(struct pbft *pbft, const Pot__ConsensusMessage *message,
                   const struct public_key *from);

/* pbft_validators: the set of the height being agreed on; borrowed, and good
 * until the next step. */
const struct validator_set *pbft_validators(const struct pbft *pbft);

#endif
