/* The rule of base/key_equation.h, asked in each way there is: of one claim
 * and of many, by what libsodium says first and without. */
#include "config.h"

#include "base/key_batch.h"

#include "base/alloc.h"
#include "base/hex.h"
#include "base/key_equation.h"
#include "base/key_often.h"
#include "base/point_sum.h"
#include "tests/rng.h"

#include <malloc.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CLAIMS_MAX 700

static const struct hash chain = {{1, 2, 3}};

/* L, the order of the base point, as RFC 8032 gives it; little-endian. */
static const uint8_t order[32] = {
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
    0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};

/* The eight points of small order, in their one encoding: of order 1, 2, 4, 4,
 * and four times 8. */
static const char *const small[8] = {
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
};

/* Other encodings of them: a sign where x is 0, y not below p. */
static const char *const other_small[] = {
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};
#define OTHER_SMALL (sizeof(other_small) / sizeof(*other_small))

static struct key_claim claims[CLAIMS_MAX];
static bool expected[CLAIMS_MAX];
static size_t count;

static void add_claim(const struct key_claim *claim, bool holds)
{
    assert_true(count < CLAIMS_MAX);
    claims[count] = *claim;
    expected[count++] = holds;
}

static bool sodium_accepts(const struct key_claim *claim)
{
    return crypto_sign_verify_detached(claim->signature.b, claim->bytes.data,
                                       claim->bytes.size,
                                       claim->public_key.b) == 0;
}

static bool equation_holds(const struct key_claim *claim)
{
    struct key_equation equation;
    decaf_255_point_t key;
    return key_equation_open(&equation, claim) &&
           key_equation_open_key(key, &claim->public_key) &&
           key_equation_holds(&equation, key);
}

static void assert_batch_agrees(const struct key_claim *some,
                                const bool *should_hold, size_t some_count)
{
    bool *holds = pot_calloc(some_count, sizeof(*holds));
    key_batch_check(some, some_count, holds);
    assert_memory_equal(holds, should_hold, some_count * sizeof(*holds));
    for (size_t i = 0; i < some_count; i++) {
        holds[i] = !should_hold[i]; /* what was there does not matter */
    }
    key_batch_check(some, some_count, holds);
    assert_memory_equal(holds, should_hold, some_count * sizeof(*holds));
    free(holds);
}

/* All claims, in every way. */
static void assert_all_agree(void)
{
    for (size_t i = 0; i < count; i++) {
        if (equation_holds(&claims[i]) != expected[i]) {
            print_error("claim %zu is expected to be %d\n", i, expected[i]);
        }
        assert_int_equal(equation_holds(&claims[i]), expected[i]);
        assert_int_equal(key_claim_holds(&claims[i]), expected[i]);
        assert_int_equal(key_often_holds(&claims[i]), expected[i]);
        assert_true(expected[i] || !sodium_accepts(&claims[i]));
    }
    assert_batch_agrees(claims, expected, count);
    for (size_t i = 0; i + 7 <= count; i += 7) {
        assert_batch_agrees(claims + i, expected + i, 7);
    }
}

/* The same claim as often as a batch takes more than one of, alone. */
static void assert_copies_agree(void)
{
    struct key_claim copies[9];
    bool should_hold[9];
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < 9; j++) {
            copies[j] = claims[i];
            should_hold[j] = expected[i];
        }
        assert_batch_agrees(copies, should_hold, 9);
    }
}

static void right_claim(struct key_claim *claim, uint64_t seed)
{
    uint8_t raw[KEY_SEED_SIZE] = {(uint8_t)seed, (uint8_t)(seed >> 8)};
    struct key *key = key_from_seed(raw);
    struct signature signature;
    assert_true(key_sign(&signature, key, "test", &chain, &seed, sizeof(seed)));
    key_claim_init(claim, key_public(key), "test", &chain, &seed, sizeof(seed),
                   &signature);
    key_free(key);
}

static void point_from(uint8_t out[static 32], const char *hex)
{
    assert_int_equal(hex_parse(out, 32, hex), POT_OK);
}

/* What one can sign who chooses A and R as he likes: secret a, secret r, and
 * a point of small order on each.  The equation holds but for that. */
struct strange {
    uint8_t a[32];
    uint8_t r[32];
    struct key_claim claim;
};

static void strange_init(struct strange *s, uint64_t seed)
{
    uint8_t wide[64] = {(uint8_t)seed, 7};
    crypto_core_ed25519_scalar_reduce(s->a, wide);
    wide[1] = 9;
    crypto_core_ed25519_scalar_reduce(s->r, wide);
    right_claim(&s->claim, seed);
}

