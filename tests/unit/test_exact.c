/* Every variant that this processor runs, against the chain that
 * training/exact.h states, written down once more. */
#include "config.h"

#include "training/exact.h"

#include "base/alloc.h"
#include "base/fixed.h"
#include "base/hash.h"
#include "proto/dataset.h"
#include "tests/byte_dataset.h"
#include "tests/rng.h"
#include "tests/scratch.h"
#include "tests/unit/mlp_gradient.h"
#include "training/kernel.h"
#include "training/mlp.h"

#include <fenv.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#ifdef __SSE__
#include <xmmintrin.h>
#endif

#include <cmocka.h>

#define FLOATS_MAX ((size_t)1 << 19)
#define K_MAX      ((size_t)2000)
#define GUARD      64
#define GUARD_BITS UINT32_C(0x12345678)

enum shape {
    NT,
    NN,
    TN,
};

static uint64_t random_state;

static size_t next_below(size_t bound)
{
    return (size_t)(rng_next(&random_state) % bound);
}

static float next_float(bool is_special)
{
    static const float specials[] = {
        0.0F,      -0.0F,    0x1p-149F, -0x1.8p-130F, 0x1.fffffep127F,
        -0x1p100F, INFINITY, -INFINITY, NAN,          0x1p-126F,
    };
    if (is_special && next_below(4) == 0) {
        return specials[next_below(sizeof(specials) / sizeof(*specials))];
    }
    double unit = (double)(rng_next(&random_state) >> 11) * 0x1p-52 - 1.0;
    return (float)unit * (float)(1U << next_below(8));
}

/* One element as training/exact.h has it, over k from first to end. */
static float chain(enum shape shape, const float *a, struct product_weights b,
                   float c, size_t i, size_t j, size_t m, size_t n, size_t k,
                   size_t first, size_t end)
{
    float sum = shape == NT ? c : 0.0F;
    for (size_t l = first; l < end; l++) {
        size_t at = shape == NT ? j * k + l : l * n + j;
        float left = shape == TN ? a[l * m + i] : a[i * k + l];
        float right = b.fixed == NULL ? b.floats[at]
                                      : ldexpf((float)b.fixed[at], -FIXED_BITS);
        sum = fmaf(left, right, sum);
    }
    return sum;
}

struct fixture {
    const struct product *variants[EXACT_VARIANTS_MAX];
    size_t variant_count;
    float *a;
    float *b;
    int32_t *fixed;
    uint8_t *given;
    float *before;
    float *c;
    void *scratch_memory;
    float *scratch;
};

static int set_up(void **state)
{
    struct fixture *f = pot_calloc(1, sizeof(*f));
    f->variant_count = exact_variants(f->variants);
    f->a = pot_calloc(FLOATS_MAX, sizeof(float));
    f->b = pot_calloc(FLOATS_MAX, sizeof(float));
    f->fixed = pot_calloc(FLOATS_MAX, sizeof(*f->fixed));
    f->given = pot_calloc(FLOATS_MAX, 1);
    f->before = pot_calloc(FLOATS_MAX, sizeof(float));
    f->c = pot_calloc(FLOATS_MAX, sizeof(float));
    f->scratch_memory =
        pot_calloc(K_MAX * PRODUCT_SCRATCH_STEP + 16, sizeof(float));
    f->scratch = f->scratch_memory;
    while ((uintptr_t)f->scratch % 64 != 0) {
        f->scratch++;
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    free(f->a);
    free(f->b);
    free(f->fixed);
    free(f->given);
    free(f->before);
    free(f->c);
    free(f->scratch_memory);
    free(f);
    return 0;
}

static bool is_guarded(const float *c, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, c + i, sizeof(bits));
        if (bits != GUARD_BITS) {
            return false;
        }
    }
    return true;
}

static bool is_same_float(float a, float b)
{
    return memcmp(&a, &b, sizeof(a)) == 0 || (isnan(a) && isnan(b));
}

#define RATE 0.3F

