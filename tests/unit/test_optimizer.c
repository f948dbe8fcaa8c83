/* Against the same rules in double precision, within the bounds that
 * ledger/optimizer.h states. */
#include "config.h"

#include "ledger/optimizer.h"

#include "base/alloc.h"
#include "base/fixed.h"
#include "ledger/optimizer_rate.h"
#include "ledger/parameters.h"
#include "proto/spec.h"
#include "tests/unit/ledger_random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define WIDTHS     ((const uint32_t[]){6, 5, 4})
#define PARAMETERS 59
#define ADDENDS    7

static double of_q24(int64_t x)
{
    return (double)x / FIXED_ONE;
}

static double of_rate(int64_t x)
{
    return (double)x / RATE_ONE;
}

struct fixture {
    struct model_shape shape;
    int8_t exponents[TENSORS_MAX];
    int32_t sums[PARAMETERS];
    uint8_t *bytes;
    struct gradient gradient;
};

static void open_fixture(struct fixture *f, struct ledger_random *r, int low,
                         int high)
{
    assert_int_equal(model_shape_init(&f->shape, WIDTHS, 3), POT_OK);
    assert_int_equal(f->shape.parameter_count, PARAMETERS);
    for (size_t t = 0; t < f->shape.tensor_count; t++) {
        f->exponents[t] = (int8_t)ledger_random_between(r, low, high);
    }
    for (size_t i = 0; i < PARAMETERS; i++) {
        f->sums[i] = (int32_t)ledger_random_between(r, -30000, 30000);
    }
    size_t size = gradient_bytes(&f->shape, 2);
    f->bytes = pot_alloc(size);
    gradient_encode(f->bytes, &f->shape, 2, ADDENDS, f->exponents, f->sums);
    assert_int_equal(gradient_view(&f->gradient, &f->shape, f->bytes, size),
                     POT_OK);
}

static double naive_mean(const struct fixture *f, size_t t, size_t i)
{
    return ldexp(f->sums[i], f->exponents[t]) / ADDENDS;
}

/* A parameter in double precision, with its moments. */
struct real {
    double x;
    double m;
    double v;
};

static void real_step(struct real *r, double g, const Pot__OptimizerSpec *spec,
                      int n)
{
    double rate = of_rate(spec->learning_rate);
    double mu = of_rate(spec->momentum);
    double decay = of_rate(spec->weight_decay);
    double beta2 = of_rate(spec->beta2);
    if (spec->kind == POT__OPTIMIZER__OPTIMIZER_ADAM) {
        r->m = mu * r->m + (1 - mu) * g;
        r->v = beta2 * r->v + (1 - beta2) * g * g;
        double m = r->m / (1 - pow(mu, n));
        double v = r->v / (1 - pow(beta2, n));
        double epsilon = ldexp(spec->epsilon, -SPEC_EPSILON_BITS);
        r->x -= rate * (m / (sqrt(v) + epsilon) + decay * r->x);
        return;
    }
    g += decay * r->x;
    r->m = mu * r->m + g;
    bool is_nesterov = spec->kind == POT__OPTIMIZER__OPTIMIZER_NESTEROV;
    r->x -= rate * (is_nesterov ? g + mu * r->m : r->m);
}

#define STEPS 300

/* The largest distance of theta from its twin on the way. */
static double distance(const Pot__OptimizerSpec *spec, uint64_t seed, int low,
                       int high)
{
    struct ledger_random r = {seed};
    int32_t theta[PARAMETERS] = {0};
    int32_t first[PARAMETERS] = {0};
    int32_t second[PARAMETERS] = {0};
    int32_t *const moments[] = {first, second};
    struct real reals[PARAMETERS] = {0};
    double most = 0;
    for (uint32_t step = 0; step < STEPS; step++) {
        struct fixture f;
        open_fixture(&f, &r, low, high);
        optimizer_step(theta, moments, &f.shape, &f.gradient, spec,
                       spec->learning_rate, step);
        for (size_t t = 0; t < f.shape.tensor_count; t++) {
            struct tensor_span span = f.shape.tensors[t];
            for (size_t i = span.offset; i < span.offset + span.count; i++) {
                real_step(&reals[i], naive_mean(&f, t, i), spec, (int)step + 1);
                most = fmax(most, fabs(of_q24(theta[i]) - reals[i].x));
            }
        }
        free(f.bytes);
    }
    return most;
}