static void encode(uint8_t out[static 32], const uint8_t scalar[static 32],
                   const char *torsion)
{
    uint8_t point[32];
    uint8_t other[32];
    point_from(other, torsion);
    if (sodium_is_zero(scalar, 32)) {
        memcpy(out, other, 32);
        return;
    }
    assert_int_equal(crypto_scalarmult_ed25519_base_noclamp(point, scalar), 0);
    assert_int_equal(crypto_core_ed25519_add(out, point, other), 0);
}

/* s = r + k a, with k over A and R as they are. */
static void strange_sign(struct strange *s)
{
    struct key_claim *c = &s->claim;
    crypto_hash_sha512_state state;
    uint8_t wide[64];
    uint8_t k[32];
    crypto_hash_sha512_init(&state);
    crypto_hash_sha512_update(&state, c->signature.b, 32);
    crypto_hash_sha512_update(&state, c->public_key.b, 32);
    crypto_hash_sha512_update(&state, c->bytes.data, c->bytes.size);
    crypto_hash_sha512_final(&state, wide);
    crypto_core_ed25519_scalar_reduce(k, wide);
    crypto_core_ed25519_scalar_mul(k, k, s->a);
    crypto_core_ed25519_scalar_add(c->signature.b + 32, k, s->r);
}

/* With and without an s that is another. */
static void add_strange(struct strange *s, bool holds)
{
    strange_sign(s);
    add_claim(&s->claim, holds);
    s->claim.signature.b[32] ^= 1;
    add_claim(&s->claim, false);
}

static void torsion_in_key_and_r_does_not_matter(void **state)
{
    (void)state;
    struct strange s;
    size_t sodium_too = 0;
    count = 0;
    strange_init(&s, 1);
    for (size_t i = 0; i < 8; i++) {
        for (size_t j = 0; j < 8; j++) {
            encode(s.claim.public_key.b, s.a, small[i]);
            encode(s.claim.signature.b, s.r, small[j]);
            add_strange(&s, true);
            sodium_too += sodium_accepts(&claims[count - 2]);
        }
    }
    /* Some of them libsodium refuses: the rule is another. */
    assert_true(sodium_too > 0 && sodium_too < 64);
    assert_all_agree();
    assert_copies_agree();
}

static void an_r_of_small_order_is_refused(void **state)
{
    (void)state;
    struct strange s;
    count = 0;
    strange_init(&s, 2);
    memset(s.r, 0, sizeof(s.r));
    for (size_t i = 0; i < 8; i++) {
        for (size_t j = 0; j < 8; j++) {
            encode(s.claim.public_key.b, s.a, small[i]);
            encode(s.claim.signature.b, s.r, small[j]);
            add_strange(&s, false);
        }
    }
    assert_all_agree();
    assert_copies_agree();
}

static void a_key_of_small_order_has_no_signature(void **state)
{
    (void)state;
    struct strange s;
    count = 0;
    strange_init(&s, 3);
    for (size_t i = 0; i < 8; i++) {
        memset(s.a, 0, sizeof(s.a));
        encode(s.claim.public_key.b, s.a, small[i]);
        encode(s.claim.signature.b, s.r, small[i]);
        add_strange(&s, false);
        memset(s.claim.signature.b, 0, SIGNATURE_SIZE); /* s is 0, too */
        point_from(s.claim.signature.b, small[i]);
        add_claim(&s.claim, false);
    }
    assert_all_agree();
    assert_copies_agree();
}

static void an_encoding_that_is_not_the_one_is_refused(void **state)
{
    (void)state;
    struct strange s;
    count = 0;
    strange_init(&s, 4);
    for (size_t i = 0; i < OTHER_SMALL; i++) {
        encode(s.claim.public_key.b, s.a, small[0]);
        memset(s.r, 0, sizeof(s.r));
        point_from(s.claim.signature.b, other_small[i]);
        add_strange(&s, false);
        strange_init(&s, 4);
        encode(s.claim.signature.b, s.r, small[0]);
        memset(s.a, 0, sizeof(s.a));
        point_from(s.claim.public_key.b, other_small[i]);
        add_strange(&s, false);
        strange_init(&s, 4);
    }
    for (unsigned y = 0; y < 38; y++) { /* p + y, with either sign */
        uint8_t other[32];
        memset(other, 0xff, 32);
        other[0] = (uint8_t)(0xed + y % 19);
        other[31] = y < 19 ? 0x7f : 0xff;
        right_claim(&s.claim, 5);
        memcpy(s.claim.public_key.b, other, 32);
        add_claim(&s.claim, false);
        right_claim(&s.claim, 5);
        memcpy(s.claim.signature.b, other, 32);
        add_claim(&s.claim, false);
    }
    assert_all_agree();
    assert_copies_agree();
}

