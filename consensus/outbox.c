#include "config.h"

#include "consensus/outbox.h"

#include "base/alloc.h"
#include "base/check.h"

#include <stdlib.h>
#include <string.h>

void outbox_add(struct outbox *outbox, const struct outbox_item *item)
{
    if (outbox->count == outbox->capacity) {
        outbox->capacity = outbox->capacity > 0 ? 2 * outbox->capacity : 8;
        outbox->items = pot_realloc(outbox->items, outbox->capacity,
                                    sizeof(*outbox->items));
    }
    POT_ASSERT(outbox->count == 0 ||
               outbox->items[outbox->count - 1].sequence <= item->sequence);
    outbox->items[outbox->count++] = *item;
}

bool outbox_take(struct outbox *outbox, struct outbox_item *item)
{
    if (outbox->count == 0 || outbox->items[0].sequence > outbox->durable) {
        return false;
    }
    *item = outbox->items[0];
    outbox->count--;
    memmove(outbox->items, outbox->items + 1,
            outbox->count * sizeof(*outbox->items));
    return true;
}

void outbox_fini(struct outbox *outbox)
{
    for (size_t i = 0; i < outbox->count; i++) {
        free(outbox->items[i].bytes);
    }
    free(outbox->items);
    memset(outbox, 0, sizeof(*outbox));
}
