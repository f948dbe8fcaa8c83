/* plant: a submission that is known to be false: the right gradient but for one
 * element, by one unit, at a place that a secret decides.  A mean does not feel
 * it, and whoever computes the gradient again cannot miss it. */
#ifndef POT_PROTO_PLANT_H
#define POT_PROTO_PLANT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/key.h"
#include "proto/model.h"
#include "proto/packed.h"

/* plant_is_due: whether the miner plants its submission of a round: link is the
 * one that it shows in it (proto/draw.h), secret the one behind that; theta:
 * the hash of the parameters that the round begins with. */
bool plant_is_due(const struct hash *secret, const struct hash *link,
                  const struct hash *theta, const struct public_key *miner,
                  uint32_t rate_ppm);

/* plant_name: what validators judge once the secret is known, instead of the
 * submission of that hash: what they said before of it no longer counts. */
void plant_name(struct hash *out, const struct hash *submission,
                const struct hash *secret);

/* plant_payload: changes a payload in that form into the one that is planted
 * by secret.  False: it stays as it is, as none of its elements can be changed
 * so: those of 0 cannot in the forms sign and topk. */
bool plant_payload(uint8_t *payload, const struct model_shape *shape,
                   const struct packed_form *form, const struct hash *secret);

#endif
