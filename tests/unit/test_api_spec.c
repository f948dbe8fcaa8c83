/* What the API says a task was submitted with. */
#include "config.h"

#include "node/api/api_spec.h"

#include "base/fixed.h"
#include "base/limits.h"
#include "node/api/api_json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    Pot__TaskSpec spec;
    Pot__ModelSpec model;
    Pot__OptimizerSpec optimizer;
    uint32_t layers[3];
};

static json_t *json_of(struct fixture *f)
{
    json_t *json = json_object();
    api_spec_add(json, &f->spec);
    return json;
}

static void fill(struct fixture *f)
{
    *f = (struct fixture){.layers = {64, 32, 10}};
    pot__task_spec__init(&f->spec);
    pot__model_spec__init(&f->model);
    pot__optimizer_spec__init(&f->optimizer);
    f->model.layers = f->layers;
    f->model.n_layers = 3;
    f->spec.model = &f->model;
    f->spec.optimizer = &f->optimizer;
}

/* The key of a field: its own name but for what stands here. */
static const char *key_of(char text[static 64], const char *field)
{
    static const char *const renamed[][2] = {
        {"train", "train_dataset"},
        {"test", "test_dataset"},
        {"kind", "optimizer"},
    };
    for (size_t i = 0; i < sizeof(renamed) / sizeof(*renamed); i++) {
        if (strcmp(field, renamed[i][0]) == 0) {
            return renamed[i][1];
        }
    }
    size_t size = strlen(field);
    bool is_ppm = size > 4 && strcmp(field + size - 4, "_ppm") == 0;
    (void)snprintf(text, 64, "%.*s", (int)(is_ppm ? size - 4 : size), field);
    return text;
}

static void expect_fields(const json_t *json,
                          const ProtobufCMessageDescriptor *message)
{
    for (unsigned i = 0; i < message->n_fields; i++) {
        char text[64];
        const ProtobufCFieldDescriptor *field = &message->fields[i];
        const char *key = key_of(text, field->name);
        bool is_elsewhere = field->type == PROTOBUF_C_TYPE_MESSAGE ||
                            strcmp(key, "name") == 0 ||
                            strcmp(key, "rounds") == 0;
        if (!is_elsewhere && json_object_get(json, key) == NULL) {
            print_message("%s.%s is not told\n", message->short_name, key);
            fail();
        }
    }
}

static void every_field_of_a_specification_is_told(void **state)
{
    struct fixture f;
    (void)state;
    fill(&f);
    json_t *json = json_of(&f);
    expect_fields(json, &pot__task_spec__descriptor);
    expect_fields(json, &pot__model_spec__descriptor);
    expect_fields(json, &pot__optimizer_spec__descriptor);
    json_decref(json);
}

static void expect(const json_t *json, const char *key, const char *text)
{
    struct buf out;
    buf_init(&out, 256);
    api_json_write(&out, json_incref(json_object_get(json, key)));
    assert_string_equal(buf_text(&out), text);
    buf_fini(&out);
}

static void numbers_are_those_of_the_file(void **state)
{
    struct fixture f;
    (void)state;
    fill(&f);
    f.spec.audit_rate_ppm = 30000;
    f.spec.miner_stake = 12500000000;
    f.spec.clip_norm = (uint32_t)llround(0.3 * (1 << 20));
    f.model.activation = POT__ACTIVATION__ACTIVATION_TANH;
    f.model.seed = 7;
    f.optimizer.kind = POT__OPTIMIZER__OPTIMIZER_ADAM;
    f.optimizer.learning_rate = (uint32_t)llround(0.1 * RATE_ONE);
    f.optimizer.local_rate = (uint32_t)llround(15.999999 * RATE_ONE);
    f.optimizer.beta2 = (uint32_t)llround(0.999 * RATE_ONE);
    f.optimizer.epsilon = (uint32_t)llround(1e-8 * ldexp(1, 38));
    json_t *json = json_of(&f);
    expect(json, "audit_rate", "0.03");
    expect(json, "miner_stake", "\"12500000000\"");
    expect(json, "clip_norm", "0.3");
    expect(json, "activation", "\"tanh\"");
    expect(json, "seed", "7");
    expect(json, "optimizer", "\"adam\"");
    expect(json, "learning_rate", "0.1");
    expect(json, "local_rate", "15.999999");
    expect(json, "beta2", "0.999");
    expect(json, "epsilon", "1e-8");
    expect(json, "momentum", "0.0");
    expect(json, "parameters", "2410");
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_a_specification_is_told),
        cmocka_unit_test(numbers_are_those_of_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
