/* key_equation: when an Ed25519 signature (R, s) of a key A holds.
 *
 * - A and R are points that are not of small order, in their one encoding: y <
 *   2^255 - 19.  s is below the group's order L.
 * - 8 s B = 8 R + 8 k A, with k = SHA-512(R, A, the signed bytes) mod L: RFC
 *   8032, section 5.1.7, with the cofactor.  The equation without it cannot be
 *   asked of many signatures at once, and nodes must agree however they ask.
 *
 * The group is libdecaf's, of order L: it knows no torsion, so that points are
 * equal there when 8 times the points are.  Only base/ sees it. */
#ifndef POT_BASE_KEY_EQUATION_H
#define POT_BASE_KEY_EQUATION_H

#include <decaf/ed255.h>
#include <stdbool.h>

struct key_claim;
struct public_key;

struct key_equation {
    decaf_255_point_t r;
    decaf_255_scalar_t s;
    decaf_255_scalar_t k;
};

/* key_equation_open: a claim's; false: it is not of the form above. */
bool key_equation_open(struct key_equation *out, const struct key_claim *claim);

/* key_equation_open_key: A; false: likewise. */
bool key_equation_open_key(decaf_255_point_t out, const struct public_key *key);

bool key_equation_holds(const struct key_equation *equation,
                        const decaf_255_point_t key);

/* key_equation_base: out = how often the group's base point makes s B: points
 * are decoded to a multiple of themselves, which that one is not. */
void key_equation_base(decaf_255_scalar_t out, const decaf_255_scalar_t s);

#endif
