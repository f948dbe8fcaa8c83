/* settle_sum: the aggregate of what is counted; for ledger/settle*.c and
 * round_update.c. */
#ifndef POT_LEDGER_SETTLE_SUM_H
#define POT_LEDGER_SETTLE_SUM_H

#include "ledger/settle.h"

/* settle_sum: fills in aggregate and aggregate_hash, from the payloads or, as
 * far as env has parts and the task's rule is a sum, from these: with the same
 * bits.
 *
 * Errors: ROUND_PAYLOAD_MISSING, ROUND_PAYLOAD_MALFORMED */
POT_MUST_USE enum round_verdict settle_sum(struct settle *s,
                                           const struct ledger_env *env);

/* settle_name_counted: the hashes of what is counted, in that order, in fresh
 * memory. */
struct hash *settle_name_counted(const struct settle *s);

#endif
