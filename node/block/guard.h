/* guard: keeps a key from signing twice what it can sign once, when the sign
 * state does not tell all that it has signed: a home that was lost, an old
 * backup, a copy that runs somewhere else.
 *
 * A validator asks all others what they last saw signed by its key.  The
 * answer carries that signature, so that nobody can lie, and the answerer's
 * height.  Until enough have answered, the replica is held (consensus/pbft.h).
 *
 *              a signature beyond the record, or
 *              no record and a chain beyond genesis
 *     ASKING ---------------------------------------> RECOVERING
 *        | a quorum with us                               | n - quorum + f + 1
 *        | at heights <= tip                              | others at heights
 *        v                                                v <= tip - 4
 *     CLEAR <---------------------------------------------+
 *
 * Why this is enough: docs/protocol.md, "Lost and old sign states".  A
 * signature beyond the record when CLEAR, or beyond what may have been signed
 * before we asked when RECOVERING, is another node's: GUARD_DOUBLED.  So is a
 * connection with our key that peers have and we do not (p2p/admission.h): f +
 * 1 of them say so, and one of these is honest.
 *
 * No clock and no network: the owner says what happens, and does what it is
 * told by guard_verdict. */
#ifndef POT_NODE_BLOCK_GUARD_H
#define POT_NODE_BLOCK_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/key.h"
#include "consensus/pbft.h"

enum guard_state { GUARD_ASKING, GUARD_RECOVERING, GUARD_CLEAR };

/* What its owner is to do now. */
enum guard_verdict {
    GUARD_STAY,
    GUARD_RECOVER, /* step PBFT_RECOVER */
    GUARD_RELEASE, /* step PBFT_RELEASE */
    GUARD_DOUBLED, /* another node signs with this key: stop */
};

struct guard_answer {
    bool is_given;
    uint64_t tip; /* the answerer's; of several the lowest, all were asked for
                   * by this process */
    bool is_recovering; /* the latest one says so */
    bool is_elsewhere;  /* another process with our key stands in our place
                         * there: it answers us nothing */
};

struct guard {
    struct public_key self;
    struct hash chain;
    enum guard_state state;
    bool has_record;       /* what was signed before this start is on record */
    struct pbft_mark seen; /* the furthest that anybody showed us */
    uint64_t tip;
    struct validator_set set; /* who signs tip + 1 */
    uint64_t set_height;      /* the tip when they came to be that */
    struct guard_answer answers[VALIDATORS_MAX]; /* by index in set */
    uint64_t released_height; /* signatures up to it may be older than us */
};

/* guard_init: has_record: the sign state says what was signed last, maybe
 * nothing; state: GUARD_RECOVERING if it says that this is not known,
 * GUARD_CLEAR if it says that it does not matter. */
void guard_init(struct guard *guard, const struct public_key *self,
                const struct hash *chain, bool has_record,
                enum guard_state state);

/* guard_tip: the tip, and who signs the next height. */
void guard_tip(struct guard *guard, uint64_t tip,
               const struct validator_set *set);

/* guard_answered: `from` stands at `tip`, and is connected to this process.
 * guard_lost: it is not any more; while asking its answer counts no more. */
void guard_answered(struct guard *guard, const struct public_key *from,
                    uint64_t tip);
void guard_lost(struct guard *guard, const struct public_key *from);

/* guard_recovers: whether `from` recovers, as it says.  guard_is_recovering:
 * what that validator said last; false if nothing. */
void guard_recovers(struct guard *guard, const struct public_key *from,
                    bool is_recovering);
bool guard_is_recovering(const struct guard *guard,
                         const struct public_key *validator);

/* guard_elsewhere: `from` refuses us: another process with our key is
 * connected to it, and answered it just now. */
void guard_elsewhere(struct guard *guard, const struct public_key *from);

/* guard_seen: somebody shows what self is to have signed; false: it did not.
 * What fits to `own` is nothing new. */
bool guard_seen(struct guard *guard, const struct pbft_mark *seen,
                const struct signature *signature, const struct pbft_mark *own);

/* guard_judge: after each of the above, until it says GUARD_STAY; own: the
 * furthest that this process and its record have signed. */
enum guard_verdict guard_judge(struct guard *guard,
                               const struct pbft_mark *own);

/* guard_told: where a validator stands, for one that asks: at its tip, or
 * where it stood when it signed `own`, which it said of a block behind that;
 * its store may have been made anew since. */
uint64_t guard_told(const struct guard *guard, const struct pbft_mark *own);

/* guard_height: the tip at which the state is left, by what was answered.
 * False: fewer than are needed have answered, or there is no set yet. */
bool guard_height(uint64_t *height, const struct guard *guard);

/* How many others must have answered to leave the state, and how many
 * have. */
uint32_t guard_needed(const struct guard *guard);
uint32_t guard_count(const struct guard *guard);

#endif
