#include "config.h"

#include "node/round/tellers.h"

#include "base/alloc.h"

#include <stdlib.h>

void tellers_fini(struct tellers *tellers)
{
    map_fini_free(&tellers->until);
}

/* Room for others. */
static void drop_past(struct tellers *tellers, uint64_t now_ms)
{
    struct map kept = {0};
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&tellers->until, &cursor)) != NULL) {
        const uint64_t *until_ms = slot->value;
        if (now_ms < *until_ms) {
            (void)map_put(&kept, slot->key, slot->value);
        } else {
            free(slot->value);
        }
    }
    map_fini(&tellers->until);
    tellers->until = kept;
}

void tellers_note(struct tellers *tellers, const struct public_key *aggregator,
                  bool is_told, uint64_t now_ms)
{
    free(map_remove(&tellers->until, aggregator->b));
    if (tellers->until.count >= TELLERS_MAX) {
        drop_past(tellers, now_ms);
    }
    if (is_told && tellers->until.count < TELLERS_MAX) {
        uint64_t *until_ms = pot_alloc(sizeof(*until_ms));
        *until_ms = now_ms + TELLERS_MS;
        (void)map_put(&tellers->until, aggregator->b, until_ms);
    }
}

bool tellers_has(const struct tellers *tellers,
                 const struct public_key *aggregator, uint64_t now_ms)
{
    const uint64_t *until_ms = map_get(&tellers->until, aggregator->b);
    return until_ms != NULL && now_ms < *until_ms;
}
