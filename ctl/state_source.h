/* state_source: the state of a node that runs, by its API, or of one that is
 * stopped, out of its store. */
#ifndef POT_CTL_STATE_SOURCE_H
#define POT_CTL_STATE_SOURCE_H

#include "ctl/ctl.h"
#include "ctl/state_compare.h"

struct store;

struct state_source {
    const char *name;    /* borrowed */
    struct store *store; /* NULL: name is a URL */
};

/* state_source_open: name is an http:// URL, or a folder: a node's home, a
 * backup, or a store itself.  state_source_close in any case.
 * Errors: EXIT_CODE_LOCKED the node runs; EXIT_CODE_STORE; EXIT_CODE_FAILED */
POT_MUST_USE enum exit_code state_source_open(struct state_source *source,
                                              struct ctl *ctl,
                                              const char *name);
void state_source_close(struct state_source *source);

/* state_source_side: for state_compare; borrows source. */
struct state_side state_source_side(struct state_source *source);

#endif
