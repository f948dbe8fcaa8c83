/* votes: the log of votes at one height (section 4.2, "the state of each
 * replica includes a message log").
 *
 * Bounded: a replica's last VOTES_VIEWS views in each phase, so a faulty
 * one can only push out its own. */
#ifndef POT_CONSENSUS_VOTES_H
#define POT_CONSENSUS_VOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/vote.h"

#define VOTES_VIEWS  4
#define VOTES_PHASES 3

struct votes_entry {
    bool is_used;
    bool is_checked; /* its signature was; else it does not count */
    uint64_t view;
    struct hash digest;
    struct signature signature;
};

struct votes {
    uint32_t count; /* of replicas */
    struct votes_entry entries[VOTES_PHASES][VALIDATORS_MAX][VOTES_VIEWS];
};

enum votes_outcome {
    VOTES_NEW,
    VOTES_KNOWN,
    VOTES_CONFLICT, /* another digest stands in its place; nothing changed */
    VOTES_OLD,      /* older than all that is kept; nothing changed */
};

/* votes_clear: an empty log for count replicas; votes is zeroed, or was one
 * before.  votes_copy: out likewise. */
void votes_clear(struct votes *votes, uint32_t count);
void votes_copy(struct votes *out, const struct votes *votes);

/* votes_add: vote->height is not looked at.  votes_keep: one whose signature
 * was not checked; it gives way to the same one checked. */
enum votes_outcome votes_add(struct votes *votes, const struct vote *vote,
                             const struct signature *signature);
void votes_keep(struct votes *votes, const struct vote *vote,
                const struct signature *signature);

/* votes_find: a replica's vote in a view, checked or not, or NULL. */
const struct votes_entry *votes_find(const struct votes *votes,
                                     Pot__Phase phase, uint64_t view,
                                     uint32_t replica);

/* votes_settle: whether the signature of one that is there holds: it counts
 * from now on, or is gone. */
void votes_settle(struct votes *votes, Pot__Phase phase, uint64_t view,
                  uint32_t replica, bool holds);

/* votes_count: replicas that voted for digest in view; what was not checked
 * does not count, here and below. */
uint32_t votes_count(const struct votes *votes, Pot__Phase phase, uint64_t view,
                     const struct hash *digest);

/* Signatures for a certificate, by ascending replica; they borrow from the
 * log.  list[i] is &items[i], so that the struct is not to be copied. */
struct votes_signatures {
    size_t count;
    Pot__VoteSignature *list[VALIDATORS_MAX];
    Pot__VoteSignature items[VALIDATORS_MAX];
};

/* votes_collect: of those that voted for digest in view; at most max. */
void votes_collect(struct votes_signatures *out, const struct votes *votes,
                   Pot__Phase phase, uint64_t view, const struct hash *digest,
                   size_t max);

/* votes_holds_block: whether replica voted for digest in any view, and so
 * had its block; what was not checked, too. */
bool votes_holds_block(const struct votes *votes, uint32_t replica,
                       const struct hash *digest);

#endif
