/* startup: what a node reads and locks before it runs: keys, genesis, store
 * and sign state. */
#ifndef POT_NODE_STARTUP_H
#define POT_NODE_STARTUP_H

#include <stdbool.h>

#include "base/err.h"
#include "base/exit_code.h"

struct node;
struct node_config;

/* startup_open: fills node's genesis, keys, store, sign state, data sets and
 * holdings.  False: told on stderr, node->exit_code set; startup_close all the
 * same. */
bool startup_open(struct node *node);

/* startup_open_home: home, keys and genesis only. */
bool startup_open_home(struct node *node);

/* startup_open_store: the same without keys and sign state. */
bool startup_open_store(struct node *node);
void startup_close(struct node *node);

/* startup_set_limits: what a config says of the store's size; at any time. */
void startup_set_limits(struct node *node, const struct node_config *config);

/* startup_worker: where pot-worker is: beside potd as it was built, or where it
 * is installed; free(). */
char *startup_worker(void);

/* startup_error: one line: what, why, what to do. */
void startup_error(struct node *node, enum exit_code code, const char *what,
                   enum pot_err err, const char *remedy);
void startup_chain_error(struct node *node, enum pot_err err);

/* startup_store_remedy: what to do with a store that cannot be opened or
 * copied, to stand behind the line that says why; "" where that line says it or
 * the store is not to blame. */
const char *startup_store_remedy(enum pot_err err);

#endif
