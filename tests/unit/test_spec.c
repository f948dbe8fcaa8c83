#include "config.h"

#include "proto/spec.h"

#include "base/fixed.h"
#include "base/hash.h"
#include "proto/aggregation.h"
#include "proto/codec.h"
#include "proto/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

/* A sound task of 3 features and 2 classes, and what it points to. */
struct fixture {
    uint32_t layers[3];
    uint8_t address[HASH_SIZE];
    char name[TX_TEXT_MAX + 2];
    Pot__ModelSpec model;
    Pot__OptimizerSpec optimizer;
    Pot__TaskSpec spec;
    struct spec_data train;
    struct spec_data test;
};

static void open_fixture(struct fixture *f)
{
    *f = (struct fixture){
        .layers = {3, 4, 2},
        .name = "plain",
        .train = {100, 3, 2},
        .test = {10, 3, 2},
    };
    pot__model_spec__init(&f->model);
    f->model.n_layers = 3;
    f->model.layers = f->layers;
    f->model.activation = POT__ACTIVATION__ACTIVATION_TANH;
    f->model.loss = POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY;
    pot__optimizer_spec__init(&f->optimizer);
    f->optimizer.learning_rate = RATE_ONE / 10;
    pot__task_spec__init(&f->spec);
    f->spec.name = f->name;
    f->spec.train = codec_bytes(f->address, HASH_SIZE);
    f->spec.test = codec_bytes(f->address, HASH_SIZE);
    f->spec.model = &f->model;
    f->spec.optimizer = &f->optimizer;
    f->spec.rounds = 5;
    f->spec.rows_per_miner = 10;
    f->spec.local_steps = 1;
    f->spec.min_submissions = 1;
    f->spec.aggregation = POT__AGGREGATION__AGGREGATION_MEAN;
    f->spec.numerics = POT__NUMERICS__NUMERICS_BLAS;
    f->spec.compression = POT__COMPRESSION__COMPRESSION_INT8;
    f->spec.eval_every = 1;
    f->spec.round_timeout_ms = 1000;
}

static void a_sound_task_has_no_fault(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    assert_int_equal(spec_check(&f.spec, 5), SPEC_SOUND);
    assert_int_equal(spec_check(&f.spec, 4), SPEC_BUDGET);
    f.spec.train.len--;
    assert_int_equal(spec_check(&f.spec, 5), SPEC_ADDRESS);
    assert_int_equal(spec_fits_data(&f.spec, &f.train, &f.test), SPEC_SOUND);
}

static void an_optimizer_has_the_keys_of_its_kind(void **state)
{
    (void)state;
    static const struct {
        Pot__Optimizer kind;
        uint32_t momentum;
        uint32_t beta2;
        uint32_t epsilon;
        enum spec_fault fault;
        unsigned moments;
    } cases[] = {
        {POT__OPTIMIZER__OPTIMIZER_MOMENTUM, 0, 0, 0, SPEC_SOUND, 0},
        {POT__OPTIMIZER__OPTIMIZER_MOMENTUM, 1, 0, 0, SPEC_SOUND, 1},
        {POT__OPTIMIZER__OPTIMIZER_MOMENTUM, 1, 1, 0, SPEC_OPTIMIZER, 1},
        {POT__OPTIMIZER__OPTIMIZER_SGD, 0, 0, 0, SPEC_SOUND, 0},
        {POT__OPTIMIZER__OPTIMIZER_SGD, 1, 0, 0, SPEC_OPTIMIZER, 0},
        {POT__OPTIMIZER__OPTIMIZER_NESTEROV, 1, 0, 0, SPEC_SOUND, 1},
        {POT__OPTIMIZER__OPTIMIZER_NESTEROV, 1, 0, 1, SPEC_OPTIMIZER, 1},
        {POT__OPTIMIZER__OPTIMIZER_ADAM, 1, 1, 1, SPEC_SOUND, 2},
        {POT__OPTIMIZER__OPTIMIZER_ADAM, 1, 0, 1, SPEC_OPTIMIZER, 2},
        {POT__OPTIMIZER__OPTIMIZER_ADAM, 1, 1, 0, SPEC_OPTIMIZER, 2},
        {POT__OPTIMIZER__OPTIMIZER_ADAM, 1, RATE_ONE, 1, SPEC_OPTIMIZER, 2},
        {(Pot__Optimizer)99, 0, 0, 0, SPEC_OPTIMIZER, 0},
    };
    struct fixture f;
    open_fixture(&f);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        f.optimizer.kind = cases[i].kind;
        f.optimizer.momentum = cases[i].momentum;
        f.optimizer.beta2 = cases[i].beta2;
        f.optimizer.epsilon = cases[i].epsilon;
        assert_int_equal(spec_check(&f.spec, 5), cases[i].fault);
        assert_int_equal(spec_moments(&f.optimizer), cases[i].moments);
    }
    f.optimizer.kind = POT__OPTIMIZER__OPTIMIZER_SGD;
    f.optimizer.warmup_rounds = 5;
    assert_int_equal(spec_check(&f.spec, 5), SPEC_SOUND);
    f.optimizer.warmup_rounds = 6;
    assert_int_equal(spec_check(&f.spec, 5), SPEC_WARMUP);
}

