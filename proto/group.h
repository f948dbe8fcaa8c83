/* group: what aggregators and validators say of sums over a part of a round's
 * submissions, opened and checked in form.
 *
 * A group names its members by a hash over key and body: so what their payloads
 * are is fixed, and so is what their root and their sum must be; whose
 * submission is signed twice is one member; and the salt in the body keeps who
 * has seen a commitment alone from naming its miner. */
#ifndef POT_PROTO_GROUP_H
#define POT_PROTO_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"
#include "proto/validator_set.h"
#include "proto/wire.pb-c.h"

struct round_submission;

#define GROUP_MEMBERS_MIN 2 /* one is cheaper fetched itself */

struct group {
    struct hash hash; /* of the signed message */
    struct public_key aggregator;
    struct hash task;
    uint32_t round;
    struct hash *members; /* names, ascending; owned */
    size_t member_count;  /* GROUP_MEMBERS_MIN to ROSTER_MAX */
    struct hash root;
    struct hash sum;
    uint64_t sum_bytes;
    bool is_told; /* its author is connected to all validators, it says */
};

struct group_word {
    struct public_key validator;
    struct hash task;
    uint32_t round;
    struct hash group;
    bool is_right;
};

/* group_decode: the signature is the caller's to check (SIGNED_GROUP).
 *
 * Owns:   out->members; group_fini releases it
 * Errors: POT_EFORMAT, POT_ELIMIT; there is nothing to close then */
POT_MUST_USE enum pot_err group_decode(struct group *out,
                                       const Pot__Signed *message);
void group_fini(struct group *group);

/* group_find: where among the members; false: it is none. */
bool group_find(size_t *index, const struct group *group,
                const struct hash *member);

/* group_word_decode: the same; SIGNED_GROUP_WORD; owns nothing. */
POT_MUST_USE enum pot_err group_word_decode(struct group_word *out,
                                            const Pot__Signed *message);

/* group_leaf: the root's leaf of a member: over its miner's key and its
 * payload's hash.  The leaves stand in the order of the members. */
void group_leaf(struct hash *out, const struct round_submission *submission);

/* group_opens: whether the validator is one of the f + 1 of the set that are
 * drawn, by its hash, to open the group. */
bool group_opens(const struct group *group, const struct validator_set *set,
                 const struct public_key *validator);

/* group_words_needed: from so many validators, of whom one is honest. */
size_t group_words_needed(const struct validator_set *set);

#endif
