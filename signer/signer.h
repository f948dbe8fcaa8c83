/* signer: a validator's key with the sign state that goes with it. */
#ifndef POT_SIGNER_SIGNER_H
#define POT_SIGNER_SIGNER_H

#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"
#include "proto/sign_frame.h"

struct signer; /* opaque: signer/signer.c */

/* signer_open: key is borrowed; state: the file of the sign state
 * (storage/sign_state.h), which must be there.
 *
 * Errors: sign_state_open's; POT_ECORRUPT the record in it is none of ours;
 *         *out is NULL then */
POT_MUST_USE enum pot_err signer_open(struct signer **out,
                                      const struct key *key, const char *state,
                                      const struct hash *chain);
void signer_close(struct signer *signer);

/* signer_answer: what is signed is on disk when it returns.  The signature is
 * zero unless it says SIGN_DONE; SIGN_HELLO: the public key. */
enum sign_verdict signer_answer(struct signer *signer,
                                struct signature *signature,
                                const struct sign_question *question);

#endif