static void local_steps_need_the_exact_lane_and_a_rate(void **state)
{
    (void)state;
    static const struct {
        uint32_t steps;
        uint32_t rows;
        uint32_t rate;
        Pot__Numerics numerics;
        enum spec_fault fault;
    } cases[] = {
        {1, 10, 0, POT__NUMERICS__NUMERICS_BLAS, SPEC_SOUND},
        {0, 10, 0, POT__NUMERICS__NUMERICS_EXACT, SPEC_LOCAL_STEPS},
        {1, 10, 1, POT__NUMERICS__NUMERICS_EXACT, SPEC_LOCAL_RATE},
        {2, 10, 0, POT__NUMERICS__NUMERICS_EXACT, SPEC_LOCAL_RATE},
        {2, 10, 1, POT__NUMERICS__NUMERICS_BLAS, SPEC_LOCAL_EXACT},
        {2, 10, 1, POT__NUMERICS__NUMERICS_EXACT, SPEC_SOUND},
        {3, 10, 1, POT__NUMERICS__NUMERICS_EXACT, SPEC_LOCAL_ROWS},
        {2, 8192, 1, POT__NUMERICS__NUMERICS_EXACT, SPEC_SOUND},
        {2, 8194, 1, POT__NUMERICS__NUMERICS_EXACT, SPEC_LOCAL_ROWS},
        {1000, 1000, 1, POT__NUMERICS__NUMERICS_EXACT, SPEC_SOUND},
        {1001, 1001, 1, POT__NUMERICS__NUMERICS_EXACT, SPEC_LOCAL_STEPS},
    };
    struct fixture f;
    open_fixture(&f);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        f.spec.local_steps = cases[i].steps;
        f.spec.rows_per_miner = cases[i].rows;
        f.optimizer.local_rate = cases[i].rate;
        f.spec.numerics = cases[i].numerics;
        assert_int_equal(spec_check(&f.spec, 5), cases[i].fault);
    }
}

static void shards_are_bounded(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    f.spec.shards_per_round = SHARDS_PER_ROUND_MAX;
    assert_int_equal(spec_check(&f.spec, 5), SPEC_SOUND);
    f.spec.shards_per_round++;
    assert_int_equal(spec_check(&f.spec, 5), SPEC_SHARDS);
}