static void steps_follow_their_rule_in_double_precision(void **state)
{
    (void)state;
    static const struct {
        Pot__Optimizer kind;
        double momentum;
    } cases[] = {
        {POT__OPTIMIZER__OPTIMIZER_SGD, 0},
        {POT__OPTIMIZER__OPTIMIZER_MOMENTUM, 0.9},
        {POT__OPTIMIZER__OPTIMIZER_NESTEROV, 0.9},
    };
    for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
        for (uint64_t seed = 1; seed <= 20; seed++) {
            Pot__OptimizerSpec spec = POT__OPTIMIZER_SPEC__INIT;
            spec.kind = cases[k].kind;
            spec.learning_rate = RATE_ONE / 10;
            spec.momentum = (uint32_t)(cases[k].momentum * RATE_ONE);
            spec.weight_decay = RATE_ONE / 1000;
            double most = distance(&spec, seed, -24, -16);
            if (most >= 0x1p-18) {
                fail_msg("case %zu: %g", k, most);
            }
        }
    }
}

static void adam_follows_adam_in_double_precision(void **state)
{
    (void)state;
    static const double momenta[] = {0, 0.9, 0.95};
    static const double betas[] = {0.9, 0.99, 0.999};
    static const double decays[] = {0, 0.1};
    for (unsigned k = 0; k < 18; k++) {
        Pot__OptimizerSpec spec = POT__OPTIMIZER_SPEC__INIT;
        spec.kind = POT__OPTIMIZER__OPTIMIZER_ADAM;
        spec.learning_rate = RATE_ONE / 1000;
        spec.momentum = (uint32_t)(momenta[k % 3] * RATE_ONE);
        spec.beta2 = (uint32_t)(betas[k / 3 % 3] * RATE_ONE);
        spec.weight_decay = (uint32_t)(decays[k / 9] * RATE_ONE);
        spec.epsilon = 2749; /* 1e-8 */
        double way = STEPS * of_rate(spec.learning_rate);
        for (uint64_t seed = 1; seed <= 5; seed++) {
            double most = distance(&spec, seed, -28, -14);
            if (most >= way / 2000) {
                fail_msg("case %u: %g of %g", k, most, way);
            }
        }
    }
}

/* With one gradient all the time, every step is the rate, whatever its size:
 * that is what the second moment and the corrections are for. */
static void adam_steps_do_not_depend_on_the_gradients_scale(void **state)
{
    (void)state;
    Pot__OptimizerSpec spec = POT__OPTIMIZER_SPEC__INIT;
    spec.kind = POT__OPTIMIZER__OPTIMIZER_ADAM;
    spec.learning_rate = RATE_ONE / 1000;
    spec.momentum = (uint32_t)(0.9 * RATE_ONE);
    spec.beta2 = (uint32_t)(0.999 * RATE_ONE);
    spec.epsilon = 1;
    for (int exponent = -26; exponent <= 0; exponent++) {
        struct ledger_random r = {9};
        struct fixture f;
        int32_t theta[PARAMETERS] = {0};
        int32_t first[PARAMETERS] = {0};
        int32_t second[PARAMETERS] = {0};
        int32_t *const moments[] = {first, second};
        open_fixture(&f, &r, exponent, exponent);
        for (uint32_t step = 0; step < 1000; step++) {
            optimizer_step(theta, moments, &f.shape, &f.gradient, &spec,
                           spec.learning_rate, step);
        }
        for (size_t i = 0; i < PARAMETERS; i++) {
            double g = f.sums[i] * ldexp(1.0, exponent) / ADDENDS;
            if (fabs(g) > 0x1p-18) {
                assert_true(fabs(of_q24(theta[i]) + copysign(1, g)) < 0.004);
            }
        }
        free(f.bytes);
    }
}

static void one_plain_step_is_right_to_half_a_unit(void **state)
{
    (void)state;
    struct ledger_random r = {5};
    Pot__OptimizerSpec spec = POT__OPTIMIZER_SPEC__INIT;
    spec.learning_rate = RATE_ONE;
    for (int round = 0; round < 50; round++) {
        struct fixture f;
        int32_t theta[PARAMETERS] = {0};
        open_fixture(&f, &r, -40, -10);
        int32_t *const none[SPEC_MOMENTS_MAX] = {NULL};
        optimizer_step(theta, none, &f.shape, &f.gradient, &spec, RATE_ONE, 0);
        for (size_t t = 0; t < f.shape.tensor_count; t++) {
            struct tensor_span span = f.shape.tensors[t];
            for (size_t i = span.offset; i < span.offset + span.count; i++) {
                double exact = naive_mean(&f, t, i) * FIXED_ONE;
                assert_true(fabs(theta[i] + exact) <= 0.5 + 1e-6);
            }
        }
        free(f.bytes);
    }
}

