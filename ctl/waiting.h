/* waiting: a word to who waits for a block while none can come. */
#ifndef POT_CTL_WAITING_H
#define POT_CTL_WAITING_H

#include <stdbool.h>

#include "ctl/ctl.h"

/* Zeroed: nothing is waited for yet. */
struct waiting {
    uint64_t due_ms; /* when the node is asked next, on the steady clock */
};

/* waiting_tell: to be called while something is waited for.  Now and then it
 * asks the node, and notes its reason when it says that it is not ready; true:
 * it did, on a line of its own behind before. */
bool waiting_tell(struct waiting *waiting, struct ctl *ctl, const char *before);

#endif
