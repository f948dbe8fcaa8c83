/* What can be chosen, sent or asked stands in the documents that list it. */
#include "config.h"

#include "base/buf.h"
#include "base/file.h"
#include "proto/chain.pb-c.h"
#include "proto/spec.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DOCUMENT_MAX ((size_t)1 << 20)

static const struct {
    const char *section;
    const char *key;
    const struct spec_choices *choices;
} keys[] = {
    {"model", "activation", &spec_activations},
    {"model", "loss", &spec_losses},
    {"optimizer", "schedule", &spec_schedules},
    {"training", "aggregation", &spec_aggregations},
    {"training", "numerics", &spec_numerics},
    {"training", "compression", &spec_compressions},
};
#define KEYS (sizeof(keys) / sizeof(*keys))

/* The caller frees it. */
static char *read_document(const char *name)
{
    const char *source = getenv("srcdir");
    char *path = file_join(source != NULL ? source : "..", name);
    char *text;
    size_t size;
    if (file_read(&text, &size, path, DOCUMENT_MAX) != POT_OK) {
        fail_msg("%s cannot be read", path);
    }
    free(path);
    return text;
}

/* Whether name stands between begin, which must be there, and end. */
static bool is_between(const char *text, const char *begin, const char *end,
                       const char *name)
{
    const char *from = strstr(text, begin);
    if (from == NULL) {
        return false;
    }
    const char *to = strstr(from + strlen(begin), end);
    const char *found = strstr(from, name);
    return found != NULL && (to == NULL || found < to);
}

static void each_choice_stands_in_the_manuals(void **state)
{
    (void)state;
    char *page = read_document("docs/training.md");
    char *manual = read_document("docs/man/task.toml.5");
    for (size_t i = 0; i < KEYS; i++) {
        char row[64];
        char entry[64];
        (void)snprintf(row, sizeof(row), "\n| `%s.%s` |", keys[i].section,
                       keys[i].key);
        (void)snprintf(entry, sizeof(entry), "\n.BR %s ", keys[i].key);
        for (size_t k = 0; k < keys[i].choices->count; k++) {
            const struct spec_choice *choice = &keys[i].choices->all[k];
            if (choice->is_taken &&
                !is_between(page, row, " |\n", choice->name)) {
                fail_msg("docs/training.md: %s.%s lacks %s", keys[i].section,
                         keys[i].key, choice->name);
            }
            if (!is_between(manual, entry, "\n.TP", choice->name)) {
                fail_msg("docs/man/task.toml.5: %s lacks %s", keys[i].key,
                         choice->name);
            }
        }
    }
    free(page);
    free(manual);
}

/* Letters and digits of text in lower case, one space for all between. */
static char *words_of(const char *text)
{
    struct buf out;
    buf_init(&out, DOCUMENT_MAX);
    for (bool is_word = false; *text != '\0'; text++) {
        if (isalnum((unsigned char)*text) != 0) {
            buf_printf(&out, "%s%c", is_word ? "" : " ",
                       tolower((unsigned char)*text));
        }
        is_word = isalnum((unsigned char)*text) != 0;
    }
    char *words = strdup(buf_text(&out));
    buf_fini(&out);
    return words;
}

static void the_readme_says_what_is_taken(void **state)
{
    (void)state;
    static const struct spec_choices *const told[] = {&spec_activations,
                                                      &spec_aggregations};
    char *page = read_document("README.md");
    char *words = words_of(page);
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < told[i]->count; k++) {
            char *name = words_of(told[i]->all[k].name);
            if (told[i]->all[k].is_taken && strstr(words, name) == NULL) {
                fail_msg("README.md lacks%s", name);
            }
            free(name);
        }
    }
    free(words);
    free(page);
}

static void each_activation_can_be_trained_centrally(void **state)
{
    (void)state;
    char *program = read_document("tests/interop/train_float32.py");
    for (size_t i = 0; i < spec_activations.count; i++) {
        char key[64];
        (void)snprintf(key, sizeof(key), "\n    \"%s\": (",
                       spec_activations.all[i].name);
        if (!is_between(program, "\nACTIVATIONS = {", "\n}", key)) {
            fail_msg("train_float32.py lacks %s", spec_activations.all[i].name);
        }
    }
    free(program);
}

static void each_action_stands_in_the_protocol(void **state)
{
    (void)state;
    char *page = read_document("docs/protocol.md");
    const ProtobufCMessageDescriptor *body = &pot__tx_body__descriptor;
    for (unsigned i = 0; i < body->n_fields; i++) {
        char name[64];
        (void)snprintf(name, sizeof(name), "`%s`", body->fields[i].name);
        if ((body->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
            !is_between(page, "\n| action | does |", "\n\n", name)) {
            fail_msg("docs/protocol.md: no action %s", name);
        }
    }
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_choice_stands_in_the_manuals),
        cmocka_unit_test(the_readme_says_what_is_taken),
        cmocka_unit_test(each_activation_can_be_trained_centrally),
        cmocka_unit_test(each_action_stands_in_the_protocol),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