static void everything_is_clamped_at_the_extremes(void **state)
{
    (void)state;
    for (size_t k = 0; k < spec_optimizers.count; k++) {
        struct ledger_random r = {6};
        struct fixture f;
        Pot__OptimizerSpec spec = POT__OPTIMIZER_SPEC__INIT;
        spec.kind = (Pot__Optimizer)spec_optimizers.all[k].value;
        spec.learning_rate = UINT32_MAX;
        spec.momentum = RATE_ONE - 1;
        spec.weight_decay = RATE_ONE - 1;
        spec.beta2 = 1;
        spec.epsilon = 1;
        int32_t theta[PARAMETERS];
        int32_t moments[2][PARAMETERS] = {0};
        int32_t *const all[] = {moments[0], moments[1]};
        for (size_t i = 0; i < PARAMETERS; i++) {
            theta[i] = i % 2 == 0 ? INT32_MIN : INT32_MAX;
            moments[0][i] = i % 2 == 0 ? INT32_MIN : INT32_MAX;
        }
        open_fixture(&f, &r, 24, 24);
        for (size_t i = 0; i < PARAMETERS; i++) {
            f.sums[i] = i % 2 == 0 ? -1 : 1;
        }
        gradient_encode(f.bytes, &f.shape, 2, ADDENDS, f.exponents, f.sums);
        optimizer_step(theta, all, &f.shape, &f.gradient, &spec, UINT32_MAX, 0);
        for (size_t i = 0; i < PARAMETERS; i++) {
            assert_int_equal(theta[i], i % 2 == 0 ? INT32_MAX : INT32_MIN);
        }
        free(f.bytes);
    }
}

/* ---- one element after the other */

/* As ledger/optimizer.h says it, for SGD, momentum and Nesterov. */
static void plain_step(int32_t *theta, int32_t *moment, int64_t g,
                       const Pot__OptimizerSpec *spec, uint32_t rate)
{
    bool is_nesterov = spec->kind == POT__OPTIMIZER__OPTIMIZER_NESTEROV;
    int64_t mu = spec->momentum;
    int64_t drag = (int64_t)spec->weight_decay * *theta;
    int64_t v;
    if (is_nesterov) {
        int64_t d = fixed_saturate(g + fixed_shift_right(drag, RATE_BITS));
        *moment =
            fixed_saturate(d + fixed_shift_right(mu * *moment, RATE_BITS));
        v = fixed_saturate(d + fixed_shift_right(mu * *moment, RATE_BITS));
    } else {
        int64_t old = moment != NULL ? *moment : 0;
        v = fixed_saturate(g + fixed_shift_right(mu * old + drag, RATE_BITS));
        if (moment != NULL) {
            *moment = (int32_t)v;
        }
    }
    *theta = fixed_saturate(*theta - fixed_shift_right(rate * v, RATE_BITS));
}

/* round(sum * 2^exponent / addends) in Q8.24 */
static int64_t plain_mean(int32_t sum, int exponent, int64_t addends)
{
    int shift = exponent + FIXED_BITS;
    int64_t value = shift > 0 ? fixed_shift_left(sum, (unsigned)shift) : sum;
    int64_t by = shift < 0 ? addends * (INT64_C(1) << -shift) : addends;
    return fixed_saturate(fixed_divide(value, by));
}

/* Small ones, and the largest. */
static int32_t any_value(struct ledger_random *r)
{
    uint64_t kind = ledger_random_below(r, 10);
    if (kind < 2) {
        return kind == 0 ? INT32_MIN : INT32_MAX;
    }
    return (int32_t)ledger_random_between(r, INT32_MIN, INT32_MAX) >>
           ledger_random_between(r, 0, 30);
}

static uint32_t any_rate(struct ledger_random *r, int64_t most)
{
    return (uint32_t)ledger_random_between(r, 0, most) >>
           ledger_random_between(r, 0, 31);
}

#define WIDE        1500 /* more than a piece, and no multiple of vectors */
#define WIDE_COUNT  ((size_t)2 * (WIDE + 1))
#define WIDE_ROUNDS 400