/* out = s + times L, as numbers of 256 bits. */
static void add_order(uint8_t s[static 32], unsigned times)
{
    while (times-- > 0) {
        unsigned carry = 0;
        for (size_t i = 0; i < 32; i++) {
            carry += (unsigned)s[i] + order[i];
            s[i] = (uint8_t)carry;
            carry >>= 8;
        }
    }
}

static void an_s_that_is_not_below_the_order_is_refused(void **state)
{
    (void)state;
    struct key_claim claim;
    count = 0;
    for (unsigned times = 0; times < 16; times++) {
        right_claim(&claim, times);
        add_order(claim.signature.b + 32, times);
        add_claim(&claim, times == 0);
        memset(claim.signature.b + 32, 0, 32);
        add_order(claim.signature.b + 32, times); /* 0, L, 2 L */
        add_claim(&claim, false);
    }
    /* Where 0 or L would do: R is -k A, of which nobody knows k before, but
     * of a key of small order. */
    memset(claim.signature.b, 0, SIGNATURE_SIZE);
    add_claim(&claim, false);
    memcpy(claim.signature.b + 32, order, 32);
    add_claim(&claim, false);
    assert_all_agree();
    assert_copies_agree();
}

/* Nobody can find one with k = 0; the equation is what it is nevertheless. */
static void the_equation_is_the_same_where_k_or_s_is_0(void **state)
{
    static const uint8_t scalars[][1] = {{0}, {5}};
    decaf_255_point_t key;
    (void)state;
    decaf_255_point_double(key, decaf_255_point_base);
    for (int i = 0; i < 4; i++) {
        struct key_equation equation;
        decaf_255_scalar_t times;
        decaf_255_point_t k_times_key;
        decaf_255_scalar_decode_long(equation.s, scalars[i % 2], 1);
        decaf_255_scalar_decode_long(equation.k, scalars[i / 2], 1);
        key_equation_base(times, equation.s);
        decaf_255_point_scalarmul(equation.r, decaf_255_point_base, times);
        decaf_255_point_scalarmul(k_times_key, key, equation.k);
        decaf_255_point_sub(equation.r, equation.r, k_times_key);
        assert_true(key_equation_holds(&equation, key));
        decaf_255_point_add(equation.r, equation.r, decaf_255_point_base);
        assert_false(key_equation_holds(&equation, key));
    }
}

static void each_flipped_bit_is_seen(void **state)
{
    (void)state;
    struct key_claim right;
    right_claim(&right, 6);
    for (size_t part = 0; part < 3; part++) {
        count = 0;
        add_claim(&right, true);
        for (size_t bit = 0; bit < 256; bit++) {
            struct key_claim claim = right;
            uint8_t *at = part == 0   ? claim.public_key.b
                          : part == 1 ? claim.signature.b
                                      : claim.signature.b + 32;
            at[bit / 8] ^= (uint8_t)(1U << bit % 8);
            add_claim(&claim, false);
            if (bit < 8 * right.bytes.size && part == 0) {
                claim = right;
                claim.bytes.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
                add_claim(&claim, false);
            }
        }
        assert_all_agree();
    }
}

/* Few keys, some often; some claims are there more than once. */
static void draw_claims(struct key_claim *out, size_t n, uint64_t *rng)
{
    static struct key_claim pool[64];
    static bool is_made;
    for (size_t i = 0; !is_made && i < 64; i++) {
        right_claim(&pool[i], 100 + i);
    }
    is_made = true;
    for (size_t i = 0; i < n; i++) {
        uint64_t drawn = rng_next(rng);
        out[i] = pool[drawn % (drawn % 3 == 0 ? 64 : 5)];
    }
}

static void spoil(struct key_claim *claim, uint64_t drawn)
{
    uint8_t bit = (uint8_t)(1U << (drawn >> 8) % 8);
    switch (drawn % 5) {
    case 0:
        claim->public_key.b[(drawn >> 16) % 32] ^= bit;
        break;
    case 1:
        claim->signature.b[(drawn >> 16) % 32] ^= bit;
        break;
    case 2:
        claim->signature.b[32 + (drawn >> 16) % 32] ^= bit;
        break;
    case 3:
        claim->bytes.data[(drawn >> 16) % claim->bytes.size] ^= bit;
        break;
    default:
        claim->bytes.size--;
    }
}

