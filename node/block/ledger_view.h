/* ledger_view: what the ledger reads and writes while a block is executed: a
 * write set over the store's tip, the blobs in memory before those in it, and
 * the data sets. */
#ifndef POT_NODE_BLOCK_LEDGER_VIEW_H
#define POT_NODE_BLOCK_LEDGER_VIEW_H

#include "ledger/ledger.h"

struct holdings;
struct overlay;

struct ledger_view {
    const struct holdings *holdings;
    struct overlay *overlay;
};

/* ledger_view_env: view must live as long as the result is used. */
struct ledger_env ledger_view_env(struct ledger_view *view);

#endif
