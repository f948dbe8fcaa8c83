/* given: what a person gives for an address, a task or an amount; when it is
 * none, the error says what it looks like instead. */
#ifndef POT_CTL_GIVEN_H
#define POT_CTL_GIVEN_H

#include "base/hash.h"
#include "base/key.h"
#include "ctl/ctl.h"

/* given_address, given_task: place is the option that text was given for, such
 * as "--to ", or "".  Errors: EXIT_CODE_USAGE */
POT_MUST_USE enum exit_code given_address(struct public_key *out,
                                          struct ctl *ctl, const char *place,
                                          const char *text);
POT_MUST_USE enum exit_code given_task(struct hash *out, struct ctl *ctl,
                                       const char *place, const char *text);

/* given_tx: likewise, the hash of a transaction. */
POT_MUST_USE enum exit_code given_tx(struct hash *out, struct ctl *ctl,
                                     const char *text);

/* given_amount_why: why amount_parse refuses text, and what is right. */
const char *given_amount_why(const char *text);

#endif
