/* pbft_mark: where what a key has signed stands in the order in which an
 * honest replica signs: by height, view and rank.  It never goes back, and at
 * one mark it signs one thing: so two digests at one mark, or a mark beyond
 * the own last one, show that somebody else signs with the key, or that the
 * own record is old. */
#ifndef POT_CONSENSUS_PBFT_MARK_H
#define POT_CONSENSUS_PBFT_MARK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/key.h"
#include "proto/consensus.pb-c.h"

struct pbft_mark {
    uint64_t height; /* 0: nothing was signed */
    uint64_t view;
    uint32_t rank;       /* 0: the view change to view; else the vote's Phase */
    struct hash digest;  /* of the block; of a view change's certificate */
    uint64_t next_views; /* of the own last one, as its record has it: see
                          * PbftRecord */
};

/* pbft_mark_compare: < 0, 0, > 0 as a stands before, at, behind b; digests do
 * not matter. */
int pbft_mark_compare(const struct pbft_mark *a, const struct pbft_mark *b);

/* pbft_mark_contradicts: whether `seen`, which the key has signed, cannot come
 * from a replica whose last mark is `own`, as far as it is known. */
bool pbft_mark_contradicts(const struct pbft_mark *seen,
                           const struct pbft_mark *own);

/* pbft_mark_of_message: the mark, signer's index and signature of a message
 * that pbft_verify let through.  False: a new view, which follows its signer's
 * view change, or what nobody signs. */
bool pbft_mark_of_message(struct pbft_mark *out, uint32_t *replica,
                          struct signature *signature,
                          const Pot__ConsensusMessage *message);

/* pbft_mark_verify: signer signed what stands at the mark. */
POT_MUST_USE bool pbft_mark_verify(const struct pbft_mark *mark,
                                   const struct public_key *signer,
                                   const struct hash *chain,
                                   const struct signature *signature);

#endif
