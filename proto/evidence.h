/* evidence: two words of one validator that no honest one signs both, so
 * that they prove its fault to anyone who knows its key:
 *
 *   two votes           of one height and view, for different blocks, in
 *                       whichever phases: a replica commits to nothing but
 *                       what it prepared, and the pre-prepare is the
 *                       primary's prepare
 *   two view changes    of one height to one view, with different prepared
 *                       certificates
 *   a commit and a      of one height, the view change to a later view and
 *   view change         without a prepared certificate of the commit's view
 *                       or a later one: it had one when it committed
 *
 * With these, whoever makes two honest replicas commit different blocks
 * leaves evidence against f + 1 keys in what was sent.
 *
 * The words stand in one order: two of a kind by ascending digest, the commit
 * before the view change.  The finder's signature, by which it asks for the
 * reward, is no part of the proof. */
#ifndef POT_PROTO_EVIDENCE_H
#define POT_PROTO_EVIDENCE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"
#include "proto/chain.pb-c.h"

#define EVIDENCE_VERDICT_MAP(X)                                                \
    X(EVIDENCE_PROVES, "evidence")                                             \
    X(EVIDENCE_MALFORMED, "malformed evidence")                                \
    X(EVIDENCE_ORDER, "its words are not in their order")                      \
    X(EVIDENCE_NO_CONFLICT, "its words do not contradict each other")          \
    X(EVIDENCE_FORGED, "a word in it is not signed by the accused")            \
    X(EVIDENCE_UNSIGNED, "it is not signed by its finder")                     \
    /* what the ledger alone can tell, ledger/slash.h */                       \
    X(EVIDENCE_OWN, "its finder is the accused")                               \
    X(EVIDENCE_EARLY, "of a height that is still to come")                     \
    X(EVIDENCE_EXPIRED, "too old")                                             \
    X(EVIDENCE_NO_VALIDATOR, "the accused was no validator at that height")    \
    X(EVIDENCE_PUNISHED, "the accused was punished for that time already")     \
    X(EVIDENCE_AMOUNTS, "the amounts that come of it are wrong")

enum evidence_verdict {
#define X(code, text) code,
    EVIDENCE_VERDICT_MAP(X)
#undef X
};

/* evidence_order: puts the words into their order. */
void evidence_order(Pot__EvidenceBody *body);

/* evidence_check: all that can be told without the state; three signatures
 * are checked, so keep it off the loop.
 * evidence_check_body: the same without the finder. */
POT_MUST_USE enum evidence_verdict evidence_check_body(
    const struct hash *chain, const Pot__EvidenceBody *body);
POT_MUST_USE enum evidence_verdict evidence_check(const struct hash *chain,
                                                  const Pot__Signed *proof);

/* evidence_decode: the body of a proof with a validator's key and a height;
 * codec_free releases it.  NULL: malformed. */
Pot__EvidenceBody *evidence_decode(const Pot__Signed *proof);

/* evidence_kind: "votes", "view_changes", "commit_and_view_change". */
const char *evidence_kind(const Pot__EvidenceBody *body);

const char *evidence_verdict_text(enum evidence_verdict verdict);

#endif
