#include "config.h"

#include "ctl/task_read.h"

#include "base/buf.h"
#include "base/fixed.h"
#include "ctl/task_check.h"
#include "ctl/task_warn.h"
#include "proto/genesis.h"
#include "proto/genesis_params.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char good[] = "name = \"digits\"\n"
                           "[data]\n"
                           "train = \"train.csv\"\n"
                           "test = \"/data/test.csv\"\n"
                           "[model]\n"
                           "layers = [64, 32, 10]\n"
                           "[training]\n"
                           "rounds = 200\n"
                           "numerics = \"blas\"\n"
                           "[reward]\n"
                           "budget = \"100.5\"\n";

static void defaults_stand_where_the_file_is_silent(void **state)
{
    (void)state;
    struct ctl ctl = {0};
    struct task_file file;
    Pot__TaskSpec spec;
    Pot__ModelSpec model;
    Pot__OptimizerSpec optimizer;
    assert_int_equal(task_read_text(&file, &ctl, "dir/task.toml", good),
                     EXIT_CODE_DONE);
    task_file_fill(&spec, &model, &optimizer, &file);
    assert_string_equal(spec.name, "digits");
    assert_string_equal(file.train, "dir/train.csv");
    assert_string_equal(file.test, "/data/test.csv");
    assert_int_equal(model.n_layers, 3);
    assert_int_equal(model.layers[1], 32);
    assert_int_equal(model.activation, POT__ACTIVATION__ACTIVATION_RELU);
    assert_int_equal(model.loss, POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY);
    assert_int_equal(model.seed, 1);
    assert_int_equal(optimizer.learning_rate, 26843546); /* 0.1 * 2^28 */
    assert_int_equal(optimizer.momentum, 241591910);
    assert_int_equal(optimizer.schedule, POT__SCHEDULE__SCHEDULE_CONSTANT);
    assert_int_equal(spec.rounds, 200);
    assert_int_equal(spec.rows_per_miner, 256);
    assert_int_equal(spec.aggregation, POT__AGGREGATION__AGGREGATION_MEAN);
    assert_int_equal(spec.numerics, POT__NUMERICS__NUMERICS_BLAS);
    assert_int_equal(spec.compression, POT__COMPRESSION__COMPRESSION_INT8);
    assert_int_equal(spec.audit_rate_ppm, 30000);
    assert_int_equal(file.budget, 100500000000);
    task_file_fini(&file);
}

/* The good file with `line` put into `section` ("" : the top). */
static char *with_line(const char *section, const char *line)
{
    struct buf out;
    const char *at = good;
    if (section[0] != '\0') {
        at = strstr(good, section);
        assert_non_null(at);
        at = strchr(at, '\n') + 1;
    }
    buf_init(&out, 4096);
    buf_append(&out, good, (size_t)(at - good));
    buf_printf(&out, "%s\n%s", line, at);
    char *text = strdup(buf_text(&out));
    buf_fini(&out);
    return text;
}

struct fault_case {
    const char *section;
    const char *line;
    const char *why;
};

static void each_is_refused(const struct fault_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct ctl ctl = {0};
        struct task_file file;
        char *text = with_line(cases[i].section, cases[i].line);
        enum exit_code rc = task_read_text(&file, &ctl, "t.toml", text);
        if (rc != EXIT_CODE_REJECTED ||
            strstr(ctl.error, cases[i].why) == NULL) {
            fail_msg("%s: %d, \"%s\"", cases[i].line, (int)rc, ctl.error);
        }
        task_file_fini(&file);
        free(text);
    }
}

