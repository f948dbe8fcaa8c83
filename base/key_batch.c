/* The sum over all signatures of z (s B - R - k A), each with its own random z
 * of 128 bits, is 0 if all hold.  If one does not, what it adds is z times a
 * point that is not 0, in a group of prime order: of all z that it can have,
 * one makes the sum 0.  z is drawn when the signatures are here: it is not
 * known to who made them, and they cannot be chosen to fit each other.
 *
 * When the sum is not 0, parts of it are asked, and of the parts that are not 0
 * each signature: a single wrong one among many costs about as much as if all
 * had been checked one by one, and never do they cost the double of it. */
#include "config.h"

#include "base/key_batch.h"

#include "base/alloc.h"
#include "base/key_equation.h"
#include "base/map.h"
#include "base/point_sum.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Fewer are checked one by one sooner. */
#define COUNT_MIN 6
/* A part of a group that does not hold. */
#define PART_MAX 32
#define Z_BYTES  16

struct signer {
    decaf_255_point_t point;
    decaf_255_scalar_t times; /* in the sum that is made */
    bool is_right;
    bool is_used; /* in that sum */
};

struct item {
    struct key_equation equation;
    struct signer *signer;
    bool *holds;
};

/* Those of a group whose form is right. */
struct group {
    struct item items[KEY_BATCH_MAX];
    struct signer signers[KEY_BATCH_MAX];
    struct point_term terms[2 * KEY_BATCH_MAX + 1];
    size_t count;
    size_t signer_count;
    struct map by_key; /* struct signer */
};

/* A key's point is found once for all its signatures. */
static struct signer *signer_of(struct group *g, const struct public_key *key)
{
    struct signer *signer = map_get(&g->by_key, key->b);
    if (signer == NULL) {
        signer = &g->signers[g->signer_count++];
        signer->is_used = false;
        signer->is_right = key_equation_open_key(signer->point, key);
        (void)map_put(&g->by_key, key->b, signer);
    }
    return signer;
}

static void open_all(struct group *g, const struct key_claim *claims,
                     size_t count, bool *holds)
{
    g->count = 0;
    g->signer_count = 0;
    g->by_key = (struct map){0};
    for (size_t i = 0; i < count; i++) {
        struct item *item = &g->items[g->count];
        holds[i] = false;
        item->signer = signer_of(g, &claims[i].public_key);
        item->holds = &holds[i];
        if (item->signer->is_right &&
            key_equation_open(&item->equation, &claims[i])) {
            g->count++;
        }
    }
    map_fini(&g->by_key);
}

static void add_term(struct point_term *term,
                     const struct decaf_255_point_s *point,
                     const decaf_255_scalar_t times)
{
    term->point = point;
    decaf_255_scalar_copy(term->times, times);
}

static void signer_add(struct signer *signer, const decaf_255_scalar_t times)
{
    if (!signer->is_used) {
        signer->is_used = true;
        decaf_255_scalar_copy(signer->times, decaf_255_scalar_zero);
    }
    decaf_255_scalar_add(signer->times, signer->times, times);
}

/* Whether the sum over these items is 0: of R and k A, less s B. */
static bool sum_is_0(struct group *g, const struct item *items, size_t count)
{
    uint8_t seed[randombytes_SEEDBYTES];
    uint8_t z[KEY_BATCH_MAX][Z_BYTES];
    decaf_255_scalar_t s;
    decaf_255_scalar_t factor;
    decaf_255_scalar_t product;
    decaf_255_point_t sum;
    size_t terms = 0;
    randombytes_buf(seed, sizeof(seed));
    randombytes_buf_deterministic(z, count * Z_BYTES, seed);
    decaf_255_scalar_copy(s, decaf_255_scalar_zero);
    for (size_t i = 0; i < count; i++) {
        const struct key_equation *e = &items[i].equation;
        decaf_255_scalar_decode_long(factor, z[i], Z_BYTES);
        add_term(&g->terms[terms++], e->r, factor);
        decaf_255_scalar_mul(product, factor, e->k);
        signer_add(items[i].signer, product);
        decaf_255_scalar_mul(product, factor, e->s);
        decaf_255_scalar_sub(s, s, product);
    }
    for (size_t i = 0; i < g->signer_count; i++) {
        struct signer *signer = &g->signers[i];
        if (signer->is_used) {
            add_term(&g->terms[terms++], signer->point, signer->times);
            signer->is_used = false;
        }
    }
    key_equation_base(s, s);
    add_term(&g->terms[terms++], decaf_255_point_base, s);
    point_sum(sum, g->terms, terms);
    return decaf_255_point_eq(sum, decaf_255_point_identity) == DECAF_TRUE;
}

static void check_part(struct group *g, const struct item *items, size_t count)
{
    bool all = count >= COUNT_MIN && count < g->count && /* not asked yet */
               sum_is_0(g, items, count);
    for (size_t i = 0; i < count; i++) {
        *items[i].holds = all || key_equation_holds(&items[i].equation,
                                                    items[i].signer->point);
    }
}

static void check_group(struct group *g)
{
    if (sum_is_0(g, g->items, g->count)) {
        for (size_t i = 0; i < g->count; i++) {
            *g->items[i].holds = true;
        }
        return;
    }
    for (size_t i = 0; i < g->count; i += PART_MAX) {
        size_t left = g->count - i;
        check_part(g, g->items + i, left < PART_MAX ? left : PART_MAX);
    }
}

void key_batch_check(const struct key_claim *claims, size_t count, bool *holds)
{
    if (count < COUNT_MIN) {
        for (size_t i = 0; i < count; i++) {
            holds[i] = key_claim_holds(&claims[i]);
        }
        return;
    }
    struct group *g = pot_alloc_aligned(_Alignof(struct group), sizeof(*g));
    for (size_t i = 0; i < count; i += KEY_BATCH_MAX) {
        size_t left = count - i;
        open_all(g, claims + i, left < KEY_BATCH_MAX ? left : KEY_BATCH_MAX,
                 holds + i);
        check_group(g);
    }
    free(g);
}