static void a_step_is_that_of_each_element_alone(void **state)
{
    (void)state;
    static const Pot__Optimizer kinds[] = {POT__OPTIMIZER__OPTIMIZER_SGD,
                                           POT__OPTIMIZER__OPTIMIZER_MOMENTUM,
                                           POT__OPTIMIZER__OPTIMIZER_NESTEROV};
    struct ledger_random r = {11};
    struct model_shape shape;
    static int32_t theta[WIDE_COUNT], moment[WIDE_COUNT], sums[WIDE_COUNT];
    static int32_t plain[WIDE_COUNT], plain_moment[WIDE_COUNT];
    assert_int_equal(model_shape_init(&shape, (const uint32_t[]){WIDE, 2}, 2),
                     POT_OK);
    assert_int_equal(shape.parameter_count, WIDE_COUNT);
    for (unsigned round = 0; round < WIDE_ROUNDS; round++) {
        Pot__OptimizerSpec spec = POT__OPTIMIZER_SPEC__INIT;
        struct gradient gradient;
        unsigned width = 1U << round % 3;
        spec.kind = kinds[round / 3 % 3];
        spec.momentum = any_rate(&r, RATE_ONE - 1);
        bool is_kept = spec_moments(&spec) > 0;
        spec.weight_decay = any_rate(&r, RATE_ONE - 1);
        uint32_t rate = any_rate(&r, UINT32_MAX);
        uint32_t addends = (uint32_t)ledger_random_between(&r, 1, 8);
        int8_t exponents[TENSORS_MAX];
        for (size_t t = 0; t < shape.tensor_count; t++) {
            exponents[t] = (int8_t)ledger_random_between(
                &r, GRADIENT_EXPONENT_MIN, GRADIENT_EXPONENT_MAX);
        }
        for (size_t i = 0; i < WIDE_COUNT; i++) {
            plain[i] = theta[i] = any_value(&r);
            plain_moment[i] = moment[i] = any_value(&r);
            sums[i] = any_value(&r) >> (32 - 8 * width);
        }
        size_t size = gradient_bytes(&shape, width);
        uint8_t *bytes = pot_alloc(size);
        gradient_encode(bytes, &shape, width, addends, exponents, sums);
        assert_int_equal(gradient_view(&gradient, &shape, bytes, size), POT_OK);
        int32_t *const moments[SPEC_MOMENTS_MAX] = {is_kept ? moment : NULL};
        optimizer_step(theta, moments, &shape, &gradient, &spec, rate, 0);
        for (size_t i = 0; i < WIDE_COUNT; i++) {
            size_t t = i < shape.tensors[1].offset ? 0 : 1;
            plain_step(&plain[i], is_kept ? &plain_moment[i] : NULL,
                       plain_mean(sums[i], exponents[t], addends), &spec, rate);
        }
        assert_memory_equal(theta, plain, sizeof(theta));
        assert_memory_equal(moment, plain_moment, sizeof(moment));
        free(bytes);
    }
}

static void a_schedule_is_for_local_steps_where_there_are_any(void **state)
{
    (void)state;
    Pot__OptimizerSpec spec = POT__OPTIMIZER_SPEC__INIT;
    spec.learning_rate = 3000;
    spec.local_rate = 1000;
    spec.schedule = POT__SCHEDULE__SCHEDULE_COSINE;
    assert_int_equal(optimizer_rate(&spec, 5, 10), 3000);
    assert_int_equal(optimizer_local_rate(&spec, 5, 10), 500);
    spec.local_rate = 0;
    assert_int_equal(optimizer_rate(&spec, 5, 10), 1500);
    assert_int_equal(optimizer_local_rate(&spec, 5, 10), 0);
}

static void warming_up_multiplies_every_schedule(void **state)
{
    (void)state;
    Pot__OptimizerSpec spec = POT__OPTIMIZER_SPEC__INIT;
    spec.learning_rate = UINT32_MAX;
    spec.step_rounds = 3;
    spec.step_factor = RATE_ONE / 2;
    for (size_t k = 0; k < spec_schedules.count; k++) {
        spec.schedule = (Pot__Schedule)spec_schedules.all[k].value;
        for (uint32_t round = 0; round < 40; round++) {
            spec.warmup_rounds = 0;
            double rate = optimizer_rate(&spec, round, 40);
            spec.warmup_rounds = 10;
            double warm = round < 10 ? rate * (round + 1) / 10 : rate;
            assert_true(fabs(optimizer_rate(&spec, round, 40) - warm) <= 0.5);
        }
    }
}