static void faults_name_line_and_key(void **state)
{
    (void)state;
    static const struct fault_case cases[] = {
        {"", "nme = 1", "t.toml:1: unknown key \"nme\"; did you mean \"name"},
        {"[training]", "budget = \"1\"",
         "unknown key \"training.budget\"; did you mean \"reward.budget\"?"},
        {"", "rounds = 1", "did you mean \"training.rounds\"?"},
        {"[data]", "label = -1", "data.label: must be a text in quotes"},
        {"[data]", "label = 1.5", "data.label: must be a text in quotes"},
        {"[model]", "activatoin = \"relu\"", "did you mean \"model.activation"},
        {"[model]", "activation = \"rleu\"",
         "t.toml:6: model.activation: must be one of: relu, tanh, "},
        {"[model]", "activation = \"rleu\"", "; did you mean \"relu\"?"},
        {"[model]", "activation = 3", "model.activation: must be one of"},
        {"[model]", "seed = -1", "model.seed: must be a whole number"},
        {"[data]", "test_split = 0.2", "needs one of test, test_split"},
        {"[data]", "test_split = 1.0", "data.test_split: must be a number"},
        {"[data]", "hash = \"12\"", "data.hash: must be 64"},
        {"[training]", "eval_every = 0", "training.eval_every: must be from 1"},
        {"[training]", "local_steps = 2",
         "above 1 needs optimizer.local_rate, the rate of the steps"},
        {"", "optimizer.local_rate = 0.1",
         "is the rate of the steps within a round"},
        {"[training]", "audit_rate = 1.5", "must be a number from 0 to 1"},
        {"[training]", "audit_rate = nan", "must be a number from 0 to 1"},
        {"[training]", "min_submissions = 1e3", "must be a whole number"},
        {"[reward]", "budget = \"1\"", "t.toml:12"},
        {"", "optimizer.learning_rate = 0",
         "optimizer.learning_rate: must be a number"},
        {"", "optimizer.local_rate = 16",
         "optimizer.local_rate: must be a number from 1e-08 to below 16"},
        {"[training]", "topk_share = 0.6", "a number from 1e-06 to 0.5;"},
        {"", "optimizer.learning_rate = 16",
         "optimizer.learning_rate: must be a number"},
        {"", "optimizer.schedule = \"step\"",
         "needs step_rounds and step_factor"},
        {"", "optimizer.step_rounds = 5", "are for schedule"},
        {"", "optimizer.kind = \"adma\"", "did you mean \"adam\"?"},
        {"", "optimizer.beta2 = 0.9", "optimizer.beta2: is for kind"},
        {"", "optimizer.epsilon = 1e-8", "optimizer.epsilon: is for kind"},
        {"", "optimizer = {kind = \"sgd\", momentum = 0.5}",
         "optimizer.momentum: kind = \"sgd\" has none"},
        {"", "optimizer.warmup_rounds = 201",
         "optimizer.warmup_rounds: more than training.rounds"},
    };
    each_is_refused(cases, sizeof(cases) / sizeof(*cases));
}

static void a_wrong_amount_says_what_is_right(void **state)
{
    (void)state;
    static const struct fault_case cases[] = {
        {"[reward]", "miner_stake = \"x\"",
         "reward.miner_stake: must be an amount in POT, such as \"100\""},
        {"[reward]", "miner_stake = true", "must be an amount in POT"},
        {"[reward]", "miner_stake = 5.5", "in quotes to be exact: \"5.5\""},
        {"[reward]", "miner_stake = -5", "is below zero"},
        {"[reward]", "miner_stake = \"-5\"", "is below zero"},
        {"[reward]", "miner_stake = \"5 POT\"", "the number alone"},
        {"[reward]", "miner_stake = \"5.0000000001\"",
         "more than nine decimals"},
        {"[reward]", "miner_stake = \"1,000\"", "nothing between thousands"},
        {"[reward]", "miner_stake = \"1e3\"", "the number alone"},
    };
    each_is_refused(cases, sizeof(cases) / sizeof(*cases));
}

static void a_label_goes_by_its_index_too(void **state)
{
    (void)state;
    struct ctl ctl = {0};
    struct task_file file;
    char *text = with_line("[data]", "label = 4");
    assert_int_equal(task_read_text(&file, &ctl, "t.toml", text),
                     EXIT_CODE_DONE);
    assert_string_equal(file.label, "4");
    task_file_fini(&file);
    free(text);
}

static void a_kind_of_optimizer_has_defaults_of_its_own(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        uint32_t momentum;
        uint32_t beta2;
        uint32_t epsilon;
    } cases[] = {
        {"optimizer.kind = \"nesterov\"", 241591910, 0, 0},
        {"optimizer.kind = \"sgd\"", 0, 0, 0},
        {"optimizer.kind = \"adam\"", 241591910, 268167020, 2748},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct ctl ctl = {0};
        struct task_file file;
        char *text = with_line("", cases[i].line);
        assert_int_equal(task_read_text(&file, &ctl, "t.toml", text),
                         EXIT_CODE_DONE);
        assert_int_equal(file.momentum, cases[i].momentum);
        assert_int_equal(file.beta2, cases[i].beta2);
        assert_int_equal(file.epsilon, cases[i].epsilon);
        task_file_fini(&file);
        free(text);
    }
}