static void plants_need_the_exact_lane(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    f.spec.plant_rate_ppm = PPM_ONE;
    f.spec.numerics = POT__NUMERICS__NUMERICS_EXACT;
    assert_int_equal(spec_check(&f.spec, 5), SPEC_SOUND);
    f.spec.plant_rate_ppm++;
    assert_int_equal(spec_check(&f.spec, 5), SPEC_PLANT_RATE);
    /* honest miners lose no more than the product */
    f.spec.audit_rate_ppm = PPM_ONE;
    f.spec.plant_rate_ppm = SPEC_PLANTS_LOST_PPM_MAX;
    assert_int_equal(spec_check(&f.spec, 5), SPEC_SOUND);
    f.spec.plant_rate_ppm++;
    assert_int_equal(spec_check(&f.spec, 5), SPEC_PLANT_RATE);
    f.spec.plant_rate_ppm = 1;
    f.spec.numerics = POT__NUMERICS__NUMERICS_BLAS;
    assert_int_equal(spec_check(&f.spec, 5), SPEC_PLANT_RATE);
    f.spec.plant_rate_ppm = 0;
    assert_int_equal(spec_check(&f.spec, 5), SPEC_SOUND);
}

static void what_is_below_a_byte_needs_the_exact_lane(void **state)
{
    (void)state;
    static const struct {
        Pot__Compression compression;
        uint32_t share;
        Pot__Numerics numerics;
        enum spec_fault fault;
    } cases[] = {
        {POT__COMPRESSION__COMPRESSION_INT16, 0, POT__NUMERICS__NUMERICS_BLAS,
         SPEC_SOUND},
        {POT__COMPRESSION__COMPRESSION_INT4, 0, POT__NUMERICS__NUMERICS_BLAS,
         SPEC_COMPRESSION_EXACT},
        {POT__COMPRESSION__COMPRESSION_INT4, 0, POT__NUMERICS__NUMERICS_EXACT,
         SPEC_SOUND},
        {POT__COMPRESSION__COMPRESSION_SIGN, 0, POT__NUMERICS__NUMERICS_EXACT,
         SPEC_SOUND},
        {POT__COMPRESSION__COMPRESSION_SIGN, 1, POT__NUMERICS__NUMERICS_EXACT,
         SPEC_TOPK_SHARE},
        {POT__COMPRESSION__COMPRESSION_TOPK, 0, POT__NUMERICS__NUMERICS_EXACT,
         SPEC_TOPK_SHARE},
        {POT__COMPRESSION__COMPRESSION_TOPK, 1, POT__NUMERICS__NUMERICS_EXACT,
         SPEC_SOUND},
        {POT__COMPRESSION__COMPRESSION_TOPK, TOPK_SHARE_PPM_MAX + 1,
         POT__NUMERICS__NUMERICS_EXACT, SPEC_TOPK_SHARE},
        {POT__COMPRESSION__COMPRESSION_NONE, 0, POT__NUMERICS__NUMERICS_EXACT,
         SPEC_COMPRESSION},
    };
    struct fixture f;
    open_fixture(&f);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        f.spec.compression = cases[i].compression;
        f.spec.topk_share_ppm = cases[i].share;
        f.spec.numerics = cases[i].numerics;
        assert_int_equal(spec_check(&f.spec, 5), cases[i].fault);
    }
}

static void names_are_clean_utf_8(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum spec_fault fault;
    } cases[] = {
        {"plain", SPEC_SOUND},
        {"\xc3\xa4\xe2\x82\xac", SPEC_SOUND},
        {"\xf0\x9f\x90\x8c", SPEC_SOUND},
        {"", SPEC_NAME},
        {"tab\t", SPEC_NAME},
        {"\xc3", SPEC_NAME},
        {"\xc0\xaf", SPEC_NAME},
        {"\xed\xa0\x80", SPEC_NAME},
        {"\xe0\x80\x80", SPEC_NAME},
        {"\xf4\x90\x80\x80", SPEC_NAME},
        {"\xc2\x85", SPEC_NAME},
        {"\x7f", SPEC_NAME},
        {"\xff", SPEC_NAME},
    };
    struct fixture f;
    open_fixture(&f);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        memcpy(f.name, cases[i].name, strlen(cases[i].name) + 1);
        assert_int_equal(spec_check(&f.spec, 5), cases[i].fault);
    }
    memset(f.name, 'x', TX_TEXT_MAX);
    f.name[TX_TEXT_MAX] = '\0';
    assert_int_equal(spec_check(&f.spec, 5), SPEC_SOUND);
    f.name[TX_TEXT_MAX] = 'x';
    assert_int_equal(spec_check(&f.spec, 5), SPEC_NAME);
}

