/* replica: drives the PBFT state machine: verified messages and answers
 * become events, effects become work.
 *
 *   inbox        messages, verified off the loop      -> PBFT_MESSAGE
 *   errands      blocks made, checked, carried out    <- PROPOSE CHECK COMMIT
 *   vote_record  what is signed, durable before sent  <- PERSIST
 *   signed_watch whether anything else was signed     -> RECOVER RELEASE
 *
 * All on the loop. */
#ifndef POT_NODE_BLOCK_REPLICA_H
#define POT_NODE_BLOCK_REPLICA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "consensus/pbft.h"
#include "node/block/chain_tip.h"

struct delivery;
struct guard;
struct net;
struct peer;
struct proposal_refused;
struct proposal_request;
struct sign_state;
struct replica; /* opaque: node/block/replica.c */

struct replica_config {
    uv_loop_t *loop;
    struct hash chain; /* hash of the chain id */
    const struct key *key;
    struct sign_state *sign_state;
    const struct delivery *delivery;
    struct verified *verified; /* learns of commits */
    struct store *store;       /* nothing is signed while it ails */
    struct net *net;
    const struct validator_set *validators; /* of the next height */
    uint32_t propose_timeout_ms;
    uint32_t idle_interval_ms;

    void *context;
    /* What to put in a block now; the caller of it owns the result. */
    struct proposal_request *(*make_request)(void *context);
    /* What of a request the ledger did not take; borrowed. */
    void (*refused)(void *context, const struct proposal_refused *refused,
                    size_t count);
    /* An encoded EvidenceBody: a validator contradicted itself. */
    void (*found)(void *context, const void *evidence, size_t size);
    /* The disk failed us, or, POT_EGUARD, another node signs with this key:
     * nothing more may be signed. */
    void (*failed)(void *context, enum pot_err err, const char *what);
};

/* replica_new: Errors: those of pbft_new. */
POT_MUST_USE enum pot_err replica_new(struct replica **out,
                                      const struct replica_config *config);

/* replica_stop: no event is taken any more.  replica_free: once the loop has
 * ended and with it the work off it. */
void replica_stop(struct replica *replica);
void replica_free(struct replica *replica);

void replica_start(struct replica *replica);

/* replica_silence: from now on it sends nothing and takes no event, as if the
 * node had ended, until replica_resume: it begins again from what the sign
 * state holds and the tip, as at a start; validators are of the next height.
 * Not before replica_is_quiet.  Errors: those of replica_new */
void replica_silence(struct replica *replica);
bool replica_is_quiet(const struct replica *replica);
POT_MUST_USE enum pot_err replica_resume(
    struct replica *replica, const struct validator_set *validators);

/* replica_is_fellow: whether peer and this node are validators now. */
bool replica_is_fellow(const struct replica *replica, const struct peer *peer);

/* replica_receive: a peer's MESSAGE_CONSENSUS. */
void replica_receive(struct replica *replica, struct peer *peer,
                     const void *data, size_t size);

/* replica_work: there is something to put in a block. */
void replica_work(struct replica *replica);

/* A peer has come or gone; its MESSAGE_GET_SIGNED or MESSAGE_LAST_SIGNED; the
 * time. */
void replica_peer(struct replica *replica, struct peer *peer, bool is_up);
void replica_signed_message(struct replica *replica, struct peer *peer,
                            uint8_t type, const uint8_t *data, size_t size);
void replica_tick(struct replica *replica, uint64_t now_ms);

/* replica_certified: a certificate in a block that is applied; NULL: it has
 * none. */
void replica_certified(struct replica *replica,
                       const Pot__CommitCertificate *certificate);
/* replica_suspect: the present primary leaves out what it could have put in
 * its blocks: what, of this hash. */
void replica_suspect(struct replica *replica, const char *what,
                     const struct hash *hash);

/* replica_applied: a block became the tip; validators of the next height. */
void replica_applied(struct replica *replica, const struct chain_tip *tip,
                     const struct validator_set *validators);

struct pbft_status replica_status(const struct replica *replica);

/* replica_patience_ms: a block is due after idle_interval_ms at the latest;
 * with this beyond the last one the longest view, or four that ended one after
 * another, do not explain that there is none. */
uint64_t replica_patience_ms(uint64_t propose_timeout_ms,
                             uint64_t idle_interval_ms);

/* replica_validators, replica_heard: who signs the next height, and what was
 * heard of one of them; borrowed until the next event. */
const struct validator_set *replica_validators(const struct replica *replica);
void replica_heard(const struct replica *replica, uint32_t index,
                   struct pbft_heard *out);

/* replica_guard: why it is held, when it is. */
const struct guard *replica_guard(const struct replica *replica);

struct replica_stats {
    uint64_t messages;
    uint64_t refused; /* malformed or wrongly signed */
    uint64_t dropped; /* too many at once */
    uint64_t evidence;
    uint64_t proposals;
    uint64_t invalid_blocks;
    uint64_t unjudged_blocks; /* could not be checked */
    uint64_t check_ms;        /* what the last good one took to check */
};

void replica_stats(const struct replica *replica, struct replica_stats *out);

#endif