static void what_is_required_must_be_there(void **state)
{
    (void)state;
    static const char *const lines[] = {"name = ",   "train = ",  "test = ",
                                        "layers = ", "rounds = ", "budget = "};
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        struct ctl ctl = {0};
        struct task_file file;
        char *text = strdup(good);
        char *at = strstr(text, lines[i]);
        *at = '#';
        assert_int_equal(task_read_text(&file, &ctl, "t.toml", text),
                         EXIT_CODE_REJECTED);
        task_file_fini(&file);
        free(text);
    }
}

static void parse(struct task_file *file, Pot__Numerics numerics,
                  const char *line)
{
    struct ctl ctl = {0};
    char *text = with_line("[training]", line);
    assert_int_equal(task_read_text(file, &ctl, "t.toml", text),
                     EXIT_CODE_DONE);
    file->numerics = numerics;
    free(text);
}

/* What is said to be fine is what the chain takes. */
static void what_the_chain_would_refuse_is_refused_here(void **state)
{
    (void)state;
    static const struct {
        const char *section;
        const char *line;
        const char *why;
    } cases[] = {
        {"[training]", "aggregation = \"krum\"",
         "t.toml:8: training.min_submissions: is 1, and the aggregation rule"
         " needs 2 * krum_faulty + 3: set 3 or more"},
        {"[training]",
         "aggregation = \"multi_krum\"\nmin_submissions = 6\nkrum_faulty = 2",
         "t.toml:9: training.min_submissions: is 6, and the aggregation rule"
         " needs 2 * krum_faulty + 3: set 7 or more"},
        {"[training]", "krum_faulty = 1",
         "training.krum_faulty: is for aggregation = \"krum\" and"},
        {"[training]", "aggregation = \"krum\"\nmin_submissions = 3", NULL},
        {"[training]", "aggregation = \"trimmed_mean\"", NULL},
        {"[training]", "trim_share = 0.1",
         "t.toml:8: training.trim_share: is for aggregation ="
         " \"trimmed_mean\""},
        {"[training]", "clip_norm = 2.5", "training.clip_norm: is for"},
        {"[training]", "aggregation = \"centered_clipping\"\nclip_norm = 2.5",
         NULL},
        {"[training]", "aggregation = \"median\"\nmin_submissions = 4096",
         NULL},
        {"[training]", "compression = \"topk\"",
         "training.compression: int4, sign and topk need numerics"},
        {"[training]", "topk_share = 0.1",
         "training.topk_share: is for compression = \"topk\""},
        {"[model]", "activation = \"tanh\"", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct ctl ctl = {0};
        struct task_file file;
        char *text = with_line(cases[i].section, cases[i].line);
        enum exit_code rc = task_read_text(&file, &ctl, "t.toml", text);
        const char *why = cases[i].why;
        assert_int_equal(rc, why == NULL ? EXIT_CODE_DONE : EXIT_CODE_REJECTED);
        if (why != NULL && strstr(ctl.error, why) == NULL) {
            fail_msg("\"%s\"", ctl.error);
        }
        task_file_fini(&file);
        free(text);
    }
}

static void a_name_of_controls_or_no_utf_8_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {
        "a\xc2\x85", "\\u0085", "\\t",
        "123456789 123456789 123456789 123456789 "
        "123456789 123456789 12345"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        struct ctl ctl = {0};
        struct task_file file;
        struct buf text;
        buf_init(&text, 4096);
        buf_printf(&text, "name = \"%s\"\n%s", names[i],
                   strchr(good, '\n') + 1);
        assert_int_equal(task_read_text(&file, &ctl, "t", buf_text(&text)),
                         EXIT_CODE_REJECTED);
        assert_non_null(strstr(ctl.error, "t:1: name: must be 1 to 64 bytes"));
        task_file_fini(&file);
        buf_fini(&text);
    }
}

