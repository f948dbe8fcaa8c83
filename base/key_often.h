/* key_often: signatures of keys that sign often, validators', checked in less
 * than half the time: the first check of a key keeps multiples of its point for
 * all that follow. */
#ifndef POT_BASE_KEY_OFTEN_H
#define POT_BASE_KEY_OFTEN_H

#include <stdbool.h>

#include "base/key_claim.h"

/* Kept at once, 190 KiB each; of more, the latest. */
#define KEY_OFTEN_MAX 128

/* key_often_holds: as key_claim_holds; on any thread.  A stranger must not be
 * able to name the keys: a new one costs what a dozen checks do. */
bool key_often_holds(const struct key_claim *claim);

#endif
