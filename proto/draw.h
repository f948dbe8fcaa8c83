/* draw: which submissions of a round a validator has to compute again.  It
 * decides by a lottery of its own that nobody sees through before the round's
 * submissions are fixed, and everybody checks afterwards.
 *
 * For each task a validator has a chain of links, one a round: each is the hash
 * of the one of the next round, and behind the last one stands a secret.  So a
 * link proves itself by any earlier one, and tells nothing of later ones.
 * Whoever has shown one has chosen all that follow, before anybody knew the
 * parameters that these rounds begin with. */
#ifndef POT_PROTO_DRAW_H
#define POT_PROTO_DRAW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/key.h"

/* Rounds after which a link need not follow from the one before, so that
 * checking one is so many hashes at most. */
#define DRAW_GAP_MAX 256

/* draw_walk: the link so many rounds before that one. */
void draw_walk(struct hash *out, const struct hash *link, uint32_t steps);

/* draw_follows: the link of a round follows from the one that was shown so many
 * rounds before, or it need not; rounds > 0. */
bool draw_follows(const struct hash *link, const struct hash *earlier,
                  uint32_t rounds);

/* draw_names: whether the holder of the round's link has drawn that miner's
 * submission, at rate_ppm in a million; theta: the hash of the parameters that
 * the round begins with. */
bool draw_names(const struct hash *link, const struct hash *theta,
                const struct public_key *miner, uint32_t rate_ppm);

/* draw_rate_of_one: at what rate each of so many validators has to draw on its
 * own for a submission to be drawn by at least one of them with a probability
 * of rate_ppm in a million, or a little more; validators > 0. */
uint32_t draw_rate_of_one(uint32_t rate_ppm, uint32_t validators);

#endif
