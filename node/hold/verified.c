#include "config.h"

#include "node/hold/verified.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/recent_set.h"
#include "proto/signed.h"

#include <stdlib.h>
#include <uv.h>

struct verified {
    uv_mutex_t mutex;
    struct hash chain;
    struct recent_set known; /* under mutex: hashes of messages */
};

struct verified *verified_new(const struct hash *chain, size_t size)
{
    struct verified *v = pot_calloc(1, sizeof(*v));
    int rc = uv_mutex_init(&v->mutex);
    POT_ASSERT(rc == 0);
    v->chain = *chain;
    recent_set_init(&v->known, size);
    return v;
}

void verified_free(struct verified *v)
{
    if (v == NULL) {
        return;
    }
    recent_set_fini(&v->known);
    uv_mutex_destroy(&v->mutex);
    free(v);
}

static bool is_known(struct verified *v, const struct hash *hash)
{
    uv_mutex_lock(&v->mutex);
    bool known = recent_set_has(&v->known, hash->b);
    uv_mutex_unlock(&v->mutex);
    return known;
}

static void remember(struct verified *v, const struct hash *hash)
{
    uv_mutex_lock(&v->mutex);
    recent_set_add(&v->known, hash->b);
    uv_mutex_unlock(&v->mutex);
}

bool verified_check_hashed(struct verified *v, const char *what,
                           const Pot__Signed *message, const struct hash *hash)
{
    if (is_known(v, hash)) {
        return true;
    }
    if (!signed_verify(what, &v->chain, message)) {
        return false;
    }
    remember(v, hash);
    return true;
}

bool verified_check(struct verified *v, const char *what,
                    const Pot__Signed *message, struct hash *hash)
{
    struct hash own;
    struct hash *at = hash != NULL ? hash : &own;
    signed_hash(at, what, message); /* what enters: kinds do not mix */
    return verified_check_hashed(v, what, message, at);
}