static void store(float *c, const struct product *variant, enum shape shape,
                  const float *a, struct product_weights b, size_t m, size_t n,
                  size_t k, float *scratch)
{
    if (shape == TN) {
        variant->step_tn(c, RATE, a, b.floats, m, n, k, scratch);
    } else {
        (shape == NT ? variant->add_nt : variant->set_nn)(c, a, b, m, n, k,
                                                          scratch);
    }
}

/* c lies between guards, all three anywhere on a cache line; of a large c a
 * sample is computed anew. */
static void check_stored(struct fixture *f, const struct product *variant,
                         enum shape shape, struct product_weights b, size_t m,
                         size_t n, size_t k)
{
    const uint32_t guard = GUARD_BITS;
    const float *a = f->a + next_below(16);
    float *c = f->c + GUARD + next_below(16);
    size_t step = m * n * k > 200000 ? 31 : 1;
    for (size_t i = 0; i < m * n + 2 * GUARD + 16; i++) {
        memcpy(f->c + i, &guard, sizeof(guard));
    }
    memcpy(c, f->before, m * n * sizeof(float));
    b.bias = shape == NT && next_below(2) == 0 ? f->b + next_below(16) : NULL;
    store(c, variant, shape, a, b, m, n, k, f->scratch);
    assert_true(is_guarded(f->c, (size_t)(c - f->c)));
    assert_true(is_guarded(c + m * n, GUARD));
    for (size_t at = 0; at < m * n; at += step) {
        float first = b.bias == NULL ? f->before[at] : b.bias[at % n];
        float wanted = chain(shape, a, b, first, at / n, at % n, m, n, k, 0, k);
        wanted = shape == TN ? fmaf(-RATE, wanted, f->before[at]) : wanted;
        if (!is_same_float(c[at], wanted)) {
            fail_msg("%s, shape %d, (%zu, %zu, %zu), element %zu: %a, not %a",
                     variant->name, (int)shape, m, n, k, at, (double)c[at],
                     (double)wanted);
        }
    }
}

/* A product that is given out, and how often each place of it was. */
struct giving {
    uint8_t *given;
    const float *a;
    struct product_weights b;
    size_t m;
    size_t n;
    size_t k;
    size_t block;
    size_t step; /* every so-manieth element is computed anew */
};

#define ORIGIN ((size_t)1000)

static void check_given(struct giving *g, size_t at, float value, bool is_first)
{
    size_t first = g->given[at] * g->block;
    size_t end = first + g->block < g->k ? first + g->block : g->k;
    assert_true(at < g->m * g->n && first < g->k);
    assert_true(is_first == (first == 0));
    g->given[at]++;
    if (at % g->step == 0) {
        float wanted = chain(TN, g->a, g->b, 0.0F, at / g->n, at % g->n, g->m,
                             g->n, g->k, first, end);
        assert_true(is_same_float(value, wanted));
    }
}

static bool take_given(void *context, const struct product_piece *piece)
{
    struct giving *g = context;
    assert_true(piece->stride == g->n);
    for (size_t i = 0; i < piece->rows; i++) {
        for (size_t j = 0; j < piece->columns; j++) {
            check_given(g, piece->first - ORIGIN + i * piece->stride + j,
                        piece->values[i * piece->values_stride + j],
                        piece->is_first);
        }
    }
    return true;
}

static void check_blocks(struct fixture *f, const struct product *variant,
                         size_t m, size_t n, size_t k, size_t block)
{
    struct giving g = {.given = f->given,
                       .a = f->a + next_below(16),
                       .b = {.floats = f->b + next_below(16)},
                       .m = m,
                       .n = n,
                       .k = k,
                       .block = block,
                       .step = m * n * k > 200000 ? 31 : 1};
    const struct product_taker taker = {take_given, &g, ORIGIN};
    memset(f->given, 0, m * n);
    assert_true(
        variant->give_tn(&taker, g.a, g.b.floats, m, n, k, block, f->scratch));
    for (size_t i = 0; i < m * n; i++) {
        assert_int_equal(f->given[i], (k + block - 1) / block);
    }
}

