#include "config.h"

#include "node/hold/verified.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/recent_set.h"
#include "proto/signed.h"

#include <pthread.h>
#include <stdlib.h>

/* The commits of some blocks, when there are as many validators as may be. */
#define VOTES_KEPT ((size_t)4 * VALIDATORS_MAX)

struct verified {
    pthread_mutex_t mutex;
    struct hash chain;
    pthread_cond_t checked;
    /* under mutex: */
    struct recent_set known; /* hashes of messages */
    struct recent_set votes; /* ids of theirs */
    struct map busy;         /* of those that a thread checks now */
    uint64_t checks;
};

struct verified *verified_new(const struct hash *chain, size_t size)
{
    struct verified *v = pot_calloc(1, sizeof(*v));
    int rc = pthread_mutex_init(&v->mutex, NULL);
    POT_ASSERT(rc == 0);
    rc = pthread_cond_init(&v->checked, NULL);
    POT_ASSERT(rc == 0);
    v->chain = *chain;
    recent_set_init(&v->known, size);
    recent_set_init(&v->votes, VOTES_KEPT);
    return v;
}

void verified_free(struct verified *v)
{
    if (v == NULL) {
        return;
    }
    recent_set_fini(&v->known);
    recent_set_fini(&v->votes);
    map_fini(&v->busy);
    (void)pthread_cond_destroy(&v->checked);
    (void)pthread_mutex_destroy(&v->mutex);
    free(v);
}

/* True: it is known by now, to hold.  False: it is the caller's to check, and
 * others wait for that. */
static bool is_known(struct verified *v, const struct hash *hash)
{
    (void)pthread_mutex_lock(&v->mutex);
    while (map_get(&v->busy, hash->b) != NULL) {
        (void)pthread_cond_wait(&v->checked, &v->mutex);
    }
    bool known = recent_set_has(&v->known, hash->b);
    if (!known) {
        (void)map_put(&v->busy, hash->b, v);
        v->checks++;
    }
    (void)pthread_mutex_unlock(&v->mutex);
    return known;
}

static void finish(struct verified *v, const struct hash *hash, bool holds)
{
    (void)pthread_mutex_lock(&v->mutex);
    (void)map_remove(&v->busy, hash->b);
    if (holds) {
        recent_set_add(&v->known, hash->b);
    }
    (void)pthread_cond_broadcast(&v->checked);
    (void)pthread_mutex_unlock(&v->mutex);
}

bool verified_check_hashed(struct verified *v, const char *what,
                           const Pot__Signed *message, const struct hash *hash)
{
    if (is_known(v, hash)) {
        return true;
    }
    bool holds = signed_verify(what, &v->chain, message);
    finish(v, hash, holds);
    return holds;
}

bool verified_check(struct verified *v, const char *what,
                    const Pot__Signed *message, struct hash *hash)
{
    struct hash own;
    struct hash *at = hash != NULL ? hash : &own;
    signed_hash(at, what, message); /* what enters: kinds do not mix */
    return verified_check_hashed(v, what, message, at);
}

void verified_add_vote(struct verified *v, const struct hash *id)
{
    (void)pthread_mutex_lock(&v->mutex);
    recent_set_add(&v->votes, id->b);
    (void)pthread_mutex_unlock(&v->mutex);
}

bool verified_has_vote(void *context, const struct hash *id)
{
    struct verified *v = context;
    (void)pthread_mutex_lock(&v->mutex);
    bool has = recent_set_has(&v->votes, id->b);
    (void)pthread_mutex_unlock(&v->mutex);
    return has;
}

uint64_t verified_checks(struct verified *v)
{
    (void)pthread_mutex_lock(&v->mutex);
    uint64_t checks = v->checks;
    (void)pthread_mutex_unlock(&v->mutex);
    return checks;
}