/* 20 snails are 80 bytes: the cut falls between two of them. */
static void a_name_is_cut_between_characters(void **state)
{
    (void)state;
    char snails[81] = "";
    char name[TX_TEXT_MAX + 1];
    for (size_t i = 0; i < 20; i++) {
        memcpy(snails + 4 * i, "\xf0\x9f\x90\x8c", 5);
    }
    spec_make_name(name, snails, "");
    assert_int_equal(strlen(name), 64);
    spec_make_name(name, snails, "-test");
    assert_int_equal(strlen(name), 56 + 5);
    assert_string_equal(name + 56, "-test");
    spec_make_name(name, "a\tb\xff\xc2\x85", "-train");
    assert_string_equal(name, "a_b___-train");
    spec_make_name(name, "", "");
    assert_string_equal(name, "_");
}

static void what_is_chosen_is_taken_or_planned(void **state)
{
    (void)state;
    assert_true(spec_takes(&spec_activations, 1));
    assert_false(spec_takes(&spec_activations, 0));
    assert_false(spec_takes(&spec_activations, 99));
    assert_true(
        spec_takes(&spec_aggregations, POT__AGGREGATION__AGGREGATION_KRUM));
}

static void each_rule_has_its_own_parameters(void **state)
{
    (void)state;
    static const struct {
        Pot__Aggregation rule;
        uint32_t min_submissions;
        uint32_t trim_share_ppm;
        uint32_t krum_faulty;
        uint32_t clip_norm;
        enum spec_fault fault;
    } cases[] = {
        {POT__AGGREGATION__AGGREGATION_MEAN, 1, 1, 0, 0, SPEC_TRIM_SHARE},
        {POT__AGGREGATION__AGGREGATION_MEAN, 5, 0, 1, 0, SPEC_KRUM_FAULTY},
        {POT__AGGREGATION__AGGREGATION_MEDIAN, 1, 0, 0, 1, SPEC_CLIP_NORM},
        {POT__AGGREGATION__AGGREGATION_MEDIAN, 1, 0, 0, 0, SPEC_SOUND},
        {POT__AGGREGATION__AGGREGATION_TRIMMED_MEAN, 1, 0, 0, 0,
         SPEC_TRIM_SHARE},
        {POT__AGGREGATION__AGGREGATION_TRIMMED_MEAN, 1, 499999, 0, 0,
         SPEC_SOUND},
        {POT__AGGREGATION__AGGREGATION_TRIMMED_MEAN, 1, 500000, 0, 0,
         SPEC_TRIM_SHARE},
        {POT__AGGREGATION__AGGREGATION_KRUM, 2, 0, 0, 0, SPEC_KRUM_FAULTY},
        {POT__AGGREGATION__AGGREGATION_KRUM, 3, 0, 0, 0, SPEC_SOUND},
        {POT__AGGREGATION__AGGREGATION_MULTI_KRUM, 8, 0, 3, 0,
         SPEC_KRUM_FAULTY},
        {POT__AGGREGATION__AGGREGATION_MULTI_KRUM, 9, 0, 3, 0, SPEC_SOUND},
        {POT__AGGREGATION__AGGREGATION_KRUM, 3, 0, UINT32_MAX, 0,
         SPEC_KRUM_FAULTY},
        {POT__AGGREGATION__AGGREGATION_CLIPPED_MEAN, 1, 0, 0, 1, SPEC_SOUND},
        {POT__AGGREGATION__AGGREGATION_CENTERED_CLIPPING, 1, 0, 0, 0,
         SPEC_SOUND},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct fixture f;
        open_fixture(&f);
        f.spec.aggregation = cases[i].rule;
        f.spec.min_submissions = cases[i].min_submissions;
        f.spec.trim_share_ppm = cases[i].trim_share_ppm;
        f.spec.krum_faulty = cases[i].krum_faulty;
        f.spec.clip_norm = cases[i].clip_norm;
        if (spec_check(&f.spec, 5) != cases[i].fault) {
            fail_msg("case %zu: fault %d", i, (int)spec_check(&f.spec, 5));
        }
    }
}

