/* sign_rules: what a validator's key may sign, given what it has signed.
 *
 * An honest replica signs by height, view and place: its view change, its new
 * view, its pre-prepare, prepare and commit.  The rules hold what was signed in
 * the last view and let through what stands behind all of it, and the same
 * again; so each place is signed once.  In one view all votes are for one
 * block. Who has committed at a height leaves a view with a certificate only.
 *
 * What they cannot see: whether that certificate is the highest that the key
 * has committed to; a view change signs its hash alone. */
#ifndef POT_SIGNER_SIGN_RULES_H
#define POT_SIGNER_SIGN_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "proto/sign_frame.h"

/* In the order in which a view's are signed. */
enum sign_place {
    SIGN_PLACE_VIEW_CHANGE,
    SIGN_PLACE_NEW_VIEW,
    SIGN_PLACE_PRE_PREPARE,
    SIGN_PLACE_PREPARE,
    SIGN_PLACE_COMMIT,
    SIGN_PLACES
};

struct sign_step {
    enum sign_place place;
    uint64_t height;
    uint64_t view;
    struct hash digest; /* of the block, the certificate, the view changes */
};

/* sign_step_view: what a question asks for.  *is_step: it is held to the
 * rules; false: it may be signed again and again.  False: SIGN_MALFORMED. */
POT_MUST_USE bool sign_step_view(struct sign_step *out, bool *is_step,
                                 const struct sign_question *question);

/* A zeroed struct has signed nothing. */
struct sign_rules {
    uint64_t height;
    uint64_t view;
    bool has_committed; /* at height, in this view or another */
    bool is_signed[SIGN_PLACES];
    struct hash digests[SIGN_PLACES];
};

/* sign_rules_judge: SIGN_DONE: it may be signed; sign_rules_take then says
 * that it is, and nothing new for what was signed before. */
enum sign_verdict sign_rules_judge(const struct sign_rules *rules,
                                   const struct sign_step *step);
bool sign_rules_is_known(const struct sign_rules *rules,
                         const struct sign_step *step);
void sign_rules_take(struct sign_rules *rules, const struct sign_step *step);

/* u64 height | u64 view | u8 has_committed | u8 signed places, by bit | their
 * digests, zero where there is none. */
#define SIGN_RULES_SIZE (8 + 8 + 1 + 1 + SIGN_PLACES * HASH_SIZE)

void sign_rules_encode(uint8_t out[static SIGN_RULES_SIZE],
                       const struct sign_rules *rules);
/* sign_rules_decode: no bytes at all: nothing was signed.  Errors:
 * POT_ECORRUPT */
POT_MUST_USE enum pot_err sign_rules_decode(struct sign_rules *out,
                                            const void *data, size_t size);

#endif