static void check_all(struct fixture *f, size_t m, size_t n, size_t k)
{
    assert_true(k <= K_MAX && m * k + 16 <= FLOATS_MAX &&
                n * k + 16 <= FLOATS_MAX &&
                m * n + 2 * GUARD + 16 <= FLOATS_MAX);
    for (size_t v = 0; v < f->variant_count; v++) {
        const struct product *variant = f->variants[v];
        struct product_weights floats = {.floats = f->b + next_below(16)};
        struct product_weights fixed = {.fixed = f->fixed + next_below(16)};
        check_stored(f, variant, NT, floats, m, n, k);
        check_stored(f, variant, NT, fixed, m, n, k);
        check_stored(f, variant, NN, floats, m, n, k);
        check_stored(f, variant, NN, fixed, m, n, k);
        check_stored(f, variant, TN, floats, m, n, k);
        check_blocks(f, variant, m, n, k, k);
        check_blocks(f, variant, m, n, k, k / 3 + 1);
    }
}

static void fill(struct fixture *f, bool is_special)
{
    for (size_t i = 0; i < FLOATS_MAX; i++) {
        f->a[i] = next_float(is_special);
        f->b[i] = next_float(is_special);
        f->fixed[i] = (int32_t)(rng_next(&random_state) >> 32);
        f->before[i] = next_float(is_special);
    }
}

static void every_element_is_one_chain(void **state)
{
    struct fixture *f = *state;
    random_state = 1;
    fill(f, false);
    for (size_t i = 0; i < 400; i++) {
        size_t bound = i % 2 == 0 ? 20 : 70;
        check_all(f, 1 + next_below(bound), 1 + next_below(bound),
                  1 + next_below(bound));
    }
}

/* Around the sizes at which loops begin anew: training/exact_tile.h. */
static void blocks_and_runs_leave_no_trace(void **state)
{
    static const size_t sizes[][3] = {
        {1, 1, 1},       {14, 32, 192},   {14, 32, 193},   {15, 33, 384},
        {3, 255, 50},    {3, 256, 50},    {29, 257, 385},  {448, 300, 9},
        {449, 260, 200}, {193, 270, 193}, {897, 17, 21},   {385, 256, 2},
        {1, 1000, 400},  {1000, 1, 400},  {61, 50, K_MAX}, {518, 260, 3},
        {519, 260, 2},   {1037, 33, 12},  {700, 30, 500},
    };
    struct fixture *f = *state;
    random_state = 2;
    fill(f, false);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        check_all(f, sizes[i][0], sizes[i][1], sizes[i][2]);
    }
}

static void special_numbers_are_no_exception(void **state)
{
    struct fixture *f = *state;
    random_state = 3;
    fill(f, true);
    for (size_t i = 0; i < 100; i++) {
        check_all(f, 1 + next_below(40), 1 + next_below(300),
                  1 + next_below(6));
    }
}

/* One look at a piece is enough. */
static bool take_no_more(void *context, const struct product_piece *piece)
{
    size_t *count = context;
    (void)piece;
    (*count)++;
    return false;
}

static void who_takes_no_more_is_given_no_more(void **state)
{
    struct fixture *f = *state;
    for (size_t v = 0; v < f->variant_count; v++) {
        size_t count = 0;
        const struct product_taker taker = {take_no_more, &count, 0};
        assert_false(f->variants[v]->give_tn(&taker, f->a, f->b, 100, 300, 20,
                                             5, f->scratch));
        assert_int_equal(count, 1);
    }
}

/* ---- wrong variants, that exact_agrees must see */

static void unfused_nt(float *c, const float *a, struct product_weights b,
                       size_t m, size_t n, size_t k, float *scratch)
{
    if (b.fixed != NULL) {
        exact_scalar.add_nt(c, a, b, m, n, k, scratch);
        return;
    }
    for (size_t i = 0; i < m * n; i++) {
        for (size_t l = 0; l < k; l++) {
            volatile float product = a[i / n * k + l] * b.floats[i % n * k + l];
            c[i] += product;
        }
    }
}