/* Each of these was found by the chain before, after the data was paid. */
static void a_task_that_does_not_fit_its_data_is_refused(void **state)
{
    (void)state;
    struct ctl ctl = {0};
    struct task_file file;
    Pot__TaskSpec spec;
    Pot__ModelSpec model;
    Pot__OptimizerSpec optimizer;
    struct spec_data classes = {1000, 64, 10};
    struct spec_data few = {255, 64, 10};
    struct spec_data numbers = {1000, 64, 0};
    parse(&file, POT__NUMERICS__NUMERICS_BLAS, "target_accuracy = 0.9");
    task_file_fill(&spec, &model, &optimizer, &file);
    assert_int_equal(task_check_data(&ctl, &file, &spec, &classes, &classes),
                     EXIT_CODE_DONE);
    assert_int_equal(task_check_data(&ctl, &file, &spec, &few, &classes),
                     EXIT_CODE_REJECTED);
    assert_non_null(strstr(ctl.error, "256 rows are more than"));
    assert_int_equal(task_check_data(&ctl, &file, &spec, &numbers, &numbers),
                     EXIT_CODE_REJECTED);
    assert_non_null(strstr(ctl.error, "t.toml:6: model.layers: the last is"));
    assert_null(strstr(ctl.error, "look like numbers"));
    struct spec_data many = {1000, 64, 251};
    assert_int_equal(task_check_data(&ctl, &file, &spec, &many, &many),
                     EXIT_CODE_REJECTED);
    assert_non_null(strstr(ctl.error, "251 classes, which look like numbers"));
    file.layers[2] = 1;
    model.loss = POT__LOSS__LOSS_MSE;
    assert_int_equal(task_check_data(&ctl, &file, &spec, &numbers, &numbers),
                     EXIT_CODE_REJECTED);
    assert_non_null(
        strstr(ctl.error, "t.toml:8: training.target_accuracy: needs classes"));
    task_file_fini(&file);
}

static void a_task_where_cheating_pays_is_refused(void **state)
{
    (void)state;
    struct ctl ctl = {.is_quiet = true};
    struct task_file file;
    Pot__GenesisParams params;
    genesis_params_default(&params);
    params.attesting_bps = 0;
    params.proposing_bps = 0;

    /* R = 0.5025 POT a round: at p = 0.1 a stake of 4.5225 POT is enough. */
    parse(&file, POT__NUMERICS__NUMERICS_EXACT, "audit_rate = 0.1");
    params.min_miner_stake = 4522500000;
    assert_int_equal(task_check_stake(&ctl, &file, &params), EXIT_CODE_DONE);
    params.min_miner_stake = 4522499999;
    assert_int_equal(task_check_stake(&ctl, &file, &params),
                     EXIT_CODE_REJECTED);
    assert_non_null(strstr(ctl.error, "cheating would pay"));
    assert_non_null(strstr(ctl.error, "raise reward.miner_stake to"
                                      " \"4.5225\" or training.audit_rate"));
    file.miner_stake = 5000000000;
    assert_int_equal(task_check_stake(&ctl, &file, &params), EXIT_CODE_DONE);
    task_file_fini(&file);

    parse(&file, POT__NUMERICS__NUMERICS_EXACT, "audit_rate = 0.0");
    assert_int_equal(task_check_stake(&ctl, &file, &params),
                     EXIT_CODE_REJECTED);
    assert_non_null(strstr(ctl.error, "; raise training.audit_rate"));
    task_file_fini(&file);

    /* Nothing can be slashed here: only a note. */
    parse(&file, POT__NUMERICS__NUMERICS_BLAS, "audit_rate = 0.0");
    assert_int_equal(task_check_stake(&ctl, &file, &params), EXIT_CODE_DONE);
    task_file_fini(&file);
}

/* ---- what is only warned of */

struct warn_case {
    const char *section;
    const char *line;
    const char *why; /* "": nothing is warned of */
};

/* Fashion-MNIST's numbers, all rows different. */
static struct task_data usual_data(void)
{
    struct task_data data = {
        .train = {.address = {{1}}, .facts = {60000, 64, 10}},
        .test = {.address = {{2}}, .facts = {10000, 64, 10}},
    };
    return data;
}

static void warnings_are(const struct warn_case *c,
                         const struct task_data *data)
{
    struct ctl ctl = {0};
    struct task_file file;
    Pot__GenesisParams params;
    json_t *list = json_array();
    char *text = with_line(c->section, c->line);
    genesis_params_default(&params);
    assert_int_equal(task_read_text(&file, &ctl, "t.toml", text),
                     EXIT_CODE_DONE);
    task_warn_alone(list, &file, data, &params);
    const char *first = json_string_value(json_array_get(list, 0));
    bool is_right = c->why[0] == '\0' ? first == NULL
                                      : json_array_size(list) == 1 &&
                                            strstr(first, c->why) != NULL;
    if (!is_right) {
        fail_msg("%s: %zu, \"%s\"", c->line, json_array_size(list),
                 first != NULL ? first : "");
    }
    json_decref(list);
    task_file_fini(&file);
    free(text);
}

