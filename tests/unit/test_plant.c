#include "config.h"

#include "proto/plant.h"

#include "base/alloc.h"
#include "proto/draw.h"
#include "tests/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEPT 9

static const struct packed_form forms[] = {
    {POT__COMPRESSION__COMPRESSION_INT8, 0},
    {POT__COMPRESSION__COMPRESSION_INT16, 0},
    {POT__COMPRESSION__COMPRESSION_INT4, 0},
    {POT__COMPRESSION__COMPRESSION_SIGN, 0},
    {POT__COMPRESSION__COMPRESSION_TOPK, KEPT},
};

#define FORMS (sizeof(forms) / sizeof(*forms))

struct fixture {
    struct model_shape shape;
    size_t count;
    int32_t *values;
    int32_t *planted;
    int8_t *room;
    uint8_t *payload;
};

static int set_up(void **state)
{
    static const uint32_t widths[] = {7, 5, 3};
    struct fixture *f = pot_calloc(1, sizeof(*f));
    assert_int_equal(model_shape_init(&f->shape, widths, 3), POT_OK);
    f->count = f->shape.parameter_count;
    f->values = pot_calloc(f->count, sizeof(*f->values));
    f->planted = pot_calloc(f->count, sizeof(*f->planted));
    f->room = pot_alloc(f->count);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    free(f->values);
    free(f->planted);
    free(f->room);
    free(f->payload);
    free(f);
    return 0;
}

/* Values that the form holds: of one size a tensor, few, or any. */
static void draw_values(struct fixture *f, const struct packed_form *form,
                        uint64_t *random)
{
    int32_t bound = packed_bound(form);
    memset(f->values, 0, f->count * sizeof(*f->values));
    for (size_t t = 0; t < f->shape.tensor_count; t++) {
        struct tensor_span span = f->shape.tensors[t];
        int32_t size = (int32_t)(rng_next(random) % 100);
        for (size_t i = span.offset; i < span.offset + span.count; i++) {
            f->values[i] =
                form->compression == POT__COMPRESSION__COMPRESSION_SIGN
                    ? (rng_next(random) % 2 == 0 ? size : -size)
                    : (int32_t)(rng_next(random) % (2 * (uint64_t)bound + 1)) -
                          bound;
        }
    }
    for (size_t i = KEPT; form->kept > 0 && i < f->count; i++) {
        f->values[i] = 0;
    }
}

static void encode(struct fixture *f, const struct packed_form *form)
{
    static const int8_t exponents[TENSORS_MAX];
    size_t size = packed_bytes(&f->shape, form);
    free(f->payload);
    f->payload = pot_alloc(size);
    packed_encode(f->payload, &f->shape, form, exponents, f->values);
}

static void read_planted(struct fixture *f, const struct packed_form *form)
{
    struct gradient gradient;
    assert_int_equal(packed_open(&gradient, f->room, &f->shape, form,
                                 f->payload, packed_bytes(&f->shape, form)),
                     POT_OK);
    for (size_t i = 0; i < f->count; i++) {
        f->planted[i] = gradient_get(&gradient, i);
    }
}

/* One element and no other, which is within the form's bounds still. */
static void a_plant_is_a_gradient_with_one_element_off(void **state)
{
    struct fixture *f = *state;
    uint64_t random = 1;
    for (size_t n = 0; n < FORMS * 200; n++) {
        const struct packed_form *form = &forms[n % FORMS];
        bool is_sign = form->compression == POT__COMPRESSION__COMPRESSION_SIGN;
        struct hash secret = {{(uint8_t)n, (uint8_t)(n >> 8)}};
        size_t off = 0;
        draw_values(f, form, &random);
        encode(f, form);
        if (!plant_payload(f->payload, &f->shape, form, &secret)) {
            assert_true(is_sign || form->kept > 0);
            continue;
        }
        read_planted(f, form);
        for (size_t i = 0; i < f->count; i++) {
            int32_t by = f->planted[i] - f->values[i];
            off += by != 0;
            assert_true(by == 0 || by == 1 || by == -1 ||
                        (is_sign && f->planted[i] == -f->values[i]));
        }
        assert_int_equal(off, 1);
    }
}

static size_t place_of(struct fixture *f, uint8_t seed)
{
    const struct hash secret = {{seed}};
    size_t place = 0;
    encode(f, &forms[0]);
    assert_true(plant_payload(f->payload, &f->shape, &forms[0], &secret));
    read_planted(f, &forms[0]);
    while (f->planted[place] == f->values[place]) {
        place++;
    }
    return place;
}

static void the_secret_says_where(void **state)
{
    struct fixture *f = *state;
    bool *is_hit = pot_calloc(f->count, sizeof(*is_hit));
    size_t hits = 0;
    for (unsigned seed = 0; seed < 256; seed++) {
        size_t place = place_of(f, (uint8_t)seed);
        assert_int_equal(place, place_of(f, (uint8_t)seed));
        hits += !is_hit[place];
        is_hit[place] = true;
    }
    assert_true(hits > f->count * 9 / 10);
    free(is_hit);
}

static void zeros_cannot_be_planted_where_they_are_not_listed(void **state)
{
    struct fixture *f = *state;
    const struct hash secret = {{1}};
    for (size_t n = 0; n < FORMS; n++) {
        bool is_sparse =
            forms[n].compression == POT__COMPRESSION__COMPRESSION_SIGN ||
            forms[n].kept > 0;
        encode(f, &forms[n]);
        assert_int_equal(
            plant_payload(f->payload, &f->shape, &forms[n], &secret),
            !is_sparse);
    }
}

/* Or it could be told from an honest one by looking at it. */
static void what_is_listed_stays_listed(void **state)
{
    struct fixture *f = *state;
    const struct packed_form *form = &forms[FORMS - 1];
    const struct hash secret = {{1}};
    const int32_t bound = packed_bound(form);
    const int32_t listed[] = {-1, 1, -bound, bound};
    for (size_t n = 0; n < sizeof(listed) / sizeof(*listed); n++) {
        for (size_t i = 0; i < KEPT; i++) {
            f->values[i] = listed[n];
        }
        encode(f, form);
        assert_true(plant_payload(f->payload, &f->shape, form, &secret));
        read_planted(f, form);
        for (size_t i = 0; i < f->count; i++) {
            assert_int_equal(f->planted[i] != 0, i < KEPT);
        }
    }
}

static void a_plant_is_due_by_the_link_behind_the_one_shown(void **state)
{
    (void)state;
    unsigned due = 0;
    const struct hash theta = {{3}};
    const struct public_key miner = {{4}};
    for (unsigned i = 0; i < 10000; i++) {
        const struct hash secret = {{(uint8_t)i, (uint8_t)(i >> 8)}};
        struct hash link;
        draw_walk(&link, &secret, 1);
        due += plant_is_due(&secret, &link, &theta, &miner, 100000);
        assert_false(plant_is_due(&link, &secret, &theta, &miner, 1000000));
        assert_false(plant_is_due(&secret, &theta, &theta, &miner, 1000000));
        assert_true(plant_is_due(&secret, &link, &theta, &miner, 1000000));
    }
    assert_in_range(due, 880, 1120);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH(a_plant_is_a_gradient_with_one_element_off),
        WITH(the_secret_says_where),
        WITH(zeros_cannot_be_planted_where_they_are_not_listed),
        WITH(what_is_listed_stays_listed),
        cmocka_unit_test(a_plant_is_due_by_the_link_behind_the_one_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
