#include "config.h"

#include "node/block/executed.h"

#include "base/alloc.h"
#include "node/block/shared_block.h"
#include "storage/overlay.h"

#include <stdlib.h>

struct executed *executed_new(struct store *store)
{
    struct executed *executed = pot_calloc(1, sizeof(*executed));
    executed->overlay = overlay_new(store);
    return executed;
}

void executed_free(struct executed *executed)
{
    if (executed != NULL) {
        shared_block_unref(executed->block);
        overlay_free(executed->overlay);
        free(executed);
    }
}
