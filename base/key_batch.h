/* key_batch: many signatures checked at once, in half the time: one sum over
 * all of them, each times a number that nobody could know beforehand (D. J.
 * Bernstein, N. Duif, T. Lange, P. Schwabe, B.-Y. Yang, "High-speed
 * high-security signatures", 2012, section 5). */
#ifndef POT_BASE_KEY_BATCH_H
#define POT_BASE_KEY_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/key_claim.h"

/* Checked together; of more, one such group after the other. */
#define KEY_BATCH_MAX 256

/* key_batch_check: holds[i]: whether claims[i] holds, as key_claim_holds says;
 * one that does not is taken for one that does with a chance of 2^-128 at most,
 * and nothing else depends on the numbers.  A few are checked one by one. */
void key_batch_check(const struct key_claim *claims, size_t count, bool *holds);

#endif
