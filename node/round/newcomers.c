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
    bool is_done;     /* told often enough: known, in case it comes again */
    uint64_t wait_ms; /* before the first time, when it came last, */
    uint64_t came_ms; /* which was then */
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

/* A place; NULL: there is none.  Who is only known gives way. */
static struct newcomer *find_place(struct newcomers *newcomers)
{
    struct newcomer *oldest = NULL;
    if (newcomers->count < NEWCOMERS_MAX) {
        return &newcomers->all[newcomers->count++];
    }
    for (size_t i = 0; i < newcomers->count; i++) {
        struct newcomer *one = &newcomers->all[i];
        if (one->is_done &&
            (oldest == NULL || one->came_ms < oldest->came_ms)) {
            oldest = one;
        }
    }
    return oldest;
}

static void come_again(struct newcomer *known, uint64_t now_ms)
{
    known->wait_ms = again_longer(known->wait_ms, NEWCOMERS_WAIT_MAX_MS);
    if (known->is_done) {
        again_start(&known->again, now_ms, known->wait_ms);
    } else {
        again_hasten(&known->again, now_ms, known->wait_ms);
    }
    known->is_done = false;
    known->came_ms = now_ms;
}

void newcomers_add(struct newcomers *newcomers, const struct public_key *key,
                   uint64_t peer_id, uint64_t now_ms)
{
    struct newcomer *one = find(newcomers, key);
    if (one != NULL) {
        one->peer_id = peer_id;
        come_again(one, now_ms);
        return;
    }
    one = find_place(newcomers);
    if (one != NULL) {
        *one = (struct newcomer){.key = *key,
                                 .peer_id = peer_id,
                                 .wait_ms = newcomers->wait_ms,
                                 .came_ms = now_ms};
        again_start(&one->again, now_ms, one->wait_ms);
    }
}

void newcomers_tick(struct newcomers *newcomers, uint64_t now_ms,
                    void (*tell)(void *context, uint64_t peer_id),
                    void *context)
{
    size_t kept = 0;
    for (size_t i = 0; i < newcomers->count; i++) {
        struct newcomer *one = &newcomers->all[i];
        if (!one->is_done && again_is_due(&one->again, now_ms)) {
            tell(context, one->peer_id);
            one->is_done = one->again.wait_ms >= AGAIN_MAX_MS;
        }
        if (!one->is_done || now_ms < one->came_ms + NEWCOMERS_KNOWN_MS) {
            newcomers->all[kept++] = *one;
        }
    }
    newcomers->count = kept;
}
