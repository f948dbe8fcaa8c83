/* draft: writes held back until it is known that they stand.
 *
 * A draft looks like the environment it was made over, with its own writes
 * on top; dropping it leaves the one below byte-identical. */
#ifndef POT_LEDGER_DRAFT_H
#define POT_LEDGER_DRAFT_H

struct draft; /* ledger/draft.c */
struct ledger_env;

/* draft_new: over base, which it borrows until draft_free. */
struct draft *draft_new(const struct ledger_env *base);

/* draft_env: what to execute against; lives as long as the draft. */
const struct ledger_env *draft_env(const struct draft *draft);

/* draft_commit: passes everything on, in the order of first writes. */
void draft_commit(const struct draft *draft);
void draft_free(struct draft *draft);

#endif
