/* Two generations of hashes: when the young one is full it becomes the old
 * one, and what was old is forgotten. */
#include "config.h"

#include "node/hold/verified.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/map.h"
#include "proto/signed.h"

#include <stdlib.h>
#include <uv.h>

struct verified {
    uv_mutex_t mutex;
    struct hash chain;
    size_t size;
    struct map young; /* hash -> itself: only whether it is there counts */
    struct map old;
};

struct verified *verified_new(const struct hash *chain, size_t size)
{
    struct verified *v = pot_calloc(1, sizeof(*v));
    int rc = uv_mutex_init(&v->mutex);
    POT_ASSERT(rc == 0);
    v->chain = *chain;
    v->size = size;
    return v;
}

void verified_free(struct verified *v)
{
    if (v == NULL) {
        return;
    }
    map_fini(&v->young);
    map_fini(&v->old);
    uv_mutex_destroy(&v->mutex);
    free(v);
}

static bool is_known(struct verified *v, const struct hash *hash)
{
    uv_mutex_lock(&v->mutex);
    bool known = map_get(&v->young, hash->b) != NULL ||
                 map_get(&v->old, hash->b) != NULL;
    uv_mutex_unlock(&v->mutex);
    return known;
}

static void remember(struct verified *v, const struct hash *hash)
{
    uv_mutex_lock(&v->mutex);
    if (v->young.count >= v->size) {
        map_fini(&v->old);
        v->old = v->young;
        v->young = (struct map){0};
    }
    (void)map_put(&v->young, hash->b, v);
    uv_mutex_unlock(&v->mutex);
}

bool verified_check(struct verified *v, const char *what,
                    const Pot__Signed *message, struct hash *hash)
{
    struct hash own;
    struct hash *at = hash != NULL ? hash : &own;
    signed_hash(at, what, message); /* what enters: kinds do not mix */
    if (is_known(v, at)) {
        return true;
    }
    if (!signed_verify(what, &v->chain, message)) {
        return false;
    }
    remember(v, at);
    return true;
}