static void wrong_ones_among_many_are_found(void **state)
{
    (void)state;
    static const size_t sizes[] = {0,  1,  2,  5,   6,   7,   31,  32, 33,
                                   64, 65, 96, 255, 256, 257, 300, 600};
    uint64_t rng = 7;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        for (size_t wrong = 0; wrong < 5; wrong++) {
            draw_claims(claims, sizes[i], &rng);
            for (size_t j = 0; j < sizes[i]; j++) {
                expected[j] = true;
            }
            for (size_t j = 0; j < wrong && sizes[i] > 0; j++) {
                size_t at = (size_t)rng_next(&rng) % sizes[i];
                if (expected[at]) {
                    spoil(&claims[at], rng_next(&rng));
                }
                expected[at] = false;
            }
            assert_batch_agrees(claims, expected, sizes[i]);
        }
    }
}

/* Two that are wrong by opposite amounts: without numbers of their own they
 * would make up for each other. */
static void wrong_ones_do_not_cancel_out(void **state)
{
    (void)state;
    static const uint8_t one[32] = {1};
    for (size_t n = 8; n <= 64; n *= 2) {
        for (size_t i = 0; i < n; i++) {
            right_claim(&claims[i], i);
            expected[i] = i >= 2;
        }
        crypto_core_ed25519_scalar_add(claims[0].signature.b + 32,
                                       claims[0].signature.b + 32, one);
        crypto_core_ed25519_scalar_sub(claims[1].signature.b + 32,
                                       claims[1].signature.b + 32, one);
        assert_batch_agrees(claims, expected, n);
    }
}

static size_t sums;
static size_t single_equations;

void __real_point_sum(decaf_255_point_t out, const struct point_term *terms,
                      size_t term_count);
void __wrap_point_sum(decaf_255_point_t out, const struct point_term *terms,
                      size_t term_count);
bool __real_key_equation_holds(const struct key_equation *equation,
                               const decaf_255_point_t key);
bool __wrap_key_equation_holds(const struct key_equation *equation,
                               const decaf_255_point_t key);

void __wrap_point_sum(decaf_255_point_t out, const struct point_term *terms,
                      size_t term_count)
{
    sums++;
    __real_point_sum(out, terms, term_count);
}

bool __wrap_key_equation_holds(const struct key_equation *equation,
                               const decaf_255_point_t key)
{
    single_equations++;
    return __real_key_equation_holds(equation, key);
}

/* Of 256 claims, of which the first `wrong` are. */
static void expect_work(size_t wrong, size_t sums_made, size_t equations)
{
    bool holds[KEY_BATCH_MAX];
    for (size_t i = 0; i < KEY_BATCH_MAX; i++) {
        right_claim(&claims[i], i / 4);
        claims[i].signature.b[32] ^= i < wrong;
    }
    sums = 0;
    single_equations = 0;
    key_batch_check(claims, KEY_BATCH_MAX, holds);
    assert_int_equal(sums, sums_made);
    assert_int_equal(single_equations, equations);
}

static void a_wrong_one_costs_the_part_that_it_is_in(void **state)
{
    (void)state;
    (void)mallopt(M_PERTURB, 0x55); /* what is allocated holds anything */
    expect_work(0, 1, 0);
    expect_work(1, 1 + 8, 32);
    expect_work(32, 1 + 8, 32);
    expect_work(33, 1 + 8, 64);
    expect_work(256, 1 + 8, 256);
    (void)mallopt(M_PERTURB, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(torsion_in_key_and_r_does_not_matter),
        cmocka_unit_test(an_r_of_small_order_is_refused),
        cmocka_unit_test(a_key_of_small_order_has_no_signature),
        cmocka_unit_test(an_encoding_that_is_not_the_one_is_refused),
        cmocka_unit_test(an_s_that_is_not_below_the_order_is_refused),
        cmocka_unit_test(the_equation_is_the_same_where_k_or_s_is_0),
        cmocka_unit_test(each_flipped_bit_is_seen),
        cmocka_unit_test(wrong_ones_among_many_are_found),
        cmocka_unit_test(wrong_ones_do_not_cancel_out),
        cmocka_unit_test(a_wrong_one_costs_the_part_that_it_is_in),
    };
    if (sodium_init() < 0) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
