/* referee_words: what validators have said of one challenge.
 *
 * The first word of each counts, and of what says the same its shortest form
 * is kept: a word may be an attestation of the round, which holds verdicts on
 * all that was submitted, or one that somebody has padded, and a settlement
 * must fit into a transaction.  The loop's thread only. */
#ifndef POT_NODE_ROUND_REFEREE_WORDS_H
#define POT_NODE_ROUND_REFEREE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/key.h"
#include "base/map.h"
#include "proto/chain.pb-c.h"
#include "proto/validator_set.h"

/* A zeroed struct holds none. */
struct referee_words {
    struct map words; /* validator's key -> struct word */
};

void referee_words_fini(struct referee_words *words);

/* referee_words_take: a validator's signed word, which is copied; false: it is
 * known, no shorter than before, or another one than its first. */
bool referee_words_take(struct referee_words *words,
                        const struct public_key *validator,
                        Pot__Verdict verdict, const Pot__Signed *message);

/* referee_words_quorum: the shortest quorum of the set that says verdict, by
 * ascending key, borrowed until the next word is taken; 0: there is none. */
size_t referee_words_quorum(Pot__Signed *out[static VALIDATORS_MAX],
                            const struct referee_words *words,
                            const struct validator_set *set,
                            Pot__Verdict verdict);

#endif