static void likely_mistakes_are_warned_of_at_their_line(void **state)
{
    (void)state;
    static const struct warn_case cases[] = {
        {"", "", ""},
        {"", "optimizer.learning_rate = 5",
         "t.toml:1: optimizer.learning_rate: 5 with momentum 0.9 is a rate of"
         " 50"},
        {"", "optimizer = {kind = \"sgd\", learning_rate = 5}", ""},
        {"", "optimizer = {kind = \"adam\", learning_rate = 1}",
         "learning_rate: 1 is much for adam"},
        {"", "optimizer = {kind = \"adam\", learning_rate = 0.001}", ""},
        {"", "optimizer.learning_rate = 1e-7",
         "learning_rate: 0.0000001 changes next to nothing"},
        {"[training]", "rows_per_miner = 8",
         "training.rounds: 200 rounds of 8 rows a miner look at 2.7 % of"},
        {"[training]", "target_accuracy = 0.9\neval_every = 200",
         "t.toml:8: training.target_accuracy: is looked at every"},
        {"[training]", "target_accuracy = 0.9\neval_every = 199", ""},
        {"[reward]", "miner_stake = \"5\"",
         "reward.miner_stake: is 5 POT, but min_miner_stake of the chain, 100"},
        {"[reward]", "miner_stake = \"100\"", ""},
    };
    struct task_data data = usual_data();
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        warnings_are(&cases[i], &data);
    }
}

static void data_that_says_little_is_warned_of(void **state)
{
    (void)state;
    struct warn_case c = {"", "", "the test set is the training set"};
    struct task_data data = usual_data();
    data.test.address = data.train.address;
    warnings_are(&c, &data);
    data = usual_data();
    data.test.facts.rows = 9;
    c.why = "t.toml:5: data.test: 9 test rows for 10 classes";
    warnings_are(&c, &data);
    data = usual_data();
    data.train.facts.rows = 300;
    c.why = "";
    warnings_are(&c, &data);
    c.line = "rows_per_miner = 300\nmin_submissions = 100";
    c.section = "[training]";
    data.train.facts.rows = 300;
    c.why = "200 rounds look at each row 20000 times";
    warnings_are(&c, &data);
}

static void a_budget_below_the_fees_is_warned_of(void **state)
{
    (void)state;
    struct ctl ctl = {0};
    struct task_file file;
    struct task_data data = usual_data();
    Pot__GenesisParams params;
    json_t *list = json_array();
    genesis_params_default(&params);
    assert_int_equal(task_read_text(&file, &ctl, "t.toml", good),
                     EXIT_CODE_DONE);
    file.budget = 1000000; /* 0.001 POT, as much as a fee's base */
    task_warn_alone(list, &file, &data, &params);
    assert_int_equal(json_array_size(list), 1);
    const char *text = json_string_value(json_array_get(list, 0));
    const char *why = "t.toml:11: reward.budget: a miner earns 0.00085 POT at"
                      " most in all rounds, less than the fee";
    if (strstr(text, why) == NULL) {
        fail_msg("%s", text);
    }
    json_decref(list);
    task_file_fini(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_stand_where_the_file_is_silent),
        cmocka_unit_test(faults_name_line_and_key),
        cmocka_unit_test(a_wrong_amount_says_what_is_right),
        cmocka_unit_test(a_kind_of_optimizer_has_defaults_of_its_own),
        cmocka_unit_test(what_is_required_must_be_there),
        cmocka_unit_test(what_the_chain_would_refuse_is_refused_here),
        cmocka_unit_test(a_name_of_controls_or_no_utf_8_is_refused),
        cmocka_unit_test(a_task_that_does_not_fit_its_data_is_refused),
        cmocka_unit_test(a_task_where_cheating_pays_is_refused),
        cmocka_unit_test(a_label_goes_by_its_index_too),
        cmocka_unit_test(likely_mistakes_are_warned_of_at_their_line),
        cmocka_unit_test(data_that_says_little_is_warned_of),
        cmocka_unit_test(a_budget_below_the_fees_is_warned_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
