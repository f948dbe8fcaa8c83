/* parts: which of a round's submissions need not be added one by one, because
 * sums are at hand in which they are. */
#ifndef POT_LEDGER_PARTS_H
#define POT_LEDGER_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"
#include "ledger/state.h"

struct parts {
    struct round_part *list; /* those all of whose members are counted */
    size_t count;
    bool *are_in; /* of each submission: it is in one of the list */
};

/* parts_choose: for the submissions that are counted, each once, in any
 * order.  parts_fini releases it. */
void parts_choose(struct parts *out, const struct part_source *source,
                  const struct hash *counted, size_t count);
void parts_fini(struct parts *parts);

#endif