static void turn_last_bit(float *at)
{
    uint32_t bits;
    memcpy(&bits, at, sizeof(bits));
    bits ^= 1;
    memcpy(at, &bits, sizeof(bits));
}

static bool wrong_in_tall_tiles(const struct product_taker *taker,
                                const float *a, const float *b, size_t m,
                                size_t n, size_t k, size_t block,
                                float *scratch)
{
    float value = 0.0F;
    struct product_piece again = kernel_row(&value, taker->origin, 1, true);
    bool is_taken = exact_scalar.give_tn(taker, a, b, m, n, k, block, scratch);
    return is_taken && (m % 14 != 13 || taker->take(taker->context, &again));
}

static void wrong_in_long_chains(float *c, const float *a,
                                 struct product_weights b, size_t m, size_t n,
                                 size_t k, float *scratch)
{
    exact_scalar.set_nn(c, a, b, m, n, k, scratch);
    if (k > 192) {
        turn_last_bit(c);
    }
}

static void wrong_with_fixed(float *c, const float *a, struct product_weights b,
                             size_t m, size_t n, size_t k, float *scratch)
{
    exact_scalar.set_nn(c, a, b, m, n, k, scratch);
    if (b.fixed != NULL) {
        turn_last_bit(c + m * n - 1);
    }
}

static void wrong_with_bias(float *c, const float *a, struct product_weights b,
                            size_t m, size_t n, size_t k, float *scratch)
{
    exact_scalar.add_nt(c, a, b, m, n, k, scratch);
    if (b.bias != NULL && m > 1) {
        turn_last_bit(c + m * n - 1);
    }
}

static void wrong_in_a_step(float *c, float rate, const float *a,
                            const float *b, size_t m, size_t n, size_t k,
                            float *scratch)
{
    exact_scalar.step_tn(c, rate, a, b, m, n, k, scratch);
    if (n % 8 == 5) {
        turn_last_bit(c + n - 1);
    }
}

static void wrong_variants_are_found(void **state)
{
    struct fixture *f = *state;
    struct product wrong[6] = {exact_scalar, exact_scalar, exact_scalar,
                               exact_scalar, exact_scalar, exact_scalar};
    wrong[0].add_nt = unfused_nt;
    wrong[1].give_tn = wrong_in_tall_tiles;
    wrong[2].set_nn = wrong_in_long_chains;
    wrong[3].set_nn = wrong_with_fixed;
    wrong[4].step_tn = wrong_in_a_step;
    wrong[5].add_nt = wrong_with_bias;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        assert_false(exact_agrees(&wrong[i]));
    }
    for (size_t i = 0; i < f->variant_count; i++) {
        assert_true(exact_agrees(f->variants[i]));
    }
}

/* Called by a pointer that could change: never computed ahead. */
static float divide(float a, float b)
{
    return a / b;
}

static float (*volatile divide_now)(float a, float b) = divide;

static void rounding_is_brought_back(void **state)
{
    (void)state;
    float nearest = divide_now(1.0F, 3.0F);
#ifdef __SSE__
    _mm_setcsr(_mm_getcsr() | 0x8040); /* subnormal numbers become zero */
    bool is_zero = divide_now(0x1p-126F, 2.0F) == 0.0F;
    exact_set_rounding();
    assert_true(is_zero);
    assert_true(divide_now(0x1p-126F, 2.0F) == 0x1p-127F);
#endif
    assert_int_equal(fesetround(FE_DOWNWARD), 0);
    float below = divide_now(1.0F, 3.0F);
    exact_set_rounding();
    assert_true(below < nearest);
    assert_true(divide_now(1.0F, 3.0F) == nearest);
}

/* ---- the same bits on every machine */

#define DATA_ROWS 300
#define FEATURES  90
#define CLASSES   10
#define STEPS     5

struct net {
    uint32_t widths[4];
    size_t width_count;
    Pot__Activation activation;
    Pot__Loss loss;
    const char *hash; /* of what training leaves behind */
};

/* Sums on the grid move the parameters, with a rate of 1/8. */
static void step(int32_t *theta, const int64_t *sums, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        theta[i] -= (int32_t)(sums[i] / (INT64_C(8) * DATA_ROWS << 16));
    }
}

