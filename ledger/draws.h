/* draws: the ledger's part of proto/draw.h: whose links it knows, and whether
 * an attestation keeps to its own. */
#ifndef POT_LEDGER_DRAWS_H
#define POT_LEDGER_DRAWS_H

#include <stdbool.h>

#include "ledger/ledger.h"
#include "proto/round.h"

struct settle;

/* draws_note: keeps the links of a closing round, and counts what they drew. */
void draws_note(const struct settle *s, const struct ledger_env *env);

/* draws_forget: the task has ended. */
void draws_forget(const struct state *state, const Pot__TaskRecord *task);

#endif
