#include "config.h"

#include "node/round/newcomers.h"

#include "base/alloc.h"
#include "base/check.h"
#include "node/round/again.h"

#include <stdlib.h>

struct newcomer {
    struct public_key key;
    uint64_t peer_id;
    struct again again;
};

void newcomers_init(struct newcomers *newcomers, uint64_t wait_ms)
{
    POT_ASSERT(wait_ms > 0 && wait_ms < AGAIN_MAX_MS);
    *newcomers = (struct newcomers){
        .wait_ms = wait_ms,
        .all = pot_calloc(NEWCOMERS_MAX, sizeof(*newcomers->all)),
    };
}

void newcomers_fini(struct newcomers *newcomers)
{
    free(newcomers->all);
    *newcomers = (struct newcomers){0};
}

static struct newcomer *find(const struct newcomers *newcomers,
                             const struct public_key *key)
{
    for (size_t i = 0; i < newcomers->count; i++) {
        if (public_key_equal(&newcomers->all[i].key, key)) {
            return &newcomers->all[i];
        }
    }
    return NULL;
}

void newcomers_add(struct newcomers *newcomers, const struct public_key *key,
                   uint64_t peer_id, uint64_t now_ms)
{
    struct newcomer *known = find(newcomers, key);
    if (known != NULL) {
        known->peer_id = peer_id;
        again_hasten(&known->again, now_ms, newcomers->wait_ms);
    } else if (newcomers->count < NEWCOMERS_MAX) {
        struct newcomer *added = &newcomers->all[newcomers->count++];
        *added = (struct newcomer){.key = *key, .peer_id = peer_id};
        again_start(&added->again, now_ms, newcomers->wait_ms);
    }
}

void newcomers_tick(struct newcomers *newcomers, uint64_t now_ms,
                    void (*tell)(void *context, uint64_t peer_id),
                    void *context)
{
    size_t kept = 0;
    for (size_t i = 0; i < newcomers->count; i++) {
        struct newcomer *one = &newcomers->all[i];
        if (again_is_due(&one->again, now_ms)) {
            tell(context, one->peer_id);
        }
        if (one->again.wait_ms < AGAIN_MAX_MS) {
            newcomers->all[kept++] = *one;
        }
    }
    newcomers->count = kept;
}