static void schedules_follow_their_formulas(void **state)
{
    (void)state;
    const double pi = acos(-1.0);
    Pot__OptimizerSpec spec = POT__OPTIMIZER_SPEC__INIT;
    spec.learning_rate = RATE_ONE / 4;
    for (uint32_t round = 0; round < 1000; round++) {
        spec.schedule = POT__SCHEDULE__SCHEDULE_CONSTANT;
        assert_int_equal(optimizer_rate(&spec, round, 1000), RATE_ONE / 4);
        spec.schedule = POT__SCHEDULE__SCHEDULE_COSINE;
        double cosine = 0.125 * (1 + cos(pi * round / 1000));
        assert_true(fabs(of_rate(optimizer_rate(&spec, round, 1000)) - cosine) <
                    1e-8);
        spec.schedule = POT__SCHEDULE__SCHEDULE_STEP;
        spec.step_rounds = 30;
        spec.step_factor = RATE_ONE / 10 * 9;
        double step = 0.25 * pow(of_rate(spec.step_factor), round / 30);
        assert_true(fabs(of_rate(optimizer_rate(&spec, round, 1000)) - step) <
                    1e-7);
    }
    spec.schedule = POT__SCHEDULE__SCHEDULE_COSINE;
    spec.learning_rate = UINT32_MAX;
    assert_int_equal(optimizer_rate(&spec, 0, 1), UINT32_MAX);
}

/* Of the first layer below: He's for rectifiers, Xavier's for the others. */
static double fan_of(Pot__Activation activation)
{
    switch (activation) {
    case POT__ACTIVATION__ACTIVATION_RELU:
        return 200;
    case POT__ACTIVATION__ACTIVATION_TANH:
    case POT__ACTIVATION__ACTIVATION_SIGMOID:
        return 300;
    case POT__ACTIVATION__ACTIVATION_NONE:
    case _POT__ACTIVATION_IS_INT_SIZE:
        break;
    }
    fail();
    return 0;
}

static void first_parameters_are_uniform_within_their_bound(void **state)
{
    (void)state;
    static uint32_t layers[] = {200, 100, 10};
    struct model_shape shape;
    Pot__ModelSpec model = POT__MODEL_SPEC__INIT;
    model.n_layers = 3;
    model.layers = layers;
    model.seed = 7;
    for (size_t k = 0; k < spec_activations.count; k++) {
        Pot__Activation kind = (Pot__Activation)spec_activations.all[k].value;
        model.activation = kind;
        assert_int_equal(model_shape_from_spec(&shape, &model), POT_OK);
        int32_t *theta = parameters_start(&shape, &model);
        int32_t *again = parameters_start(&shape, &model);
        assert_memory_equal(theta, again, 4 * shape.parameter_count);
        double bound = sqrt(6.0 / fan_of(kind));
        double sum = 0;
        double squares = 0;
        for (size_t i = 0; i < shape.tensors[0].count; i++) {
            double w = of_q24(theta[i]);
            assert_true(fabs(w) <= bound);
            sum += w;
            squares += w * w;
        }
        double count = (double)shape.tensors[0].count;
        assert_true(fabs(sum / count) < 0.02 * bound);
        assert_true(fabs(squares / count / (bound * bound / 3) - 1) < 0.02);
        for (size_t i = 0; i < shape.tensors[1].count; i++) {
            assert_int_equal(theta[shape.tensors[1].offset + i], 0);
        }
        free(theta);
        free(again);
    }
}

static void parameters_survive_their_encoding(void **state)
{
    (void)state;
    const int32_t values[] = {0, 1, -1, INT32_MIN, INT32_MAX, 0x01020304};
    uint8_t *bytes = parameters_encode(values, 6);
    assert_int_equal(bytes[20], 4);
    assert_int_equal(bytes[23], 1);
    int32_t *again = parameters_decode(bytes, 6);
    assert_memory_equal(values, again, sizeof(values));
    free(bytes);
    free(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_follow_their_rule_in_double_precision),
        cmocka_unit_test(adam_follows_adam_in_double_precision),
        cmocka_unit_test(adam_steps_do_not_depend_on_the_gradients_scale),
        cmocka_unit_test(one_plain_step_is_right_to_half_a_unit),
        cmocka_unit_test(everything_is_clamped_at_the_extremes),
        cmocka_unit_test(a_step_is_that_of_each_element_alone),
        cmocka_unit_test(schedules_follow_their_formulas),
        cmocka_unit_test(a_schedule_is_for_local_steps_where_there_are_any),
        cmocka_unit_test(warming_up_multiplies_every_schedule),
        cmocka_unit_test(first_parameters_are_uniform_within_their_bound),
        cmocka_unit_test(parameters_survive_their_encoding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