/* What a round holds and does stays within the bounds, and is no smaller than
 * it must be. */
static void a_rule_admits_as_many_miners_as_it_can_take(void **state)
{
    (void)state;
    struct fixture f;
    uint32_t layers[] = {784, 128, 10};
    open_fixture(&f);
    f.model.layers = layers;
    assert_int_equal(aggregation_roster_max(&f.spec), ROSTER_MAX);
    f.spec.aggregation = POT__AGGREGATION__AGGREGATION_KRUM;
    uint64_t n = aggregation_roster_max(&f.spec);
    uint64_t parameters = 101770;
    assert_true((n * (n - 1) / 2 + n) * parameters <= AGGREGATION_WORK_MAX);
    assert_true((n * (n + 1) / 2 + n + 1) * parameters > AGGREGATION_WORK_MAX);
    f.spec.min_submissions = (uint32_t)n;
    assert_int_equal(spec_check(&f.spec, 5), SPEC_SOUND);
    f.spec.min_submissions++;
    assert_int_equal(spec_check(&f.spec, 5), SPEC_AGGREGATION_SIZE);
    layers[0] = LAYER_WIDTH_MAX;
    layers[1] = 1000;
    f.spec.aggregation = POT__AGGREGATION__AGGREGATION_CLIPPED_MEAN;
    assert_int_equal(aggregation_roster_max(&f.spec), 8);
}

static void a_gradient_is_no_more_work_than_its_bound(void **state)
{
    (void)state;
    struct fixture f;
    uint32_t layers[] = {784, 16383, 10}; /* 13,024,495 parameters */
    open_fixture(&f);
    f.model.layers = layers;
    const uint32_t most = GRADIENT_PRODUCTS_MAX / 13024495;
    f.spec.rows_per_miner = most;
    assert_int_equal(spec_check(&f.spec, 5), SPEC_SOUND);
    f.spec.rows_per_miner = most + 1;
    assert_int_equal(spec_check(&f.spec, 5), SPEC_GRADIENT_SIZE);
    f.spec.rows_per_miner = ROWS_PER_MINER_MAX;
    assert_int_equal(spec_check(&f.spec, 5), SPEC_GRADIENT_SIZE);
}

/* ACTIVATION_RELU is "relu"; a value 0 may stand for none. */
static void assert_listed(const struct spec_choices *choices,
                          const ProtobufCEnumDescriptor *type)
{
    for (unsigned i = 0; i < type->n_values; i++) {
        const ProtobufCEnumValue *value = &type->values[i];
        const char *name = value->name + strlen(type->short_name) + 1;
        bool is_listed = false;
        for (size_t k = 0; k < choices->count; k++) {
            is_listed |= choices->all[k].value == (uint32_t)value->value &&
                         strcasecmp(choices->all[k].name, name) == 0;
        }
        if (!is_listed && strcmp(name, "NONE") != 0) {
            fail_msg("%s is not in proto/spec.c", value->name);
        }
    }
}

