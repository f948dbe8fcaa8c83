#include "config.h"

#include "node/hold/verified.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/key_batch.h"
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

/* What one thread checks at once, and what it has to look at again. */
struct share {
    struct verified_ask **left;
    size_t left_count;
    struct verified_ask *asks[KEY_BATCH_MAX];
    struct key_claim *claims; /* room for as many as there can be */
    size_t count;
};

/* Under mutex.  Takes what nobody checks and what is not known, as far as there
 * is room; what others check now is left. */
static void share_look(struct share *s, struct verified *v)
{
    size_t left = 0;
    for (size_t i = 0; i < s->left_count; i++) {
        struct verified_ask *ask = s->left[i];
        ask->holds = recent_set_has(&v->known, ask->hash.b);
        if (ask->holds) {
            continue;
        }
        if (s->count == KEY_BATCH_MAX ||
            map_get(&v->busy, ask->hash.b) != NULL) {
            s->left[left++] = ask;
        } else {
            (void)map_put(&v->busy, ask->hash.b, v);
            s->asks[s->count++] = ask;
        }
    }
    s->left_count = left;
    v->checks += s->count;
}

/* False: nothing is left to do. */
static bool share_take(struct share *s, struct verified *v)
{
    s->count = 0;
    (void)pthread_mutex_lock(&v->mutex);
    share_look(s, v);
    while (s->count == 0 && s->left_count > 0) {
        (void)pthread_cond_wait(&v->checked, &v->mutex);
        share_look(s, v);
    }
    (void)pthread_mutex_unlock(&v->mutex);
    return s->count > 0;
}

static void share_check(struct share *s, const struct hash *chain)
{
    struct verified_ask *asked[KEY_BATCH_MAX];
    bool holds[KEY_BATCH_MAX];
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++) {
        struct verified_ask *ask = s->asks[i];
        if (signed_claim(&s->claims[count], ask->what, chain, ask->message)) {
            asked[count++] = ask;
        }
    }
    key_batch_check(s->claims, count, holds);
    for (size_t i = 0; i < count; i++) {
        asked[i]->holds = holds[i];
    }
}

static void share_give_back(const struct share *s, struct verified *v)
{
    (void)pthread_mutex_lock(&v->mutex);
    for (size_t i = 0; i < s->count; i++) {
        const struct verified_ask *ask = s->asks[i];
        (void)map_remove(&v->busy, ask->hash.b);
        if (ask->holds) {
            recent_set_add(&v->known, ask->hash.b);
        }
    }
    (void)pthread_cond_broadcast(&v->checked);
    (void)pthread_mutex_unlock(&v->mutex);
}

void verified_check(struct verified *v, struct verified_ask *asks, size_t count)
{
    size_t room = count < KEY_BATCH_MAX ? count : KEY_BATCH_MAX;
    struct share s = {
        .left = pot_calloc(count, sizeof(*s.left)),
        .left_count = count,
        .claims = pot_alloc(room * sizeof(*s.claims)),
    };
    for (size_t i = 0; i < count; i++) {
        s.left[i] = &asks[i];
    }
    while (share_take(&s, v)) {
        share_check(&s, &v->chain);
        share_give_back(&s, v);
    }
    free(s.claims);
    free(s.left);
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
