#include "config.h"

#include "base/key_often.h"

#include "base/check.h"
#include "base/key_equation.h"
#include "base/point_multiples.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

struct known_key {
    struct public_key key;
    struct point_multiples *multiples;
};

/* For the whole process, as what is kept follows from the keys alone. */
static struct {
    pthread_rwlock_t lock;
    struct point_multiples *base;
    struct known_key keys[KEY_OFTEN_MAX];
    size_t count;
    size_t next; /* which one gives way */
} known = {.lock = PTHREAD_RWLOCK_INITIALIZER};

static const struct point_multiples *find(const struct public_key *key)
{
    for (size_t i = 0; i < known.count; i++) {
        if (public_key_equal(&known.keys[i].key, key)) {
            return known.keys[i].multiples;
        }
    }
    return NULL;
}

static void lock(int (*how)(pthread_rwlock_t *))
{
    int rc = how(&known.lock);
    POT_ASSERT(rc == 0);
}

/* False: it is no key. */
static bool learn(const struct public_key *key)
{
    decaf_255_point_t point;
    if (!key_equation_open_key(point, key)) {
        return false;
    }
    lock(pthread_rwlock_wrlock);
    if (known.base == NULL) {
        known.base = point_multiples_new(decaf_255_point_base);
    }
    if (find(key) == NULL) {
        struct known_key *place = &known.keys[known.next];
        known.next = (known.next + 1) % KEY_OFTEN_MAX;
        known.count += known.count < KEY_OFTEN_MAX;
        free(place->multiples);
        *place = (struct known_key){*key, point_multiples_new(point)};
    }
    lock(pthread_rwlock_unlock);
    return true;
}

/* s B - k A is R, as in key_equation_holds. */
static bool holds(const struct key_equation *equation,
                  const struct point_multiples *key)
{
    decaf_255_point_t sum;
    decaf_255_scalar_t base;
    decaf_255_scalar_t minus_k;
    key_equation_base(base, equation->s);
    decaf_255_scalar_sub(minus_k, decaf_255_scalar_zero, equation->k);
    point_multiples_add(sum, known.base, base, key, minus_k);
    return decaf_255_point_eq(sum, equation->r) == DECAF_TRUE;
}

bool key_often_holds(const struct key_claim *claim)
{
    struct key_equation equation;
    bool is_right = false;
    if (!key_equation_open(&equation, claim)) {
        return false;
    }
    lock(pthread_rwlock_rdlock);
    const struct point_multiples *key = find(&claim->public_key);
    while (key == NULL) {
        lock(pthread_rwlock_unlock);
        if (!learn(&claim->public_key)) {
            return false;
        }
        lock(pthread_rwlock_rdlock);
        key = find(&claim->public_key); /* unless it gave way meanwhile */
    }
    is_right = holds(&equation, key);
    lock(pthread_rwlock_unlock);
    return is_right;
}