static void every_value_is_a_choice_of_its_name(void **state)
{
    (void)state;
    assert_listed(&spec_activations, &pot__activation__descriptor);
    assert_listed(&spec_losses, &pot__loss__descriptor);
    assert_listed(&spec_optimizers, &pot__optimizer__descriptor);
    assert_listed(&spec_schedules, &pot__schedule__descriptor);
    assert_listed(&spec_aggregations, &pot__aggregation__descriptor);
    assert_listed(&spec_numerics, &pot__numerics__descriptor);
    assert_listed(&spec_compressions, &pot__compression__descriptor);
}

static void values_have_the_names_of_a_task_file(void **state)
{
    (void)state;
    assert_string_equal(
        spec_name(&spec_numerics, POT__NUMERICS__NUMERICS_EXACT), "exact");
    assert_string_equal(spec_name(&spec_numerics, POT__NUMERICS__NUMERICS_BLAS),
                        "blas");
    assert_string_equal(spec_name(&spec_numerics, 0), "");
}

static void a_task_fits_its_data(void **state)
{
    (void)state;
    static const struct {
        struct spec_data train;
        struct spec_data test;
        uint32_t layers[3];
        Pot__Loss loss;
        uint32_t target;
        enum spec_fault fault;
    } cases[] = {
        {{9, 3, 2}, {9, 3, 2}, {4, 4, 2}, 1, 0, SPEC_INPUTS},
        {{9, 3, 2}, {9, 3, 2}, {3, 4, 1}, 1, 0, SPEC_OUTPUTS},
        {{9, 3, 0}, {9, 3, 0}, {3, 4, 2}, 2, 0, SPEC_OUTPUTS},
        {{9, 3, 2}, {9, 4, 2}, {3, 4, 2}, 1, 0, SPEC_TEST_SET},
        {{9, 3, 2}, {9, 3, 0}, {3, 4, 2}, 1, 0, SPEC_TEST_SET},
        {{9, 3, 0}, {9, 3, 0}, {3, 4, 1}, 1, 0, SPEC_NUMBERS_LOSS},
        {{9, 3, 0}, {9, 3, 0}, {3, 4, 1}, 2, 0, SPEC_SOUND},
        {{9, 3, 0}, {9, 3, 0}, {3, 4, 1}, 2, 1, SPEC_NUMBERS_TARGET},
        {{9, 3, 2}, {9, 3, 2}, {3, 4, 2}, 2, 1, SPEC_SOUND},
        {{9, 3, 2}, {1 << 30, 3, 2}, {3, 4, 2}, 1, 0, SPEC_EVALUATION_SIZE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct fixture f;
        open_fixture(&f);
        memcpy(f.layers, cases[i].layers, sizeof(f.layers));
        f.model.loss = cases[i].loss;
        f.spec.target_accuracy_ppm = cases[i].target;
        assert_int_equal(
            spec_fits_data(&f.spec, &cases[i].train, &cases[i].test),
            cases[i].fault);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_task_has_no_fault),
        cmocka_unit_test(an_optimizer_has_the_keys_of_its_kind),
        cmocka_unit_test(local_steps_need_the_exact_lane_and_a_rate),
        cmocka_unit_test(shards_are_bounded),
        cmocka_unit_test(plants_need_the_exact_lane),
        cmocka_unit_test(what_is_below_a_byte_needs_the_exact_lane),
        cmocka_unit_test(names_are_clean_utf_8),
        cmocka_unit_test(a_name_is_cut_between_characters),
        cmocka_unit_test(what_is_chosen_is_taken_or_planned),
        cmocka_unit_test(each_rule_has_its_own_parameters),
        cmocka_unit_test(a_rule_admits_as_many_miners_as_it_can_take),
        cmocka_unit_test(a_gradient_is_no_more_work_than_its_bound),
        cmocka_unit_test(every_value_is_a_choice_of_its_name),
        cmocka_unit_test(values_have_the_names_of_a_task_file),
        cmocka_unit_test(a_task_fits_its_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