static void train(char *text, const struct net *net, const struct dataset *d,
                  const struct product *product)
{
    struct mlp_config config = {.activation = net->activation,
                                .loss = net->loss,
                                .product = product,
                                .block_rows = DATA_ROWS};
    uint64_t rows[DATA_ROWS];
    struct hasher h;
    struct hash hash;
    assert_int_equal(
        model_shape_init(&config.shape, net->widths, net->width_count), POT_OK);
    size_t n = config.shape.parameter_count;
    int32_t *theta = pot_calloc(n, sizeof(*theta));
    int64_t *sums = pot_calloc(n, sizeof(*sums));
    float *gradient = pot_calloc(n, sizeof(*gradient));
    struct mlp *m = mlp_new(&config);
    random_state = 4;
    for (size_t i = 0; i < n; i++) {
        theta[i] = (int32_t)next_below(FIXED_ONE / 4) - FIXED_ONE / 8;
    }
    for (size_t i = 0; i < DATA_ROWS; i++) {
        rows[i] = i;
    }
    hasher_init(&h, "training");
    for (size_t i = 0; i < STEPS; i++) {
        double loss;
        mlp_set_parameters(m, theta);
        mlp_load(m, d, rows, DATA_ROWS);
        mlp_gradient(gradient, n, m, &loss);
        struct product_piece piece = kernel_row(gradient, 0, n, true);
        assert_true(kernel_to_grid(sums, &piece));
        hasher_add(&h, sums, n * sizeof(*sums));
        hasher_add(&h, &loss, sizeof(loss));
        step(theta, sums, n);
    }
    hasher_final(&h, &hash);
    hash_format(&hash, text);
    mlp_free(m);
    free(gradient);
    free(theta);
    free(sums);
}

static void every_machine_trains_to_these_bits(void **state)
{
    static const struct net nets[] = {
        {{FEATURES, 64, 33, CLASSES},
         4,
         POT__ACTIVATION__ACTIVATION_RELU,
         POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY,
         "01b8b56da88c2dfce62134a002a5b0b0d8605ab77e9ae743e42cb2199898df9b"},
        {{FEATURES, 300, CLASSES},
         3,
         POT__ACTIVATION__ACTIVATION_TANH,
         POT__LOSS__LOSS_MSE,
         "39022b40b63430527b000c6a39434dee10912af321a4a355a676d61316e712fe"},
        {{FEATURES, 50, 20, CLASSES},
         4,
         POT__ACTIVATION__ACTIVATION_SIGMOID,
         POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY,
         "b8930727cdba5853782e75abf03bc485bfb778d88955cb49590ebbf6ea893472"},
    };
    struct fixture *f = *state;
    char path[BYTE_DATASET_PATH_SIZE];
    char *folder = scratch_folder();
    char *file;
    size_t size;
    struct dataset d;
    byte_dataset_write(path, folder, DATA_ROWS, FEATURES, CLASSES);
    assert_int_equal(file_read(&file, &size, path, 1 << 20), POT_OK);
    assert_int_equal(dataset_view(&d, file, size), POT_OK);
    for (size_t i = 0; i < sizeof(nets) / sizeof(*nets); i++) {
        for (size_t v = 0; v < f->variant_count; v++) {
            char text[HASH_TEXT_SIZE];
            train(text, &nets[i], &d, f->variants[v]);
            if (strcmp(text, nets[i].hash) != 0) {
                fail_msg("net %zu, %s: %s", i, f->variants[v]->name, text);
            }
        }
    }
    free(file);
    scratch_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_element_is_one_chain),
        cmocka_unit_test(blocks_and_runs_leave_no_trace),
        cmocka_unit_test(special_numbers_are_no_exception),
        cmocka_unit_test(who_takes_no_more_is_given_no_more),
        cmocka_unit_test(wrong_variants_are_found),
        cmocka_unit_test(rounding_is_brought_back),
        cmocka_unit_test(every_machine_trains_to_these_bits),
    };
    exact_set_rounding();
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
